"""What has expired goes: uploads, and requests that were to act once."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lumeflow.core.clock import Clock, SystemClock
from lumeflow.core.errors import StorageError
from lumeflow.storage import Database

INTERVAL = 3600
"""Seconds between two rounds."""

_LOG = logging.getLogger("lumeflow.server")


async def tidy(database: Database, clock: Clock) -> int:
    """One round; returns how many files were deleted.

    Raises:
        StorageError: The database cannot be read or written.
    """
    now = clock.now()
    await database.installation.purge(at=now)
    deleted = 0
    while expired := await database.installation.expired_artifacts(at=now):
        for tenant, artifact in expired:
            theirs = database.of(tenant)
            await theirs.artifacts.delete(artifact.id)
            await asyncio.to_thread(theirs.upload_path(artifact.id).unlink, missing_ok=True)
            deleted += 1
    return deleted


@asynccontextmanager
async def housekeeping(database: Database, clock: Clock | None = None) -> AsyncIterator[None]:
    """Tidy up now and then while this is open."""
    task = asyncio.create_task(_rounds(database, clock or SystemClock()))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _rounds(database: Database, clock: Clock) -> None:
    while True:
        try:
            await tidy(database, clock)
        except StorageError as error:
            _LOG.warning("nothing is tidied up: %s", error)
        await asyncio.sleep(INTERVAL)
