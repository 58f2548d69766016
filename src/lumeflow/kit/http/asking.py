"""From a configuration and a record to the parameters of a call.

Parameters have two parts: `request` is what is asked for, by which the ledger knows the call, and `settings` is how the
call is made and its answer is read. Neither holds a secret; `sealed` holds texts that name them.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson

from lumeflow.kit.http.auth import NoAuth, as_settings, credentials_of
from lumeflow.kit.http.config import READING, SAFE_TO_REPEAT, WITHOUT_BODY, HttpConfig
from lumeflow.kit.http.sealing import Opened, opened
from lumeflow.kit.http.statuses import checked_statuses
from lumeflow.kit.text import is_blank
from lumeflow.plugin import BlockContext, ErrorClass, RecordError, Template, derived_id

OPERATION = "http/request"
_LONGEST_HEADER = 8192
T = TypeVar("T")
_NONE: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Step:
    """What one page adds to a request.

    Attributes:
        query: Parameters that are set.
        body: Fields of the body that are set.
        url: The whole address, in place of the configured one with its query.
    """

    query: Mapping[str, str | int] | None = None
    body: Mapping[str, Any] | None = None
    url: str | None = None

    def identity(self) -> bytes:
        """The same bytes for equal steps."""
        content = orjson.dumps([self.query, self.body, self.url], option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(content).digest()


FIRST = Step()


class Asker:
    """Makes the calls of one node.

    Args:
        config: The node's configuration.
        more: Settings of its calls that do not follow from it.
    """

    def __init__(self, config: HttpConfig, more: Mapping[str, Any] = _NONE) -> None:
        self._config = config
        self._settings = {**_settings(config), **more}
        self._auth = _auth_identity(config)
        mapping = {name: opened(template) for name, template in config.mapping.items()}
        into_query = config.method in WITHOUT_BODY
        self._in_query = {name: opened(template) for name, template in config.query.items()}
        self._in_query |= mapping if into_query else {}
        self._in_body = {} if into_query else mapping
        self._headers = {name: opened(template) for name, template in config.headers.items()}

    async def ask(self, ctx: BlockContext, value: Any = None, step: Step = FIRST) -> Mapping[str, Any]:
        """Make a call; `value` is what `{{input}}` means. Returns the value of `http/request`.

        Raises:
            RecordError: The request can't be put together.
            CallError: The call failed for good.
        """
        answer: Mapping[str, Any] = (await ctx.call(OPERATION, self.params(ctx, value, step))).value
        return answer

    def params(self, ctx: BlockContext, value: Any = None, step: Step = FIRST) -> dict[str, Any]:
        """Parameters of the call for a record."""
        request = self._request(ctx, value, step)
        if self._config.idempotency_header is not None:
            content = hashlib.sha256(orjson.dumps(request, option=orjson.OPT_SORT_KEYS)).hexdigest()
            key = derived_id(ctx.execution_id, ctx.node_id, ctx.place, content)
            request["headers"][self._config.idempotency_header] = key
        return {"request": request, "settings": self._settings}

    def _request(self, ctx: BlockContext, value: Any, step: Step) -> dict[str, Any]:
        config = self._config
        sealed: dict[str, Any] = {}

        def render(template: Template) -> Any:
            return ctx.render(template, value)

        query: dict[str, list[str]] = {}
        if step.url is None:
            query = _fields("query", self._in_query, render, _texts, sealed)
        query.update({name: [str(text)] for name, text in (step.query or {}).items()})
        request: dict[str, Any] = {
            "method": config.method,
            "url": step.url or config.address.render(render),
            "query": query,
            "headers": _fields("headers", self._headers, render, _header, sealed),
        }
        body = self._body(render, sealed)
        if step.body is not None:
            body = {**(body if isinstance(body, dict) else {}), **step.body}
        if body is not None:
            request |= {"body": body, "bodyType": config.body_type}
        return request | ({"sealed": sealed} if sealed else {}) | ({"auth": self._auth} if self._auth else {})

    def _body(self, render: Any, sealed: dict[str, Any]) -> Any:
        config = self._config
        if config.opened_body is not None:
            if config.opened_body.sealed:
                sealed["body"] = [[list(at), text] for at, text in config.opened_body.sealed]
            return render(config.opened_body.template)
        if not self._in_body:
            return None
        body: dict[str, Any] = {}
        for name, parts in self._in_body.items():
            value = render(parts.template)
            if parts.sealed:
                sealed.setdefault("body", []).extend([[name, *at], text] for at, text in parts.sealed)
            if parts.sealed or not is_blank(value):
                body[name] = value
        return body


def _fields(
    place: str,
    fields: Mapping[str, Opened],
    render: Callable[[Template], Any],
    convert: Callable[[Any, str], T],
    sealed: dict[str, Any],
) -> dict[str, T]:
    """Named values, without empty ones; those that are secrets go into `sealed`."""
    found: dict[str, T] = {}
    for name, parts in fields.items():
        if parts.sealed:
            sealed.setdefault(place, {})[name] = parts.sealed[0][1]
        elif value := convert(render(parts.template), name):
            found[name] = value
    return found


def _texts(value: Any, name: str) -> list[str]:
    """A query parameter's values."""
    values = value if isinstance(value, list) else [value]
    if any(isinstance(each, dict | list) for each in values):
        raise RecordError(
            ErrorClass.VALIDATION, f"the parameter '{name}' must be a text or a number, or a list of them", field=name
        )
    return [_text(each) for each in values if not is_blank(each)]


