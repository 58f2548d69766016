"""Records as files: a JSON array, JSON Lines, CSV. All of them are streamed; memory does not grow with the records."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lumeflow.cli.target import Write
from lumeflow.kit.cells import cell, flatten, harmless
from lumeflow.kit.json_text import dump_json

Records = AsyncIterator[Mapping[str, Any]]
CHUNK_BYTES = 1 << 18


class Format(StrEnum):
    """How records are written."""

    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file of records is written.

    Attributes:
        form: Its form.
        raw: CSV: True to leave texts that a spreadsheet may run as formulas as they are.
        embeddings: CSV: True to write float arrays as well, as JSON text.
    """

    form: Format
    raw: bool = False
    embeddings: bool = False


class Buffer:
    """Gathers small pieces into large writes."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> None:
        """Take a piece."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size >= CHUNK_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what there is."""
        self._write(b"".join(self._pieces))
        self._pieces.clear()
        self._size = 0


async def write_json(records: Records, write: Write) -> int:
    """Write an array with a record a line; returns how many there were."""
    buffer = Buffer(write)
    number = 0
    async for record in records:
        buffer.add((b",\n" if number else b"[\n") + dump_json(record))
        number += 1
    buffer.add(b"\n]\n" if number else b"[]\n")
    buffer.flush()
    return number


async def write_jsonl(records: Records, write: Write) -> int:
    """Write a record a line; returns how many there were."""
    buffer = Buffer(write)
    number = 0
    async for record in records:
        buffer.add(dump_json(record) + b"\n")
        number += 1
    buffer.flush()
    return number


async def write_csv(read: Callable[[], Records], write: Write, *, raw: bool, embeddings: bool) -> int:
    """Write a head and a row for each record (RFC 4180, UTF-8); returns how many records there were.

    The records are read twice: their columns are known only once all have been seen. Columns come in the order in
    which they first appear; a record that lacks one has an empty cell there.

    Args:
        read: Starts reading the records.
        write: Takes UTF-8 bytes.
        raw: True to leave texts that a spreadsheet may run as formulas as they are.
        embeddings: True to write float arrays as well, as JSON text.
    """
    columns = await _columns(read(), embeddings=embeddings)
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    if columns:
        rows.writerow([name if raw else harmless(name) for name in columns])
    number = 0
    async for record in read():
        values = dict(flatten(record, embeddings=embeddings))
        rows.writerow([cell(values.get(column), raw=raw) for column in columns])
        number += 1
        if text.tell() >= CHUNK_BYTES:
            _drain(text, write)
    _drain(text, write)
    return number


async def _columns(records: Records, *, embeddings: bool) -> list[str]:
    columns: dict[str, None] = {}
    async for record in records:
        columns.update((name, None) for name, _ in flatten(record, embeddings=embeddings))
    return list(columns)


def _drain(text: io.StringIO, write: Write) -> None:
    write(text.getvalue().encode())
    text.seek(0)
    text.truncate()
