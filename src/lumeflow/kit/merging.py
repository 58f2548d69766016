"""What the merge blocks that need whole payloads have in common."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from itertools import islice, pairwise, zip_longest
from typing import Any, Generic, TypeVar

from lumeflow.plugin import BlockContext, JsonObject, Record, Whole

_AT_ONCE = 2_000

Streams = Mapping[str, Iterable[Record]]
"""Records by source node id, in the order of the sources; each can be read any number of times."""


ItemT = TypeVar("ItemT")


class Lazily(Generic[ItemT]):
    """Records that are made anew each time they are read, so that none of them has to be kept."""

    def __init__(self, make: Callable[[], Iterator[ItemT]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[ItemT]:
        return self._make()


def record_streams(payloads: Mapping[str, Whole]) -> Streams:
    """The collections of those payloads that have one."""
    return {source: whole.records for source, whole in payloads.items() if whole.collection is not None}


def collection_name(payloads: Mapping[str, Whole], wanted: str | None) -> str | None:
    """Name of the merged collection: `wanted`, else that of the first source that has one; None if none has."""
    names = [whole.collection for whole in payloads.values() if whole.collection is not None]
    return (wanted or names[0]) if names else None


def fields_beside(fields: dict[str, Any], collection: str | None, ctx: BlockContext) -> dict[str, Any]:
    """`fields` without one of the collection's name: most often the empty list of a source that has no records."""
    if collection is None or collection not in fields:
        return fields
    if fields[collection]:
        ctx.warn(f"a field called '{collection}' was left out: the merged records have this name; set 'collection'")
    return {name: value for name, value in fields.items() if name != collection}


def by_position(streams: Streams) -> Iterator[tuple[Record | None, ...]]:
    """The first records of all streams, then the second ones …; None where a stream has ended."""
    return zip_longest(*streams.values())


def first_of(records: Sequence[Record | None]) -> Record:
    """The record of the earliest source that has one."""
    return next(record for record in records if record is not None)


async def in_pieces(records: Iterable[Record], work: Callable[[Sequence[Record]], None]) -> None:
    """Work on all records in threads; between pieces it can be cancelled."""
    iterator = iter(records)

    def next_piece() -> bool:
        piece = list(islice(iterator, _AT_ONCE))
        work(piece)
        return bool(piece)

    while await asyncio.to_thread(next_piece):
        pass


async def in_order_of_lineage(streams: Streams) -> bool:
    """True if every stream ascends strictly by lineage. Reads them through, in a thread: they may lie on disk."""
    return await asyncio.to_thread(lambda: all(_ascends(records) for records in streams.values()))


async def lengths(streams: Streams) -> dict[str, int]:
    """How many records each stream has."""
    return await asyncio.to_thread(lambda: {source: _length(records) for source, records in streams.items()})


def _ascends(records: Iterable[Record]) -> bool:
    return all(earlier.lineage < later.lineage for earlier, later in pairwise(records))


def _length(records: Iterable[Record]) -> int:
    return len(records) if isinstance(records, Sized) else sum(1 for _ in records)


def merge_data(
    objects: Iterable[JsonObject], merge: Callable[[JsonObject, JsonObject], dict[str, Any]]
) -> dict[str, Any]:
    """Merge objects from the first to the last."""
    merged: dict[str, Any] = {}
    for item in objects:
        merged = merge(merged, item)
    return merged
