"""The shipped workflows that call a CRM by generic HTTP: over real HTTP, with what the CRM charged and saw."""

import base64
import contextlib
import sqlite3
import zlib
from datetime import UTC, datetime
from decimal import Decimal

import orjson
import pytest

from lumeflow import Mode, Settings
from lumeflow.app import open_app
from lumeflow.core.journal import RecordKind
from lumeflow.simulator import SimulatorSettings
from lumeflow.simulator.server import serve
from lumeflow.workflows import example, source

NOW = datetime(2026, 1, 9, 12, tzinfo=UTC)


@pytest.fixture
async def simulate():
    running = []

    async def start(**settings):
        running.append(await serve(SimulatorSettings(**{"latency_scale": 0, "rate_scale": 20, **settings})))
        return running[-1]

    yield start
    for each in running:
        await each.close()


def settings(folder, name, **options):
    environ = {"LUMEFLOW_DATA_DIR": str(folder), "LUMEFLOW_DB": str(folder / "x.db"), **example(name).environment()}
    return Settings.from_environment(environ, **options)


async def run(folder, name, url=None, *, document=None, mode=Mode.LIVE):
    async with open_app(settings(folder, name, simulator_url=url)) as app:
        result = await app.execute(document or source(name), example(name).input, mode=mode, now=NOW, execution_id="x")
        records = [record async for record in app.output_records("x")]
    return result, records


def bill_of(running):
    return running.simulator.bill()["providers"]["crm"]


@pytest.fixture(autouse=True)
def folder_of_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


async def test_the_bill_equals_what_is_booked_and_every_call_is_counted(tmp_path, simulate):
    crm = await simulate()
    result, records = await run(tmp_path, "crm-enrichment", crm.url)
    assert (result.status, result.error, len(records)) == ("completed", None, 100)
    bill = bill_of(crm)
    assert result.cost.total_cost == Decimal(bill["charges"]["USD"])
    assert result.cost.api_calls == bill["calls"]
    counts = {name.partition("/")[2]: tally["answered"] for name, tally in bill["operations"].items()}
    titled = sum("jobTitle" in record for record in records)
    assert counts == {"token": 1, "contacts": 3, "people-batch": 5, "person": titled}
    assert 0 < titled == sum("score" in record for record in records) < 100
    assert (bill["rateLimited"], bill["repeats"]) == (0, 0)


async def test_demo_mode_makes_the_same_of_it_without_a_network(tmp_path, simulate):
    crm = await simulate()
    _, over_http = await run(tmp_path, "crm-enrichment", crm.url)
    (tmp_path / "demo").mkdir()
    _, in_process = await run(tmp_path / "demo", "crm-enrichment", mode=Mode.DEMO)
    assert in_process == over_http


async def test_tokens_that_expire_in_the_middle_of_a_run_are_renewed(tmp_path, simulate):
    crm = await simulate(token_uses=1)
    result, records = await run(tmp_path, "crm-enrichment", crm.url)
    assert (result.status, len(records)) == ("completed", 100)
    bill = bill_of(crm)
    assert bill["operations"]["crm/token"]["answered"] == 3
    assert bill["operations"]["crm/contacts"]["rejected"] == 2
    assert result.cost.total_cost == Decimal(bill["charges"]["USD"])
    assert result.cost.api_calls == bill["calls"]


async def test_faults_of_all_kinds_change_nothing_but_the_number_of_calls(tmp_path, simulate):
    calm = await simulate()
    _, expected = await run(tmp_path, "crm-enrichment", calm.url)
    (tmp_path / "faults").mkdir()
    kinds = ("malformed", "cut_connection", "cut_answer", "html_error", "server_error", "rate_limit")
    rough = await simulate(fault_rate=0.15, fault_kinds=kinds, fault_retry_after=0)
    document = orjson.loads(source("crm-enrichment"))
    document["globals"]["retryPolicy"] = {"maxRetries": 6, "initialDelay": 1}
    result, records = await run(tmp_path / "faults", "crm-enrichment", rough.url, document=document)
    assert (result.status, result.error, records) == ("completed", None, expected)
    bill = bill_of(rough)
    assert sum(bill["faults"].values()) > 5
    assert result.cost.total_cost == Decimal(bill["charges"]["USD"])


