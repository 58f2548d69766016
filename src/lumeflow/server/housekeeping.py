"""What has expired goes: uploads, requests that were to act once, and executions whose time has come."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from lumeflow.core.clock import Clock, SystemClock
from lumeflow.core.errors import StorageError
from lumeflow.storage import Database
from lumeflow.storage.purging import Retention, purge

INTERVAL = 3600
"""Seconds between two rounds."""

_LOG = logging.getLogger("lumeflow.server")


async def tidy(database: Database, clock: Clock, retention_days: int | None = None) -> int:
    """One round; returns how many uploads were deleted.

    Args:
        database: As anybody sees it.
        clock: The time.
        retention_days: For how many days executions are kept by tenants that do not say it themselves; None for ever.

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
    usual = None if retention_days is None else timedelta(days=retention_days)
    for purged in await purge(database, Retention(now, usual=usual)):
        if purged.executions:
            _LOG.info("%d executions of tenant %s were deleted: their time had come", purged.executions, purged.tenant)
    return deleted


@asynccontextmanager
async def housekeeping(
    database: Database, clock: Clock | None = None, *, retention_days: int | None = None
) -> AsyncIterator[None]:
    """Tidy up now and then while this is open; see `tidy`."""
    task = asyncio.create_task(_rounds(database, clock or SystemClock(), retention_days))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _rounds(database: Database, clock: Clock, retention_days: int | None) -> None:
    while True:
        try:
            await tidy(database, clock, retention_days)
        except StorageError as error:
            _LOG.warning("nothing is tidied up: %s", error)
        await asyncio.sleep(INTERVAL)
