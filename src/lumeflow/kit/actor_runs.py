"""A run of an Apify actor, from its start to its cost. What is read of it are remembered answers only."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from lumeflow.plugin import BlockContext, ErrorClass, NodeError

START, WATCH, READ = "apify/start-run", "apify/get-run", "apify/dataset-items"
COUNT, COST = "apify/dataset-total", "apify/run-cost"
OPERATIONS = (START, WATCH, READ, COUNT, COST)

PAGE = 1000
EAGER_READS = 5
"""Reads of a dataset that is still empty before the block lets Apify hold the line."""

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
        while self.status is None:
            if most is None or self.offset < most:
                page = await self._read(ctx, most)
                for item in page["items"]:
                    yield item
                if self.offset < page["total"] and (most is None or self.offset < most):
                    continue
                if not page["items"] and eager > 1:
                    eager -= 1
                    continue
            look = (await ctx.call(WATCH, {"run": self.id})).value
            self.status = look["status"] if look["over"] else None
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
