"""Cursors: where a page ends, opaque to clients and checked when they come back."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated, Any, TypeVar

import orjson
from fastapi import Query

from lumeflow.server.answers import dump
from lumeflow.server.problems import FieldError, unusable

ItemT = TypeVar("ItemT")

MOST = 1000
PAGE_BYTES = 8_000_000
"""Bytes after which a page of things of any size ends."""
Limit = Annotated[int, Query(ge=1, le=MOST, description="Most entries of a page.")]
Cursor = Annotated[
    str | None, Query(max_length=2000, description="`nextCursor` of the page before; the first page if left out.")
]


def encode(kind: str, *place: str | int) -> str:
    """A cursor of one list."""
    return urlsafe_b64encode(orjson.dumps([kind, *place])).decode().rstrip("=")


def decode(kind: str, cursor: str, *types: type) -> Sequence[Any]:
    """The place that a cursor of this list holds.

    Raises:
        Problem: It is no cursor, or one of another list.
    """
    try:
        found = orjson.loads(urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
    except ValueError:
        found = None
    fits = isinstance(found, list) and found[:1] == [kind] and len(found) == len(types) + 1
    if not fits or not all(_fits(value, wanted) for value, wanted in zip(found[1:], types, strict=True)):
        message = "expected nextCursor of the page before, of the same list"
        raise unusable(
            f"the cursor is not one of this list: {message}",
            code="invalid-cursor",
            errors=[FieldError(where="query", field="cursor", message=message)],
        )
    return list(found[1:])


def _fits(value: Any, wanted: type) -> bool:
    """True if a part of a cursor can be one: cursors can be forged, and databases do not take every text and number."""
    if wanted is str:
        return isinstance(value, str) and value.isprintable()
    return type(value) is int and -(2**62) < value < 2**62


def page(found: Sequence[ItemT], limit: int, place: Callable[[ItemT], str]) -> tuple[Sequence[ItemT], str | None]:
    """A page and the cursor of the next, from up to `limit + 1` entries."""
    items = found[:limit]
    return items, place(items[-1]) if len(found) > limit else None


async def filled(
    found: AsyncIterator[ItemT], limit: int, told: Callable[[ItemT], Any], place: Callable[[ItemT], str]
) -> tuple[Sequence[orjson.Fragment], str | None]:
    """A page and the cursor of the next: `limit` entries as JSON, or fewer where they are large."""
    items: list[orjson.Fragment] = []
    size, following = 0, ""
    async for item in found:
        if len(items) == limit or size > PAGE_BYTES:
            return items, following
        data = dump(told(item))
        items.append(orjson.Fragment(data))
        size, following = size + len(data), place(item)
    return items, None
