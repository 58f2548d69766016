"""Processes that share a PostgreSQL: who may write, who takes over, and what the one that was superseded is told."""

import asyncio
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from lumeflow.core.effects import InDoubt, Stored
from lumeflow.core.errors import StorageError, UsageError
from lumeflow.core.journal import Status
from lumeflow.storage import open_database
from tests.storage.build import EXECUTION, NOON, answered, claim, execution, key, record
from tests.storage.contracts.ownership import give_up_while_away

ROOT = Path(__file__).parents[2]


@pytest.fixture
def url(new_postgres) -> str:
    return new_postgres()


@pytest.fixture
async def here(url, tmp_path):
    """The database as a process of this machine has it."""
    database = await open_database(url, data_dir=tmp_path / "here")
    yield database
    await database.close()


@pytest.fixture
async def there(url, here, tmp_path):
    """The same as a process of another machine has it: it cannot see lock files of this one."""
    database = await open_database(url, data_dir=tmp_path / "there")
    yield database
    await database.close()


def end_leases(postgres, url: str) -> None:
    """As if half a minute passed in which nobody renewed one."""
    postgres.sql(
        "UPDATE processes SET lease_until = now() - interval '1 s'", url.split("/")[3].split("?", maxsplit=1)[0]
    )


async def test_another_machine_cannot_take_what_runs(here, there):
    lock = await here.begin(execution())
    with pytest.raises(UsageError, match=r"still running in process \d+"):
        await there.take(EXECUTION)
    assert await there.is_running(EXECUTION)
    lock.release()
    await here.journal.flush()
    (await there.take(EXECUTION)).release()


async def test_what_is_given_up_while_the_database_is_away_is_free_once_it_is_back(here, there, monkeypatch):
    await give_up_while_away(here, there, monkeypatch)


async def test_when_its_lease_has_ended_it_can_and_the_first_is_fenced_off(here, there, postgres, url):
    frozen = await here.begin(execution())
    await frozen.ledger.claim(claim())
    await frozen.ledger.claim(claim(key(2)))
    await frozen.ledger.answer(key(2), answered())
    end_leases(postgres, url)
    successor = await there.take(EXECUTION)
    for attempt in (
        frozen.ledger.claim(claim(key(3))),
        frozen.ledger.answer(key(), answered()),
        frozen.ledger.lose(key(), Decimal(1)),
        frozen.ledger.release(key(), 1),
    ):
        with pytest.raises(StorageError, match=r"'exec-1' was taken over by process \d+"):
            await attempt
    await here.journal.keep(EXECUTION, [record(1)])
    with pytest.raises(StorageError, match="taken over"):
        await here.journal.finish(EXECUTION, Status.FAILED, [], completed_at=NOON, output=None, error=None)
    frozen.release()
    await successor.ledger.claim(claim(key(4)))
    assert await successor.ledger.find(key()) == InDoubt(1, NOON)
    assert isinstance(await successor.ledger.find(key(2)), Stored)


async def test_a_lease_is_renewed_by_writing_and_by_waiting(here, there, postgres, url, monkeypatch):
    from lumeflow.storage.postgres import session

    lock = await here.begin(execution())
    end_leases(postgres, url)
    await lock.ledger.claim(claim())
    with pytest.raises(UsageError, match="still running"):
        await there.take(EXECUTION)
    monkeypatch.setattr(session, "RENEW", 0.05)
    await lock.ledger.claim(claim(key(2)))  # whoever waits sees how long the next time
    end_leases(postgres, url)
    await asyncio.sleep(0.3)
    with pytest.raises(UsageError, match="still running"):
        await there.take(EXECUTION)


async def test_of_many_who_take_over_at_once_one_wins(here, postgres, url, tmp_path):
    await here.begin(execution())
    others = [await open_database(url, data_dir=tmp_path / f"m{number}") for number in range(6)]
    end_leases(postgres, url)
    results = await asyncio.gather(*(other.take(EXECUTION) for other in others), return_exceptions=True)
    assert sum(isinstance(result, UsageError) for result in results) == 5, results
    for other in others:
        await other.close()


async def test_a_process_that_ends_leaves_no_lease(here, postgres, url):
    await here.begin(execution())
    name = url.split("/")[3].split("?")[0]
    assert postgres.sql("SELECT count(*) FROM processes", name) == "1\n"
    await here.close()
    assert postgres.sql("SELECT count(*) FROM processes", name) == "0\n"


async def test_jobs_of_a_dead_worker_are_set_free(here, there, postgres, url):
    await here.queue.enqueue(execution())
    await here.queue.enqueue(execution("exec-2"))
    (job,) = await here.installation.dispatch.claim(1, at=NOON)
    assert await there.installation.dispatch.recover() == []
    end_leases(postgres, url)
    assert await there.installation.dispatch.recover() == [("default", job.execution_id)]
    assert not await here.installation.dispatch.done(job, at=NOON), "it is no longer this process's"
    taken = await there.installation.dispatch.claim(5, at=NOON)
    assert {one.execution_id for one in taken} == {"exec-1", "exec-2"}


async def test_workers_that_claim_at_once_never_take_the_same_job(here, there):
    for number in range(20):
        await here.queue.enqueue(execution(f"e{number:02d}"))
    dispatches = (here.installation.dispatch, there.installation.dispatch)
    taken = await asyncio.gather(*(dispatches[turn % 2].claim(2, at=NOON) for turn in range(12)))
    names = [job.execution_id for jobs in taken for job in jobs]
    assert sorted(names) == [f"e{number:02d}" for number in range(20)]


async def test_what_a_killed_process_ran_is_taken_over_at_once(url, tmp_path, monkeypatch):
    command = [sys.executable, "-m", "tests.storage.crash_writer", url, "5", "1000000"]
    environ = {**os.environ, "LUMEFLOW_DATA_DIR": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    acknowledged = await asyncio.to_thread(killed, command, environ)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    database = await open_database(url, data_dir=tmp_path / "lumeflow")
    ledger = (await database.take(EXECUTION)).ledger
    for number in acknowledged:
        stored = await ledger.find(key(number))
        assert isinstance(stored, Stored)
        assert int(stored.response.body) == number
    assert len((await ledger.totals(EXECUTION)).doubtful) <= 5, "no more than were in flight"
    await database.close()


def killed(command: list[str], environ: dict[str, str]) -> list[int]:
    """Run the process until some answers are stored, and kill it; which answers it reported."""
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = []
    while sum(line.startswith("answered") for line in lines) < 40:
        lines.append(process.stdout.readline())
    process.kill()
    lines += process.communicate()[0].splitlines()
    return [int(line.split()[1]) for line in lines if line.startswith("answered ") and line.strip()[-1].isdigit()]
