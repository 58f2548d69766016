"""A fifth of all requests fail, in every way that vendors have: the result is that of a day without faults."""

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lumeflow.app import open_app
from lumeflow.core.journal import RecordKind, Status
from lumeflow.core.records import JsonObject
from lumeflow.core.result import ExecutionResult
from lumeflow.settings import Settings
from lumeflow.simulator.faults import DEFAULT_FAULT_KINDS
from lumeflow.workflows import source
from tests.survival.world import FREE_MODEL, PAID_MODEL, SAME_OPERATION, THOROUGH, Bill, Simulator

PATIENCE = 0.5
"""Seconds that a call waits for its answer here, in place of a minute or so."""
FAULTS = {"faultRate": 0.2, "faultHang": 2 * PATIENCE}
SEEDS = [*range(6, 36)] if THOROUGH else [6, 12, 18]
RESUMES = 12
"""Resumes after which records that fail one time in five have all come through."""
ALL_KINDS = [kind.value for kind in DEFAULT_FAULT_KINDS]


@dataclass(frozen=True)
class Calm:
    """A day without faults."""

    result: ExecutionResult
    records: list[JsonObject]


def document(model: bytes) -> JsonObject:
    """The shipped workflow with another model, and with retries after milliseconds instead of seconds."""
    found: dict[str, Any] = json.loads(source("lead-enrichment-v1").replace(FREE_MODEL, model))
    found["globals"]["retryPolicy"]["initialDelay"] = 20
    return found


async def execute(
    folder: Path, url: str, model: bytes = PAID_MODEL, *, changed: JsonObject | None = None
) -> tuple[ExecutionResult, list[JsonObject]]:
    """Run the execution over real HTTP; returns its result and all of its output records.

    `changed` is the document, if it is not the usual one; then what failed is resumed until nothing fails.
    """
    urls = [f"https://www.instagram.com/p/Csurvivor{number}/" for number in range(3)]
    audience = {"id": "a", "name": "Survivors", "type": "instagram", "urls": urls}
    async with open_app(Settings(data_dir=folder, simulator_url=url)) as app:
        await app.database.tables.upsert("source_audiences", [audience], key=["id"])
        moment = datetime(2026, 1, 9, 10, tzinfo=UTC)
        workflow = changed or document(model)
        result = await app.execute(workflow, {"sourceAudienceId": "a"}, execution_id="survivor", now=moment)
        if changed is not None:
            assert result.failed_records, "no record failed: these faults are too few"
            for _ in range(RESUMES):
                if result.failed_records:
                    result = await app.resume("survivor")
        records = [record.data async for record in app.kept_records("survivor", RecordKind.OUTPUT)]
    return result, records


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory, simulator: Simulator) -> Calm:
    """The execution without faults."""
    simulator.reset()
    return Calm(*asyncio.run(execute(tmp_path_factory.mktemp("calm"), simulator.url)))


@pytest.fixture
async def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every operation gives up waiting soon, so that a hanging answer is a timeout and not a long test."""
    async with open_app(Settings(data_dir=tmp_path, db="sqlite:///:memory:")) as app:
        for operation in app.registry.operations().values():
            monkeypatch.setattr(type(operation), "timeout", PATIENCE)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("seed", SEEDS)
async def test_faults_change_neither_records_nor_bookkeeping(seed: int, tmp_path: Path, simulator: Simulator):
    simulator.reset(seed=seed)
    expected, expected_records = await execute(tmp_path / "calm", simulator.url)
    calm = simulator.bill()

    simulator.reset(seed=seed, **FAULTS)
    result, records = await execute(tmp_path / "storm", simulator.url)
    storm = simulator.bill()

    assert expected.status is result.status is Status.COMPLETED, result.error
    assert records == expected_records
    assert result.output == expected.output
    assert result.failed_records == []
    assert sum(storm.data["totals"]["faults"].values()) > 5
    assert_books_equal_bill(expected, calm)
    assert_books_equal_bill(result, storm)
    assert result.cost.total_cost - result.cost.possible == calm.usd


def assert_books_equal_bill(result: ExecutionResult, bill: Bill) -> None:
    """Calls, retries and charges of the result are those of the bill, to the last digit."""
    assert result.cost.api_calls == bill.calls
    assert result.cost.total_cost == bill.usd
    nodes = {"apollo": "enrichment-1", "hunter": "email-finder-1", "openrouter": "llm-1", "mixedbread": "embeddings-1"}
    for provider, node_id in nodes.items():
        node, line = result.nodes[node_id], bill.data["providers"][provider]
        assert node.cost.api_calls == line["calls"]
        assert node.cost.total_cost == Decimal(line["charges"]["USD"])
        assert node.retries == line["calls"] - line["distinct"]
    assert result.repeated_calls == sum(call.lost for call in result.in_doubt)
    for ours, theirs in SAME_OPERATION.items():
        listed = sum(call.lost for call in result.in_doubt if call.operation == ours)
        assert listed == (0 if ours == "apify/start-run" else bill.count(theirs, "repeats"))
    assert bill.total("repeats") == bill.total("repeatsAfterFault")


@pytest.mark.parametrize("kind", ALL_KINDS)
async def test_each_kind_of_fault_alone(kind: str, tmp_path: Path, simulator: Simulator, calm: Calm):
    simulator.reset(faultRate=0.25, faultHang=0.05, faultKinds=[kind])
    result, records = await execute(tmp_path / "storm", simulator.url)
    assert (result.status, records, result.output) == (Status.COMPLETED, calm.records, calm.result.output)
    bill = simulator.bill()
    assert {name.partition(".")[0] for name in bill.data["totals"]["faults"]} == {kind}
    assert_books_equal_bill(result, bill)


async def test_the_plans_own_free_model_survives_as_well(tmp_path: Path, simulator: Simulator):
    simulator.reset()
    expected, expected_records = await execute(tmp_path / "calm", simulator.url, FREE_MODEL)
    simulator.reset(faultRate=0.2, faultHang=0.1)
    result, records = await execute(tmp_path / "storm", simulator.url, FREE_MODEL)
    assert (result.status, records, result.output) == (Status.COMPLETED, expected_records, expected.output)
    assert result.cost.total_cost == simulator.bill().usd


@pytest.mark.parametrize("seed", SEEDS[:3])
async def test_records_that_failed_for_good_come_through_in_resumes_and_nothing_is_paid_twice(
    seed: int, tmp_path: Path, simulator: Simulator
):
    """Each failed record moves the batches of embeddings behind it in every run; all the same each text is paid once."""
    changed = document(PAID_MODEL)
    for node in changed["nodes"]:
        if node["id"] in {"enrichment-1", "email-finder-1"}:
            node["retryConfig"] = {"maxRetries": 0}
    simulator.reset(seed=seed)
    expected, expected_records = await execute(tmp_path / "calm", simulator.url)
    calm = simulator.bill()

    simulator.reset(seed=seed, faultRate=0.2, faultKinds=["server_error", "html_error"])
    result, records = await execute(tmp_path / "storm", simulator.url, changed=changed)
    storm = simulator.bill()

    assert (result.status, result.failed_records, result.output) == (Status.COMPLETED, [], expected.output)
    assert records == expected_records
    assert result.cost.total_cost == storm.usd
    assert result.cost.total_cost - result.cost.possible == calm.usd
    assert storm.total("repeats") == storm.total("repeatsAfterFault")
