"""Records as files that are written while they are sent; memory does not grow with them."""

import asyncio
import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from lumeflow.kit.cells import cell, flatten, harmless
from lumeflow.kit.json_text import dump_json
from lumeflow.kit.kinds import Kind, Scalar, join, kind_of_all
from lumeflow.kit.parquet_file import ParquetFile

Records = AsyncIterator[Mapping[str, Any]]
Read = Callable[[], Records]
CHUNK_BYTES = 1 << 16
_ROWS = 500


class Format(StrEnum):
    """How records are written."""

    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


MEDIA_TYPES = {
    Format.JSON: "application/json",
    Format.JSONL: "application/jsonl",
    Format.CSV: "text/csv",
    Format.PARQUET: "application/vnd.apache.parquet",
}


def attachment(name: str) -> dict[str, str]:
    """Headers under which a browser saves a file, whatever it is called."""
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return {"Content-Disposition": disposition, "X-Content-Type-Options": "nosniff"}


def written(form: Format, read: Read, *, raw: bool = False, embeddings: bool = False) -> AsyncIterator[bytes]:
    """The bytes of a file.

    Args:
        form: How to write it.
        read: Starts reading the records; CSV and Parquet read them twice, for columns are known once all were seen.
        raw: CSV: True to leave texts that a spreadsheet may run as formulas as they are.
        embeddings: CSV: True to write float arrays as well, as JSON text.
    """
    if form is Format.CSV:
        return _csv(read, raw=raw, embeddings=embeddings)
    if form is Format.PARQUET:
        return _parquet(read)
    return _gathered(_json(read()) if form is Format.JSON else _jsonl(read()))


async def _gathered(pieces: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    """Small pieces as large ones."""
    parts: list[bytes] = []
    size = 0
    async for piece in pieces:
        parts.append(piece)
        size += len(piece)
        if size >= CHUNK_BYTES:
            yield b"".join(parts)
            parts.clear()
            size = 0
    yield b"".join(parts)


async def _json(records: Records) -> AsyncGenerator[bytes, None]:
    start = b"[\n"
    async for record in records:
        yield start + dump_json(record)
        start = b",\n"
    yield b"[]\n" if start == b"[\n" else b"\n]\n"


async def _jsonl(records: Records) -> AsyncGenerator[bytes, None]:
    async for record in records:
        yield dump_json(record) + b"\n"


async def _csv(read: Read, *, raw: bool, embeddings: bool) -> AsyncIterator[bytes]:
    columns: dict[str, None] = {}
    async for record in read():
        columns.update((name, None) for name, _ in flatten(record, embeddings=embeddings))
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    if columns:
        rows.writerow([name if raw else harmless(name) for name in columns])
    async for record in read():
        values = dict(flatten(record, embeddings=embeddings))
        rows.writerow([cell(values.get(column), raw=raw) for column in columns])
        if text.tell() >= CHUNK_BYTES:
            yield _taken(text)
    yield _taken(text)


def _taken(text: io.StringIO) -> bytes:
    data = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return data


async def _parquet(read: Read) -> AsyncIterator[bytes]:
    kinds: dict[str, Kind] = {}
    async for rows in _batches(read()):
        for name in dict.fromkeys(name for row in rows for name in row):
            kinds[name] = join(kinds.get(name, Scalar.NOTHING), kind_of_all([row.get(name) for row in rows]))
    loop = asyncio.get_running_loop()
    # One thread for all: each has memory of its own, and would keep what a row group took.
    with ThreadPoolExecutor(1) as thread:
        file = await loop.run_in_executor(thread, ParquetFile, kinds, "snappy")
        async for rows in _batches(read()):
            if data := await loop.run_in_executor(thread, file.add, rows):
                yield data
        yield await loop.run_in_executor(thread, file.finish)


async def _batches(records: Records) -> AsyncIterator[list[Mapping[str, Any]]]:
    rows: list[Mapping[str, Any]] = []
    async for record in records:
        rows.append(record)
        if len(rows) == _ROWS:
            yield rows
            rows = []
    if rows:
        yield rows
