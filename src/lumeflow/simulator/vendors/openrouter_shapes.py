"""The shapes in which OpenRouter's errors and oddities come."""

from collections.abc import Mapping
from typing import Any

import orjson

from lumeflow.simulator.exchange import HTML_HEADERS, Call, Reply, json_reply
from lumeflow.simulator.vendor import OddShape


def classic(
    status: int, kind: str, message: str, headers: Mapping[str, str] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Reply:  # fmt: skip
    """Shape 1: an integer `code` in `error`."""
    error = {"code": status, "message": message, "metadata": {"error_type": kind, **(metadata or {})}}
    return json_reply({"error": error}, status, headers)


def availability(status: int, code: str, message: str, models: list[str], *, retry_after: int | None) -> Reply:
    """Shape 2: no `code`, but `availability`, whose `retryable` is to be obeyed."""
    about = {"code": code, "retryable": status in {429, 500, 502, 503}, "requested_models": models}
    if retry_after is not None:
        about["retry_after"] = retry_after
    kind = "not_found" if code == "model_not_found" else "provider_unavailable"
    error = {"message": message, "error_type": kind, "http_status": status, "availability": about}
    return json_reply({"error": error}, status)


def _error_in_200(call: Call) -> Reply:
    """Shape 3: status 200 with an error and no choices."""
    return json_reply({"error": {"message": "Provider returned error", "code": 502}})


def _error_choice(call: Call) -> Reply:
    """Shape 4: status 200 with a choice that failed on the way; nothing is charged."""
    model = call.json.get("model") if isinstance(call.json, dict) else None
    choice = {
        "index": 0, "finish_reason": "error", "native_finish_reason": "error",
        "message": {"role": "assistant", "content": '{"items": [', "refusal": None},
        "error": {"code": 502, "message": "Upstream error", "metadata": {"error_type": "provider_unavailable"}},
    }  # fmt: skip
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, "cost": 0, "is_byok": False}
    return json_reply({"id": f"gen-error-{call.identity}", "model": model, "choices": [choice], "usage": usage})


def _edge_timeout(call: Call) -> Reply:
    """Shape 5: a page from the edge."""
    page = "<!DOCTYPE html><html><head><title>524: A timeout occurred</title></head><body>Error 524</body></html>"
    return Reply(524, page.encode(), HTML_HEADERS)


def _with_content(reply: Reply, content: str) -> Reply | None:
    """The same answer with another text; None for an answer that has none."""
    shown, exact = orjson.loads(reply.rendered()), _cost_text(reply.rendered())
    shown["choices"][0]["message"]["content"] = content
    shown["usage"]["cost"] = orjson.Fragment(exact)
    return Reply(reply.status, orjson.dumps(shown), reply.headers)


def _cost_text(body: bytes) -> bytes:
    """The digits of `usage.cost` as they were written, so that no float comes between."""
    at = body.rindex(b'"cost":') + len(b'"cost":')
    return body[at : body.index(b",", at)]


def _content(reply: Reply) -> str:
    content: str = orjson.loads(reply.rendered())["choices"][0]["message"]["content"]
    return content


def _empty(reply: Reply) -> Reply | None:
    return _with_content(reply, "")


def _fenced(reply: Reply) -> Reply | None:
    return _with_content(reply, f"```json\n{_content(reply)}\n```")


def _item_missing(reply: Reply) -> Reply | None:
    """One of the ids that were asked about does not come back."""
    try:
        value = orjson.loads(_content(reply))
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, dict) or not value.get("items"):
        return None
    return _with_content(reply, orjson.dumps({**value, "items": value["items"][:-1]}).decode())


CHAT_SHAPES = (
    OddShape("error_in_200", error=_error_in_200),
    OddShape("error_choice", error=_error_choice),
    OddShape("edge_524", error=_edge_timeout),
    OddShape("empty_content", bend=_empty),
    OddShape("fenced_json", bend=_fenced),
    OddShape("item_missing", bend=_item_missing),
)
