"""The writer and the reader as one tenant has them."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from lumeflow.storage.jobs import ArgT, Job, ResultT, Transaction, Work
from lumeflow.storage.outbox import Urgency
from lumeflow.storage.writer import Writer

T = TypeVar("T")


class Reads(Protocol):
    """Runs queries in a thread of its own; see `lumeflow.storage.reader`."""

    async def read(self, query: Callable[[Transaction], T], *, tenant: str) -> T:
        """Run `query`, all its statements on one state of the database.

        Raises:
            StorageError: The database cannot be read.
        """
        ...

    async def close(self) -> None:
        """Close the connection. Does nothing the second time."""
        ...


@dataclass(frozen=True, slots=True)
class TenantWriter:
    """See `lumeflow.storage.writer.Writer`."""

    writer: Writer
    tenant: str

    def call(
        self, action: Callable[[Transaction], ResultT], urgency: Urgency = Urgency.NOW
    ) -> "asyncio.Future[ResultT]":
        """Run one action in its place among all others."""
        return self.writer.call(action, urgency, tenant=self.tenant)

    def bulk(self, work: Work[ArgT, ResultT], arg: ArgT, key: Hashable = None) -> "asyncio.Future[ResultT]":
        """Do `work` for one argument, together with others of its kind."""
        return self.writer.submit(work, arg, key, tenant=self.tenant).future

    def submit(
        self, work: Work[ArgT, ResultT], arg: ArgT, key: Hashable = None, *, urgency: Urgency = Urgency.PACED
    ) -> Job:
        """As `bulk`, for those who look at the job itself."""
        return self.writer.submit(work, arg, key, urgency=urgency, tenant=self.tenant)


@dataclass(frozen=True, slots=True)
class TenantReader:
    """Reads that need no order with writes waiting in the queue: lists, reports, kept records."""

    reads: Reads
    tenant: str

    async def read(self, query: Callable[[Transaction], T]) -> T:
        """Run `query` in a thread, all its statements on one state of the database."""
        return await self.reads.read(query, tenant=self.tenant)

    async def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of one statement."""
        return await self.read(lambda tx: tx.db.execute(statement, values).fetchall())
