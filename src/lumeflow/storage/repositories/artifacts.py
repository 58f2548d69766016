"""Files that belong to executions, and uploads that wait for one: where they lie and what they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lumeflow.storage.codec import optional_unstamp, unstamp
from lumeflow.storage.jobs import Transaction
from lumeflow.storage.scoped import TenantReader, TenantWriter

_COLUMNS = "id, kind, execution_id, node_id, name, path, media_type, size, sha256, created_at, expires_at"

_PUT = f"""
INSERT INTO artifacts (tenant, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant, id) DO UPDATE SET path = excluded.path, media_type = excluded.media_type, size = excluded.size,
  sha256 = excluded.sha256, created_at = excluded.created_at, expires_at = excluded.expires_at"""  # noqa: S608 - constants, as below

_GET = f"SELECT {_COLUMNS} FROM artifacts WHERE tenant = ? AND id = ?"  # noqa: S608

_LIST = f"""
SELECT {_COLUMNS} FROM artifacts
WHERE tenant = ? AND execution_id = ? AND (name, id) > (?, ?) ORDER BY name, id LIMIT ?"""  # noqa: S608

_EXPIRED = f"SELECT tenant, {_COLUMNS} FROM artifacts WHERE expires_at <= ? ORDER BY expires_at LIMIT ?"  # noqa: S608

_DELETE = "DELETE FROM artifacts WHERE tenant = ? AND id = ?"


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file.

    Attributes:
        id: Its id; the same id again is the same file, written anew.
        kind: `output` or `upload`.
        execution_id: Whose it is; None for an upload that no execution has used yet.
        node_id: Which node wrote it.
        name: For people, unique to nothing.
        path: Where it lies, in the data folder.
        media_type: Such as `text/csv`.
        size: Bytes.
        sha256: Of its content, in hex.
        created_at: When it was written.
        expires_at: When it may be deleted; None for never.
    """

    id: str
    kind: str
    execution_id: str | None
    node_id: str | None
    name: str
    path: str
    media_type: str
    size: int
    sha256: str
    created_at: datetime
    expires_at: datetime | None = None


class SqlArtifacts:
    """The files of one tenant."""

    def __init__(self, writer: TenantWriter, reader: TenantReader) -> None:
        self._writer = writer
        self._reader = reader

    async def put(self, artifact: Artifact) -> None:
        """Write a file down, or that it was written anew."""
        one = artifact
        tenant = self._writer.tenant

        def action(tx: Transaction) -> None:
            times = (tx.sql.time(one.created_at), tx.sql.optional_time(one.expires_at))
            place = (one.id, one.kind, one.execution_id, one.node_id, one.name, one.path)
            tx.db.execute(_PUT, (tenant, *place, one.media_type, one.size, one.sha256, *times))

        await self._writer.call(action)

    async def get(self, artifact_id: str) -> Artifact | None:
        """One file."""
        rows = await self._reader.rows(_GET, (self._reader.tenant, artifact_id))
        return _artifact(rows[0]) if rows else None

    async def list(
        self, execution_id: str, *, limit: int = 100, after: tuple[str, str] = ("", "")
    ) -> Sequence[Artifact]:
        """An execution's files by name and id, those after `after`."""
        rows = await self._reader.rows(_LIST, (self._reader.tenant, execution_id, *after, limit))
        return [_artifact(row) for row in rows]

    async def delete(self, artifact_id: str) -> bool:
        """Forget a file; False if there is none. The file itself is the caller's to remove."""
        place = (self._writer.tenant, artifact_id)
        return await self._writer.call(lambda tx: tx.db.execute(_DELETE, place).rowcount) == 1


def expired_artifacts(tx: Transaction, at: datetime, limit: int = 100) -> Sequence[tuple[str, Artifact]]:
    """Files that may be deleted, each with its tenant; for a transaction of everybody."""
    return [(row[0], _artifact(row[1:])) for row in tx.db.execute(_EXPIRED, (tx.sql.time(at), limit))]


def _artifact(row: Sequence[Any]) -> Artifact:
    id_, kind, execution_id, node_id, name, path, media_type, size, sha256, created_at, expires_at = row
    times = (unstamp(created_at), optional_unstamp(expires_at))
    return Artifact(id_, kind, execution_id, node_id, name, path, media_type, size, sha256, *times)
