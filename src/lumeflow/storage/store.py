"""One open database, of whichever kind, as all tenants share it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from lumeflow.storage.connection import Source
from lumeflow.storage.locks import LockFiles
from lumeflow.storage.migrations.types import Kind
from lumeflow.storage.named_queries import NamedQuery
from lumeflow.storage.outbox import PACE
from lumeflow.storage.owners import Presence
from lumeflow.storage.reader import SqliteReader
from lumeflow.storage.scoped import Reads
from lumeflow.storage.sqlite_presence import FilePresence
from lumeflow.storage.sqlite_session import SqliteSession
from lumeflow.storage.writer import Writer


@dataclass(slots=True)
class Store:
    """What all tenants of one database share.

    Attributes:
        kind: Which database.
        name: Its name for messages: a path, or a URL without password.
        data_dir: Folder of output files.
        writer: The one writer.
        reads: Reads beside the writer.
        presence: Shows that this process lives.
        numbers: Numbers of owners' tokens.
        queries: Queries that the operator has named.
    """

    kind: Kind
    name: str
    data_dir: Path
    writer: Writer
    reads: Reads
    presence: Presence
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    queries: Mapping[str, NamedQuery] = field(default_factory=dict)

    async def close(self) -> None:
        """Store what was given, then close. Does nothing the second time."""
        await self.writer.close()
        await self.reads.close()
        self.presence.withdraw()


async def open_sqlite(path: Path | None, data_dir: Path, busy_timeout: float, token: str) -> Store:
    """Open a file, or a database in memory.

    Raises:
        StorageError: It cannot be used.
    """
    source = Source(path, busy_timeout)
    # In memory there is no disk to spare.
    writer = Writer(lambda: SqliteSession.open(source), source.name, pace=PACE if path else 0.0)
    await writer.open()
    folder = None if path is None else path.with_name(path.name + ".locks")
    presence = FilePresence(LockFiles(folder, token))
    return Store(Kind.SQLITE, source.name, data_dir, writer, SqliteReader(source, writer), presence)
