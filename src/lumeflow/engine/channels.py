"""Edges at run time: one sender, one receiver, back-pressure in between."""

import asyncio
from collections import deque
from typing import Protocol

from lumeflow.engine.messages import Batch, End, Message
from lumeflow.engine.spool import RECORDS_IN_MEMORY, Packed, PackedStore

CAPACITY = 512
"""Records that may wait in a bounded channel."""


class Channel(Protocol):
    """An edge."""

    async def put(self, message: Message) -> None:
        """Send; waits while the channel is full."""
        ...

    async def get(self) -> Message:
        """Receive the next message; waits for one."""
        ...

    def cut(self) -> None:
        """The sender is gone: what has arrived is all there is."""
        ...

    def close(self) -> None:
        """The receiver is gone: from now on messages are thrown away at once."""
        ...


class _Waiting:
    """One waiter at most on each side; a channel has one sender and one receiver."""

    def __init__(self) -> None:
        self._future: asyncio.Future[None] | None = None

    async def wait(self) -> None:
        self._future = asyncio.get_running_loop().create_future()
        try:
            await self._future
        finally:
            self._future = None

    def wake(self) -> None:
        if self._future is not None and not self._future.done():
            self._future.set_result(None)


class BoundedChannel:
    """Holds back the sender while `capacity` records wait. Memory of an execution is bounded by these."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._messages: deque[Message] = deque()
        self._waiting_records = 0
        self._room = _Waiting()
        self._arrival = _Waiting()
        self._closed = False

    async def put(self, message: Message) -> None:
        """Send; waits while the channel is full."""
        while self._waiting_records >= self._capacity and not self._closed:
            await self._room.wait()
        if self._closed:
            return
        if isinstance(message, Batch):
            self._waiting_records += len(message.records)
        self._messages.append(message)
        self._arrival.wake()

    async def get(self) -> Message:
        """Receive the next message; waits for one."""
        while not self._messages:
            await self._arrival.wait()
        message = self._messages.popleft()
        if isinstance(message, Batch):
            self._waiting_records -= len(message.records)
            self._room.wake()
        return message

    def cut(self) -> None:
        """The sender is gone: what has arrived is all there is."""
        self._messages.append(End({}))
        self._arrival.wake()

    def close(self) -> None:
        """The receiver is gone."""
        self._closed = True
        self._messages.clear()
        self._room.wake()


class SpillingChannel:
    """Never holds back the sender: what waits goes to disk. For inputs that are read after another one is through;
    a bounded channel there would stop a common ancestor and with it the input that is read first.
    """

    def __init__(self, in_memory: int = RECORDS_IN_MEMORY) -> None:
        self._in_memory = in_memory
        self._messages: deque[Message | Packed] = deque()
        self._waiting_records = 0
        self._store = PackedStore()
        self._arrival = _Waiting()
        self._closed = False

    async def put(self, message: Message) -> None:
        """Send; never waits."""
        if self._closed:
            return
        if not isinstance(message, Batch):
            self._messages.append(message)
        elif self._waiting_records + len(message.records) > self._in_memory:
            self._messages.append(self._store.pack(message.records))
        else:
            self._waiting_records += len(message.records)
            self._messages.append(message)
        self._arrival.wake()

    async def get(self) -> Message:
        """Receive the next message; waits for one."""
        while not self._messages:
            await self._arrival.wait()
        message = self._messages.popleft()
        if isinstance(message, Packed):
            return Batch(self._store.unpack(message))
        if isinstance(message, Batch):
            self._waiting_records -= len(message.records)
        return message

    def cut(self) -> None:
        """The sender is gone: what has arrived is all there is."""
        self._messages.append(End({}))
        self._arrival.wake()

    def close(self) -> None:
        """The receiver is gone; frees the disk."""
        self._closed = True
        self._messages.clear()
        self._store.close()
