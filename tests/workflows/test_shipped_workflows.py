"""Every workflow that comes with lumeflow is valid, and runs from end to end on its own sample input.

A new one is a file in `src/lumeflow/workflows/examples/`, named by its `workflowId`. What it is tried on stands in its
`metadata.example`: `input`, and where needed `tables` (rows by table), `files` (texts by path), `variables`, `mocks`, `secrets`.
Every node has to be reached, and no record may fail. Then `make reference` writes the pages anew.
"""

from dataclasses import fields
from datetime import UTC, datetime

import pytest

from lumeflow.app import open_app
from lumeflow.core.journal import RecordKind
from lumeflow.plugins import load_registry
from lumeflow.reference import used_in
from lumeflow.settings import Settings
from lumeflow.workflows import PLAN, Example, documents, example, names, source

DOCUMENTS = documents()
NOW = datetime(2026, 1, 9, 12, tzinfo=UTC)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a shipped workflow in a folder of its own; what comes of it, to the byte."""

    async def run(name, place):
        folder = tmp_path / place
        folder.mkdir()
        sample = example(name)
        for path, text in sample.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        monkeypatch.chdir(folder)
        environ = {"LUMEFLOW_DATA_DIR": str(folder / "data"), **sample.environment()}
        async with open_app(Settings.from_environment(environ, demo_comments=20)) as app:
            result = await app.execute(
                source(name),
                await app.stage(sample),
                mode="demo",
                mocks=sample.mocks,
                variables=sample.variables,
                execution_id="example",
                now=NOW,
            )
            kept = [(r.node_id, r.data, r.reason) for k in RecordKind async for r in app.kept_records("example", k)]
        written = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        files = {path: data for path, data in written.items() if ".db" not in path and "locks" not in path}
        return result, kept, files

    return run


@pytest.mark.parametrize("name", names())
async def test_it_runs_from_end_to_end(name, run):
    result, kept, files = await run(name, "one")
    assert (result.status, result.error) == ("completed", None)
    assert [f"{failed.node_id}: {failed.reason}" for failed in result.failed_records] == []
    statuses = {node_id: str(node.status) for node_id, node in result.nodes.items()}
    assert statuses == dict.fromkeys(statuses, "completed"), "the sample input has to reach every node"
    assert result.output
    _, same_kept, same_files = await run(name, "two")
    assert (same_kept, same_files) == (kept, files), "it has to make the same bytes in every run"


@pytest.mark.parametrize("name", names())
async def test_it_is_valid_without_a_warning(name, tmp_path):
    environ = {"LUMEFLOW_DATA_DIR": str(tmp_path), **example(name).environment()}
    async with open_app(Settings.from_environment(environ)) as app:
        assert [str(finding.message) for finding in app.validate(source(name)).findings] == []


@pytest.mark.parametrize("name", names())
def test_it_says_what_it_is(name):
    document = DOCUMENTS[name]
    assert document["workflowId"] == name, "a workflow is found by the name of its file"
    assert document["name"]
    assert document["description"]


@pytest.mark.parametrize("name", [name for name in names() if name != PLAN])
def test_it_brings_its_sample_input(name):
    given = DOCUMENTS[name].get("metadata", {}).get("example")
    assert given is not None, "add metadata.example with the input to try it on"
    assert set(given) <= {field.name for field in fields(Example)}


def test_every_block_is_shown_at_work():
    registry, _ = load_registry(entry_points=False)
    shown = used_in(DOCUMENTS, registry)
    unused = [block.id() for block in registry.blocks() if block.id() not in shown]
    assert unused == [], "add a workflow to src/lumeflow/workflows/examples/ that uses them; see above how"
