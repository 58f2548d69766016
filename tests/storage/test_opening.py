"""Opening files that are not as they should be."""

import os
import sqlite3
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from lumeflow.core.errors import StorageError, UsageError
from lumeflow.storage import open_database
from lumeflow.storage.connection import Source, connect_writer, migrate
from lumeflow.storage.migrations import APPLICATION_ID, LATEST, Kind, Step
from tests.storage.build import EXECUTION, execution

DIARY = b"dear diary\n" * 200


async def opening_fails(path: Path, **options) -> str:
    with pytest.raises(StorageError) as caught:
        await open_database(str(path), data_dir=path.parent, **options)
    assert str(path) in str(caught.value)
    return str(caught.value)


def sqlite_file(path: Path, *statements: str) -> Path:
    db = sqlite3.connect(path)
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()
    return path


async def test_a_file_that_is_no_database(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes(DIARY)
    assert "it is not an SQLite database: name another file" in await opening_fails(path)
    assert path.read_bytes() == DIARY


async def test_a_folder(tmp_path):
    assert "it cannot be opened" in await opening_fails(tmp_path)


async def test_a_folder_that_does_not_exist(tmp_path):
    assert "check that its folder exists" in await opening_fails(tmp_path / "no" / "x.db")


async def test_a_database_of_another_program(tmp_path):
    path = sqlite_file(tmp_path / "photos.db", "PRAGMA application_id = 77", "CREATE TABLE photos (id)")
    assert "it belongs to another program" in await opening_fails(path)


async def test_a_database_of_another_program_that_counts_its_versions(tmp_path):
    path = sqlite_file(tmp_path / "photos.db", "PRAGMA user_version = 4", "CREATE TABLE photos (id)")
    assert "it belongs to another program" in await opening_fails(path)


async def test_a_database_of_a_newer_version(tmp_path):
    path = sqlite_file(
        tmp_path / "new.db", f"PRAGMA application_id = {APPLICATION_ID}", f"PRAGMA user_version = {LATEST + 1}"
    )
    message = await opening_fails(path)
    assert f"schema has version {LATEST + 1}" in message
    assert f"up to {LATEST}: upgrade lumeflow" in message


async def test_a_table_that_has_one_of_our_names(tmp_path):
    path = sqlite_file(tmp_path / "mine.db", "CREATE TABLE effects (id)")
    assert "table effects already exists): rename it" in await opening_fails(path)
    db = sqlite3.connect(path)
    assert [row[0] for row in db.execute("SELECT name FROM sqlite_schema")] == ["effects"], "nothing was left behind"
    db.close()


async def test_a_users_own_tables_stay_and_can_be_used(tmp_path):
    path = sqlite_file(
        tmp_path / "crm.db",
        'CREATE TABLE "my {customers}" (id INTEGER PRIMARY KEY, "full name" TEXT, tags JSON, vip BOOLEAN)',
        "INSERT INTO \"my {customers}\" VALUES (1, 'Ada', '[\"x\"]', 1), (2, 'Bea', 'not json', 0)",
        'CREATE VIEW vips AS SELECT id FROM "my {customers}" WHERE vip',
    )
    database = await open_database(str(path), data_dir=tmp_path)
    await database.tables.upsert("my {customers}", [{"id": 3, "full name": "Cyd", "tags": 7}], key=["id"])
    assert await database.tables.find("my {customers}", {}) == [
        {"id": 1, "full name": "Ada", "tags": ["x"], "vip": True},
        {"id": 2, "full name": "Bea", "tags": "not json", "vip": False},
        {"id": 3, "full name": "Cyd", "tags": 7, "vip": None},
    ]
    assert await database.tables.find("vips", {}) == [{"id": 1}]
    await database.close()


@pytest.fixture
def read_only():
    """A database that may only be read, in a folder that may only be read."""
    folder = Path(tempfile.mkdtemp())
    path = sqlite_file(folder / "ro.db", "CREATE TABLE t (id)")
    path.chmod(0o444)
    folder.chmod(0o555)
    superuser = os.geteuid() == 0
    if superuser:
        os.seteuid(65534)  # permissions do not bind the superuser
    yield path
    if superuser:
        os.seteuid(0)
    folder.chmod(0o755)
    path.unlink()
    folder.rmdir()


async def test_a_file_that_may_only_be_read(read_only):
    assert "it cannot be written: make the file and its folder writable" in await opening_fails(read_only)
    message = await opening_fails(read_only.with_name("new.db"))
    assert "writable for this user (Permission denied)" in message


async def test_a_locked_file(tmp_path):
    path = sqlite_file(tmp_path / "busy.db", "CREATE TABLE t (id)")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert "another process keeps it locked" in await opening_fails(path, busy_timeout=0.05)
    other.close()


async def filled(path: Path) -> None:
    """Make a database with one execution."""
    database = await open_database(str(path), data_dir=path.parent)
    await database.journal.begin(execution())
    await database.close()


def damage(path: Path, table: str) -> None:
    """Overwrite the root page of a table."""
    db = sqlite3.connect(path)
    (page,) = db.execute("SELECT coalesce(max(rootpage), 1) FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    db.close()
    content = bytearray(path.read_bytes())
    start = max((page - 1) * 4096, 100)  # past the file's header
    content[start : start + 4096] = b"\xa5" * 4096
    path.write_bytes(content)


async def test_a_file_of_which_only_the_head_is_left(tmp_path):
    path = tmp_path / "torn.db"
    await filled(path)
    damage(path, "sqlite_schema")
    assert "it is damaged: restore it from a backup" in await opening_fails(path)


async def test_a_file_that_is_damaged_somewhere(tmp_path):
    path = tmp_path / "torn.db"
    await filled(path)
    damage(path, "workflow_executions")
    database = await open_database(str(path), data_dir=tmp_path)
    with pytest.raises(StorageError, match=r"torn\.db: it is damaged: restore it"):
        await database.journal.get(EXECUTION)
    with pytest.raises(StorageError, match=r"torn\.db: it is damaged"):
        await database.journal.begin(execution("exec-2"))
    await database.close()


async def test_a_new_file_is_for_its_owner_only(tmp_path):
    database = await open_database(str(tmp_path / "x.db"), data_dir=tmp_path)
    await database.journal.begin(execution())
    for name in ("x.db", "x.db-wal", "x.db-shm"):
        assert stat.S_IMODE(os.stat(tmp_path / name).st_mode) == 0o600, name  # noqa: PTH116
    await database.close()


async def test_two_processes_may_open_a_new_file_at_once(tmp_path):
    import asyncio

    path = str(tmp_path / "x.db")
    databases = await asyncio.gather(*(open_database(path, data_dir=tmp_path) for _ in range(8)))
    await databases[0].journal.begin(execution())
    assert await databases[7].journal.get(EXECUTION) == execution()
    for database in databases:
        await database.close()


async def test_what_is_closed_says_so(tmp_path):
    database = await open_database(str(tmp_path / "x.db"), data_dir=tmp_path)
    await database.close()
    await database.close()
    with pytest.raises(StorageError, match="is closed"):
        await database.journal.get(EXECUTION)
    with pytest.raises(StorageError, match="is closed"):
        await database.take(EXECUTION)


async def test_a_url_that_is_not_understood(tmp_path):
    with pytest.raises(UsageError, match=r"'mysql://\*\*\*@db\.example\.com/x' is not understood: expected sqlite"):
        await open_database("mysql://ada:secret@db.example.com/x", data_dir=tmp_path)


def test_durability_is_asked_for(tmp_path):
    db = connect_writer(Source(tmp_path / "x.db"))
    asked = {
        name: db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    assert asked == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    db.close()


def step(*statements: str, down: Sequence[str] = ()) -> Step:
    return Step("step", {Kind.SQLITE: statements}, {Kind.SQLITE: down} if down else {})


def test_migrations_run_in_order_once_and_all_or_nothing(tmp_path):
    source = Source(tmp_path / "x.db")
    db = sqlite3.connect(source.path, isolation_level=None)
    first, second = step("CREATE TABLE a (id)"), step("ALTER TABLE a ADD COLUMN b")
    migrate(db, source, [first])
    migrate(db, source, [first, second])
    migrate(db, source, [first, second])
    assert [row[1] for row in db.execute("PRAGMA table_info(a)")] == ["id", "b"]
    with pytest.raises(sqlite3.OperationalError):
        migrate(db, source, [first, second, step("CREATE TABLE c (id)", "ALTER TABLE nowhere ADD COLUMN x")])
    assert db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'c'").fetchone() == (0,)
    assert db.execute("PRAGMA user_version").fetchone() == (2,)
    assert db.execute("PRAGMA foreign_keys").fetchone() == (1,)
    db.close()


async def test_an_sqlite_that_is_too_old(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(StorageError, match=r"3\.35\.0 or newer is needed"):
        await open_database(str(tmp_path / "x.db"), data_dir=tmp_path)


async def test_output_files_lie_in_the_data_folder(database, tmp_path):
    sink = await database.files("exec-1").create("a.json")
    assert await sink.commit() == str(tmp_path / "artifacts" / "exec-1" / "a.json")
