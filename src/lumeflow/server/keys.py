"""API keys: made here, shown once, kept as a hash."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from lumeflow.core.errors import UsageError
from lumeflow.core.findings import did_you_mean
from lumeflow.storage import Database
from lumeflow.storage.repositories.api_keys import ApiKey

START = "lf_"
_PREFIX = 11
_LONGEST = 200


class Scope(StrEnum):
    """What a key allows."""

    READ = "read"
    WRITE = "write"
    """Save, change and delete workflows and templates; upload files."""
    EXECUTE = "execute"
    """Start, stop, resume and re-run executions, in demo mode."""
    LIVE = "live"
    """With `execute`: executions that call the vendors and cost money."""
    SECRETS = "secrets"
    """List, set and delete the tenant's secrets."""
    ADMIN = "admin"
    """Everything, and make and revoke keys."""


USUAL = (Scope.READ, Scope.WRITE, Scope.EXECUTE, Scope.LIVE)


def hash_of(key: str) -> str:
    """What is stored of a key. Keys are 256 random bits, so that a plain hash cannot be guessed back."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def is_key(text: str) -> bool:
    """True if a text can be a key at all."""
    return text.startswith(START) and len(text) <= _LONGEST


def checked_scopes(names: Sequence[str]) -> Sequence[Scope]:
    """Scopes by name, each once.

    Raises:
        UsageError: There is no such scope.
    """
    for name in names:
        if name not in tuple(Scope):
            raise UsageError(f"there is no scope '{name[:40]}'." + did_you_mean(name, Scope))
    return [scope for scope in Scope if scope in names]


async def make_key(
    database: Database,
    *,
    name: str,
    scopes: Sequence[str] = USUAL,
    at: datetime,
    expires_at: datetime | None = None,
) -> tuple[str, ApiKey]:
    """Make a key of the database's tenant, and the tenant too if it is new; returns the key and what is kept of it.

    Raises:
        UsageError: There is no such scope.
    """
    granted = checked_scopes(scopes)
    tenants = database.installation.tenants
    if await tenants.get(database.tenant) is None:
        await tenants.create(database.tenant, at=at)
    key = START + secrets.token_urlsafe(32)
    entry = ApiKey(
        tenant=database.tenant,
        id=secrets.token_hex(8),
        name=name,
        prefix=key[:_PREFIX],
        key_hash=hash_of(key),
        scopes=[str(scope) for scope in granted],
        created_at=at,
        expires_at=expires_at,
    )
    await database.api_keys.add(entry)
    return key, entry
