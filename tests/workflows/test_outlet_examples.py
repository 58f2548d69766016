"""The shipped example workflows that send leads elsewhere: in demo mode, and over HTTP with what the receiver saw."""

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

import lumeflow
from lumeflow import Mode, Settings
from lumeflow.app import open_app
from lumeflow.core.errors import UsageError
from lumeflow.core.journal import RecordKind
from lumeflow.kit.webhooks import Rules, signing_headers
from lumeflow.plugin import Secret
from lumeflow.simulator import SimulatorSettings
from lumeflow.simulator.server import serve

FOLDER = Path(lumeflow.__file__).parent / "workflows" / "examples"
NOW = datetime(2026, 1, 9, 12, tzinfo=UTC)


def document(name):
    return orjson.loads((FOLDER / f"{name}.json").read_bytes())


def settings(folder, example, **options):
    secrets = {f"LUMEFLOW_SECRET_{name}": value for name, value in example.get("secrets", {}).items()}
    names = {"LUMEFLOW_DATA_DIR": str(folder), "LUMEFLOW_DB": str(folder / "x.db"), **secrets}
    return Settings.from_environment(names, **options)


def signed(trigger, at=NOW, delivery="d-1"):
    """The example's delivery as its sender would send it."""
    headers = signing_headers(Rules(), Secret("sim-key"), trigger["body"].encode(), at=at, delivery=delivery)
    return {**trigger, "headers": {**trigger["headers"], **headers, "Idempotency-Key": delivery}}


def lines_of(path):
    return [orjson.loads(line) for line in Path(path).read_bytes().splitlines()]


@pytest.fixture
async def simulator():
    running = await serve(SimulatorSettings(latency_scale=0))
    yield running
    await running.close()


async def test_sign_ups_reach_the_audience_in_demo_mode(tmp_path):
    example = document("signup-audience")
    trigger = example["metadata"]["example"]["input"]
    async with open_app(settings(tmp_path, example["metadata"]["example"])) as app:
        result = await app.execute(example, trigger, mode=Mode.DEMO)
        skipped = [kept async for kept in app.kept_records(result.execution_id, RecordKind.SKIPPED)]

    assert (result.status, result.error) == ("completed", None)
    audience, listed = result.output["audience"], result.output["list"]
    assert (audience["recordsCount"], audience["receivedCount"], audience["invalidCount"]) == (3, 3, 0)
    assert [record.data["firstName"] for record in skipped] == ["Nobody"]
    assert [record.get("phone") for record in lines_of(listed["path"])] == ["+390255501234", None, "+81355550142"]


async def test_sign_ups_are_verified_and_sent_once_over_http(tmp_path, simulator):
    example = document("signup-audience")
    trigger = signed(example["metadata"]["example"]["input"])
    options = settings(tmp_path, example["metadata"]["example"], simulator_url=simulator.url)
    async with open_app(options) as app:
        result = await app.execute(example, trigger, now=NOW)
        with pytest.raises(UsageError, match="received before"):
            await app.execute(example, trigger, now=NOW)

    assert (result.status, result.error) == ("completed", None)
    operations = simulator.simulator.bill()["providers"]["meta"]["operations"]
    assert operations["meta/create-audience"]["answered"] == 1
    assert (operations["meta/add-users"]["answered"], operations["meta/add-users"]["repeats"]) == (1, 0)
    assert result.cost.total_cost == 0


async def test_a_delivery_that_nobody_signed_sends_nothing(tmp_path, simulator):
    example = document("signup-audience")
    options = settings(tmp_path, example["metadata"]["example"], simulator_url=simulator.url)
    async with open_app(options) as app:
        with pytest.raises(UsageError, match="does not start an execution"):
            await app.execute(example, example["metadata"]["example"]["input"], now=NOW)

    assert simulator.simulator.bill()["providers"] == {}
