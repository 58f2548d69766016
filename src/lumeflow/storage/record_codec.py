"""Runs of kept records as they are stored: one JSON text, and one blob for all float arrays in it.

An `array('f')` stands in the JSON as the string `<mark><first>+<count>`, its place in the blob in numbers. The mark is
chosen for each run so that no other string in it starts the same way.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import orjson

from lumeflow.core.errors import StorageError
from lumeflow.core.journal import KeptRecord, RecordKind
from lumeflow.storage.codec import float32_array, float32_bytes

RUN_RECORDS = 256
RUN_BYTES = 1 << 20
"""A run is split until it is no longer than this, so that a page of runs fits in memory whatever the records."""

_FLOAT_BYTES = 4


@dataclass(frozen=True, slots=True)
class Run:
    """Records of one kind that ended at one node, ordered by position and lineage.

    Attributes:
        first: Position of the first.
        last: Position of the last.
        count: How many.
        mark: What float arrays start with in `text`; None if there are none.
        text: JSON array of `[position, lineage, data, error class, reason]`.
        floats: The float arrays, float32, little-endian, one after the other.
    """

    first: int
    last: int
    count: int
    mark: str | None
    text: bytes
    floats: bytes | None


def encode_runs(records: Sequence[KeptRecord]) -> Iterator[Run]:
    """Make runs of records of one kind and node, given in any order.

    Raises:
        StorageError: A record is not JSON; the message names its node and position.
    """
    ordered = sorted(records, key=lambda record: (record.position, record.lineage))
    for start in range(0, len(ordered), RUN_RECORDS):
        yield from _encode(ordered[start : start + RUN_RECORDS])


def _encode(records: Sequence[KeptRecord]) -> Iterator[Run]:
    rows = [(record.position, record.lineage, record.data, record.error_class, record.reason) for record in records]
    try:
        text, mark, floats = _dump(rows)
    except TypeError as error:
        if len(records) == 1:
            raise StorageError(_unstorable(records[0], error)) from error
        text, mark, floats = b"", None, []
    if len(records) > 1 and (not text or len(text) + sum(map(len, floats)) > RUN_BYTES):
        middle = len(records) // 2
        yield from _encode(records[:middle])
        yield from _encode(records[middle:])
        return
    yield Run(records[0].position, records[-1].position, len(records), mark, text, b"".join(floats) if floats else None)


def _unstorable(record: KeptRecord, error: TypeError) -> str:
    place = f"node '{record.node_id}': the {record.kind} record at position {record.position}"
    return f"{place} cannot be stored: {error.__cause__ or error}"


def _dump(rows: Sequence[Any]) -> tuple[bytes, str | None, list[bytes]]:
    for attempt in count():
        mark = f"float32.{attempt}:"
        floats: list[bytes] = []
        text = orjson.dumps(rows, default=_Extractor(mark, floats))
        if not floats:
            return text, None, floats
        if text.count(f'"{mark}'.encode()) == len(floats):
            return text, mark, floats
    raise AssertionError("unreachable: marks are endless")


class _Extractor:
    """Takes float arrays out: `orjson` calls it for whatever is not JSON."""

    __slots__ = ("_floats", "_mark", "_taken")

    def __init__(self, mark: str, floats: list[bytes]) -> None:
        self._mark = mark
        self._floats = floats
        self._taken = 0

    def __call__(self, value: Any) -> Any:
        if isinstance(value, array):
            self._floats.append(float32_bytes(value))
            first, self._taken = self._taken, self._taken + len(value)
            return f"{self._mark}{first}+{len(value)}"
        if isinstance(value, Mapping):
            return dict(value)
        raise TypeError(f"a value of type {type(value).__name__} is not JSON")


def decode_run(
    text: str | bytes, mark: str | None, floats: bytes | None, node_id: str, kind: RecordKind
) -> list[KeptRecord]:
    """The records of a run, in order."""
    rows = orjson.loads(text)
    if mark is not None and floats is not None:
        restore = _Restorer(mark, floats)
        for row in rows:
            row[2] = restore(row[2])
    return [
        KeptRecord(node_id, kind, position, tuple(lineage), data, error_class, reason)
        for position, lineage, data, error_class, reason in rows
    ]


class _Restorer:
    """Puts float arrays back."""

    __slots__ = ("_floats", "_mark")

    def __init__(self, mark: str, floats: bytes) -> None:
        self._mark = mark
        self._floats = floats

    def __call__(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._array(value) if value.startswith(self._mark) else value
        if isinstance(value, dict):
            for name, item in value.items():
                if isinstance(item, str | dict | list):
                    value[name] = self(item)
        elif isinstance(value, list):
            value[:] = map(self, value)
        return value

    def _array(self, text: str) -> "array[float]":
        first, _, length = text[len(self._mark) :].partition("+")
        start = int(first) * _FLOAT_BYTES
        return float32_array(self._floats[start : start + int(length) * _FLOAT_BYTES])


def estimated_bytes(records: Sequence[KeptRecord]) -> int:
    """Roughly how much memory records hold, from a look at the first."""
    if not records:
        return 0
    size = 200
    for value in records[0].data.values():
        size += len(value) * 4 if isinstance(value, array | str | list | dict) else 16
    return size * len(records)
