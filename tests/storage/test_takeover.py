"""Two processes and one file: who may write, and what the one that was superseded is told."""

from decimal import Decimal

import pytest

from lumeflow.core.effects import InDoubt, Stored
from lumeflow.core.errors import StorageError, UsageError
from lumeflow.core.events import Event, EventKind
from lumeflow.core.journal import Status
from lumeflow.storage import open_database
from tests.storage.build import EXECUTION, NOON, answered, claim, execution, key, record


@pytest.fixture
async def other(tmp_path, database):
    """The same file, opened as another process would."""
    other = await open_database(str(tmp_path / "lumeflow.db"), data_dir=tmp_path)
    yield other
    await other.close()


@pytest.fixture
async def superseded(tmp_path, database, other):
    """A lock whose holder was frozen while somebody else was let in: its lock file went away, say with its machine."""
    await database.journal.begin(execution())
    frozen = await database.take(EXECUTION)
    await frozen.ledger.claim(claim())
    (tmp_path / "lumeflow.db.locks" / EXECUTION).unlink()
    successor = await other.take(EXECUTION)
    yield frozen
    successor.release()


async def test_another_process_cannot_take_what_runs(database, other):
    lock = await database.take(EXECUTION)
    with pytest.raises(UsageError, match="still running in process"):
        await other.take(EXECUTION)
    assert await other.is_running(EXECUTION)
    lock.release()
    (await other.take(EXECUTION)).release()


async def test_both_write_and_see_what_the_other_wrote(database, other):
    first, second = await database.take("e1"), await other.take("e2")
    for number in range(50):
        await first.ledger.claim(claim(key(number, "e1")))
        await second.ledger.claim(claim(key(number, "e2")))
        await second.ledger.answer(key(number, "e2"), answered())
    assert (await database.totals("e2")).nodes["enrich"].calls == 50
    assert (await other.totals("e1")).doubtful == [], "its claims are in flight elsewhere, not lost"
    first.release()
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
    (database.data_dir / "lumeflow.db.locks" / EXECUTION).unlink()
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
    ledger = (await other.take(EXECUTION)).ledger
    assert await ledger.find(key(1)) == InDoubt(1, NOON)
    assert isinstance(await ledger.find(key(2)), Stored)
