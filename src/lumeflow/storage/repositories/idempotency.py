"""Requests that may arrive twice and must act once."""

from dataclasses import dataclass
from datetime import datetime

from lumeflow.storage.codec import unstamp
from lumeflow.storage.jobs import Transaction
from lumeflow.storage.scoped import TenantWriter

_RESERVE = """
INSERT INTO idempotency_keys (tenant, key, request_digest, created_at, expires_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (tenant, key) DO NOTHING"""

_GET = """
SELECT request_digest, execution_id, status, response, expires_at FROM idempotency_keys
WHERE tenant = ? AND key = ?"""

_COMPLETE = """
UPDATE idempotency_keys SET execution_id = ?, status = ?, response = ? WHERE tenant = ? AND key = ?"""

_DELETE = "DELETE FROM idempotency_keys WHERE tenant = ? AND key = ?"

_PURGE = "DELETE FROM idempotency_keys WHERE expires_at <= ?"


@dataclass(frozen=True, slots=True)
class EarlierRequest:
    """A request that came before under the same key.

    Attributes:
        request_digest: Of its content; another one is another request, and a mistake.
        execution_id: What it started; None while it is under way.
        status: HTTP status of its answer; None while it is under way.
        response: Body of its answer.
    """

    request_digest: str
    execution_id: str | None
    status: int | None
    response: bytes | None


class SqlIdempotency:
    """The idempotency keys of one tenant."""

    def __init__(self, writer: TenantWriter) -> None:
        self._writer = writer

    async def reserve(
        self, key: str, request_digest: str, *, at: datetime, expires_at: datetime
    ) -> EarlierRequest | None:
        """Claim a key: None if this request is the first, else the one that was; an expired one counts as none."""
        tenant = self._writer.tenant

        def action(tx: Transaction) -> EarlierRequest | None:
            values = (tenant, key, request_digest, tx.sql.time(at), tx.sql.time(expires_at))
            if tx.db.execute(_RESERVE, values).rowcount == 1:
                return None
            digest, execution_id, status, response, ends = tx.db.execute(_GET, (tenant, key)).fetchone()
            if unstamp(ends) <= at:
                tx.db.execute(_DELETE, (tenant, key))
                tx.db.execute(_RESERVE, values)
                return None
            return EarlierRequest(digest, execution_id, status, None if response is None else bytes(response))

        return await self._writer.call(action)

    async def complete(self, key: str, *, execution_id: str | None, status: int, response: bytes) -> None:
        """Store the answer, for whoever asks again."""
        values = (execution_id, status, response, self._writer.tenant, key)
        await self._writer.call(lambda tx: tx.db.execute(_COMPLETE, values).rowcount)

    async def release(self, key: str) -> None:
        """Forget a key whose request did nothing."""
        values = (self._writer.tenant, key)
        await self._writer.call(lambda tx: tx.db.execute(_DELETE, values).rowcount)


def purge_idempotency(tx: Transaction, at: datetime) -> int:
    """Delete what has expired, of all tenants; for a transaction of everybody."""
    return tx.db.execute(_PURGE, (tx.sql.time(at),)).rowcount
