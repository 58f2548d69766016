"""Files through whole workflows: what is uploaded comes out, and what could not be read is kept with its line."""

import gzip

import pyarrow.parquet as pq
import pytest

from lumeflow.app import open_app
from lumeflow.core.journal import RecordKind
from lumeflow.settings import Settings

MESSY = (
    'Name;E-Mail;E-Mail;Größe\r\n'
    'Müller;mueller@example.com;;40\r\n'
    '"Núñez;broken@example.com;;1\r\n'
    'Zoë\r\n'
    'Tomás;tomas@example.org;=1+1;\r\n'
    ';;;\r\n'
)  # fmt: skip


@pytest.fixture
async def app(tmp_path):
    settings = Settings.from_environment({"LUMEFLOW_DB": str(tmp_path / "x.db"), "LUMEFLOW_DATA_DIR": str(tmp_path)})
    async with open_app(settings) as opened:
        yield opened


def flow(*outputs):
    nodes = [{"id": "in", "type": "input", "config": {"source": "upload", "collection": "leads"}}]
    nodes += [{"id": config["destination"], "type": "output", "config": config} for config in outputs]
    edges = [{"source": "in", "target": config["destination"]} for config in outputs]
    return {"workflowId": "w", "name": "w", "nodes": nodes, "edges": edges}


async def execute(app, document, trigger):
    assert [finding for finding in app.validate(document).findings if finding.severity == "error"] == []
    return await app.execute(document, trigger)


async def test_a_messy_file_comes_out_as_csv_json_and_parquet(app, tmp_path):
    source = tmp_path / "leads.csv.gz"
    source.write_bytes(gzip.compress(MESSY.encode("cp1252")))
    outputs = [{"destination": name, "path": str(tmp_path / f"out.{name}")} for name in ("csv", "json", "parquet")]
    result = await execute(app, flow(*outputs), {"file": str(source)})
    assert result.error is None
    assert (tmp_path / "out.csv").read_bytes().decode().split("\r\n") == [
        "Name,E-Mail,Größe,E-Mail_2",
        "Müller,mueller@example.com,40,",
        "Tomás,tomas@example.org,,'=1+1",
        "",
    ]
    assert pq.read_table(tmp_path / "out.parquet").to_pylist()[1] == {
        "Name": "Tomás",
        "E-Mail": "tomas@example.org",
        "E-Mail_2": "=1+1",
        "Größe": None,
    }
    kept = [record async for record in app.kept_records(result.execution_id, RecordKind.FAILED)]
    assert [record.reason.partition(": ")[0] for record in kept] == [
        f"row 2 of '{source}' (line 3)",
        f"row 3 of '{source}' (line 4)",
    ]


@pytest.mark.parametrize("name", ["csv", "parquet"])
async def test_nothing_is_written_by_an_execution_that_fails(app, tmp_path, name):
    source = tmp_path / "leads.json"
    source.write_text('[{"name": "Mira"},\n{"name": "To')
    result = await execute(
        app, flow({"destination": name, "path": str(tmp_path / f"out.{name}")}), {"file": str(source)}
    )
    assert "line 2" in str(result.error)
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []
