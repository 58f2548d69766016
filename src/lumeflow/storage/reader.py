"""Reads that need no order with writes waiting in the queue: lists, reports, kept records."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from lumeflow.core.errors import StorageError
from lumeflow.storage.connection import Source, connect_reader
from lumeflow.storage.jobs import Transaction
from lumeflow.storage.problems import storage_error
from lumeflow.storage.writer import Writer

T = TypeVar("T")


class SqliteReader:
    """Sees everything that was reported as written, on a connection of its own.

    A database in memory has but one connection: its reads wait their turn among the writes.
    """

    def __init__(self, source: Source, writer: Writer) -> None:
        self._source = source
        self._writer = writer
        self._db: sqlite3.Connection | None = None
        self._closed = False
        self._pool = None if source.path is None else ThreadPoolExecutor(1, "lumeflow-reader")

    async def read(self, query: Callable[[Transaction], T], *, tenant: str) -> T:
        """Run `query` in a thread, all its statements on one state of the database.

        Raises:
            StorageError: The database cannot be read.
        """
        if self._pool is None:
            return await self._writer.call(query, tenant=tenant)
        if self._closed:
            raise StorageError(f"database {self._source.name} is closed")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._run, query, tenant)

    async def close(self) -> None:
        """Close the connection. Does nothing the second time."""
        if self._pool is None or self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._pool, self._close)
        self._pool.shutdown(wait=True)

    def _run(self, query: Callable[[Transaction], T], tenant: str) -> T:
        if self._db is None:
            self._db = connect_reader(self._source)
        try:
            self._db.execute("BEGIN")
            try:
                return query(Transaction(self._db, tenant))
            finally:
                self._db.rollback()
        except sqlite3.Error as error:
            raise storage_error(error, self._source.name) from error

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
