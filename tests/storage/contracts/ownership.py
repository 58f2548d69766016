"""One owner at a time, and what becomes of one that was superseded."""

import asyncio

import pytest

from lumeflow.core.effects import Stored
from lumeflow.core.errors import StorageError, UsageError
from lumeflow.core.journal import AlreadyExists, Status
from lumeflow.storage import Database, Taken, database
from tests.storage.build import EXECUTION, NOON, answered, claim, execution, key, record


class OwnershipContract:
    async def test_an_execution_is_taken_once(self, storage: Database):
        await storage.take(EXECUTION)
        with pytest.raises(UsageError, match=r"'exec-1' is still running in process \d+"):
            await storage.take(EXECUTION)

    async def test_it_is_taken_with_its_beginning(self, storage: Database):
        lock = await storage.begin(execution())
        assert await storage.is_running(EXECUTION)
        assert await storage.journal.get(EXECUTION) == execution()
        await lock.ledger.claim(claim())
        await lock.ledger.answer(key(), answered())
        with pytest.raises(UsageError, match="still running"):
            await storage.take(EXECUTION)

    async def test_one_that_exists_is_neither_begun_again_nor_taken(self, storage: Database):
        await storage.journal.begin(execution())
        with pytest.raises(AlreadyExists, match="'exec-1' exists already"):
            await storage.begin(execution(input={}))
        assert not await storage.is_running(EXECUTION)
        assert await storage.journal.get(EXECUTION) == execution()
        (await storage.take(EXECUTION)).release()

    async def test_one_that_is_taken_cannot_be_begun_by_another(self, storage: Database):
        await storage.take(EXECUTION)
        with pytest.raises(UsageError, match=r"'exec-1' is still running in process \d+"):
            await storage.begin(execution())
        assert await storage.journal.get(EXECUTION) is None

    async def test_what_an_execution_did_before_it_was_begun_is_remembered(self, storage: Database):
        first = await storage.take(EXECUTION)
        await first.ledger.claim(claim())
        await first.ledger.answer(key(), answered())
        first.release()
        lock = await storage.begin(execution())
        assert isinstance(await lock.ledger.find(key()), Stored)

    async def test_many_are_begun_at_once_and_each_is_held(self, storage: Database):
        locks = await asyncio.gather(*(storage.begin(execution(f"e{n}")) for n in range(50)))
        assert all([await storage.is_running(f"e{n}") for n in range(50)])
        for lock in locks[::2]:
            lock.release()
        assert [await storage.is_running(f"e{n}") for n in range(4)] == [False, True, False, True]

    async def test_of_many_who_begin_one_at_once_one_wins(self, storage: Database):
        results = await asyncio.gather(*(storage.begin(execution()) for _ in range(20)), return_exceptions=True)
        assert sum(isinstance(result, Taken) for result in results) == 1
        assert sum(isinstance(result, UsageError) for result in results) == 19

    async def test_its_end_gives_it_up(self, storage: Database):
        lock = await storage.begin(execution())
        await storage.journal.finish(EXECUTION, Status.FAILED, [], completed_at=NOON, output=None, error="no key")
        assert not await storage.is_running(EXECUTION)
        with pytest.raises(StorageError, match="given up since"):
            await lock.ledger.claim(claim())
        again = await storage.take(EXECUTION)
        lock.release()
        assert await storage.is_running(EXECUTION), "the first lock gives up nothing any more"
        await again.ledger.claim(claim())

    async def test_who_goes_away_while_it_is_taken_does_not_keep_it(self, storage: Database):
        waiting = asyncio.ensure_future(storage.begin(execution()))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not await storage.is_running(EXECUTION)
        await storage.journal.flush()
        (await storage.take(EXECUTION)).release()

    async def test_others_can_be_taken_beside_it(self, storage: Database):
        await storage.take(EXECUTION)
        await storage.take("exec-2")

    async def test_it_can_be_taken_again_after_release(self, storage: Database):
        lock = await storage.take(EXECUTION)
        lock.release()
        lock.release()
        again = await storage.take(EXECUTION)
        lock.release()
        with pytest.raises(UsageError):
            await storage.take(EXECUTION)
        again.release()

    async def test_whether_it_is_running_can_be_asked(self, storage: Database):
        assert not await storage.is_running(EXECUTION)
        lock = await storage.take(EXECUTION)
        assert await storage.is_running(EXECUTION)
        lock.release()
        assert not await storage.is_running(EXECUTION)

    @pytest.mark.parametrize("name", ["../../etc/x", "a/b", "", ".", "x" * 500, "Società — 1"])
    async def test_any_id_can_be_taken(self, storage: Database, name: str):
        lock = await storage.take(name)
        await lock.ledger.claim(claim(key(execution_id=name)))
        lock.release()

    async def test_it_may_be_begun_before_or_after_it_is_taken(self, storage: Database):
        await storage.take(EXECUTION)
        await storage.journal.begin(execution())
        await storage.journal.begin(execution("exec-2"))
        lock = await storage.take("exec-2")
        for execution_id in (EXECUTION, "exec-2"):
            await storage.journal.keep(execution_id, [record(1)])
        await storage.journal.flush()
        await lock.ledger.claim(claim(key(execution_id="exec-2")))
        await lock.ledger.answer(key(execution_id="exec-2"), answered())


async def give_up_while_away(here: Database, there: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process gives an execution up while the database cannot be written; once it can, another process has it."""
    clear, failed = database.clear_owner, []
    is_away = True

    def away(*args):
        if is_away:
            failed.append(args)
            raise StorageError("it cannot be reached")
        clear(*args)

    monkeypatch.setattr(database, "clear_owner", away)
    monkeypatch.setattr(database, "CLEAR_AGAIN", 0.01)
    lock = await here.begin(execution())
    lock.release()
    await here.journal.flush()
    assert failed
    assert not await here.is_running(EXECUTION)
    with pytest.raises(UsageError, match="still running"):
        await there.take(EXECUTION)
    is_away = False
    async with asyncio.timeout(10):
        while True:
            if not await there.is_running(EXECUTION):
                break
            await asyncio.sleep(0.01)
    taken = await there.take(EXECUTION)
    await taken.ledger.claim(claim())
    assert not here.is_broken
