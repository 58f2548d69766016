"""PostgreSQL, by `asyncpg`. Imported only where a URL of PostgreSQL is used."""

from pathlib import Path

from lumeflow.storage.migrations.types import Kind
from lumeflow.storage.postgres.address import read_url
from lumeflow.storage.postgres.presence import LeasePresence
from lumeflow.storage.postgres.reader import PgReader
from lumeflow.storage.postgres.session import PgSession
from lumeflow.storage.store import Store
from lumeflow.storage.writer import Writer


async def open_postgres(url: str, data_dir: Path, patience: float, token: str) -> Store:
    """Open a database, and bring its schema up to date.

    Args:
        url: Its URL.
        data_dir: Folder of output files, and of lock files.
        patience: Seconds to wait for a server that is away.
        token: Name of this process's presence.

    Raises:
        UsageError: The URL is not understood.
        StorageError: The database cannot be used; the message says what to do.
    """
    address = read_url(url)
    presence = LeasePresence(token, data_dir / "postgres.locks")
    sessions: list[PgSession] = []

    def begin() -> PgSession:
        sessions.append(PgSession(address, presence, patience))
        return sessions[-1]

    writer = Writer(begin, address.name)
    await writer.open()
    reads = PgReader(address, lambda: sessions[0].role, patience)
    return Store(Kind.POSTGRES, address.name, data_dir, writer, reads, presence)
