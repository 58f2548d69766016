"""What the commands that run for ever wait for."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from lumeflow.core.errors import StorageError

if TYPE_CHECKING:
    from lumeflow.storage import Database


async def until_stopped(stopped: asyncio.Event, database: "Database") -> None:
    """Wait until a server is to end; also at the end is one whose database it may not write to any more, while its
    successor may.

    Raises:
        StorageError: The database.
    """
    while not stopped.is_set():
        if database.is_broken:
            raise StorageError(
                f"database {database.name}: a commit failed, which only a new process can mend: start again"
            )
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await stopped.wait()
