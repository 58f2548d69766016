"""Following an execution to its end, across cut connections and restarts of the server."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime

import orjson

from lumeflow.cli.picture import Picture
from lumeflow.cli.remote import stream
from lumeflow.cli.remote.answers import understood
from lumeflow.cli.remote.client import Client
from lumeflow.cli.remote.errors import Busy, Refused, ServerError
from lumeflow.cli.remote.paths import execution_path
from lumeflow.cli.remote.reading import event_of, progress_of
from lumeflow.core.progress import ProgressListener
from lumeflow.core.result import ExecutionResult

PATIENCE = 120.0
"""Seconds without a sign of the server after which it is given up."""
PAUSES = (0.5, 1.0, 2.0)
"""Seconds before the connection is made again; the last one counts for all further times."""
QUIET_SECONDS = 45.0
"""A server shows every 15 s that it is there."""

Read = Callable[[str], Awaitable[ExecutionResult]]


class Watch:
    """Watches one execution.

    Args:
        client: The server.
        execution_id: The execution.
        read: Reads what is stored of it.
        since: Its events before this time belong to an earlier run.
    """

    def __init__(self, client: Client, execution_id: str, read: Read, since: datetime | None = None) -> None:
        self._client = client
        self._id = execution_id
        self._path = execution_path(execution_id)
        self._read = read
        self._picture = Picture(execution_id, since)
        self._last = 0
        self._is_away = False
        self._seen_at = time.monotonic()

    async def to_end(self, listen: ProgressListener, cancel: asyncio.Event) -> ExecutionResult:
        """Follow it, and cancel it on the server when `cancel` is set; returns what came of it.

        Raises:
            ServerError: The server is away for too long; the execution goes on there.
            UsageError: The key is not valid any more, or the execution is gone.
        """
        return await self._until(self._cancel(cancel), listen, is_left=False)

    async def until_left(self, listen: ProgressListener, left: asyncio.Event) -> ExecutionResult:
        """Follow it until it ends or `left` is set; returns what there is of it then. Nothing is cancelled.

        Raises:
            ServerError: The server is away for too long; the execution goes on there.
            UsageError: There is no such execution.
        """
        return await self._until(left.wait(), listen, is_left=True)

    async def _until(self, other: Awaitable[object], listen: ProgressListener, *, is_left: bool) -> ExecutionResult:
        """Watch until the end, or until the other thing is done if that means to leave."""
        listen(self._picture.progress)
        watching = asyncio.create_task(self._watch(listen))
        asked = asyncio.ensure_future(other)
        try:
            await asyncio.wait({watching, asked}, return_when=asyncio.FIRST_COMPLETED)
            if not watching.done():
                await asked
            if not is_left or watching.done():
                await watching
        finally:
            for task in (watching, asked):
                task.cancel()
            await asyncio.gather(watching, asked, return_exceptions=True)
        result = await self._read(self._id)
        self._picture.see_end(result)
        listen(self._picture.progress)
        return result

    async def _cancel(self, cancel: asyncio.Event) -> None:
        await cancel.wait()
        try:
            await self._client.call("POST", f"{self._path}/cancel")
        except Refused as error:
            if error.status != 409:  # it has ended in the meantime, which the watch will see
                raise

    async def _watch(self, listen: ProgressListener) -> None:
        """Return when it has ended."""
        tries, is_polling = 0, False
        while True:
            seen_at = self._seen_at
            try:
                if await (self._has_ended() if is_polling else self._follow(listen)):
                    return
                problem = ServerError(f"{self._client.url} ended the stream of events")
                is_polling = False
            except Busy as error:
                problem = error
                is_polling = error.code == "too-many-streams"
            except ServerError as error:  # also one of a proxy before it, or of its database: that may pass
                problem = error
            tries = 0 if self._seen_at != seen_at else tries + 1
            await self._wait(problem, tries)

    async def _follow(self, listen: ProgressListener) -> bool:
        """Listen to the stream of events; True if it told of the end, False if it stopped before."""
        headers = {"Last-Event-ID": str(self._last)} if self._last else {}
        async with self._client.stream(f"{self._path}/events", headers=headers, silent=QUIET_SECONDS) as pieces:
            async for event in stream.events(pieces):
                self._is_there()
                if event is None:
                    continue
                if event.name == "end":
                    return True
                with understood(self._client.url):
                    if event.number is not None:
                        self._last, seen = event_of(orjson.loads(event.data))
                        self._picture.see_event(seen)
                    elif event.name == "progress":
                        self._picture.see_progress(progress_of(self._id, orjson.loads(event.data)))
                listen(self._picture.progress)
        return False

    async def _has_ended(self) -> bool:
        """Ask in place of listening, where this key has all the streams that it may have."""
        answer = await self._client.call("GET", self._path, query={"wait": "5"})
        self._is_there()
        return answer.json().get("status") in {"completed", "failed", "cancelled", "interrupted"}

    def _is_there(self) -> None:
        self._seen_at = time.monotonic()
        if self._is_away:
            self._is_away = False
            self._client.notice("the server is there again")

    async def _wait(self, problem: ServerError, tries: int) -> None:
        """Wait before the next try.

        Raises:
            ServerError: There was no sign of the server for too long.
        """
        if time.monotonic() - self._seen_at > PATIENCE:
            raise problem
        if tries >= 2 and not self._is_away and not isinstance(problem, Busy):
            self._is_away = True
            self._client.notice(f"{self._client.url} is away: trying again. The execution goes on there")
        await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
