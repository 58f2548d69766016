"""Tenants: those who share one database and see nothing of each other."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lumeflow.core.errors import UsageError
from lumeflow.storage.codec import unstamp
from lumeflow.storage.jobs import Transaction
from lumeflow.storage.scoped import TenantReader, TenantWriter

EVERYBODY = "*"
"""What stands for all tenants, in the few places that look at all: logging in, and handing out work."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")

_INSERT = """
INSERT INTO tenants (tenant, name, is_active, concurrency, created_at, retention_days) VALUES (?, ?, TRUE, ?, ?, ?)
ON CONFLICT (tenant) DO NOTHING"""

_CHANGE = "UPDATE tenants SET name = ?, is_active = ?, concurrency = ?, retention_days = ? WHERE tenant = ?"

_COLUMNS = "tenant, name, is_active, concurrency, created_at, retention_days"

_GET = f"SELECT {_COLUMNS} FROM tenants WHERE tenant = ?"  # noqa: S608 - constants, as below

_LIST = f"SELECT {_COLUMNS} FROM tenants WHERE tenant > ? ORDER BY tenant LIMIT ?"  # noqa: S608


def checked_tenant(tenant: str) -> str:
    """A tenant's name, if it is one.

    Raises:
        UsageError: It is not.
    """
    if not _NAME.fullmatch(tenant):
        raise UsageError(
            f"the tenant {tenant[:70]!r} cannot be used: expected 1 to 63 lower-case letters, digits, - and _, such as"
            " 'acme'"
        )
    return tenant


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant.

    Attributes:
        tenant: Its id.
        name: For people.
        is_active: False if its keys are refused and its jobs wait.
        concurrency: How many of its executions may run at once; None for no limit of its own.
        created_at: When it was made.
        retention_days: For how many days its executions are kept; None for as long as the installation's others.
    """

    tenant: str
    name: str
    is_active: bool
    concurrency: int | None
    created_at: datetime
    retention_days: int | None = None


class SqlTenants:
    """All tenants; for who administers the installation.

    Args:
        writer: Of everybody.
        reader: Of everybody.
    """

    def __init__(self, writer: TenantWriter, reader: TenantReader) -> None:
        self._writer = writer
        self._reader = reader

    async def create(
        self,
        tenant: str,
        *,
        at: datetime,
        name: str = "",
        concurrency: int | None = None,
        retention_days: int | None = None,
    ) -> Tenant:
        """Make a tenant.

        Raises:
            UsageError: It cannot be called so, or exists.
        """
        made = Tenant(checked_tenant(tenant), name or tenant, True, concurrency, at, retention_days)
        values = (made.tenant, made.name, concurrency)

        def action(tx: Transaction) -> int:
            return tx.db.execute(_INSERT, (*values, tx.sql.time(at), retention_days)).rowcount

        if not await self._writer.call(action):
            raise UsageError(f"tenant '{tenant}' exists already")
        return made

    async def change(self, tenant: Tenant) -> None:
        """Overwrite name, limit, days of retention and whether it is active.

        Raises:
            UsageError: There is no such tenant.
        """
        values = (tenant.name, tenant.is_active, tenant.concurrency, tenant.retention_days, tenant.tenant)
        if not await self._writer.call(lambda tx: tx.db.execute(_CHANGE, values).rowcount):
            raise UsageError(f"there is no tenant '{tenant.tenant}'")

    async def get(self, tenant: str) -> Tenant | None:
        """One tenant."""
        rows = await self._reader.rows(_GET, (tenant,))
        return _tenant(rows[0]) if rows else None

    async def list(self, *, limit: int = 100, after: str = "") -> Sequence[Tenant]:
        """Tenants by id, those after `after`."""
        return [_tenant(row) for row in await self._reader.rows(_LIST, (after, limit))]


def limits(tx: Transaction) -> dict[str, tuple[bool, int | None]]:
    """Whether each tenant is active, and how many executions it may run at once."""
    rows = tx.db.execute("SELECT tenant, is_active, concurrency FROM tenants")
    return {row[0]: (bool(row[1]), row[2]) for row in rows}


def _tenant(row: Sequence[Any]) -> Tenant:
    return Tenant(row[0], row[1], bool(row[2]), row[3], unstamp(row[4]), row[5])
