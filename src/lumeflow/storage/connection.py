"""Opening the file: settings, ownership of the format, migrations."""

import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from lumeflow.core.errors import StorageError
from lumeflow.core.money import plain
from lumeflow.storage.codec import stamp
from lumeflow.storage.migrations import APPLICATION_ID, HISTORY, HISTORY_SINCE, LATEST, STEPS, Kind, Step, path
from lumeflow.storage.problems import scope, storage_error
from lumeflow.storage.session import Scope

OLDEST_SQLITE = (3, 35, 0)
"""UPSERT with several clauses and UPDATE … FROM."""

# The system caches the file too. With 8 MiB for each connection the process was 16 MB larger and no faster.
_CACHE = "PRAGMA cache_size = -2048"  # KiB
_WAL_PAGES = 4000
_STATEMENTS = 512


@dataclass(frozen=True, slots=True)
class Source:
    """Which database to open, and how patiently.

    Attributes:
        path: The file; None for a database in memory.
        busy_timeout: Seconds to wait for another process that is writing.
    """

    path: Path | None
    busy_timeout: float = 30.0

    @property
    def name(self) -> str:
        """The file's name for messages."""
        return ":memory:" if self.path is None else str(self.path)


def connect_writer(source: Source, *, is_migrated: bool = True) -> sqlite3.Connection:
    """Open for writing: create the file if there is none, and bring its schema up to date unless told otherwise.

    Raises:
        StorageError: It cannot be opened or written, is not one of ours, or was written by a newer version.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise StorageError(f"this Python has SQLite {sqlite3.sqlite_version}: {oldest} or newer is needed")
    _create_private(source)
    db = _connect(source)
    try:
        # Before anything else: of another program's file nothing may be changed, not even its journal mode.
        version_of(db, source)
        _use_wal(db, source)
        db.execute(_CACHE)
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA secure_delete = FAST")
        _add_money(db)
        db.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
        if is_migrated:
            migrate(db, source)
    except sqlite3.Error as error:
        db.close()
        raise storage_error(error, source.name) from error
    except StorageError:
        db.close()
        raise
    return db


def connect_reader(source: Source) -> sqlite3.Connection:
    """Open a file that is already open for writing, for reading only.

    Raises:
        StorageError: It cannot be opened.
    """
    db = _connect(source)
    try:
        db.execute(_CACHE)
        _add_money(db)
        db.execute("PRAGMA query_only = ON")
    except sqlite3.Error as error:
        db.close()
        raise storage_error(error, source.name) from error
    return db


def _connect(source: Source) -> sqlite3.Connection:
    target = ":memory:" if source.path is None else source.path
    try:
        return sqlite3.connect(target, timeout=source.busy_timeout, isolation_level=None, cached_statements=_STATEMENTS)
    except sqlite3.Error as error:
        raise storage_error(error, source.name) from error


def _add_money(db: sqlite3.Connection) -> None:
    """Give the connection what SQLite itself cannot do: add money exactly."""
    db.create_function("decimal_sum", 2, _decimal_sum, deterministic=True)
    db.create_aggregate("decimal_total", 1, cast("Any", _DecimalTotal))


def _decimal_sum(first: str, second: str) -> str:
    return plain(Decimal(first) + Decimal(second))


class _DecimalTotal:
    """The sum of a column; zero for no rows."""

    def __init__(self) -> None:
        self._sum = Decimal(0)

    def step(self, *amounts: str | None) -> None:
        self._sum += sum(Decimal(amount) for amount in amounts if amount is not None)

    def finalize(self) -> str:
        return plain(self._sum)


def _create_private(source: Source) -> None:
    """A new file is for its owner only: it will hold people's contact data."""
    if source.path is None:
        return
    try:
        if not source.path.exists():
            os.close(os.open(source.path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StorageError(
            f"database {source.name}: it cannot be created: check that its folder exists and is writable for this"
            f" user ({error.strerror})"
        ) from error


def _use_wal(db: sqlite3.Connection, source: Source) -> None:
    # SQLite does not wait for other processes on this statement by itself.
    deadline = time.monotonic() + source.busy_timeout
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if scope(error) is not Scope.BATCH or time.monotonic() >= deadline:
                raise
            time.sleep(0.01)


def migrate(
    db: sqlite3.Connection, source: Source, steps: Sequence[Step] = STEPS, *, target: int | None = None
) -> None:
    """Bring the schema to a version, in one transaction; to the newest if none is named.

    Raises:
        UsageError: There is no such version, or no way back to it.
        StorageError: The file belongs to another program, to a newer version, has tables with our names, or holds what
            an older version cannot.
    """
    if target is None and _version(db, source, len(steps)) == len(steps):
        return
    # Both only take effect outside of a transaction: tables are rebuilt under the eyes of those that refer to them.
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute("PRAGMA legacy_alter_table = ON")
    try:
        db.execute("BEGIN IMMEDIATE")
        _migrate(db, source, steps, len(steps) if target is None else target)
        db.execute("COMMIT")
    except BaseException:
        db.rollback()
        raise
    finally:
        db.execute("PRAGMA legacy_alter_table = OFF")
        db.execute("PRAGMA foreign_keys = ON")


def _migrate(db: sqlite3.Connection, source: Source, steps: Sequence[Step], target: int) -> None:
    found = _version(db, source, len(steps))
    walk = path(steps, Kind.SQLITE, found, target)
    for step in walk:
        for query, reason in step.needs:
            if db.execute(query).fetchone():
                raise StorageError(f"database {source.name}: {reason}")
        for statement in step.statements:
            _apply(db, statement, source)
    if not walk:
        return
    db.execute(HISTORY[Kind.SQLITE])
    db.execute("DELETE FROM schema_migrations")
    now = stamp(datetime.now(UTC))
    rows = [(number, step.name, now) for number, step in enumerate(steps[:target], start=1)]
    db.executemany("INSERT INTO schema_migrations (version, name, applied_at) VALUES (?, ?, ?)", rows)
    if target < HISTORY_SINCE:
        db.execute("DROP TABLE schema_migrations")
    broken = db.execute("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise StorageError(f"database {source.name}: rows of {broken[0][0]} refer to rows that are not there")
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {target}")


def _apply(db: sqlite3.Connection, statement: str, source: Source) -> None:
    try:
        db.execute(statement)
    except sqlite3.OperationalError as error:
        if "already exists" not in str(error):
            raise
        raise StorageError(
            f"database {source.name}: it has a table or index of its own where one of lumeflow's must go ({error}):"
            " rename it, or name another file"
        ) from error


def version_of(db: sqlite3.Connection, source: Source) -> int:
    """The version of the schema; 0 where there is none.

    Raises:
        StorageError: The file belongs to another program, or is of a newer version.
    """
    return _version(db, source, LATEST)


def _version(db: sqlite3.Connection, source: Source, latest: int) -> int:
    application, version = _pragma(db, "application_id"), _pragma(db, "user_version")
    if application != APPLICATION_ID and (application or version):
        raise StorageError(f"database {source.name}: it belongs to another program: name another file")
    if version > latest:
        raise StorageError(
            f"database {source.name}: its schema has version {version}, written by a newer lumeflow; this one knows"
            f" versions up to {latest}: upgrade lumeflow, or name another file"
        )
    return version


def _pragma(db: sqlite3.Connection, name: str) -> int:
    with closing(db.execute(f"PRAGMA {name}")) as cursor:
        return int(cursor.fetchone()[0])


__all__ = ["LATEST", "Source", "connect_reader", "connect_writer", "migrate"]
