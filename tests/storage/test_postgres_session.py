"""A server that comes and goes, and commits whose answer is lost: nothing is stored twice, or wrongly reported."""

import asyncio
import subprocess
import sys
from array import array

import asyncpg
import pytest

from lumeflow.core.errors import StorageError, UsageError
from lumeflow.storage import open_database
from lumeflow.storage.administration import schema_state
from lumeflow.storage.postgres import schema
from lumeflow.storage.postgres.connection import PgConnection, numbered
from lumeflow.storage.postgres.problems import explain, scope, translated
from lumeflow.storage.session import Scope
from tests.storage.build import EXECUTION, answered, claim, execution, key


@pytest.fixture
async def database(new_postgres, tmp_path):
    database = await open_database(new_postgres(), data_dir=tmp_path, busy_timeout=5)
    yield database
    await database.close()


def name_of(database) -> str:
    return database.name.rpartition("/")[2]


def cut_off(connection: PgConnection) -> None:
    """As if the network were gone."""
    connection._loop.run_until_complete(asyncio.sleep(0))
    connection._driver.terminate()


@pytest.mark.parametrize("is_stored", [True, False], ids=["stored", "not stored"])
async def test_a_commit_whose_answer_is_lost_takes_place_once(database, monkeypatch, is_stored):
    lock = await database.begin(execution())
    script, lost = PgConnection.script, []

    def broken(self, text):
        if text != "COMMIT" or lost:
            return script(self, text)
        lost.append(text)
        if is_stored:
            script(self, text)
        cut_off(self)
        raise ConnectionResetError

    monkeypatch.setattr(PgConnection, "script", broken)
    await lock.ledger.claim(claim())
    assert lost
    await lock.ledger.answer(key(), answered())
    await database.journal.flush()
    totals = await database.totals(EXECUTION)
    assert (totals.nodes["enrich"].calls, totals.doubtful) == (1, [])


async def test_events_of_a_commit_that_was_lost_are_noted_once(database, monkeypatch):
    from lumeflow.core.events import Event, EventKind
    from tests.storage.build import NOON

    await database.begin(execution())
    script, lost = PgConnection.script, []

    def broken(self, text):
        if text == "COMMIT" and len(lost) < 3:
            lost.append(text)
            if len(lost) % 2:
                script(self, text)
            cut_off(self)
            raise ConnectionResetError
        return script(self, text)

    monkeypatch.setattr(PgConnection, "script", broken)
    for number in range(10):
        database.journal.note(EXECUTION, [Event(EventKind.WARNING, NOON, None, str(number))])
        await database.journal.flush()
    timeline = await database.journal.timeline(EXECUTION)
    assert [event.message for _, event in timeline.events] == [str(number) for number in range(10)]


async def test_connections_that_the_server_ends_are_made_anew(database, postgres):
    lock = await database.begin(execution())
    for number in range(3):
        await lock.ledger.claim(claim(key(number)))
        assert await database.is_running(EXECUTION)
        postgres.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lumeflow'",
            name_of(database),
        )
    assert await lock.ledger.find(key(1)) is None
    totals = await database.totals(EXECUTION)
    assert totals.nodes == {"enrich": totals.nodes["enrich"]}


async def test_a_server_that_stays_away_is_told_and_found_again(new_postgres, postgres, tmp_path):
    database = await open_database(new_postgres(), data_dir=tmp_path, busy_timeout=0.3)
    lock, given_up = await database.begin(execution()), await database.begin(execution("exec-2"))
    postgres.stop()
    try:
        with pytest.raises(StorageError, match="it cannot be reached"):
            await lock.ledger.claim(claim())
        given_up.release()
        with pytest.raises(StorageError, match="it cannot be reached"):
            await database.journal.get(EXECUTION)
    finally:
        postgres.start()
    await lock.ledger.claim(claim())
    assert await database.journal.get(EXECUTION) is not None
    async with asyncio.timeout(20):
        while True:
            owned = postgres.sql("SELECT execution_id FROM execution_owners", name_of(database))
            if owned == f"{EXECUTION}\n":
                break
            await asyncio.sleep(0.05)
    await database.close()


async def test_a_server_that_goes_while_it_commits_is_waited_for_longer(new_postgres, postgres, tmp_path, monkeypatch):
    """Nobody else can say whether that was stored, and until somebody does, nothing more may be written."""
    database = await open_database(new_postgres(), data_dir=tmp_path, busy_timeout=0.3)
    lock = await database.begin(execution())
    script, lost, loop = PgConnection.script, [], asyncio.get_running_loop()

    def broken(self, text):
        if text == "COMMIT" and not lost:
            lost.append(text)
            postgres.stop()
            loop.call_soon_threadsafe(loop.call_later, 1, postgres.start)
        return script(self, text)

    monkeypatch.setattr(PgConnection, "script", broken)
    await lock.ledger.claim(claim())
    await lock.ledger.answer(key(), answered())
    assert not database.is_broken
    assert (await database.totals(EXECUTION)).nodes["enrich"].calls == 1
    await database.close()


