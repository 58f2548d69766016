"""A pooler in transaction mode: every transaction may get another connection to the server than the one before.

Written for tests: it understands just enough of PostgreSQL's protocol, hands the server connections round in turn, so
that whoever relies on one of them is found out, and refuses what real poolers lose.
"""

import asyncio
import struct
from collections import deque

_SSL = 80877103


class TransactionPooler:
    """Listens on a free port of 127.0.0.1.

    Args:
        host: Folder of the server's socket.
        port: The server's port.
        size: Connections to the server.
    """

    def __init__(self, host: str, port: int, *, size: int = 4) -> None:
        self._path = f"{host}/.s.PGSQL.{port}"
        self._size = size
        self._idle: deque[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = deque()
        self._free = asyncio.Semaphore(0)
        self._greeting = b""
        self._clients: set[asyncio.Task[None]] = set()
        self.transactions = 0

    async def open(self, database: str, user: str = "postgres") -> int:
        """Connect to the server and listen; returns the port."""
        for _ in range(self._size):
            reader, writer = await asyncio.open_unix_connection(self._path)
            words = f"user\0{user}\0database\0{database}\0client_encoding\0UTF8\0\0".encode()
            writer.write(struct.pack("!ii", len(words) + 8, 196608) + words)
            greeting = b""
            while True:
                kind, body = await message(reader)
                if kind == b"Z":
                    break
                if kind in b"SR":
                    greeting += framed(kind, body)
                assert kind != b"E", body
            self._greeting = greeting
            self._idle.append((reader, writer))
            self._free.release()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """End all connections."""
        self._server.close()
        for task in self._clients:
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        for _, writer in self._idle:
            writer.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            await self._serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            self._clients.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            (length,) = struct.unpack("!i", await reader.readexactly(4))
            body = await reader.readexactly(length - 4)
            if struct.unpack("!i", body[:4])[0] != _SSL:
                break
            writer.write(b"N")
        writer.write(self._greeting + framed(b"K", struct.pack("!ii", 1, 1)) + framed(b"Z", b"I"))
        while True:
            first = await message(reader)
            if first[0] == b"X":
                return
            await self._transaction(first, reader, writer)

    async def _transaction(
        self, pending: tuple[bytes, bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Pass messages on until the server is in no transaction any more."""
        await self._free.acquire()
        server = self._idle.popleft()
        relay = asyncio.create_task(self._relay(server[0], writer))
        try:
            while True:
                kind, body = pending
                server[1].write(framed(kind, body))
                if kind in b"QS" and await relay == b"I":
                    self.transactions += 1
                    return
                if relay.done():
                    relay = asyncio.create_task(self._relay(server[0], writer))
                pending = await message(reader)
        finally:
            relay.cancel()
            self._idle.append(server)
            self._free.release()

    async def _relay(self, server: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        """Pass on what the server says, until it is ready for more; the state of its transaction then."""
        while True:
            kind, body = await message(server)
            writer.write(framed(kind, body))
            if kind == b"Z":
                await writer.drain()
                return body


async def message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The next message."""
    kind = await reader.readexactly(1)
    (length,) = struct.unpack("!i", await reader.readexactly(4))
    return kind, await reader.readexactly(length - 4)


def framed(kind: bytes, body: bytes) -> bytes:
    """A message as it is sent."""
    return kind + struct.pack("!i", len(body) + 4) + body
