"""A connection that a thread uses as if the driver were not asynchronous: on an event loop of its own."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

import asyncpg

from lumeflow.storage.postgres.address import Address
from lumeflow.storage.postgres.problems import translated

_TOKENS = re.compile(r""" "(?:[^"]|"")*" | '(?:[^']|'')*' | --[^\n]* | /\*.*?\*/ | \? """, re.VERBOSE | re.DOTALL)
"""Quoted names, texts and comments, in which ? means nothing, and those that mean something."""


@lru_cache(maxsize=1024)
def numbered(statement: str) -> tuple[str, bool]:
    """The statement with `$1`, `$2`… for its `?`, and whether it gives rows."""
    number = 0

    def place(match: re.Match[str]) -> str:
        nonlocal number
        if match[0] != "?":
            return match[0]
        number += 1
        return f"${number}"

    text = _TOKENS.sub(place, statement)
    return text, text.lstrip()[:6].upper() == "SELECT" or " RETURNING " in text


class Rows:
    """See `lumeflow.storage.dialect.Cursor`."""

    __slots__ = ("_next", "_rows", "rowcount")

    def __init__(self, rows: Sequence[Any], rowcount: int) -> None:
        self._rows = rows
        self._next = 0
        self.rowcount = rowcount

    def fetchone(self) -> Any:
        """The next row, or None."""
        if self._next == len(self._rows):
            return None
        self._next += 1
        return self._rows[self._next - 1]

    def fetchall(self) -> list[Any]:
        """All rows that are left."""
        rows = list(self._rows[self._next :])
        self._next = len(self._rows)
        return rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchall())


class PgConnection:
    """See `lumeflow.storage.dialect.Connection`. Belongs to one thread at a time.

    Attributes:
        server: Major version of the server.
    """

    def __init__(self, driver: "asyncpg.Connection[Any]", loop: asyncio.AbstractEventLoop) -> None:
        self._driver = driver
        self._loop = loop
        self.server: int = driver.get_server_version().major

    @classmethod
    def open(cls, address: Address, loop: asyncio.AbstractEventLoop) -> "PgConnection":
        """Connect.

        Raises:
            asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError: The driver's own.
        """
        return cls(loop.run_until_complete(asyncpg.connect(**address.options())), loop)

    @property
    def is_closed(self) -> bool:
        """True if the server or the driver has given the connection up."""
        return bool(self._driver.is_closed())

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Rows:
        """Run one statement; `?` stands for a value, in order.

        Raises:
            RowRefused: A row does not fit.
            NoSuchKey: An `ON CONFLICT` names no key.
            asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError: Otherwise.
        """
        text, gives_rows = numbered(statement)
        try:
            return self._loop.run_until_complete(self._run(text, values, gives_rows))
        except Exception as error:
            told = translated(error)
            if told is error:
                raise
            raise told from None

    def script(self, text: str) -> str:
        """Run several statements without values, in one go; returns the tag of the last, such as `COMMIT`."""
        return str(self._loop.run_until_complete(self._driver.execute(text)))

    def close(self) -> None:
        """End the connection, politely if that is quick."""
        with suppress(Exception):
            self._loop.run_until_complete(self._driver.close(timeout=2))
        self._driver.terminate()

    async def _run(self, text: str, values: Sequence[Any], gives_rows: bool) -> Rows:
        if gives_rows:
            rows = await self._driver.fetch(text, *values)
            return Rows(rows, len(rows))
        tag = await self._driver.execute(text, *values)
        count = tag.rpartition(" ")[2]
        return Rows((), int(count) if count.isdecimal() else -1)
