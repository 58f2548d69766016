"""What flows through a request, within limits: the body as it comes, the answer as it goes."""

import asyncio
from http import HTTPStatus

from starlette.types import Message, Receive, Send

from lumeflow.server.config import MEGABYTE
from lumeflow.server.problems import Problem
from lumeflow.server.room import FREE, Room


def too_large(limit: int) -> Problem:
    """A body that is refused for its size."""
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "body-too-large",
        f"the body has more than {limit:,} bytes: records belong into an upload, and large ones into several",
    )


class Body:
    """The body as it comes, up to a limit and within a time.

    Attributes:
        limit: Bytes at most.
    """

    def __init__(self, receive: Receive, limit: int, patience: float) -> None:
        self.limit = limit
        self._receive = receive
        self._patience = patience
        self._room: Room | None = None
        self._owner = ""
        self._counted = 0
        self._size = 0
        self._spent = 0.0
        self._complete = False

    async def __call__(self) -> Message:
        """The next piece.

        Raises:
            Problem: It did not come in time, it is one too many, or there is no room for it.
        """
        if self._complete:
            return await self._receive()  # only tells that the client is gone
        loop = asyncio.get_running_loop()
        began = loop.time()
        allowed = self._patience * (1 + self._size / MEGABYTE)
        try:
            async with asyncio.timeout(min(self._patience, max(allowed - self._spent, 0.001))):
                message = await self._receive()
        except TimeoutError:
            raise Problem(
                HTTPStatus.REQUEST_TIMEOUT, "body-too-slow", "the body did not arrive in time: send it again, faster"
            ) from None
        self._spent += loop.time() - began
        self._size += len(message.get("body", b""))
        if self._size > self.limit:
            raise too_large(self.limit)
        self._count()
        self._complete = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    def share(self, room: Room, owner: str) -> None:
        """Count it as memory of its owner's until it is forgotten."""
        self._room, self._owner = room, owner

    def forget(self) -> None:
        """The request is over."""
        if self._room is not None:
            self._room.give_back(self._owner, self._counted)
            self._room = None

    def _count(self) -> None:
        more = max(self._size - FREE, 0) - self._counted
        if self._room is None or more <= 0:
            return
        if not self._room.take(self._owner, more):
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "too-busy",
                "too many large bodies are on their way: send this one again later, or records as an upload",
                headers={"Retry-After": "5"},
            )
        self._counted += more


class Sender:
    """The answer as it goes; a client that does not take it is let go.

    Attributes:
        has_begun: True once anything was sent.
        has_ended: True once everything was sent.
        has_given_up: True if the client did not take it.
    """

    def __init__(self, send: Send, patience: float) -> None:
        self._send = send
        self._patience = patience
        self.has_begun = False
        self.has_ended = False
        self.has_given_up = False

    async def __call__(self, message: Message) -> None:
        """Send a piece.

        Raises:
            TimeoutError: The client did not take the one before in time.
        """
        self.has_begun = True
        try:
            async with asyncio.timeout(self._patience):
                await self._send(message)
            self.has_ended = message["type"] == "http.response.body" and not message.get("more_body", False)
        except TimeoutError:
            self.has_given_up = True
            raise
