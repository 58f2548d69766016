"""The output of a node: a payload on each of its ports."""

from collections import deque
from collections.abc import Mapping, Sequence

from lumeflow.core.records import JsonObject, Record
from lumeflow.engine.channels import Channel
from lumeflow.engine.messages import Batch, End, Message, Seen, Skipped, Start


class Outlet:
    """Sends to every edge of a port. A port other than `out` begins with its first record; one that never got a
    record ends as skipped, and so does what hangs on it alone.

    Messages are queued first and sent by `drain`, so that whoever is stopped while a channel is full loses nothing:
    the next `drain` goes on where it stood.
    """

    def __init__(self, ports: Mapping[str, Sequence[Channel]]) -> None:
        self._ports = ports
        self._begun: set[str] = set()
        self._start = Start({}, None)
        self._queue: deque[tuple[Channel, Message]] = deque()

    @property
    def ports(self) -> frozenset[str]:
        """Ports that have an edge."""
        return frozenset(self._ports)

    def prepare(self, fields: JsonObject, collection: str | None, seen: Seen) -> None:
        """Begin the payload without telling any port: each begins with its first record, or by `begin`."""
        self._start = Start(fields, collection, seen)

    def begin(self, port: str) -> None:
        """Begin the payload on one port."""
        if port in self._ports and port not in self._begun:
            self._begun.add(port)
            self._put(port, self._start)

    def send(self, port: str, records: Sequence[Record]) -> None:
        """Send records, in order."""
        if port in self._ports and records:
            self.begin(port)
            self._put(port, Batch(records))

    def end(self, fields: JsonObject, seen: Seen) -> None:
        """End the payload on every port."""
        for port in self._ports:
            self._put(port, End(fields, seen) if port in self._begun else Skipped())

    async def drain(self) -> None:
        """Send what is queued; waits while a channel is full."""
        while self._queue:
            channel, message = self._queue[0]
            await channel.put(message)
            self._queue.popleft()

    def _put(self, port: str, message: Message) -> None:
        self._queue.extend((channel, message) for channel in self._ports[port])
