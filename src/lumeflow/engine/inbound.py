"""The input of a node: one payload, whatever the number of edges that bring it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence

from lumeflow.core.records import JsonObject, Record, Whole
from lumeflow.engine.channels import Channel
from lumeflow.engine.messages import Batch, End, Message, Seen, Skipped, Start, merge_fields
from lumeflow.engine.spool import Spool

Takes = Callable[[Record], bool]
"""Tells whether a record is for this node, in an execution that runs a part of an earlier one anew."""

Admit = Callable[[Sequence[Record]], Sequence[Record]]
"""Counts records in and checks them; returns those that may go on."""


class Inbound:
    """Reads channels one after the other, in the order of the plan.

    A payload without a collection that comes before one with a collection only adds its fields to it.

    Attributes:
        fields: The payload's fields, as far as they are known; complete once `batches` is exhausted.
        seen: Fields of the nodes on the way here, as far as they are known.
        collection: Name of the payload's collection; None if it has none.
    """

    def __init__(self, channels: Sequence[tuple[str, Channel]], takes: Takes | None = None) -> None:
        self._takes = takes
        self._sources = list(channels)
        self._waiting = list(channels)
        self.fields: JsonObject = {}
        self.seen: Seen = {}
        self.collection: str | None = None
        self.spools: list[Spool] = []

    async def start(self) -> bool:
        """Wait for the beginning. False if every edge was skipped: nothing will come."""
        reached = not self._sources
        while self._waiting and self.collection is None:
            message = await self._waiting[0][1].get()
            if isinstance(message, Start):
                reached = True
                self._begin(message)
            elif not isinstance(message, Batch):
                self._end(message)
        return reached

    async def begin_whole(self) -> bool:
        """Wait for the beginning, for a node that will `gather`; nothing but skipped edges is read."""
        while self._waiting:
            message = await self._waiting[0][1].get()
            if isinstance(message, Start):
                self._begin(message)
                return True
            self._waiting.pop(0)
        return False

    async def batches(self) -> AsyncIterator[Sequence[Record]]:
        """The records, in order, in the pieces in which they arrive."""
        while self._waiting:
            message = await self._waiting[0][1].get()
            if isinstance(message, Batch):
                if records := self._taken(message.records):
                    yield records
            elif isinstance(message, Start):
                self._begin(message)
            else:
                self._end(message)

    def cut(self, sources: Collection[str]) -> None:
        """These nodes were stopped: expect nothing more of them."""
        for source, channel in self._sources:
            if source in sources:
                channel.cut()

    def close(self) -> None:
        """Nothing more is read; senders are not held back any longer, and the disk is freed."""
        for _, channel in self._sources:
            channel.close()
        for spool in self.spools:
            spool.close()

    async def gather(self, admit: Admit) -> dict[str, Whole]:
        """Take whole payloads, by source node id, from all edges at once; skipped edges are left out.

        Several edges from one node make one payload, in the order of the edges.
        """
        by_source: dict[str, list[Channel]] = {}
        for source, channel in self._waiting:
            by_source.setdefault(source, []).append(channel)
        first: Start | None = Start(self.fields, self.collection, self.seen)
        gathering = {}
        for source, channels in by_source.items():
            spool = Spool()
            self.spools.append(spool)
            gathering[source] = self._gather(channels, first, spool, admit)
            first = None
        found = await asyncio.gather(*gathering.values())
        self._waiting.clear()
        return {source: whole for source, whole in zip(gathering, found, strict=True) if whole is not None}

    async def _gather(
        self, channels: Sequence[Channel], start: Start | None, spool: Spool, admit: Admit
    ) -> Whole | None:
        """Read the channels of one source to their ends; `start` if the first beginning was read already."""
        whole: Whole | None = None
        for channel in channels:
            message: Message = start or await channel.get()
            start = None
            while not isinstance(message, End | Skipped):
                if isinstance(message, Batch):
                    spool.extend(admit(self._taken(message.records)))
                else:
                    below = whole.fields if whole else {}
                    whole = Whole(merge_fields(below, message.fields), message.collection, spool)
                message = await channel.get()
            if isinstance(message, End) and whole is not None:
                whole.fields = merge_fields(whole.fields, message.fields)
                self.seen = {**self.seen, **message.seen}
        return whole

    def _taken(self, records: Sequence[Record]) -> Sequence[Record]:
        """Those that are for this node."""
        takes = self._takes
        return records if takes is None else [record for record in records if takes(record)]

    def _begin(self, start: Start) -> None:
        self.fields = merge_fields(self.fields, start.fields)
        self.seen = {**self.seen, **start.seen}
        self.collection = self.collection or start.collection

    def _end(self, message: End | Skipped) -> None:
        if isinstance(message, End):
            self.fields = merge_fields(self.fields, message.fields)
            self.seen = {**self.seen, **message.seen}
        self._waiting.pop(0)
