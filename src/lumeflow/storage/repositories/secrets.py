"""Secrets of a tenant. What is stored is opaque here: it was encrypted by whoever has the key."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lumeflow.storage.codec import unstamp
from lumeflow.storage.scoped import TenantReader, TenantWriter

_PUT = """
INSERT INTO secrets (tenant, name, value, key_id, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant, name) DO UPDATE SET value = excluded.value, key_id = excluded.key_id,
  updated_at = excluded.updated_at"""

_GET = "SELECT name, value, key_id, created_at, updated_at FROM secrets WHERE tenant = ? AND name = ?"

_LIST = """
SELECT name, value, key_id, created_at, updated_at FROM secrets
WHERE tenant = ? AND name > ? ORDER BY name LIMIT ?"""

_RESEAL = "UPDATE secrets SET value = ?, key_id = ? WHERE tenant = ? AND name = ? AND value = ?"

_DELETE = "DELETE FROM secrets WHERE tenant = ? AND name = ?"


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """A secret as it is stored.

    Attributes:
        name: As workflows name it.
        value: Encrypted.
        key_id: Which key it is encrypted with.
        created_at: When it was first stored.
        updated_at: When it was last stored.
    """

    name: str
    value: bytes
    key_id: str
    created_at: datetime
    updated_at: datetime

    def __repr__(self) -> str:
        return f"StoredSecret({self.name!r})"


class SqlSecrets:
    """The secrets of one tenant."""

    def __init__(self, writer: TenantWriter, reader: TenantReader) -> None:
        self._writer = writer
        self._reader = reader

    async def put(self, name: str, value: bytes, *, key_id: str, at: datetime) -> None:
        """Store a secret, or another value of it."""
        tenant = self._writer.tenant
        await self._writer.call(
            lambda tx: tx.db.execute(_PUT, (tenant, name, value, key_id, tx.sql.time(at), tx.sql.time(at))).rowcount
        )

    async def get(self, name: str) -> StoredSecret | None:
        """One secret."""
        rows = await self._reader.rows(_GET, (self._reader.tenant, name))
        return _secret(rows[0]) if rows else None

    async def list(self, *, limit: int = 1000, after: str = "") -> Sequence[StoredSecret]:
        """Secrets by name, those after `after`."""
        return [_secret(row) for row in await self._reader.rows(_LIST, (self._reader.tenant, after, limit))]

    async def reseal(self, row: StoredSecret, value: bytes, *, key_id: str) -> bool:
        """Store the same secret under another key; False if it was set anew or deleted meanwhile."""
        tenant = self._writer.tenant
        values = (value, key_id, tenant, row.name, row.value)
        return await self._writer.call(lambda tx: tx.db.execute(_RESEAL, values).rowcount) == 1

    async def delete(self, name: str) -> bool:
        """Forget a secret; False if there is none."""
        tenant = self._writer.tenant
        return await self._writer.call(lambda tx: tx.db.execute(_DELETE, (tenant, name)).rowcount) == 1


def _secret(row: Sequence[Any]) -> StoredSecret:
    name, value, key_id, created_at, updated_at = row
    return StoredSecret(name, bytes(value), key_id, unstamp(created_at), unstamp(updated_at))
