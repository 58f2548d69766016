"""The input of a node: one payload, whatever the number of edges that bring it."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence

from lumeflow.core.records import JsonObject, Record, Whole
from lumeflow.engine.channels import Channel
from lumeflow.engine.messages import Batch, End, Message, Skipped, Start, merge_fields
from lumeflow.engine.spool import Spool


class Inbound:
    """Reads channels one after the other, in the order of the plan.

    Attributes:
        fields: The payload's fields, as far as they are known; complete once `batches` is exhausted.
        collection: Name of the payload's collection; None if it has none.
    """

    def __init__(self, channels: Sequence[tuple[str, Channel]]) -> None:
        self._sources = list(channels)
        self._channels = [channel for _, channel in channels]
        self.fields: JsonObject = {}
        self.collection: str | None = None

    async def start(self) -> bool:
        """Wait for the beginning. False if every edge was skipped: nothing will come."""
        if not self._channels:
            return True
        while self._channels:
            message = await self._channels[0].get()
            if isinstance(message, Start):
                self._begin(message)
                return True
            self._channels.pop(0)
        return False

    async def batches(self) -> AsyncIterator[Sequence[Record]]:
        """The records, in order, in the pieces in which they arrive."""
        while self._channels:
            message = await self._channels[0].get()
            if isinstance(message, Batch):
                yield message.records
            elif isinstance(message, Start):
                self._begin(message)
            else:
                if isinstance(message, End):
                    self.fields = merge_fields(self.fields, message.fields)
                self._channels.pop(0)

    def _begin(self, start: Start) -> None:
        self.fields = merge_fields(self.fields, start.fields)
        self.collection = self.collection or start.collection

    def cut(self, sources: Collection[str]) -> None:
        """These nodes were stopped: expect nothing more of them."""
        for source, channel in self._sources:
            if source in sources:
                channel.cut()

    def close(self) -> None:
        """Nothing more is read; senders are not held back any longer."""
        for _, channel in self._sources:
            channel.close()

    async def gather(self) -> dict[str, Whole]:
        """Take whole payloads, by source node id, from all edges at once; skipped edges are left out."""
        waiting = [(source, channel) for source, channel in self._sources if channel in self._channels]
        first = Start(self.fields, self.collection)
        found = await asyncio.gather(
            *(_gather(channel, None if place else first) for place, (_, channel) in enumerate(waiting))
        )
        self._channels.clear()
        return {source: whole for (source, _), whole in zip(waiting, found, strict=True) if whole is not None}


async def _gather(channel: Channel, start: Start | None) -> Whole | None:
    """Read one channel to its end; `start` if its beginning was read already."""
    spool = Spool()
    whole = Whole({}, None, spool)
    message: Message = start or await channel.get()
    while not isinstance(message, End | Skipped):
        if isinstance(message, Start):
            whole = Whole(message.fields, message.collection, spool)
        else:
            spool.extend(message.records)
        message = await channel.get()
    if isinstance(message, Skipped):
        return None
    whole.fields = merge_fields(whole.fields, message.fields)
    return whole
