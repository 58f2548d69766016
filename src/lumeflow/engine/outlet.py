"""The output of a node: a payload on each of its ports."""

from collections.abc import Mapping, Sequence

from lumeflow.core.records import JsonObject, Record
from lumeflow.engine.channels import Channel
from lumeflow.engine.messages import Batch, End, Message, Skipped, Start


class Outlet:
    """Sends to every edge of a port. A port other than `out` begins with its first record; one that never got a
    record ends as skipped, and so does what hangs on it alone.
    """

    def __init__(self, ports: Mapping[str, Sequence[Channel]]) -> None:
        self._ports = ports
        self._begun: set[str] = set()
        self._start = Start({}, None)

    @property
    def ports(self) -> frozenset[str]:
        """Ports that have an edge."""
        return frozenset(self._ports)

    async def start(self, fields: JsonObject, collection: str | None) -> None:
        """Begin the payload; `out` is told at once."""
        self.prepare(fields, collection)
        await self.begin("out")

    def prepare(self, fields: JsonObject, collection: str | None) -> None:
        """Begin the payload without telling any port: each begins with its first record."""
        self._start = Start(fields, collection)

    async def begin(self, port: str) -> None:
        """Begin the payload on one port."""
        if port in self._ports and port not in self._begun:
            self._begun.add(port)
            await self._put(port, self._start)

    async def send(self, port: str, records: Sequence[Record]) -> None:
        """Send records, in order."""
        if port in self._ports and records:
            await self.begin(port)
            await self._put(port, Batch(records))

    async def end(self, fields: JsonObject) -> None:
        """End the payload on every port."""
        for port in self._ports:
            await self._put(port, End(fields) if port in self._begun else Skipped())

    async def _put(self, port: str, message: Message) -> None:
        for channel in self._ports[port]:
            await channel.put(message)
