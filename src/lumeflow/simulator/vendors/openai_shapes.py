"""The shapes in which OpenAI's errors and oddities come."""

from collections.abc import Mapping
from typing import Any

import orjson

from lumeflow.simulator.exchange import Call, Reply, json_reply
from lumeflow.simulator.vendor import OddShape


def error_reply(
    status: int, message: str, kind: str, code: str | None, headers: Mapping[str, str] | None = None,
    *, param: str | None = None,
) -> Reply:  # fmt: skip
    """An error in its envelope."""
    return json_reply({"error": {"message": message, "type": kind, "param": param, "code": code}}, status, headers)


def without_last_item(text: str) -> str | None:
    """An answer in which one of the ids that were asked about does not come back; None if it is no list of items."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, dict) or not value.get("items"):
        return None
    return orjson.dumps({**value, "items": value["items"][:-1]}).decode()


def _changed(reply: Reply, **changes: Any) -> Reply | None:
    shown = orjson.loads(reply.rendered())
    if "choices" not in shown:
        return None
    shown["choices"][0]["message"].update(changes)
    return Reply(reply.status, orjson.dumps(shown), reply.headers)


def _content(reply: Reply) -> str:
    shown = orjson.loads(reply.rendered())
    return str(shown["choices"][0]["message"]["content"]) if "choices" in shown else ""


def _error_in_200(call: Call) -> Reply:
    return json_reply({"error": {"message": "The server is overloaded", "type": "server_error", "code": 503}})


def _empty(reply: Reply) -> Reply | None:
    return _changed(reply, content="")


def _fenced(reply: Reply) -> Reply | None:
    return _changed(reply, content=f"```json\n{_content(reply)}\n```")


def _item_missing(reply: Reply) -> Reply | None:
    text = without_last_item(_content(reply))
    return None if text is None else _changed(reply, content=text)


CHAT_SHAPES = (
    OddShape("error_in_200", error=_error_in_200),
    OddShape("empty_content", bend=_empty),
    OddShape("fenced_json", bend=_fenced),
    OddShape("item_missing", bend=_item_missing),
)
