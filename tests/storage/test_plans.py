"""Every list that an API gives reads an index, on both databases: asserted from the query plans of what is really run."""

import re
import sqlite3
from collections.abc import Sequence
from typing import Any

import pytest

from lumeflow.core.journal import ExecutionFilter, RecordKind, Status
from lumeflow.storage import Database, open_database
from lumeflow.storage.migrations.types import Kind
from lumeflow.storage.repositories.costs import CostFilter, CostGroup
from lumeflow.storage.repositories.queue import JobState
from tests.storage.build import EXECUTION, NOON, at
from tests.storage.filling import fill


class Recorder:
    """Stands for a connection, and explains each SELECT before it is run."""

    def __init__(self, db: Any, kind: Kind, plans: list[str]) -> None:
        self._db = db
        self._kind = kind
        self._plans = plans

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Any:
        words = "EXPLAIN QUERY PLAN" if self._kind is Kind.SQLITE else "EXPLAIN"
        if statement.lstrip().startswith("SELECT") and " effects" not in statement:
            if self._kind is Kind.POSTGRES:
                # A handful of rows is read faster without an index; whether there is a fitting one is what is asked.
                self._db.script("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
                self._db.script("SET LOCAL enable_sort = off")
            self._plans.append(explained(self._db, f"{words} {statement.lstrip()}", values, self._kind))
        return self._db.execute(statement, values)


def explained(db: Any, statement: str, values: Sequence[Any], kind: Kind) -> str:
    if kind is Kind.SQLITE:
        return "\n".join(row[3] for row in db.execute(statement, values).fetchall())
    from lumeflow.storage.postgres.connection import numbered

    text, _ = numbered(statement)
    rows = db._loop.run_until_complete(db._driver.fetch(text, *values))
    return "\n".join(row[0] for row in rows)


@pytest.fixture(params=["sqlite", "postgres"])
async def storage(request, tmp_path):
    url = str(tmp_path / "x.db") if request.param == "sqlite" else request.getfixturevalue("new_postgres")()
    database = await open_database(url, data_dir=tmp_path)
    await fill(database)
    yield database
    await database.close()


@pytest.fixture
def plans(storage: Database, monkeypatch) -> list[str]:
    """Plans of all reads from here on."""
    found: list[str] = []
    reads, kind = storage._store.reads, storage._store.kind
    read = reads.read

    async def recorded(query, *, tenant):
        def spied(tx):
            db = tx.db
            tx.db = Recorder(db, kind, found)
            try:
                return query(tx)
            finally:
                tx.db = db

        return await read(spied, tenant=tenant)

    monkeypatch.setattr(reads, "read", recorded)
    return found


LISTS = {
    "executions": ("workflow_executions_started", lambda s: s.journal.list(limit=50)),
    "executions, next page": ("workflow_executions_started", lambda s: s.journal.list(limit=50, before=EXECUTION)),
    "executions by time": (
        "workflow_executions_started",
        lambda s: s.journal.list(limit=50, chosen=ExecutionFilter(since=NOON, until=at(9))),
    ),
    "executions by workflow": (
        "workflow_executions_workflow",
        lambda s: s.journal.list(limit=50, before=EXECUTION, chosen=ExecutionFilter(workflow_id="leads")),
    ),
    "executions by status": (
        "workflow_executions_status",
        lambda s: s.journal.list(limit=50, before=EXECUTION, chosen=ExecutionFilter(status=Status.FAILED)),
    ),
    "executions by workflow and status": (
        "workflow_executions_workflow_status",
        lambda s: s.journal.list(limit=50, chosen=ExecutionFilter("leads", Status.FAILED, since=NOON)),
    ),
    "nodes": ("block_executions_execution", lambda s: s.journal.nodes(EXECUTION)),
    "events": ("execution_events", lambda s: s.journal.timeline(EXECUTION, after=3)),
    "workflows": ("workflows", lambda s: s.workflows.list(limit=50, after="a")),
    "workflow": ("workflows", lambda s: s.workflows.current("leads")),
    "last run": ("workflow_executions_workflow", lambda s: s.workflows.last_run("leads")),
    "newest version": ("workflow_versions", lambda s: s.workflows.newest("leads")),
    "versions": ("workflow_versions", lambda s: s.workflows.versions("leads")),
    "templates": ("workflow_templates", lambda s: s.templates.list(after="a")),
    "templates by category": ("workflow_templates_category", lambda s: s.templates.list(category="x")),
    "queue": ("execution_jobs_waiting", lambda s: s.queue.list(JobState.QUEUED)),
    "artifacts": ("artifacts_execution", lambda s: s.artifacts.list(EXECUTION)),
    "secrets": ("secrets", lambda s: s.secrets.list()),
    "keys": ("api_keys", lambda s: s.api_keys.list()),
    "key by hash": ("api_keys", lambda s: s.installation.keys.find("x")),
    "tenants": ("tenants", lambda s: s.installation.tenants.list()),
    "costs by day": ("execution_costs_day", lambda s: s.costs.by(CostGroup.DAY, CostFilter(since="2026-01-01"))),
    "costs by workflow": ("execution_costs", lambda s: s.costs.by(CostGroup.WORKFLOW)),
    "costs by node": ("execution_costs_workflow", lambda s: s.costs.by(CostGroup.NODE, CostFilter("leads"))),
    "costs by provider": ("execution_costs", lambda s: s.costs.by(CostGroup.PROVIDER, CostFilter(since="2026-01-01"))),
    "costs of an execution": ("execution_costs", lambda s: s.costs.by(CostGroup.NODE, CostFilter(None, EXECUTION))),
}
SUMMED = {name for name in LISTS if name.startswith("costs")}


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_reads_an_index(storage: Database, plans: list[str], name: str):
    index, read = LISTS[name]
    await read(storage)
    assert plans, "something was read"
    for plan in plans:
        assert not re.search(r"^SCAN (?!given|\()\w+$|Seq Scan", plan, re.MULTILINE), plan
        if name not in SUMMED:
            assert "TEMP B-TREE" not in plan, plan
            assert "Sort" not in plan, plan
    assert re.search(rf"\b{index}", plans[-1]), plans[-1]


async def test_failed_records_are_read_by_an_index(storage: Database, plans: list[str]):
    assert [one async for one in storage.journal.kept(EXECUTION, RecordKind.FAILED)] == []
    assert [one async for one in storage.journal.kept(EXECUTION, RecordKind.OUTPUT, "alpha")] != []
    assert any("execution_records_order" in plan for plan in plans)
    assert not any(re.search(r"SCAN execution_records$|Seq Scan", plan, re.MULTILINE) for plan in plans)


def test_the_ledger_is_read_by_its_key_alone(tmp_path):
    """On SQLite the values that are looked for come first, whatever the planner knows of them."""
    from lumeflow.storage.connection import Source, connect_writer
    from lumeflow.storage.effects import _FIND

    db = connect_writer(Source(tmp_path / "x.db"))
    assert isinstance(db, sqlite3.Connection)
    text = _FIND.template.format(rows="VALUES (?,?),(?,?)")
    plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {text}", ["a"] * 5)]
    assert plan[-1].startswith(
        "SEARCH effects USING INDEX sqlite_autoindex_effects_1 (execution_id=? AND digest=? AND tenant=?)"
    ), plan
    db.close()
