"""The shipped example workflows that ask language models: in demo mode, and over HTTP to the cent of the bill."""

from decimal import Decimal
from pathlib import Path

import orjson
import pytest

import lumeflow
from lumeflow import Mode, Settings
from lumeflow.app import open_app
from lumeflow.plugin import BlockType
from lumeflow.plugins import load_registry
from lumeflow.simulator import SimulatorSettings
from lumeflow.simulator.server import serve

FOLDER = Path(lumeflow.__file__).parent / "workflows" / "examples"
BLOCKS = {
    "comment-sentiment": {"judge": "ai/sentiment-analysis"},
    "interest-segments": {"infer": "ai/interest-inference"},
    "first-line": {"trade": "ai/openai", "opening": "ai/anthropic"},
    "own-model": {"extract": "ai/contact-extraction"},
    "company-needs": {"ask": "ai/openrouter"},
}
FREE = {"company-needs"}
EVERY = pytest.mark.parametrize("name", BLOCKS)


def document(name):
    return orjson.loads((FOLDER / f"{name}.json").read_bytes())


def check(name, folder):
    """What the files hold that a workflow wrote."""
    files = {path.name: orjson.loads(path.read_bytes()) for path in folder.rglob("*.json")}
    if name == "comment-sentiment":
        labels = {name: [comment["sentiment"]["label"] for comment in file["comments"]] for name, file in files.items()}
        assert labels == {"answer-now.json": ["negative"], "the-rest.json": ["positive", "neutral", "mixed"]}
    elif name == "interest-segments":
        found = {contact["firstName"]: contact["segment"] for contact in files["segments.json"]["contacts"]}
        assert found == {"Lena": "home baking", "Tomás": "cycling"}
    elif name == "first-line":
        leads = files["openings.json"]["leads"]
        assert [sorted({"trade", "tradeConfidence", "opening"} & set(lead)) for lead in leads] == [
            ["opening", "tradeConfidence"],
            ["opening", "tradeConfidence"],
            [],
        ]
    elif name == "company-needs":
        companies = files["needs.json"]["companies"]
        assert [company["company"] for company in companies] == ["Example Freight", "Example Cycles", "Example Freight"]
        assert all("needConfidence" in company for company in companies)
        assert companies[0] == companies[2]
    else:
        contacts = files["contacts.json"]["contacts"]
        assert [(contact["firstName"], contact["sourceCommentId"]) for contact in contacts] == [
            ("Lena", "c-1"),
            ("Jonas", "c-3"),
        ]


async def run(name, folder, **options):
    mode = options.pop("mode", Mode.LIVE)
    settings = Settings.from_environment(
        {"LUMEFLOW_DATA_DIR": str(folder), "LUMEFLOW_DB": str(folder / "x.db")}, **options
    )
    example = document(name)
    async with open_app(settings) as app:
        assert list(app.validate(example).findings) == []
        result = await app.execute(example, example["metadata"]["example"]["input"], mode=mode)
    assert (result.status, result.error, result.failed_records) == ("completed", None, [])
    return result


@EVERY
async def test_in_demo_mode(name, tmp_path):
    result = await run(name, tmp_path, mode=Mode.DEMO)

    check(name, tmp_path)
    assert (result.cost.total_cost > 0) is (name not in FREE)


@EVERY
async def test_over_http_the_bill_is_what_was_booked(name, tmp_path):
    running = await serve(SimulatorSettings(latency_scale=0))
    try:
        result = await run(name, tmp_path, simulator_url=running.url)
    finally:
        await running.close()

    check(name, tmp_path)
    charged = running.simulator.bill()
    assert Decimal(charged["totals"]["charges"]["USD"]) == result.cost.total_cost
    assert (result.cost.total_cost > 0) is (name not in FREE)
    assert charged["totals"]["repeats"] == 0
    assert charged["totals"]["unknownPaths"] == 0


@EVERY
def test_it_is_made_of_the_blocks_that_it_is_for(name):
    registry = load_registry(entry_points=False)[0]
    nodes = {node["id"]: node for node in document(name)["nodes"]}

    for node_id, block in BLOCKS[name].items():
        node = nodes[node_id]
        assert registry.resolve(BlockType(node["type"]), node["config"]).id() == block
