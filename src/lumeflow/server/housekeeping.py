"""What has expired goes: uploads, requests that were to act once, and executions whose time has come."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from lumeflow.core.clock import Clock, SystemClock
from lumeflow.core.errors import StorageError
from lumeflow.storage import Database
from lumeflow.storage.purging import Retention, purge

INTERVAL = 3600
"""Seconds between two rounds."""

UNTOLD = timedelta(days=1)
"""Age at which a file without an entry is taken to be nobody's: no upload takes so long."""

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
            deleted += await asyncio.to_thread(_unlinked, theirs.upload_path(artifact.id))
    deleted += await _sweep(database, now)
    usual = None if retention_days is None else timedelta(days=retention_days)
    for purged in await purge(database, Retention(now, usual=usual)):
        if purged.executions:
            _LOG.info("%d executions of tenant %s were deleted: their time had come", purged.executions, purged.tenant)
    return deleted


async def _sweep(database: Database, now: datetime) -> int:
    """Delete uploads that nobody was ever told of: the process that received them was killed."""
    deleted, last = 0, ""
    while tenants := await database.installation.tenants.list(after=last):
        for tenant in tenants:
            theirs = database.of(tenant.tenant)
            folder = theirs.upload_path("any").parent
            for path in await asyncio.to_thread(_older, folder, (now - UNTOLD).timestamp()):
                if await theirs.artifacts.get(path.name) is None:
                    deleted += await asyncio.to_thread(_unlinked, path)
        last = tenants[-1].tenant
    return deleted


def _older(folder: Path, than: float) -> list[Path]:
    with suppress(FileNotFoundError):
        return [path for path in folder.iterdir() if path.is_file() and path.stat().st_mtime < than]
    return []


def _unlinked(path: Path) -> bool:
    """Delete a file; one that cannot be deleted is told, and keeps nobody else's."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        _LOG.warning("upload %s: it cannot be deleted (%s)", path, error.strerror)
        return False
    return True


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
            _LOG.warning("not everything is tidied up: %s", error)
        except Exception:
            # Ending here would keep what has expired, of all tenants and for ever, and nobody would notice.
            _LOG.exception("not everything is tidied up")
        await asyncio.sleep(INTERVAL)
