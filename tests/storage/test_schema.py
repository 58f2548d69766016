"""The schema on both databases: as declared after every way of getting there, changed by one process at a time."""

import asyncio
import sqlite3
import subprocess
import sys

import pytest

from lumeflow.core.effects import Stored
from lumeflow.core.errors import StorageError, UsageError
from lumeflow.core.journal import RecordKind
from lumeflow.storage import open_database
from lumeflow.storage.administration import change_schema, schema_state
from lumeflow.storage.catalog import OWN_TABLES
from lumeflow.storage.declared import DECLARED
from lumeflow.storage.migrations import LATEST, STEPS, Kind
from tests.storage.build import DEFINITION, EXECUTION, key, node_row, record
from tests.storage.filling import fill

FIRST = 1 + next(number for number, step in enumerate(STEPS) if step.up.get(Kind.POSTGRES))
"""The first version that PostgreSQL has."""


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return str(tmp_path / "x.db")
    return request.getfixturevalue("new_postgres")()


def run_sql(url: str, statement: str, postgres) -> None:
    if url.startswith("postgresql"):
        postgres.sql(statement, url.split("/")[3].split("?", maxsplit=1)[0])
        return
    db = sqlite3.connect(url)
    db.execute(statement)
    db.commit()
    db.close()


async def test_a_new_database_is_as_declared(url, tmp_path):
    await (await open_database(url, data_dir=tmp_path)).close()
    state = await schema_state(url, tmp_path, compare=True)
    assert (state.version, state.latest, list(state.differences)) == (LATEST, LATEST, [])


def test_the_storage_knows_its_own_tables():
    assert {table.name for table in DECLARED} | {"schema_migrations"} == OWN_TABLES


@pytest.mark.parametrize("version", range(1, LATEST))
async def test_data_survives_the_way_down_and_up_again(url, tmp_path, version):
    if url.startswith("postgresql") and version < FIRST:
        await (await open_database(url, data_dir=tmp_path)).close()
        with pytest.raises(UsageError, match=f"version {FIRST} is the first on this kind of database"):
            await change_schema(url, version, tmp_path, is_up=False)
        return
    database = await open_database(url, data_dir=tmp_path)
    await fill(database)
    await database.close()
    down = await change_schema(url, version, tmp_path, is_up=False)
    assert down.version == version
    for number in range(version + 1, LATEST + 1):
        assert (await change_schema(url, number, tmp_path)).version == number
    assert list((await schema_state(url, tmp_path, compare=True)).differences) == []
    database = await open_database(url, data_dir=tmp_path)
    found = await database.journal.get(EXECUTION)
    assert found is not None
    assert (found.definition, found.output) == (DEFINITION, {"n": 1})
    assert await database.journal.nodes(EXECUTION) == [node_row()]
    assert [one async for one in database.journal.kept(EXECUTION, RecordKind.OUTPUT)] == [record(1), record(2)]
    assert isinstance(await (await database.take(EXECUTION)).ledger.find(key()), Stored)
    await database.close()


@pytest.mark.parametrize(
    ("statement", "difference"),
    [
        ("DROP INDEX artifacts_expiry", "artifacts: the index artifacts_expiry: expected ['expires_at'], found none"),
        ("ALTER TABLE secrets ADD COLUMN more TEXT", "secrets: column more is not lumeflow's"),
        ("ALTER TABLE secrets DROP COLUMN key_id", "secrets: column key_id is missing"),
        ("DROP TABLE execution_costs", "table execution_costs is missing"),
        ("CREATE INDEX mine ON tenants (name)", "the index mine: expected none, found ['name']"),
    ],
)
async def test_what_is_not_as_declared_is_told(url, tmp_path, postgres, statement, difference):
    await (await open_database(url, data_dir=tmp_path)).close()
    run_sql(url, statement, postgres)
    (told,) = (await schema_state(url, tmp_path, compare=True)).differences
    assert difference in told


async def test_security_that_was_switched_off_is_told(new_postgres, postgres, tmp_path):
    url = new_postgres()
    await (await open_database(url, data_dir=tmp_path)).close()
    run_sql(url, "ALTER TABLE effects NO FORCE ROW LEVEL SECURITY", postgres)
    assert (await schema_state(url, tmp_path, compare=True)).differences == [
        "table effects: row level security is not enabled and forced"
    ]


async def test_directions_are_meant(url, tmp_path):
    await change_schema(url, LATEST, tmp_path)
    with pytest.raises(UsageError, match=f"has version {LATEST} already: `lumeflow db downgrade"):
        await change_schema(url, LATEST - 1, tmp_path)
    await change_schema(url, LATEST - 1, tmp_path, is_up=False)
    with pytest.raises(UsageError, match=f"has version {LATEST - 1}: `lumeflow db upgrade"):
        await change_schema(url, LATEST, tmp_path, is_up=False)


OPEN = """
import asyncio, sys
from pathlib import Path
from lumeflow.storage import open_database
async def main():
    await (await open_database(sys.argv[1], data_dir=Path(sys.argv[2]))).close()
sys.stdin.readline()
asyncio.run(main())
"""


def race(command: list[str]) -> None:
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    for process in started:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in started:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors


async def test_processes_that_open_an_empty_database_at_once_make_one_schema(url, tmp_path):
    command = [sys.executable, "-c", OPEN, url, str(tmp_path)]
    await asyncio.to_thread(race, command)
    assert list((await schema_state(url, tmp_path, compare=True)).differences) == []


async def test_a_newer_schema_and_tables_of_others_are_left_alone(new_postgres, postgres, tmp_path):
    url = new_postgres()
    run_sql(url, "CREATE TABLE effects (id int)", postgres)
    with pytest.raises(StorageError, match="it has a table or index of its own where one of lumeflow's must go"):
        await open_database(url, data_dir=tmp_path)
    assert (await schema_state(url, tmp_path)).version == 0
    run_sql(url, "DROP TABLE effects", postgres)
    await (await open_database(url, data_dir=tmp_path)).close()
    run_sql(url, f"INSERT INTO schema_migrations VALUES ({LATEST + 1}, 'x', now())", postgres)
    with pytest.raises(StorageError, match=f"schema has version {LATEST + 1}, written by a newer lumeflow"):
        await open_database(url, data_dir=tmp_path)


async def test_there_is_nothing_to_look_at(tmp_path):
    with pytest.raises(UsageError, match="there is no database"):
        await schema_state(str(tmp_path / "x.db"), tmp_path)
    with pytest.raises(UsageError, match="in memory"):
        await schema_state("sqlite:///:memory:", tmp_path)
    assert list(tmp_path.iterdir()) == []
