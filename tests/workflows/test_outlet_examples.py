"""The shipped example workflows that send leads elsewhere: in demo mode, and over HTTP with what the receiver saw."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
from aiohttp import web

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


class TestServer:
    """A server of one handler on a free port."""

    __test__ = False

    def __init__(self, runner, port):
        self._runner = runner
        self.url = f"http://127.0.0.1:{port}"

    @classmethod
    async def start(cls, handler):
        runner = web.ServerRunner(web.Server(handler))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return cls(runner, runner.addresses[0][1])

    async def close(self):
        await self._runner.cleanup()


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


async def test_leads_are_delivered_over_http(tmp_path, simulator):
    example = document("lead-delivery")
    options = settings(tmp_path, example["metadata"]["example"], simulator_url=simulator.url)
    async with open_app(options) as app:
        result = await app.execute(example, signed(example["metadata"]["example"]["input"]), now=NOW)

    assert (result.status, result.error) == ("completed", None)
    assert (result.output["crm"]["deliveriesCount"], result.output["sales"]["recordsCount"]) == (3, 2)
    bill = simulator.simulator.bill()
    assert bill["providers"]["webhook"]["operations"]["webhook/deliver"]["answered"] == 1
    assert bill["providers"]["crm"]["operations"]["crm/note"]["answered"] == 3
    assert result.cost.total_cost == Decimal(bill["totals"]["charges"]["USD"])


async def test_in_demo_mode_no_lead_leaves(tmp_path):
    example = document("lead-delivery")
    async with open_app(settings(tmp_path, example["metadata"]["example"])) as app:
        result = await app.execute(example, example["metadata"]["example"]["input"], mode=Mode.DEMO)

    assert (result.status, result.output["crm"]["deliveriesCount"]) == ("completed", 3)


async def test_what_one_workflow_sends_another_receives(tmp_path):
    """From `output/webhook` to `input/webhook`, byte for byte, over a receiver of our own."""
    received = []

    async def receive(request):
        received.append(({str(name): value for name, value in request.headers.items()}, await request.text()))
        return web.Response(status=204)

    server = await TestServer.start(receive)
    sender = {
        "workflowId": "sender",
        "name": "sender",
        "nodes": [
            {"id": "in", "type": "input", "config": {"source": "api", "collection": "people"}},
            {
                "id": "out",
                "type": "output",
                "config": {
                    "destination": "webhook",
                    "url": f"{server.url}/hook",
                    "secret": "{{secrets.shared}}",
                    "batchSize": 10,
                    "body": "{{input}}",
                },
            },
        ],
        "edges": [{"source": "in", "target": "out"}],
    }
    receiver = {
        "workflowId": "receiver",
        "name": "receiver",
        "nodes": [
            {"id": "in", "type": "input", "config": {"source": "webhook", "secret": "{{secrets.shared}}"}},
            {"id": "out", "type": "output", "config": {"destination": "jsonl", "path": str(tmp_path / "out.jsonl")}},
        ],
        "edges": [{"source": "in", "target": "out"}],
    }
    people = {"people": [{"name": "Tomás"}, {"name": "Mira"}]}
    names = {"LUMEFLOW_ALLOWED_ADDRESSES": "127.0.0.1", "LUMEFLOW_SECRET_shared": "whsec-example"}
    folder = {"LUMEFLOW_DATA_DIR": str(tmp_path), "LUMEFLOW_DB": str(tmp_path / "y.db")}
    try:
        async with open_app(Settings.from_environment({**folder, **names})) as app:
            sent = await app.execute(sender, people)
            ((headers, body),) = received
            taken = await app.execute(receiver, {"headers": headers, "body": body})
            with pytest.raises(UsageError, match="received before"):
                await app.execute(receiver, {"headers": headers, "body": body})
    finally:
        await server.close()

    assert (sent.status, taken.status) == ("completed", "completed")
    assert lines_of(tmp_path / "out.jsonl") == people["people"]


async def test_an_address_inside_is_not_called(tmp_path):
    example = document("lead-delivery")
    example["nodes"][2]["config"]["url"] = "http://127.0.0.1:9/hook"
    example["nodes"] = [example["nodes"][0], example["nodes"][2]]
    example["edges"] = [{"source": "leads", "target": "sales"}]
    async with open_app(settings(tmp_path, example["metadata"]["example"])) as app:
        result = await app.execute(example, signed(example["metadata"]["example"]["input"]), now=NOW)

    assert result.output.get("deliveriesCount", 0) == 0
    assert {failed.error_class for failed in result.failed_records} == {"VALIDATION"}
    assert "not on the public internet" in result.failed_records[0].reason
