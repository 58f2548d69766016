"""HTTP requests at given times from one small loop, with answers timed by the kernel.

The client shares its processors with the server it measures. So an answer counts as there when the kernel received its
last byte, not when this process got round to reading it; and a request that is due is sent on another connection while
an answer is late, so that one long wait is not hidden behind requests that were never made.
"""

import heapq
import selectors
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

_TIMESTAMPS = getattr(socket, "SO_TIMESTAMPNS", 35)
IDLE = 2.0
"""Seconds after which a connection is not used again: servers close idle ones."""
_STAMP = struct.Struct("qq")


@dataclass(order=True, slots=True)
class Request:
    """A request that is to be sent.

    Attributes:
        due: When, by `time.time()`.
        method: Of the request.
        path: Of the request.
        key: The API key.
        body: JSON, or None.
        then: Called with the answer.
        sent: Called when it goes out, whether or not an answer comes soon.
    """

    due: float
    method: str = field(compare=False)
    path: str = field(compare=False)
    key: str = field(compare=False)
    body: Any = field(compare=False, default=None)
    then: "Callable[[Answer], None] | None" = field(compare=False, default=None)
    sent: Callable[[], None] | None = field(compare=False, default=None)

    def head_and_body(self) -> bytes:
        """As it goes over the wire."""
        body = b"" if self.body is None else orjson.dumps(self.body)
        head = (
            f"{self.method} {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


@dataclass(slots=True)
class Answer:
    """What came.

    Attributes:
        status: Of HTTP.
        body: As JSON.
        seconds: From the moment before it was sent to the kernel's receipt of the last byte.
        at: When that was.
    """

    status: int
    body: Any
    seconds: float
    at: float


@dataclass(slots=True)
class _Connection:
    sock: socket.socket
    request: Request | None = None
    sent: float = 0.0
    received: bytearray = field(default_factory=bytearray)


class Wire:
    """Connections to one server."""

    def __init__(self, url: str) -> None:
        host, port = url.removeprefix("http://").split(":")
        self._address = (host, int(port))
        self._selector = selectors.DefaultSelector()
        self._idle: list[_Connection] = []
        self._waiting: list[Request] = []
        self._busy = 0

    def add(self, request: Request) -> None:
        """Send it when it is due."""
        heapq.heappush(self._waiting, request)

    def run(self) -> None:
        """Send what was added, and what is added meanwhile, until everything is answered."""
        while self._waiting or self._busy:
            while self._waiting and self._waiting[0].due <= time.time():
                self._send(heapq.heappop(self._waiting))
            pause = max(self._waiting[0].due - time.time(), 0) if self._waiting else None
            for key, _ in self._selector.select(pause):
                self._receive(key.data)

    def ask(self, method: str, path: str, key: str, body: Any = None) -> Answer:
        """One request, now, alone."""
        answers: list[Answer] = []
        self.add(Request(time.time(), method, path, key, body, answers.append))
        self.run()
        return answers[0]

    def close(self) -> None:
        """Close all connections."""
        for connection in self._idle:
            connection.sock.close()
        self._selector.close()

    def _send(self, request: Request) -> None:
        connection = self._free()
        self._selector.register(connection.sock, selectors.EVENT_READ, connection)
        self._busy += 1
        data = request.head_and_body()
        connection.request, connection.sent = request, time.time()
        connection.sock.sendall(data)
        if request.sent is not None:
            request.sent()

    def _free(self) -> _Connection:
        """One that the server has not closed meanwhile, for being idle."""
        while self._idle:
            connection = self._idle.pop()
            if time.time() - connection.sent < IDLE:
                return connection
            connection.sock.close()
        return self._connect()

    def _connect(self) -> _Connection:
        sock = socket.create_connection(self._address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError):  # not Linux: the time of reading has to do
            sock.setsockopt(socket.SOL_SOCKET, _TIMESTAMPS, 1)
        return _Connection(sock)

    def _receive(self, connection: _Connection) -> None:
        data, told, _, _ = connection.sock.recvmsg(1 << 20, 64)
        request = connection.request
        if not data or request is None:
            raise ConnectionError(f"the server closed the connection on {request}")
        stamps = [_STAMP.unpack(value) for _, kind, value in told if kind == _TIMESTAMPS]
        at = stamps[0][0] + stamps[0][1] / 1e9 if stamps else time.time()
        connection.received += data
        whole = _parsed(connection.received)
        if whole is None:
            return
        self._selector.unregister(connection.sock)
        self._busy -= 1
        answer = Answer(*whole, seconds=at - connection.sent, at=at)
        connection.received, connection.request = bytearray(), None
        self._idle.append(connection)
        if request.then is not None:
            request.then(answer)


def _parsed(received: bytearray) -> tuple[int, Any] | None:
    head, end, body = received.partition(b"\r\n\r\n")
    if not end:
        return None
    lines = head.decode().split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in lines[1:])
    if len(body) < int(fields["content-length"]):
        return None
    return int(lines[0].split()[1]), orjson.loads(body) if body else None
