"""The shipped example workflows that change, sort and join records: from files to files."""

import csv
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest

import lumeflow
from lumeflow import Settings
from lumeflow.app import open_app
from lumeflow.core.journal import RecordKind
from lumeflow.plugin import BlockType
from lumeflow.plugins import load_registry

FOLDER = Path(lumeflow.__file__).parent / "workflows" / "examples"
NAMES = ["lead-list", "people-and-crm", "leads-to-sellers"]
TYPES = {"transform", "filter", "branch", "merge"}


def document(name):
    return orjson.loads((FOLDER / f"{name}.json").read_bytes())


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run an example in a folder of its own; gives the result, the files by name, and what was left out by node."""
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_environment({"LUMEFLOW_DATA_DIR": str(tmp_path), "LUMEFLOW_DB": str(tmp_path / "x.db")})

    async def run_example(name):
        example = document(name)
        given = example["metadata"]["example"]
        for file, content in given.get("files", {}).items():
            (tmp_path / file).write_text(content)
        async with open_app(settings) as app:
            assert list(app.validate(example).findings) == []
            result = await app.execute(example, given["input"])
            left_out = [record async for record in app.kept_records(result.execution_id, RecordKind.SKIPPED)]
        assert (result.status, result.error, result.failed_records) == ("completed", None, [])
        files = {path.name: path for path in tmp_path.rglob("*.*")}
        return files, [(record.node_id, record.reason) for record in left_out]

    return run_example


async def test_a_messy_list_goes_to_teams(run):
    files, left_out = await run("lead-list")
    with files["leads-by-team.csv"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["team"], row["email"], row["phone"], row["score"]) for row in rows] == [
        ("Milan", "mira.holt@example.com", "+390255501234", "16"),
        ("Milan", "mira@example.org", "+390255501234", "16"),
        ("Berlin", "lena@example.net", "+493012345678", "64"),
        ("Head office", "tomas.quiroga@example.org", "+34915550199", "0"),
    ]
    assert rows[0]["name"] == "Mira van der Holt"
    assert (rows[0]["company_name"], rows[0]["company_country"], rows[0]["metOn"]) == (
        "Example Freight",
        "IT",
        "2026-01-09",
    )
    assert sorted(left_out) == [
        ("once", "a duplicate of record 3"),
        ("valid", "email is not an e-mail address"),
        ("wanted", "no sign of interest"),
    ]
    assert pq.read_table(files["leads-by-team.parquet"]).column("email").to_pylist() == [row["email"] for row in rows]


async def test_people_stand_beside_what_the_crm_knows(run):
    files, left_out = await run("people-and-crm")
    people = orjson.loads(files["people.json"].read_bytes())["people"]
    assert [(person["name"], person["stage"], person["mentions"]) for person in people] == [
        ("Mira Holt", "customer of Jonas", 2),
        ("Tomás Quiroga", "prospect", 1),
        ("Lena Okafor", "customer of Zoë", 1),
    ]
    assert people[0]["phone"] == "+390255501234"
    assert people[0]["company"] == "Example Freight"
    assert [node for node, _ in left_out] == ["reachable"]


async def test_leads_go_to_sellers(run):
    files, _ = await run("leads-to-sellers")
    assert orjson.loads(files["pairs.json"].read_bytes()) == {
        "pairs": [
            {"leads": {"name": "Mira Holt"}, "sellers": {"name": "Jonas"}},
            {"leads": {"name": "Tomás Quiroga"}, "sellers": {"name": "Zoë"}},
        ]
    }


def test_every_block_that_changes_sorts_or_joins_is_shown():
    registry, _ = load_registry(entry_points=False)
    shown = {
        registry.resolve(BlockType(node["type"]), node["config"]) for name in NAMES for node in document(name)["nodes"]
    }
    assert {block.id() for block in registry.blocks() if block.type in TYPES} - {block.id() for block in shown} == set()
