"""Demonstrations: their vendors live in the process, and are as they were in the next one."""

import asyncio
from datetime import UTC, datetime

import pytest

from lumeflow.app import App, open_app
from lumeflow.core.journal import Mode
from lumeflow.settings import Settings
from lumeflow.workflows import DEMO_AUDIENCE, source

pytestmark = pytest.mark.asyncio

POSTS = len(DEMO_AUDIENCE["urls"])
COMMENTS = 40
NOON = datetime(2026, 1, 9, 12, tzinfo=UTC)


async def demonstrate(app: App, **options):
    trigger = await app.demo_audience()
    return await app.execute(
        source("lead-enrichment-v1"), trigger, mode=Mode.DEMO, execution_id="demo", now=NOON, **options
    )


async def outputs(app: App) -> list:
    return [{**record, "embedding": list(record["embedding"])} async for record in app.output_records("demo")]


async def test_a_demo_that_was_stopped_while_scraping_goes_on_in_another_process(tmp_path):
    def settings(name: str, **more) -> Settings:
        return Settings(data_dir=tmp_path, db=str(tmp_path / f"{name}.db"), **more)

    async with open_app(settings("whole", demo_comments=COMMENTS)) as app:
        whole = await demonstrate(app)
        expected = await outputs(app)
    cancel = asyncio.Event()

    def stop_early(progress) -> None:
        if next(node.records_out for node in progress.nodes if node.node_id == "scraper-1") > 0:
            cancel.set()

    async with open_app(settings("cut", demo_comments=COMMENTS, demo_latency=4.0)) as app:
        cut = await demonstrate(app, on_progress=stop_early, cancel=cancel)
    assert cut.status == "cancelled"
    assert 0 < cut.nodes["scraper-1"].records_out < POSTS * COMMENTS
    async with open_app(settings("cut")) as app:
        resumed = await app.resume("demo")
        assert resumed.status == "completed"
        assert resumed.nodes["scraper-1"].records_out == POSTS * COMMENTS
        assert await outputs(app) == expected
    assert resumed.cost.total_cost == whole.cost.total_cost


async def test_two_demonstrations_have_vendors_of_their_own(tmp_path):
    async with open_app(Settings(data_dir=tmp_path, demo_comments=5)) as app:
        trigger = await app.demo_audience()
        first, second = [
            await app.execute(source("lead-enrichment-v1"), trigger, mode=Mode.DEMO, execution_id=name)
            for name in ("a", "b")
        ]
    assert first.cost.total_cost == second.cost.total_cost
    assert first.nodes["scraper-1"].records_out == second.nodes["scraper-1"].records_out == POSTS * 5