def _header(value: Any, name: str) -> str:
    if is_blank(value):
        return ""
    text = _text(value)
    if isinstance(value, dict | list) or not text.isprintable() or not text.isascii() or len(text) > _LONGEST_HEADER:
        raise RecordError(
            ErrorClass.VALIDATION, f"the header '{name}' must be one line of plain characters", field=name
        )
    return text


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _settings(config: HttpConfig) -> dict[str, Any]:
    repeat, writes = _repetition(config)
    found = {
        "host": config.address.host,
        "account": config.account,
        "limits": [[limit.calls, limit.seconds] for limit in config.rate_limit],
        "concurrency": config.concurrency,
        "repeat": repeat,
        "writes": writes,
        "statuses": checked_statuses(config.statuses),
        "cost": str(config.cost_per_call),
        "costNotFound": str(config.cost_not_found),
        "costPath": None if config.cost_path is None else config.cost_path.source,
        "costFactor": str(config.cost_factor),
        "errorPath": None if config.error_path is None else config.error_path.source,
        "answerType": config.answer_type,
        "redirects": config.max_redirects,
        "largest": config.max_answer_bytes,
        "auth": None if isinstance(config.auth, NoAuth) else as_settings(config.auth),
    }
    settings = {name: value for name, value in found.items() if value not in (None, [], {})}
    return settings | ({"example": [config.example]} if "example" in config.model_fields_set else {})


def _repetition(config: HttpConfig) -> tuple[str, bool]:
    """What may be done after a lost answer, and whether the call counts by its place and not by what it asks for."""
    writes = config.repeat == "never" or config.idempotency_header is not None
    if config.repeat is not None:
        return config.repeat, writes
    costs = config.cost_per_call or config.cost_not_found or config.cost_path is not None
    if config.method in READING:
        return ("booked" if costs else "free"), writes
    if config.method in SAFE_TO_REPEAT or config.idempotency_header is not None:
        return "booked", writes
    return "never", True


def _auth_identity(config: HttpConfig) -> dict[str, Any]:
    """What the ledger knows of the auth: its kind, the secrets it names, and a fingerprint of the rest."""
    auth = config.auth
    if isinstance(auth, NoAuth):
        return {}
    names = sorted(name for template in credentials_of(auth).values() for name in template.secrets)
    content = orjson.dumps(as_settings(auth), option=orjson.OPT_SORT_KEYS)
    return {"type": auth.type, "secrets": names, "fingerprint": hashlib.sha256(content).hexdigest()[:12]}