async def test_no_secret_and_no_token_is_anywhere_in_the_data_folder(tmp_path, simulate):
    """The simulator accepts any key that begins with sim-, so that real ones can be looked for here."""
    crm = await simulate()
    values = {f"LUMEFLOW_SECRET_{name}": f"sim-very-secret-{name}" for name in example("crm-enrichment").secrets}
    providers = {"http": {"baseUrl": crm.url}}
    environ = {"LUMEFLOW_DATA_DIR": str(tmp_path), "LUMEFLOW_DB": str(tmp_path / "x.db"), **values}
    async with open_app(Settings.from_environment(environ, providers=providers)) as app:
        result = await app.execute(source("crm-enrichment"), example("crm-enrichment").input, execution_id="x")
        shown = orjson.dumps(result.as_json(), default=str)
    assert result.status == "completed"
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    written = b"\n".join([shown, *files, *cells_of(tmp_path / "x.db")])
    for word in (b"very-secret", b"sim-token", base64.b64encode(b"sim-very-secret")[:18]):
        assert word not in written
    assert b'"secrets":["crmKey"]' in written


def cells_of(path):
    """Every value in a database, decompressed."""
    db = sqlite3.connect(path)
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    cells = [cell for name in tables for row in db.execute(f"SELECT * FROM {name}") for cell in row]
    db.close()
    for cell in cells:
        yield cell if isinstance(cell, bytes) else str(cell).encode()
        if isinstance(cell, bytes):
            with contextlib.suppress(zlib.error):
                yield zlib.decompress(cell)


async def test_without_its_secret_a_live_run_is_refused_before_it_starts(tmp_path):
    environ = {"LUMEFLOW_DATA_DIR": str(tmp_path), "LUMEFLOW_DB": str(tmp_path / "x.db")}
    async with open_app(Settings.from_environment(environ)) as app:
        report = app.validate(source("crm-notes"))
        assert [finding.code for finding in report.errors] == ["unknown-secret"]
        assert app.validate(source("crm-notes"), mode=Mode.DEMO).ok


async def test_a_wrong_key_stops_the_node_and_names_the_secret(tmp_path, simulate):
    crm = await simulate()
    environ = {"LUMEFLOW_DATA_DIR": str(tmp_path), "LUMEFLOW_DB": str(tmp_path / "x.db")}
    environ["LUMEFLOW_SECRET_crmToken"] = "wrong-key-0123"
    async with open_app(Settings.from_environment(environ, providers={"http": {"baseUrl": crm.url}})) as app:
        result = await app.execute(source("crm-notes"), example("crm-notes").input, execution_id="x")
    assert result.status == "failed"
    assert "does not accept the credentials" in result.error
    assert "wrong-key" not in result.error


async def test_notes_are_written_once_each_even_if_answers_get_lost(tmp_path, simulate):
    crm = await simulate(fault_rate=0.6, fault_kinds=("cut_connection", "malformed"))
    document = orjson.loads(source("crm-notes"))
    document["globals"] = {"retryPolicy": {"maxRetries": 6, "initialDelay": 1}}
    result, records = await run(tmp_path, "crm-notes", crm.url, document=document)
    assert (result.status, [bool(record["noteId"]) for record in records]) == ("completed", [True] * 3)
    note = bill_of(crm)["operations"]["crm/note"]
    assert (note["distinct"], note["repeats"]) == (3, note["repeatsAfterFault"])


async def test_a_post_without_a_key_is_not_sent_again_and_stands_in_doubt(tmp_path, simulate):
    crm = await simulate(fault_rate=1.0, fault_kinds=("cut_connection",))
    document = orjson.loads(source("crm-notes"))
    del document["nodes"][1]["config"]["idempotencyHeader"]
    async with open_app(settings(tmp_path, "crm-notes", simulator_url=crm.url)) as app:
        result = await app.execute(document, example("crm-notes").input, execution_id="x")
        failed = [record async for record in app.kept_records("x", RecordKind.FAILED)]
        again = await app.resume("x")
    assert len(failed) == 3
    assert "may have been carried out" in failed[0].reason
    assert bill_of(crm)["operations"]["crm/note"]["calls"] == 3
    assert len(result.in_doubt) == len(again.in_doubt) == 3
    assert result.cost.total_cost == Decimal("0.003")
