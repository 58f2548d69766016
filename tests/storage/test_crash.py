"""`kill -9`, and disks that fail under the process: what was acknowledged is there, what was not is known as such."""

import asyncio
import os
import random
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lumeflow.core.effects import InDoubt, Stored
from lumeflow.core.errors import StorageError
from lumeflow.core.events import Event, EventKind
from lumeflow.core.journal import RecordKind, Status
from lumeflow.storage import Database, open_database
from tests.storage.build import EXECUTION, NOON, answered, claim, execution, key, record

ROOT = Path(__file__).parents[2]


def start(path: Path, *, callers: int = 20, most: int = 1_000_000, **environ: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.storage.crash_writer", str(path), str(callers), str(most)]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environ}, stdout=subprocess.PIPE, text=True)


def told(output: str) -> dict[str, set[int]]:
    words: dict[str, set[int]] = {"begun": set(), "claimed": set(), "answered": set(), "kept": set(), "finished": set()}
    for line in output.splitlines():
        word, _, number = line.partition(" ")
        if line.endswith(tuple("0123456789")):
            words[word].add(int(number))
    return words


async def check(path: Path, words: dict[str, set[int]], callers: int) -> None:
    """What the process acknowledged before it was killed is in the file; its lock is free."""
    database = await open_database(str(path))
    found = await database.journal.get(EXECUTION)
    assert found == execution(), "begun, and not finished"
    ledger = (await database.take(EXECUTION)).ledger
    for number in words["answered"]:
        stored = await ledger.find(key(number))
        assert isinstance(stored, Stored)
        assert int(stored.response.body) == number
    for number in words["claimed"] - words["answered"]:
        assert isinstance(await ledger.find(key(number)), Stored | InDoubt)
    totals = await ledger.totals(EXECUTION)
    assert len(totals.doubtful) <= callers, "no more than were in flight"
    assert totals.nodes["enrich"].calls >= len(words["claimed"])
    positions = {one.position async for one in database.journal.kept(EXECUTION, RecordKind.OUTPUT)}
    assert words["kept"] <= positions
    await database.close()


@pytest.mark.parametrize("seed", range(5))
async def test_what_was_acknowledged_survives_a_kill_at_any_moment(tmp_path, seed):
    path = tmp_path / "x.db"
    process = start(path)
    assert process.stdout.readline() == "begun 0\n"
    await asyncio.sleep(random.Random(seed).uniform(0.05, 0.4))
    process.kill()
    output, _ = process.communicate()
    words = told(output)
    assert words["answered"], "it got to work at all"
    await check(path, words, callers=20)


@pytest.mark.parametrize("point", ["ledger.before-commit", "ledger.after-commit"])
@pytest.mark.parametrize("hit", [1, 2, 7])
async def test_a_kill_beside_a_commit(tmp_path, point, hit):
    path = tmp_path / "x.db"
    process = start(path, callers=4, most=500, LUMEFLOW_FAULT=f"{point}:{hit}")
    output, _ = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    database = await open_database(str(path))
    ledger = (await database.take(EXECUTION)).ledger
    states = [await ledger.find(key(number)) for number in range(4)]
    await database.close()
    if hit == 1:
        # The first commit holds the first claims: before it nothing is there, after it all are, and none was told.
        expected = None if point == "ledger.before-commit" else InDoubt(1, NOON)
        assert states == [expected] * 4
        assert told(output)["claimed"] == set()
    elif any(told(output).values()):
        await check(path, told(output), callers=4)


async def test_an_undisturbed_process_finishes(tmp_path):
    process = start(tmp_path / "x.db", most=100)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert told(output)["answered"] == set(range(100))
    database = await open_database(str(tmp_path / "x.db"))
    found = await database.journal.get(EXECUTION)
    assert found is not None
    assert found.status is Status.COMPLETED
    assert (await database.totals(EXECUTION)).doubtful == []
    await database.close()


async def fill(database: Database) -> set[int]:
    """Make calls until the disk is full; returns those whose answers were reported stored."""
    ledger = (await database.take(EXECUTION)).ledger
    done: set[int] = set()

    async def call(number: int) -> None:
        await ledger.claim(claim(key(number)))
        await ledger.answer(key(number), answered(body=os.urandom(3000)))
        done.add(number)

    for start_at in range(0, 100_000, 10):
        results = await asyncio.gather(*(call(n) for n in range(start_at, start_at + 10)), return_exceptions=True)
        if any(results):
            assert all(result is None or isinstance(result, StorageError) for result in results)
            break
    before = set(done)
    for number in range(200_000, 200_005):
        with pytest.raises(StorageError, match="Nothing more is written by this process"):
            await call(number)
    assert done == before
    return done


async def check_full(path: Path, done: set[int]) -> None:
    database = await open_database(str(path))
    ledger = (await database.take(EXECUTION)).ledger
    for number in done:
        assert isinstance(await ledger.find(key(number)), Stored)
    assert await ledger.find(key(200_000)) is None
    await ledger.claim(claim(key(200_000)))
    await database.close()


async def test_a_full_database_loses_nothing_and_promises_nothing(database, tmp_path):
    await database._writer.call(lambda tx: tx.db.execute("PRAGMA max_page_count = 400"))
    done = await fill(database)
    assert len(done) > 100
    await database.close()
    await check_full(tmp_path / "lumeflow.db", done)


async def test_a_file_that_may_not_grow_loses_nothing_and_promises_nothing(database, tmp_path):
    # The system itself refuses to write: what a full disk does to the log that a commit is written to.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        done = await fill(database)
        await database.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert len(done) > 20
    await check_full(tmp_path / "lumeflow.db", done)


async def test_records_that_could_not_be_kept_keep_the_execution_from_finishing(database):
    await database.journal.begin(execution())
    await database._writer.call(lambda tx: tx.db.execute("PRAGMA max_page_count = 1"))
    await database.journal.keep(EXECUTION, [record(n, text="x" * 10_000) for n in range(200)])
    for _ in range(2):
        with pytest.raises(StorageError, match="no room is left"):
            await database.journal.finish(EXECUTION, Status.COMPLETED, [], completed_at=NOON, output=None, error=None)
        database.journal.note(EXECUTION, [Event(EventKind.WARNING, NOON)])
    with pytest.raises(StorageError, match="no room is left"):
        await database.journal.keep(EXECUTION, [record(1)])
    found = await database.journal.get(EXECUTION)
    assert found is not None
    assert found.status is Status.RUNNING
