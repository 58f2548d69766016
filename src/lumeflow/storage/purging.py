"""Deleting executions of all tenants whose time has come."""

from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from lumeflow.storage.database import Database
from lumeflow.storage.jobs import DEFAULT_TENANT
from lumeflow.storage.problems import FilesLeft
from lumeflow.storage.repositories.tenants import Tenant

T = TypeVar("T")

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Purged:
    """What became of one tenant's executions.

    Attributes:
        tenant: Whose.
        before: Those that ended before; None where the tenant keeps all.
        executions: How many are deleted, or would be.
    """

    tenant: str
    before: datetime | None
    executions: int


@dataclass(frozen=True, slots=True)
class Retention:
    """How long executions are kept after their end.

    Attributes:
        now: The present.
        age: By this age whatever tenants say themselves; None to go by what they say.
        usual: For tenants that say nothing; None for ever.
    """

    now: datetime
    age: timedelta | None = None
    usual: timedelta | None = None

    def before(self, tenant: Tenant | None) -> datetime | None:
        """Executions that ended before this may go; None if none may."""
        age = self.age
        if age is None and tenant is not None and tenant.retention_days is not None:
            age = timedelta(days=tenant.retention_days)
        age = self.usual if age is None else age
        return None if age is None else self.now - age


async def purge(
    database: Database, retention: Retention, *, tenants: Sequence[str] | None = None, dry: bool = False
) -> Sequence[Purged]:
    """Delete what is due, and what a process left half deleted.

    Args:
        database: As anybody sees it.
        retention: What is due.
        tenants: Whose; None for all.
        dry: True to say only how much it is.

    Raises:
        StorageError: The database cannot be read or written.
        FilesLeft: A file cannot be deleted. Everything else is: nobody's files keep those of others.
    """
    left: list[FilesLeft] = []
    known = {one.tenant: one for one in [one async for one in _all(database)]}
    told = []
    for name in sorted({DEFAULT_TENANT, *known}) if tenants is None else tenants:
        theirs, before = database.of(name), retention.before(known.get(name))
        if not dry:
            for execution_id in await theirs.retention.begun():
                await _tolerated(theirs.sweep(execution_id), left)
        due = [] if before is None else await theirs.retention.due(before)
        count = len(due)
        if before is not None and not dry:
            count = 0
            for execution_id in due:
                gone = await _tolerated(theirs.purge(execution_id, before=before, at=retention.now), left)
                count += gone is not False
        told.append(Purged(name, before, count))
    if left:
        raise left[0]
    return told


async def _tolerated(deleting: Awaitable[T], left: list[FilesLeft]) -> T | None:
    """Wait for it; None, and the reason in `left`, if only files are left, which the next round tries again."""
    try:
        return await deleting
    except FilesLeft as error:
        left.append(error)
        return None


async def _all(database: Database) -> AsyncIterator[Tenant]:
    after = ""
    while page := await database.installation.tenants.list(limit=_PAGE, after=after):
        for tenant in page:
            yield tenant
        after = page[-1].tenant
