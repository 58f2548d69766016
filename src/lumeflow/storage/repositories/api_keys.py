"""API keys: only their hashes are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lumeflow.core.errors import UsageError
from lumeflow.storage.codec import decode_json, encode_json, optional_unstamp, unstamp
from lumeflow.storage.jobs import Transaction
from lumeflow.storage.scoped import TenantReader, TenantWriter

_COLUMNS = "tenant, id, name, prefix, key_hash, scopes, created_at, expires_at, last_used_at, revoked_at"

_INSERT = f"INSERT INTO api_keys ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)"  # noqa: S608 - constants, as below

_LIST = f"SELECT {_COLUMNS} FROM api_keys WHERE tenant = ? AND id > ? ORDER BY id LIMIT ?"  # noqa: S608

_BY_HASH = f"""
SELECT {_COLUMNS}, EXISTS (SELECT 1 FROM tenants AS t WHERE t.tenant = api_keys.tenant AND NOT t.is_active)
FROM api_keys WHERE key_hash = ?"""  # noqa: S608

_REVOKE = "UPDATE api_keys SET revoked_at = ? WHERE tenant = ? AND id = ? AND revoked_at IS NULL"

_EXISTS = "SELECT 1 FROM api_keys WHERE tenant = ? AND id = ?"

_USED = "UPDATE api_keys SET last_used_at = ? WHERE tenant = ? AND id = ?"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored.

    Attributes:
        tenant: Whose it is.
        id: Its id, which is no secret.
        name: For people.
        prefix: The key's first characters, by which people recognise it.
        key_hash: Hash of the whole key, in hex.
        scopes: What it allows.
        created_at: When it was made.
        expires_at: When it ends; None for never.
        last_used_at: When it was last used, to the minute or so.
        revoked_at: When it was revoked; None if it was not.
        is_suspended: True if its tenant is. Told of one that is looked up by its hash.
    """

    tenant: str
    id: str
    name: str
    prefix: str
    key_hash: str
    scopes: Sequence[str]
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    is_suspended: bool = False

    def is_valid(self, at: datetime) -> bool:
        """True if it is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


class SqlApiKeys:
    """The keys of one tenant."""

    def __init__(self, writer: TenantWriter, reader: TenantReader) -> None:
        self._writer = writer
        self._reader = reader

    async def add(self, key: ApiKey) -> None:
        """Store a new key of this tenant.

        Raises:
            UsageError: The id is taken.
        """
        tenant = self._writer.tenant

        def action(tx: Transaction) -> None:
            if tx.db.execute(_EXISTS, (tenant, key.id)).fetchone():
                raise UsageError(f"there is an API key '{key.id}' already")
            times = (tx.sql.time(key.created_at), tx.sql.optional_time(key.expires_at))
            scopes = encode_json(list(key.scopes))
            tx.db.execute(_INSERT, (tenant, key.id, key.name, key.prefix, key.key_hash, scopes, *times))

        await self._writer.call(action)

    async def list(self, *, limit: int = 100, after: str = "") -> Sequence[ApiKey]:
        """Keys by id, revoked ones too, those after `after`."""
        return [_key(row) for row in await self._reader.rows(_LIST, (self._reader.tenant, after, limit))]

    async def revoke(self, key_id: str, *, at: datetime) -> bool:
        """End a key; False if there is none, or it was revoked before."""
        tenant = self._writer.tenant
        changed = await self._writer.call(lambda tx: tx.db.execute(_REVOKE, (tx.sql.time(at), tenant, key_id)).rowcount)
        return changed == 1

    async def used(self, key_id: str, *, at: datetime) -> None:
        """Note that a key was used; meant to be called rarely."""
        tenant = self._writer.tenant
        await self._writer.call(lambda tx: tx.db.execute(_USED, (tx.sql.time(at), tenant, key_id)).rowcount)


class KeyLookup:
    """Whose key is this? The one question that is asked before a tenant is known.

    Args:
        reader: Of everybody.
    """

    def __init__(self, reader: TenantReader) -> None:
        self._reader = reader

    async def find(self, key_hash: str) -> ApiKey | None:
        """The key with this hash, of whatever tenant, revoked or expired ones too."""
        rows = await self._reader.rows(_BY_HASH, (key_hash,))
        return _key(rows[0][:-1], is_suspended=bool(rows[0][-1])) if rows else None


def _key(row: Sequence[Any], *, is_suspended: bool = False) -> ApiKey:
    tenant, id_, name, prefix, key_hash, scopes, created_at, expires_at, last_used_at, revoked_at = row
    return ApiKey(
        tenant,
        id_,
        name,
        prefix,
        key_hash,
        decode_json(scopes),
        unstamp(created_at),
        optional_unstamp(expires_at),
        optional_unstamp(last_used_at),
        optional_unstamp(revoked_at),
        is_suspended,
    )
