"""One owner at a time, and what becomes of one that was superseded."""

import pytest

from lumeflow.core.errors import UsageError
from lumeflow.storage import Database
from tests.storage.build import EXECUTION, answered, claim, execution, key, record


class OwnershipContract:
    async def test_an_execution_is_taken_once(self, storage: Database):
        await storage.take(EXECUTION)
        with pytest.raises(UsageError, match=r"'exec-1' is still running in process \d+"):
            await storage.take(EXECUTION)

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
