"""Executions that are deleted when their time has come."""

import asyncio
import shutil
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from lumeflow.core.errors import StorageError
from lumeflow.core.journal import AlreadyExists, RecordKind, Rerun, Status
from lumeflow.storage import Database
from lumeflow.storage.declared import DECLARED
from lumeflow.storage.problems import FilesLeft
from lumeflow.storage.purging import Retention, purge
from lumeflow.storage.repositories.artifacts import Artifact
from lumeflow.storage.repositories.costs import CostGroup
from lumeflow.storage.repositories.queue import JobKind
from tests.storage.build import NOON, answered, at, claim, execution, key, record
from tests.storage.filling import fill

LATER = at(1000)
COLUMNS = ("execution_id", "workflow_execution_id")
KEPT = {"execution_costs", "shared_audiences"}
"""Costs, and what was stored as a result."""


async def rows_of(storage: Database, execution_id: str) -> dict[str, int]:
    """How many rows each table has of an execution."""
    found = {}
    for table in DECLARED:
        column = next((column for column in COLUMNS if column in table.columns), None)
        column = "id" if table.name == "workflow_executions" else column
        if column is not None:
            statement = f"SELECT count(*) FROM {table.name} WHERE tenant = ? AND {column} = ?"
            ((count,),) = await storage._reader.rows(statement, (storage.tenant, execution_id))
            found[table.name] = int(count)
    return {name: count for name, count in found.items() if count}


async def ended(storage: Database, execution_id: str, second: float = 5, **changes) -> None:
    lock = await storage.begin(execution(execution_id, **changes))
    await lock.ledger.claim(claim(key(1, execution_id)))
    await lock.ledger.answer(key(1, execution_id), answered("0.25"))
    await storage.journal.finish(execution_id, Status.COMPLETED, [], completed_at=at(second), output=None, error=None)
    lock.release()


