"""Server-Sent Events, and lines: streams of bytes taken apart as they come."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from lumeflow.cli.remote.errors import ServerError

LONGEST_LINE = 64 * 1024 * 1024
"""Bytes."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event of a stream.

    Attributes:
        name: Its name.
        data: Its data.
        number: Its `id`, as a number; None if it has none.
    """

    name: str
    data: bytes
    number: int | None


async def lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The lines of a stream, without their ends; memory does not grow with their number.

    Raises:
        ServerError: One is too long.
    """
    waiting: list[bytes] = []
    size = 0
    async for piece in pieces:
        *whole, rest = piece.split(b"\n")
        for line in whole:
            yield b"".join((*waiting, line)).removesuffix(b"\r")
            waiting.clear()
            size = 0
        if rest:
            waiting.append(rest)
            size += len(rest)
        if size > LONGEST_LINE:
            raise ServerError("the server sends a line without end")
    if waiting:
        yield b"".join(waiting)


async def events(pieces: AsyncIterator[bytes]) -> AsyncIterator[ServerEvent | None]:
    """The events of a stream; None where the server only shows that it is there.

    An event that is cut off is left out: whoever comes back gets it again.

    Raises:
        ServerError: One is too long.
    """
    name, data, number = "message", b"", None
    async for line in lines(pieces):
        if line:
            field, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if field == b"event":
                name = value.decode(errors="replace")
            elif field == b"data":
                data = data + b"\n" + value if data else value
            elif field == b"id" and value.isdigit() and len(value) < 19:
                number = int(value)
            continue
        yield ServerEvent(name, data, number) if data else None
        name, data, number = "message", b"", None
