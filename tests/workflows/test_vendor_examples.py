"""The shipped example workflows that look people up: in demo mode, and over HTTP to the cent of the bill."""

from decimal import Decimal

import pytest

from lumeflow import Mode, Settings
from lumeflow.app import open_app
from lumeflow.core.tables import Selection
from lumeflow.simulator import SimulatorSettings
from lumeflow.simulator.faults import FaultKind
from lumeflow.simulator.server import serve
from lumeflow.workflows import documents, example

BLOCKS = {
    "directory-leads": {
        "directory": "api/apify-actor",
        "people": "api/apollo-bulk-match",
        "verify": "api/hunter-email-verifier",
        "table": "output/database",
    },
    "reverify-audience": {
        "contacts": "input/database",
        "verify": "api/hunter-email-verifier",
        "verdicts": "output/database",
    },
}
TABLES = {"directory-leads": ("directory_leads", "campaign_leads"), "reverify-audience": ("email_verdicts",)}
EVERY = pytest.mark.parametrize("name", BLOCKS)


def document(name):
    """The shipped document, its waits as short as the simulated mail servers are."""
    found = dict(documents()[name])
    found["globals"] = {**found.get("globals", {}), "retryPolicy": {"initialDelay": 5}}
    found["nodes"] = [
        {**node, "config": {**node["config"], "recheckAfter": 0}} if node["id"] == "verify" else node
        for node in found["nodes"]
    ]
    return found


async def run(name, folder, mode=Mode.LIVE, **options):
    """Run an example; returns the result and the rows of the tables that it made."""
    sample = example(name)
    async with open_app(Settings(data_dir=folder, **options)) as app:
        blocks = {node.id: app.registry.resolve(node.type, node.config).id() for node in app.load(document(name)).nodes}
        assert BLOCKS[name].items() <= blocks.items()
        result = await app.execute(document(name), await app.stage(sample), mode=mode, execution_id="example")
        rows = {table: (await app.database.tables.page(Selection(table), limit=1000)).rows for table in TABLES[name]}
    assert (result.status, result.error, result.failed_records) == ("completed", None, [])
    return result, rows


def check(name, rows):
    if name == "directory-leads":
        leads, links = rows["directory_leads"], rows["campaign_leads"]
        assert len(leads) == len(links) > 5
        assert {lead["trade"] for lead in leads} == {"bakery", "freight", "printing"}
        assert all(lead["score"] >= 50 and lead["name"] and lead["company"] for lead in leads)
        assert links == [{"campaign": "spring-fair", "email": lead["email"]} for lead in leads]
    else:
        verdicts = rows["email_verdicts"]
        assert [verdict["position"] for verdict in verdicts] == list(range(18))
        assert verdicts[4]["email"] is verdicts[4]["status"] is None
        assert all(verdict["status"] == "invalid" and verdict["score"] is None for verdict in verdicts[3::7])
        assert any(verdict["status"] == "valid" and verdict["score"] == 95 for verdict in verdicts)


@EVERY
async def test_in_demo_mode(name, tmp_path):
    result, rows = await run(name, tmp_path, Mode.DEMO)

    check(name, rows)
    assert result.cost.total_cost > 0


@EVERY
@pytest.mark.parametrize("fault_rate", [0.0, 0.3])
async def test_over_http_the_bill_is_what_was_booked(name, tmp_path, fault_rate):
    kinds = (FaultKind.ODD_SHAPE, FaultKind.RATE_LIMIT, FaultKind.SERVER_ERROR)
    settings = SimulatorSettings(latency_scale=0, fault_rate=fault_rate, fault_kinds=kinds, fault_retry_after=0)
    _, calm = await run(name, tmp_path / "calm", Mode.DEMO)
    running = await serve(settings)
    try:
        result, rows = await run(name, tmp_path / "live", simulator_url=running.url)
    finally:
        await running.close()

    assert rows == {table: [{**row, **_time_of(rows, table, n)} for n, row in enumerate(calm[table])] for table in calm}
    check(name, rows)
    charged = running.simulator.bill()
    assert Decimal(charged["totals"]["charges"]["USD"]) == result.cost.total_cost > 0
    assert charged["totals"]["repeats"] == charged["totals"]["repeatsAfterFault"]
    assert bool(charged["totals"]["faults"]) == bool(fault_rate)


def _time_of(rows, table, number):
    """When a row was made: another moment in each run."""
    return {name: rows[table][number][name] for name in ("checked_at",) if name in rows[table][number]}
