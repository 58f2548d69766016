"""Bodies of requests: JSON that is said to be JSON, strict, and with every key once in an object."""

import asyncio
from http import HTTPStatus
from json import JSONDecodeError
from typing import Any

import orjson
from fastapi import Request

from lumeflow.core.document.reading import MAX_DEPTH, duplicate_keys
from lumeflow.server.problems import FieldError, Problem, unusable

_LARGE = 100_000


class JsonRequest(Request):
    """A request whose body is JSON by the rules of RFC 8259: no NaN, no half characters."""

    async def check(self) -> None:
        """Read the body, if there is one.

        Raises:
            Problem: It is not JSON, not said to be, nested deeper than recursive work could follow, or a key is given
                twice in one object: readers would keep the last and say nothing.
        """
        if await self.body():
            check_media_type(self)
            await self.json()

    async def json(self) -> Any:
        """The body's value; see `check`."""
        if not hasattr(self, "_json"):
            body = await self.body()
            # A large one in a thread: others go on meanwhile.
            self._json = await asyncio.to_thread(_parsed, body) if len(body) > _LARGE else _parsed(body)
        return self._json


def check_media_type(request: Request) -> None:
    """Go on only if the body is said to be JSON.

    Raises:
        Problem: It is not.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "not-json",
            "the body must be JSON: send it with 'Content-Type: application/json'",
        )


def _parsed(body: bytes) -> Any:
    try:
        value = orjson.loads(body)
    except JSONDecodeError as error:
        raise _refused(FieldError(where="body", field="", message=f"it is not JSON: {error.msg}")) from None
    if _is_deeper(value, MAX_DEPTH):
        raise _too_deep()
    if _may_have_duplicates(body, value):
        _check_duplicates(body)
    return value


def _may_have_duplicates(body: bytes, value: Any) -> bool:
    """False if no key was given twice. Cheap: a pair that was dropped took its colon along, and none comes back unless
    it was escaped.
    """
    return b"\\u003" in body or body.count(b":") != orjson.dumps(value).count(b":")


def _check_duplicates(body: bytes) -> None:
    try:
        found = duplicate_keys(body.decode())
    except RecursionError:
        raise _too_deep() from None
    if found:
        raise _refused(
            *(
                FieldError(where="body", field=at, message=f"'{key[:80]}' is given more than once: keep one")
                for key, at in found[:100]
            )
        )


def _too_deep() -> Problem:
    message = f"arrays and objects are nested more than {MAX_DEPTH} deep"
    return _refused(FieldError(where="body", field="", message=message))


def _refused(*errors: FieldError) -> Problem:
    place = f"body {errors[0].field}".strip()
    return unusable(f"{place}: {errors[0].message}", code="invalid-request", errors=errors)


def _is_deeper(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth + 1):
        below: list[Any] = []
        for item in level:
            inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
            below.extend(child for child in inner if isinstance(child, dict | list))
        if not below:
            return False
        level = below
    return True
