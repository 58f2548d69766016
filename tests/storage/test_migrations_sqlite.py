"""SQLite files of every earlier version, with data in them, up and down again."""

import sqlite3

import pytest

from lumeflow.core.effects import Stored
from lumeflow.core.errors import StorageError, UsageError
from lumeflow.core.journal import RecordKind
from lumeflow.storage import open_database
from lumeflow.storage.connection import Source, migrate
from lumeflow.storage.migrations import LATEST, STEPS
from tests.storage.build import DEFINITION, EXECUTION, NOON, at, execution, key, node_row, record
from tests.storage.filling import fill

AUDIENCE = {"id": "a1", "name": "Ada", "type": "instagram", "urls": ["https://example.com/p/1"], "created_at": None}


LATER = {"tenant", "run", "standing"}


def at_version(path, version: int) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    migrate(db, Source(path), target=version)
    db.close()


def version_of(path) -> tuple[int, list[int]]:
    db = sqlite3.connect(path)
    version = db.execute("PRAGMA user_version").fetchone()[0]
    tables = {row[0] for row in db.execute("SELECT name FROM sqlite_schema")}
    history = []
    if "schema_migrations" in tables:
        history = [row[0] for row in db.execute("SELECT version FROM schema_migrations ORDER BY version")]
    db.close()
    return version, history


def contents(path) -> dict[str, list[tuple]]:
    """Every row of every table, in the columns that it had from the first version on."""
    db = sqlite3.connect(path)
    tables = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
    found = {}
    for table in tables:
        if table in {"schema_migrations", "sqlite_sequence"}:
            continue
        columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})") if row[1] not in LATER]
        found[table] = sorted(db.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall(), key=repr)
    db.close()
    return found


@pytest.fixture
async def path(tmp_path):
    """A file of the newest version with something in each table."""
    path = tmp_path / "x.db"
    database = await open_database(str(path), data_dir=tmp_path)
    await fill(database)
    await database.close()
    return path


@pytest.mark.parametrize("version", range(1, LATEST))
async def test_a_file_of_an_earlier_version_is_brought_up_with_all_that_it_holds(path, tmp_path, version):
    at_version(path, version)
    before = contents(path)
    assert before["effects"], "there is something to lose"
    assert version_of(path)[0] == version
    database = await open_database(str(path), data_dir=tmp_path)
    found = await database.journal.get(EXECUTION)
    assert found is not None
    assert (found.definition, found.output) == (DEFINITION, {"n": 1})
    assert await database.journal.nodes(EXECUTION) == [node_row()]
    assert [one async for one in database.journal.kept(EXECUTION, RecordKind.OUTPUT)] == [record(1), record(2)]
    assert [event.at for _, event in (await database.journal.timeline(EXECUTION)).events] == [NOON]
    assert isinstance(await (await database.take(EXECUTION)).ledger.find(key()), Stored)
    ran = await database.workflows.last_run("leads")
    assert ran is not None
    assert ran.definition == DEFINITION
    assert await database.tables.find("source_audiences", {"id": "a1"}) == [AUDIENCE]
    await database.journal.begin(execution("exec-9", started_at=at(9)))
    await database.close()
    assert version_of(path) == (LATEST, list(range(1, LATEST + 1)))
    after = contents(path)
    for table in ("effects", "effect_attempts", "execution_events", "execution_records", "block_executions"):
        assert after[table] == before[table]


@pytest.mark.parametrize("version", range(1, LATEST))
async def test_down_and_up_again_is_the_same_schema(path, version):
    def schema():
        db = sqlite3.connect(path)
        rows = sorted(db.execute("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite%'").fetchall())
        db.close()
        return rows

    before = schema()
    at_version(path, version)
    assert version_of(path) == (version, list(range(1, version + 1)) if version > 2 else [])
    at_version(path, LATEST)
    assert {name for name, _ in schema()} == {name for name, _ in before}
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()


async def test_what_another_tenant_has_is_not_mixed_into_a_version_that_knows_none(path, tmp_path):
    database = await open_database(str(path), data_dir=tmp_path)
    await database.of("acme").journal.begin(execution())
    await database.close()
    with pytest.raises(StorageError, match=r"has rows of other tenants than 'default'"):
        at_version(path, 1)
    assert version_of(path)[0] == LATEST, "nothing was changed"


def test_versions_that_there_are_not(tmp_path):
    with pytest.raises(UsageError, match=f"no version {LATEST + 1} of the schema: they go from 1 to {LATEST}"):
        at_version(tmp_path / "x.db", LATEST + 1)
    with pytest.raises(UsageError, match="no version 0"):
        at_version(tmp_path / "x.db", 0)


def test_every_step_has_a_name_of_its_own():
    names = [step.name for step in STEPS]
    assert len(set(names)) == len(names)
