"""Two processes and one file: who may write, and what the one that was superseded is told."""

import random
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from lumeflow.core.effects import InDoubt, Stored
from lumeflow.core.errors import StorageError, UsageError
from lumeflow.core.events import Event, EventKind
from lumeflow.core.journal import Status
from lumeflow.storage import open_database
from tests.storage.build import EXECUTION, NOON, answered, claim, execution, key, record
from tests.storage.contracts.ownership import give_up_while_away

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def other(tmp_path, database):
    """The same file, opened as another process would."""
    other = await open_database(str(tmp_path / "lumeflow.db"), data_dir=tmp_path)
    yield other
    await other.close()


def lose_lock_files(folder: Path) -> None:
    for path in (folder / "lumeflow.db.locks").iterdir():
        path.unlink()


@pytest.fixture
async def superseded(tmp_path, database, other):
    """A lock whose holder was frozen while somebody else was let in: its lock file went away, say with its machine."""
    await database.journal.begin(execution())
    frozen = await database.take(EXECUTION)
    await frozen.ledger.claim(claim())
    lose_lock_files(tmp_path)
    successor = await other.take(EXECUTION)
    yield frozen
    successor.release()


async def test_another_process_cannot_take_what_runs(database, other):
    lock = await database.take(EXECUTION)
    with pytest.raises(UsageError, match="still running in process"):
        await other.take(EXECUTION)
    assert await other.is_running(EXECUTION)
    lock.release()
    await database.journal.flush()
    (await other.take(EXECUTION)).release()


async def test_what_is_given_up_while_the_database_is_away_is_free_once_it_is_back(database, other, monkeypatch):
    await give_up_while_away(database, other, monkeypatch)


async def test_both_write_and_see_what_the_other_wrote(database, other):
    first, second = await database.take("e1"), await other.take("e2")
    for number in range(50):
        await first.ledger.claim(claim(key(number, "e1")))
        await second.ledger.claim(claim(key(number, "e2")))
        await second.ledger.answer(key(number, "e2"), answered())
    assert (await database.totals("e2")).nodes["enrich"].calls == 50
    assert (await other.totals("e1")).doubtful == [], "its claims are in flight elsewhere, not lost"
    first.release()
    await database.journal.flush()
    assert len((await other.totals("e1")).doubtful) == 50


async def test_a_superseded_owner_can_neither_call_nor_store(superseded, other):
    ledger = superseded.ledger
    for attempt in (
        ledger.claim(claim(key(2))),
        ledger.answer(key(), answered()),
        ledger.lose(key(), Decimal(1)),
        ledger.release(key(), 1),
    ):
        with pytest.raises(StorageError, match=r"'exec-1' was taken over by process \d+"):
            await attempt


async def test_a_superseded_owner_can_neither_keep_nor_finish(superseded, database, other):
    await database.journal.keep(EXECUTION, [record(1)])
    with pytest.raises(StorageError, match="taken over"):
        await database.journal.flush()
    database.journal.note(EXECUTION, [Event(EventKind.WARNING, NOON)])
    with pytest.raises(StorageError, match="taken over"):
        await database.journal.finish(EXECUTION, Status.FAILED, [], completed_at=NOON, output=None, error=None)
    with pytest.raises(StorageError, match="taken over"):
        await database.journal.reopen(EXECUTION)
    found = await other.journal.get(EXECUTION)
    assert found is not None
    assert found.status is Status.RUNNING
    assert (await other.journal.timeline(EXECUTION)).events == []


async def test_its_release_takes_nothing_from_the_successor(superseded, other):
    superseded.release()
    await other.journal.keep(EXECUTION, [record(1)])
    await other.journal.flush()


async def test_it_is_still_refused_when_the_successor_is_done(database, other):
    frozen = await database.take(EXECUTION)
    lose_lock_files(database.data_dir)
    (await other.take(EXECUTION)).release()
    await other.journal.flush()
    with pytest.raises(StorageError, match="taken over and has been given up since"):
        await frozen.ledger.claim(claim())


async def test_who_has_not_taken_an_execution_cannot_write_to_one_that_runs(database, other):
    await database.journal.begin(execution())
    await database.take(EXECUTION)
    await other.journal.keep(EXECUTION, [record(1)])
    with pytest.raises(StorageError, match="'exec-1' is being run by process"):
        await other.journal.flush()


async def test_the_successor_finds_the_frozen_ones_claims_in_doubt_and_its_answers_stored(database, other):
    lock = await database.take(EXECUTION)
    await lock.ledger.claim(claim(key(1)))
    await lock.ledger.claim(claim(key(2)))
    await lock.ledger.answer(key(2), answered())
    lock.release()
    await database.journal.flush()
    ledger = (await other.take(EXECUTION)).ledger
    assert await ledger.find(key(1)) == InDoubt(1, NOON)
    assert isinstance(await ledger.find(key(2)), Stored)


class Racer:
    """A process that takes the execution when it is told to."""

    def __init__(self, path: Path) -> None:
        command = [sys.executable, "-m", "tests.storage.racer", str(path)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def go(self, what: str) -> None:
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()

    def outcome(self) -> str:
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def racer(tmp_path):
    racers = []

    def start() -> Racer:
        racers.append(Racer(tmp_path / "lumeflow.db"))
        return racers[-1]

    yield start
    for one in racers:
        one.kill()


async def test_what_a_killed_process_ran_is_taken_over_at_once(database, racer):
    first = racer()
    first.go("begin")
    assert first.outcome() == "won"
    with pytest.raises(UsageError, match=f"still running in process {first.process.pid}"):
        await database.take(EXECUTION)
    assert await database.is_running(EXECUTION)
    first.kill()
    assert not await database.is_running(EXECUTION)
    (await database.take(EXECUTION)).release()


@pytest.mark.parametrize("what", ["begin", "take"])
async def test_of_processes_that_race_for_an_execution_one_wins(database, racer, what):
    if what == "take":  # over from a process that was killed
        first = racer()
        first.go("begin")
        assert first.outcome() == "won"
        first.kill()
    racers = [racer() for _ in range(4)]
    for one in racers:
        one.go(what)
    outcomes = [one.outcome() for one in racers]
    assert sorted(outcome == "won" for outcome in outcomes) == [False, False, False, True]
    winner = racers[outcomes.index("won")]
    losers = {outcome.partition(":")[0] for outcome in outcomes if outcome != "won"}
    assert losers == {f"execution 'exec-1' is still running in process {winner.process.pid}"}


async def test_a_chain_of_killed_processes_hands_on_what_they_ran(racer):
    for place in range(4):
        one = racer()
        one.go("take" if place else "begin")
        assert one.outcome() == "won"
        one.kill()


async def test_a_process_has_one_lock_file_however_much_it_runs(database, tmp_path):
    assert not (tmp_path / "lumeflow.db.locks").exists(), "who takes nothing makes none"
    for number in range(20):
        await database.begin(execution(f"e{number}"))
    assert len(list((tmp_path / "lumeflow.db.locks").iterdir())) == 1
    await database.close()
    assert list((tmp_path / "lumeflow.db.locks").iterdir()) == []


async def test_a_process_that_can_write_no_more_stands_in_nobodys_way(database, other):
    lock = await database.begin(execution())
    await database._writer.call(lambda tx: tx.db.execute("PRAGMA max_page_count = 1"))
    with pytest.raises(StorageError, match="no room is left"):
        await lock.ledger.claim(claim(params=random.Random(1).randbytes(100_000)))
    with pytest.raises(UsageError, match="still running"):
        await other.take(EXECUTION)
    lock.release()
    (await other.take(EXECUTION)).release()