class RetentionContract:
    async def test_all_goes_but_the_costs(self, storage: Database):
        acme = storage.of("acme")
        await fill(storage, "e1")
        await fill(acme, "e1")
        await storage.queue.requeue("e1", at=at(3))
        await storage.queue.cancel("e1", at=at(3))
        file = await storage.files("e1").create("contacts.csv")
        await file.write(b"a\n1\n")
        await file.commit()
        await storage.artifacts.put(Artifact("f1", "output", "e1", "a", "a.csv", "a.csv", "text/csv", 1, "00", NOON))
        before = await rows_of(storage, "e1")
        assert {
            "effects",
            "effect_attempts",
            "execution_events",
            "execution_records",
            "block_executions",
        } <= before.keys()
        costs = await storage.costs.by(CostGroup.DAY)
        assert not await storage.purge("e1", before=at(2), at=LATER), "it ended then"
        assert await storage.purge("e1", before=at(2.5), at=LATER)
        assert (await rows_of(storage, "e1")).keys() <= KEPT
        assert not (storage.data_dir / "artifacts" / "e1").exists()
        assert await storage.costs.by(CostGroup.DAY) == costs
        assert await storage.journal.get("e1") is None
        assert (await rows_of(acme, "e1"))["effects"] == 1, "another tenant's of the same id"
        assert not await storage.purge("e1", before=LATER, at=LATER), "once"
        with pytest.raises(AlreadyExists) as caught:
            await storage.begin(execution("e1"))
        assert caught.value.is_gone

    async def test_what_is_due(self, storage: Database):
        await ended(storage, "old")
        await ended(storage, "new", 500)
        await ended(storage, "again")
        await storage.queue.requeue("again", at=at(6))
        held = await storage.begin(execution("held"))
        gone = await storage.begin(execution("gone"))
        gone.release()
        await storage.queue.enqueue(execution("waits", started_at=NOON), kind=JobKind.WORKFLOW)
        assert await storage.retention.due(at(100)) == ["old", "gone"]
        assert await storage.of("acme").retention.due(at(100)) == []
        for name in ("new", "again", "held", "waits", "nothing"):
            assert not await storage.purge(name, before=at(100), at=LATER), name
        held.release()

    async def test_what_a_re_run_still_needs_stays_until_it_has_ended(self, storage: Database):
        await ended(storage, "first")
        await ended(storage, "second", rerun=Rerun("first"))
        lock = await storage.begin(execution("third", rerun=Rerun("second", "alpha")))
        assert await storage.retention.due(at(100)) == []
        assert not await storage.purge("first", before=at(100), at=LATER)
        await storage.journal.finish("third", Status.FAILED, [], completed_at=at(7), output=None, error="x")
        lock.release()
        assert await storage.retention.due(at(100)) == ["first", "second", "third"]

    async def test_what_was_interrupted_for_good_goes_with_its_costs_accounted(self, storage: Database):
        lock = await storage.begin(execution("e1"))
        for number in range(2):
            await lock.ledger.claim(claim(key(number, "e1"), price="0.5"))
        await lock.ledger.answer(key(0, "e1"), answered("0.25"))
        lock.release()
        assert await storage.purge("e1", before=at(100), at=LATER)
        (total,) = await storage.costs.by(CostGroup.EXECUTION)
        assert (total.key, total.amount, total.possible) == ("e1", Decimal("0.75"), Decimal("0.5"))

    async def test_what_is_half_deleted_is_deleted_by_the_next(self, storage: Database, monkeypatch):
        await ended(storage, "e1")
        await storage.journal.keep("e1", [record(1)])
        monkeypatch.setattr(storage, "sweep", _dies)
        with pytest.raises(StorageError):
            await storage.purge("e1", before=at(100), at=LATER)
        monkeypatch.undo()
        assert await storage.journal.get("e1") is None, "nobody sees it any more"
        assert [one async for one in storage.journal.kept("e1", RecordKind.OUTPUT)] != [], "and yet it is there"
        with pytest.raises(AlreadyExists):
            await storage.begin(execution("e1"))
        assert [one.executions for one in await purge(storage, Retention(LATER))] == [0]
        assert (await rows_of(storage, "e1")).keys() <= KEPT

    async def test_files_that_cannot_be_deleted_keep_nothing_else(self, storage: Database, monkeypatch):
        acme = storage.of("acme")
        await storage.installation.tenants.create("acme", at=NOON)
        for tenant, name in ((acme, "e1"), (acme, "e2"), (storage, "e3")):
            await ended(tenant, name)
            file = await tenant.files(name).create("contacts.csv")
            await file.write(b"a\n1\n")
            await file.commit()
        monkeypatch.setattr(shutil, "rmtree", partial(_sticks, "e1", shutil.rmtree))
        for _ in range(2):  # the second time it is only taken up again
            with pytest.raises(FilesLeft, match=r"e1: it cannot be deleted \(Permission denied\)"):
                await purge(storage, Retention(LATER, age=timedelta(seconds=100)))
            assert [path.name for path in storage.data_dir.glob("**/artifacts/*")] == ["e1"]
            assert await acme.retention.begun() == ["e1"]
        monkeypatch.undo()
        await purge(storage, Retention(LATER))
        assert await acme.retention.begun() == []
        assert not list(storage.data_dir.glob("**/artifacts/*"))

    async def test_large_ones_go_a_piece_at_a_time(self, storage: Database):
        lock = await storage.begin(execution("e1"))
        await asyncio.gather(*(lock.ledger.claim(claim(key(number, "e1"))) for number in range(1200)))
        await storage.journal.finish("e1", Status.FAILED, [], completed_at=at(5), output=None, error="x")
        lock.release()
        assert await storage.purge("e1", before=at(100), at=LATER)
        assert (await rows_of(storage, "e1")).keys() <= KEPT

    async def test_each_tenant_keeps_them_for_days_of_its_own(self, storage: Database):
        for tenant, days in (("acme", 2), ("other", None), ("third", 100)):
            await storage.installation.tenants.create(tenant, at=NOON, retention_days=days)
            await ended(storage.of(tenant), "e1")
        now = NOON + timedelta(days=50)
        told = await purge(storage, Retention(now), dry=True)
        assert [(one.tenant, one.executions) for one in told] == [
            ("acme", 1),
            ("default", 0),
            ("other", 0),
            ("third", 0),
        ]
        told = await purge(storage, Retention(now, usual=timedelta(days=10)))
        assert [(one.tenant, one.executions) for one in told] == [
            ("acme", 1),
            ("default", 0),
            ("other", 1),
            ("third", 0),
        ]
        told = await purge(storage, Retention(now, age=timedelta(days=1)), tenants=["third"])
        assert [(one.tenant, one.executions) for one in told] == [("third", 1)]
        assert await purge(storage, Retention(now, age=timedelta(days=1)), tenants=["acme"])
        assert await storage.of("acme").journal.get("e1") is None


def _sticks(name: str, delete: Callable[[Path], None], folder: Path) -> None:
    if folder.name == name:
        raise PermissionError(13, "Permission denied")
    delete(folder)


async def _dies(execution_id: str) -> None:
    raise StorageError("the process dies")
