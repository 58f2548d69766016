"""A run of an Apify actor, from its start to its cost. What is read of it are remembered answers only."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from lumeflow.plugin import BlockContext, ErrorClass, NodeError, Response

START, WATCH, READ = "apify/start-run", "apify/get-run", "apify/dataset-items"
COUNT, COST = "apify/dataset-total", "apify/run-cost"
OPERATIONS = (START, WATCH, READ, COUNT, COST)

PAGE = 250
EAGER_READS = 5
"""Reads of a dataset that is still empty before the block lets Apify hold the line."""
MANY = 50
"""Items of one read that show that more are there already, so that nothing is waited for before the next read."""
SOME = 10
GLANCE = 0.1
"""After a read of at least `SOME` items, seconds that the end of the run is waited for before the next."""

_ENDINGS: Mapping[str, ErrorClass] = {"TIMED-OUT": ErrorClass.TIMEOUT}


@dataclass(slots=True)
class ActorRun:
    """A started run, as far as it has been read.

    Attributes:
        id: Its id.
        dataset: Id of the dataset that it writes to.
        actor: Its actor, as in `apify~facebook-comments-scraper`.
        offset: Items that were read.
        status: How it ended; None while it goes on.
        total: Items that it has in the end; known when `items` is through.
    """

    id: str
    dataset: str
    actor: str
    offset: int = 0
    status: str | None = None
    total: int = 0

    @classmethod
    async def start(cls, params: Mapping[str, Any], ctx: BlockContext) -> "ActorRun":
        """Start a run, or find the one that an interrupted execution had started; `params` as of `apify/start-run`."""
        started = (await ctx.call(START, params)).value
        return cls(started["run"], started["dataset"], params["actor"])

    async def items(self, ctx: BlockContext, most: int | None = None) -> AsyncIterator[Any]:
        """The items in order, read as soon as they are there, while the run goes on; ends when the run has ended.

        Which page is read next follows from answers that are remembered; so a resume finds every page in the ledger,
        also where the first run had to wait in between.

        Args:
            ctx: The block's context.
            most: Items after which no more are read; the run is watched to its end all the same.

        Raises:
            NodeError: The dataset has fewer items than Apify says.
        """
        eager = EAGER_READS
        watch = _Watch(self, ctx)
        try:
            while self.status is None:
                found = 0
                if most is None or self.offset < most:
                    page = await self._read(ctx, most)
                    found = len(page["items"])
                    for item in page["items"]:
                        yield item
                    if found and self.offset < page["total"]:
                        continue
                    if not found and eager > 1:
                        eager -= 1
                        continue
                await watch.look(_patience(found))
        finally:
            watch.close()
        self.total = (await ctx.call(COUNT, {"dataset": self.dataset})).value
        wanted = self.total if most is None else min(self.total, most)
        while self.offset < wanted:
            page = await self._read(ctx, most)
            if not page["items"]:
                there = f"dataset {self.dataset} has {self.total} items, but gives none after {self.offset}"
                raise NodeError(ErrorClass.INVALID_RESPONSE, f"Apify says that {there}")
            for item in page["items"]:
                yield item

    async def _read(self, ctx: BlockContext, most: int | None) -> Mapping[str, Any]:
        limit = PAGE if most is None else min(PAGE, most - self.offset)
        params = {"dataset": self.dataset, "offset": self.offset, "limit": limit}
        page: Mapping[str, Any] = (await ctx.call(READ, params)).value
        self.offset += len(page["items"])
        return page

    async def finish(self, ctx: BlockContext) -> None:
        """Book what the run cost.

        Raises:
            NodeError: It did not succeed; what it had was handed on.
        """
        await ctx.call(COST, {"run": self.id, "actor": self.actor, "items": self.total})
        if self.status != "SUCCEEDED":
            message = (
                f"the Apify run {self.id} ended as {self.status} after {self.total} items, which were handed on; "
                "the Apify console has its log"
            )
            raise NodeError(_ENDINGS.get(self.status or "", ErrorClass.SERVER_ERROR), message)


class _Watch:
    """The question how a run stands, which Apify answers at its end, or after some seconds. One at a time."""

    def __init__(self, run: ActorRun, ctx: BlockContext) -> None:
        self._run = run
        self._ctx = ctx
        self._question: asyncio.Task[Response] | None = None

    async def look(self, seconds: float | None) -> None:
        """Note how the run has ended, if it has; waits for an answer, or for so many seconds."""
        if self._question is None:
            self._question = asyncio.ensure_future(self._ctx.call(WATCH, {"run": self._run.id}))
        done, _ = await asyncio.wait({self._question}, timeout=seconds)
        if done:
            question, self._question = self._question, None
            found = question.result().value
            self._run.status = found["status"] if found["over"] else None

    def close(self) -> None:
        """Nobody wants to know any more."""
        if self._question is not None and not self._question.cancel() and not self._question.cancelled():
            self._question.exception()  # asked for, so that asyncio does not report it; the read had failed before


def _patience(found: int) -> float | None:
    """Seconds to wait for the run's end before more is read, after so many items; None for as long as Apify waits."""
    if found >= MANY:
        return 0.0
    return GLANCE if found >= SOME else None
