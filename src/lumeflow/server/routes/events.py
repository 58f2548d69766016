"""`…/executions/{id}/events`: what happens, as it happens (Server-Sent Events)."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Header
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from lumeflow.core.errors import LumeflowError
from lumeflow.server import finding, told
from lumeflow.server.answers import dump
from lumeflow.server.caller import Caller, Reader
from lumeflow.server.finding import ExecutionId
from lumeflow.server.routing import problems, router
from lumeflow.service import EndUpdate, EventUpdate, Update

api = router("Executions", "/api/workflows/executions")

MEDIA_TYPE = "text/event-stream"
_STREAM: dict[str, Any] = {
    "description": (
        "A stream of events. Those of the timeline have an `id`, and the name of their kind; `progress` comes a few"
        " times a second while it runs; `end` is the last."
    ),
    "content": {
        MEDIA_TYPE: {
            "schema": {
                "type": "object",
                "required": ["event", "data"],
                "properties": {
                    "id": {"type": "string", "pattern": "^[0-9]+$"},
                    "event": {"type": "string"},
                    "data": {"type": "string", "contentMediaType": "application/json"},
                },
            }
        }
    },
}
LastEventId = Annotated[
    str | None, Header(max_length=20, pattern=r"^[0-9]{1,18}$", description="Begin behind this event.")
]


class _Stream(StreamingResponse):
    """A stream that counts among those of its key as long as it is held open, however that ends."""

    media_type = MEDIA_TYPE

    def __init__(self, caller: Caller, content: AsyncIterator[bytes], status_code: int = HTTPStatus.OK) -> None:
        super().__init__(content, status_code, {"Cache-Control": "no-store"})
        self._caller = caller

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it.

        Raises:
            Problem: The key has enough streams.
        """
        streams, key_id = self._caller.server.streams, self._caller.key.id
        streams.enter(key_id)
        try:
            await super().__call__(scope, receive, send)
        finally:
            streams.leave(key_id)


@api.get(
    "/{execution_id}/events",
    response_class=_Stream,
    responses={**problems(404), 200: _STREAM},
    summary="Watch an execution",
)
async def events(caller: Reader, execution_id: ExecutionId, last_event_id: LastEventId = None) -> _Stream:
    """Events from the beginning, or behind `Last-Event-ID`, to the end; a client that comes back misses none."""
    await finding.stored(caller, execution_id)
    return _Stream(caller, _written(caller, execution_id, int(last_event_id or 0)))


async def _written(caller: Caller, execution_id: str, after: int) -> AsyncIterator[bytes]:
    updates = caller.service.watch(caller.tenant, execution_id, after=after)
    try:
        yield b"retry: 1000\n\n"
        async for update in _with_rests(updates, caller.server.config.heartbeat):
            yield b": still here\n\n" if update is None else _event(update)
    except LumeflowError:
        # The head is sent, so no status can tell: the client comes back by itself, and then sees what is wrong.
        return


async def _with_rests(updates: AsyncIterator[Update], patience: float) -> AsyncGenerator[Update | None, None]:
    """The updates, and None whenever none came for so many seconds."""
    pending: asyncio.Future[Update] | None = None
    try:
        while True:
            pending = pending or asyncio.ensure_future(anext(updates))
            await asyncio.wait([pending], timeout=patience)
            if not pending.done():
                yield None
                continue
            done, pending = pending, None
            try:
                yield done.result()
            except StopAsyncIteration:
                return
    finally:
        if pending is not None:
            pending.cancel()
            with suppress(asyncio.CancelledError, StopAsyncIteration, LumeflowError):
                await pending


def _event(update: Update) -> bytes:
    if isinstance(update, EventUpdate):
        return _lines(update.event.kind, told.event(update.ordinal, update.event), update.ordinal)
    if isinstance(update, EndUpdate):
        return _lines("end", told.state(update.state))
    return _lines("progress", told.progress(update.progress))


def _lines(name: str, data: Any, number: int | None = None) -> bytes:
    head = b"" if number is None else f"id: {number}\n".encode()
    return head + f"event: {name}\n".encode() + b"data: " + dump(data) + b"\n\n"
