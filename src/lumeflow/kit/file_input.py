"""Running a reader over a file: the file on the loop, the work in threads."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

from lumeflow.core.context import Files
from lumeflow.kit.readers.opening import HEAD_BYTES
from lumeflow.kit.readers.rows import Reader, Row

__all__ = ["Files", "read_head", "read_rows"]


async def read_head(files: Files, path: str) -> bytes:
    """The first `HEAD_BYTES` of a file, or all of it.

    Raises:
        UsageError: It cannot be read.
    """
    head = b""
    async with aclosing(_pieces(files, path)) as pieces:
        async for piece in pieces:
            head += piece
            if len(head) >= HEAD_BYTES:
                break
    return head[:HEAD_BYTES]


async def read_rows(files: Files, path: str, reader: Reader) -> AsyncGenerator[list[Row], None]:
    """The rows of a file, some at a time; the reader is closed with it.

    Raises:
        UsageError: It cannot be read.
        FileRefused: It cannot be parsed from some place on; the rows before it were given.
    """
    try:
        async with aclosing(_pieces(files, path)) as pieces:
            async for piece in pieces:
                async for rows in _in_thread(reader.feed(piece)):
                    yield rows
        async for rows in _in_thread(reader.finish()):
            yield rows
    finally:
        reader.close()


async def _pieces(files: Files, path: str) -> AsyncGenerator[bytes, None]:
    """The pieces of a file; closing it closes the file at once."""
    stream = files.stream(path)
    try:
        async for piece in stream:
            yield piece
    finally:
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()


async def _in_thread(batches: Iterator[list[Row]]) -> AsyncIterator[list[Row]]:
    end: Any = object()
    while (rows := await asyncio.to_thread(next, batches, end)) is not end:
        yield rows