async def test_many_jobs_share_one_transaction(database, postgres):
    lock = await database.begin(execution())
    before = transactions(postgres, database)
    await asyncio.gather(*(lock.ledger.claim(claim(key(n))) for n in range(500)))
    assert transactions(postgres, database) - before <= 3


def transactions(postgres, database) -> int:
    """The number that the process gave to its last transaction."""
    return int(postgres.sql("SELECT commits FROM processes", name_of(database)))


async def test_what_is_not_a_schema_of_vectors_keeps_bytes(new_postgres, tmp_path, monkeypatch):
    """Where the extension is not there, embeddings are float32 in bytes, and come back as such."""
    monkeypatch.setattr(schema, "_MAKE_VECTOR", "SELECT 1")
    url = new_postgres()
    database = await open_database(url, data_dir=tmp_path)
    rows = [{"shared_audience_id": "s", "position": 1, "data": {}, "embedding": array("f", [0.1, 2.5])}]
    await database.tables.upsert("shared_audience_contacts", rows, key=["shared_audience_id", "position"])
    assert await database.tables.find("shared_audience_contacts", {}) == rows
    await database.close()
    assert list((await schema_state(url, tmp_path, compare=True)).differences) == []


async def test_a_vector_of_another_length_is_refused_by_name(database):
    rows = [{"shared_audience_id": "s", "position": 1, "data": {}, "embedding": array("f", [0.1])}]
    with pytest.raises(UsageError, match="'shared_audience_contacts': a row does not fit"):
        await database.tables.upsert("shared_audience_contacts", rows, key=["shared_audience_id", "position"])


def error(sqlstate: str, message: str = "x") -> asyncpg.PostgresError:
    return asyncpg.PostgresError.new({"C": sqlstate, "M": message, "S": "ERROR"})


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        *((error(state), Scope.AGAIN) for state in ("40001", "40P01", "08000", "08003", "08006", "57P01", "57P03")),
        (error("53300"), Scope.AGAIN),
        (error("XX000", "(EMAXCONNSESSION) max clients reached in session mode"), Scope.AGAIN),
        (error("XX000", "Max client connections reached"), Scope.AGAIN),
        (ConnectionResetError(), Scope.AGAIN),
        (TimeoutError(), Scope.AGAIN),
        (asyncpg.InterfaceError("connection is closed"), Scope.AGAIN),
        (error("53100"), Scope.BATCH),
        (error("25006"), Scope.BATCH),
        (error("XX000", "other"), Scope.JOB),
        (error("23505"), Scope.JOB),
        (ValueError(), Scope.JOB),
    ],
    ids=str,
)
def test_how_far_an_error_reaches(raised, expected):
    assert scope(raised) is expected


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (error("28P01"), "the user or the password is wrong"),
        (error("3D000"), "there is no such database"),
        (error("XX000", "Tenant or user not found"), r"it must read postgres\.PROJECT"),
        (error("XX000", "(EMAXCONNSESSION) max"), "its pooler has no connection left"),
        (error("42501"), "grant it to this user, or to lumeflow_app"),
        (ConnectionRefusedError(111, "refused"), "it cannot be reached"),
    ],
)
def test_what_an_error_means(raised, message):
    with pytest.raises(StorageError, match=message):
        raise StorageError(explain(raised, "postgresql://h/d"))


def test_errors_about_rows_do_not_hold_them():
    told = translated(error("22P02", 'invalid input syntax for type integer: "ada@example.com"'))
    assert "ada" not in str(told)
    told = translated(asyncpg.exceptions.DataError("invalid input for query argument $1: 'ada@example.com'"))
    assert "ada" not in str(told)


@pytest.mark.parametrize(
    ("statement", "text", "gives_rows"),
    [
        (
            "SELECT a FROM t WHERE b = ? AND c = '?' AND \"d?\" = ?",
            "SELECT a FROM t WHERE b = $1 AND c = '?' AND \"d?\" = $2",
            True,
        ),
        ("UPDATE t SET a = 'it''s ?' WHERE b = ?", "UPDATE t SET a = 'it''s ?' WHERE b = $1", False),
        ("SELECT 1 -- what's this?\n, ?", "SELECT 1 -- what's this?\n, $1", True),
        ("SELECT /* ? ' */ ?", "SELECT /* ? ' */ $1", True),
    ],
)
def test_places_of_values_are_numbered(statement, text, gives_rows):
    assert numbered(statement) == (text, gives_rows)


def test_the_driver_is_not_loaded_for_a_file(tmp_path):
    code = (
        "import asyncio, sys; from lumeflow.storage import open_database\n"
        "async def main(): await (await open_database(sys.argv[1])).close()\n"
        "asyncio.run(main()); sys.exit('asyncpg' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path / "x.db")], check=False).returncode == 0
