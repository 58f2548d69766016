"""What an execution costs apart from its work: commits, reads, plans."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from itertools import pairwise
from typing import Any

import pytest

from lumeflow.app import App, open_app
from lumeflow.core.document import Workflow
from lumeflow.core.journal import Mode
from lumeflow.core.registry import Registry
from lumeflow.engine.plan import PLANS, Planner
from lumeflow.plugin import Block, BlockConfig, BlockContext, BlockType, JsonObject, Outcome
from lumeflow.process import SWITCH_INTERVAL
from lumeflow.settings import Settings
from tests.engine import blocks
from tests.engine.conftest import numbers, work, workflow

EMPTY = workflow({"in": numbers(0), "a": work(), "b": work()}, "in>a, a>b")


@pytest.fixture
async def app(tmp_path) -> AsyncIterator[App]:
    """An application on disk."""
    async with open_app(Settings(data_dir=tmp_path)) as opened:
        for block in blocks.ALL:
            opened.registry.add_block(block)
        yield opened


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    for block in blocks.ALL:
        registry.add_block(block)
    return registry


@pytest.fixture
async def commits(app) -> list[str]:
    """The commits from here on."""
    seen: list[str] = []
    await app.database._writer.call(
        lambda tx: tx.db.set_trace_callback(lambda sql: seen.append(sql) if sql == "COMMIT" else None)
    )
    seen.clear()
    return seen


@pytest.fixture
def reads(app, monkeypatch) -> list[Any]:
    """The reads from here on."""
    seen: list[Any] = []
    reads = app.database._store.reads
    read = reads.read

    async def noted(query, *, tenant):
        seen.append(query)
        return await read(query, tenant=tenant)

    monkeypatch.setattr(reads, "read", noted)
    return seen


async def test_an_execution_without_calls_takes_two_commits_and_no_read(app, commits, reads):
    result = await app.execute(EMPTY, {}, mode=Mode.DEMO)
    assert result.status == "completed"
    assert (len(commits), len(reads)) == (2, 0)


async def test_what_it_tells_at_once_is_what_is_read_back(app):
    document = workflow({"in": numbers(5), "a": work(bad=[1, 3])}, "in>a")
    told = await app.execute(document, {}, mode=Mode.DEMO)
    assert [record.position for record in told.failed_records] == [1, 3]
    assert await app.result(told.execution_id) == told


async def test_threads_change_more_often_while_an_application_is_open(tmp_path):
    before = sys.getswitchinterval()
    async with open_app(Settings(data_dir=tmp_path, db="sqlite:///:memory:")):
        assert sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL)
    assert sys.getswitchinterval() == pytest.approx(before)


def planned(planner: Planner, document: Workflow, **static: Any) -> Any:
    return planner.plan(document, {"variables": {}, **static})


def load(nodes: Mapping[str, Any] | None = None) -> Workflow:
    return Workflow.load(workflow(nodes or {"in": numbers(1), "a": work()}, "in>a"))


def test_a_document_that_runs_again_is_planned_once(registry):
    planner, document = Planner(registry), load()
    plan = planned(planner, document)
    assert planned(planner, document) is plan
    assert planned(planner, load()) is not plan, "an equal one is another one: it may be changed in parts"


def test_settings_with_templates_are_read_anew_for_every_execution(registry):
    planner, document = Planner(registry), load({"in": numbers("{{variables.count}}"), "a": work()})
    for count in (3, 4):
        plan = planned(planner, document, variables={"count": count})
        assert plan.nodes[0].settings.count == count


def test_a_block_that_comes_later_is_taken_if_it_fits_better(registry):
    class Loose(Block[BlockConfig]):
        type = BlockType.TRANSFORM
        name = "loose"
        when = ({"operation": "loose"},)

        class Config(BlockConfig):
            operation: str
            tag: str

        async def process(self, record: JsonObject, ctx: BlockContext) -> Outcome:
            return record

    class Tight(Loose):
        name = "tight"
        when = ({"operation": "loose", "tag": "special"},)

    registry.add_block(Loose)
    planner = Planner(registry)
    document = load({"in": numbers(1), "a": work(operation="loose", tag="special")})
    assert planned(planner, document).nodes[1].block_class is Loose
    registry.add_block(Tight)
    assert planned(planner, document).nodes[1].block_class is Tight


def test_no_more_plans_are_kept_than_a_few(registry):
    planner = Planner(registry)
    documents = [load() for _ in range(PLANS + 1)]
    plans = [planned(planner, document) for document in documents]
    assert planned(planner, documents[-1]) is plans[-1]
    assert planned(planner, documents[0]) is not plans[0]


def test_blocks_are_made_anew_for_every_execution(registry):
    node = planned(Planner(registry), load()).nodes[1]
    assert node.make_block() is not node.make_block()


async def test_ends_of_nodes_are_noticed_without_asking_all_others(app):
    """With `asyncio.wait` every end of a node would cost a callback on each node that still runs."""
    callbacks = 0

    class Counted(asyncio.tasks._PyTask):  # that of C takes no methods of ours
        def add_done_callback(self, *args, **options):
            nonlocal callbacks
            callbacks += 1
            return super().add_done_callback(*args, **options)

    asyncio.get_running_loop().set_task_factory(
        lambda loop, coroutine, **options: Counted(coroutine, loop=loop, **options)
    )
    counts = []
    for length in (20, 80):
        names = ["in", *(f"n{number}" for number in range(length))]
        nodes = {"in": numbers(0), **{name: work() for name in names[1:]}}
        callbacks = 0
        result = await app.execute(workflow(nodes, ", ".join(f"{a}>{b}" for a, b in pairwise(names))), {})
        assert result.status == "completed"
        counts.append(callbacks)
    assert counts[1] < counts[0] * 6
