"""What belongs to no tenant, or to all: who they are, whose a key is, whose turn it is, and cleaning up."""

from collections.abc import Sequence
from datetime import datetime

from lumeflow.storage.repositories.api_keys import KeyLookup
from lumeflow.storage.repositories.artifacts import Artifact, expired_artifacts
from lumeflow.storage.repositories.dispatch import Dispatch
from lumeflow.storage.repositories.idempotency import purge_idempotency
from lumeflow.storage.repositories.tenants import EVERYBODY, SqlTenants
from lumeflow.storage.scoped import TenantReader, TenantWriter
from lumeflow.storage.store import Store


class Installation:
    """The parts of a database that are not one tenant's.

    Attributes:
        tenants: The tenants.
        keys: Whose an API key is.
        dispatch: The queue as a worker sees it.
    """

    def __init__(self, store: Store) -> None:
        self._writer = TenantWriter(store.writer, EVERYBODY)
        self._reader = TenantReader(store.reads, EVERYBODY)
        self.tenants = SqlTenants(self._writer, self._reader)
        self.keys = KeyLookup(self._reader)
        self.dispatch = Dispatch(self._writer, self._reader, store.presence)

    async def purge(self, *, at: datetime) -> int:
        """Delete idempotency keys that have expired; returns how many."""
        return await self._writer.call(lambda tx: purge_idempotency(tx, at))

    async def expired_artifacts(self, *, at: datetime, limit: int = 100) -> Sequence[tuple[str, Artifact]]:
        """Files that may be deleted, each with its tenant."""
        return await self._reader.read(lambda tx: expired_artifacts(tx, at, limit))
