"""The front door: what `import lumeflow` offers, and running workflows by document or by id."""

import json
import sqlite3
import subprocess
import sys
from importlib import metadata

import pytest

import lumeflow
from lumeflow import InvalidWorkflow, Mode, Settings, Status, UsageError, open_app
from lumeflow.workflows import names

PEOPLE = {"people": [{"name": "Mira"}, {"name": "Tomás"}]}


def document(version=1, *, greeting="Hello", workflow_id="greeting"):
    greet = {"type": "map", "field": "text", "transformation": greeting + " {{input.name}}"}
    return {
        "workflowId": workflow_id,
        "name": "Greeting",
        "version": version,
        "nodes": [
            {"id": "in", "type": "input", "config": {"source": "api"}},
            {"id": "greet", "type": "transform", "config": {"operations": [greet]}},
            {"id": "out", "type": "output", "config": {"destination": "json"}},
        ],
        "edges": [{"source": "in", "target": "greet"}, {"source": "greet", "target": "out"}],
    }


@pytest.fixture
async def app(tmp_path):
    async with open_app(Settings(data_dir=tmp_path)) as app:
        yield app


async def texts(app, result):
    return [record["text"] async for record in app.output_records(result.execution_id)]


class TestNames:
    @pytest.mark.parametrize("name", lumeflow.__all__)
    def test_every_public_name_is_there(self, name):
        assert getattr(lumeflow, name) is not None
        assert name in dir(lumeflow)

    def test_the_import_itself_loads_nothing_else(self):
        code = "import sys; before = set(sys.modules); import lumeflow; print(sorted(set(sys.modules) - before))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "['lumeflow']"

    def test_the_version_is_that_of_the_package(self):
        assert lumeflow.__version__ == metadata.version("lumeflow")

    def test_an_unknown_name_is_an_attribute_error(self):
        with pytest.raises(AttributeError, match="no attribute 'Ap'"):
            lumeflow.Ap  # noqa: B018


class TestExecuteByDocument:
    @pytest.mark.parametrize("given", [document(), json.dumps(document()).encode()], ids=["object", "bytes"])
    async def test_a_document(self, app, given):
        result = await app.execute(given, PEOPLE, mode=Mode.DEMO)
        assert result.status == "completed"
        assert await texts(app, result) == ["Hello Mira", "Hello Tomás"]

    async def test_a_mode_may_be_its_name(self, app):
        result = await app.execute(document(), PEOPLE, mode="demo")
        assert (await app.executions())[0].mode is Mode.DEMO
        assert result.status is Status.COMPLETED

    async def test_an_unknown_mode_runs_nothing(self, app):
        with pytest.raises(ValueError, match="'dmo' is not a valid Mode"):
            await app.execute(document(), PEOPLE, mode="dmo")
        assert await app.executions() == []

    async def test_an_invalid_document_runs_nothing(self, app):
        with pytest.raises(InvalidWorkflow):
            await app.execute({**document(), "edges": []}, PEOPLE)
        assert await app.executions() == []

    @pytest.mark.parametrize("empty", [{}, b""], ids=["object", "bytes"])
    async def test_an_empty_document_is_a_document(self, app, empty):
        with pytest.raises(InvalidWorkflow):
            await app.execute(empty, PEOPLE)

    async def test_an_input_that_is_no_object(self, app):
        with pytest.raises(UsageError, match="must be a JSON object, found list"):
            await app.execute(document(), [1, 2])

    @pytest.mark.parametrize("which", [{}, {"workflow": document(), "workflow_id": "greeting"}], ids=["none", "both"])
    async def test_one_workflow_has_to_be_named(self, app, which):
        with pytest.raises(UsageError, match="either a document or a workflow_id"):
            await app.execute(**which)


class TestExecuteById:
    async def test_a_saved_workflow(self, app):
        await app.save_workflow(document())
        result = await app.execute(workflow_id="greeting", input=PEOPLE, mode=Mode.DEMO)
        assert await texts(app, result) == ["Hello Mira", "Hello Tomás"]

    async def test_of_several_versions_the_highest_saved_one_runs(self, app):
        for version, greeting in ((1, "Hello"), (3, "Ciao"), (2, "Hola")):
            await app.save_workflow(document(version, greeting=greeting))
        result = await app.execute(workflow_id="greeting", input=PEOPLE)
        assert await texts(app, result) == ["Ciao Mira", "Ciao Tomás"]

    async def test_an_installed_workflow(self, app):
        trigger = await app.demo_audience()
        result = await app.execute(workflow_id="lead-enrichment-v1", input=trigger, mode=Mode.DEMO)
        assert result.status == "completed"
        assert result.output["contactsCount"] == result.nodes["output-1"].records_out > 0

    async def test_a_saved_workflow_goes_before_an_installed_one(self, app):
        await app.save_workflow(document(workflow_id="lead-enrichment-v1"))
        result = await app.execute(workflow_id="lead-enrichment-v1", input=PEOPLE)
        assert await texts(app, result) == ["Hello Mira", "Hello Tomás"]

    async def test_what_was_run_from_a_file_does_not_go_before_an_installed_one(self, app):
        await app.execute(document(workflow_id="lead-enrichment-v1"), PEOPLE)
        result = await app.execute(workflow_id="lead-enrichment-v1", input=await app.demo_audience(), mode=Mode.DEMO)
        assert result.output["contactsCount"] > 0

    async def test_what_was_run_from_a_file_can_be_run_again(self, app):
        await app.execute(document(), PEOPLE)
        result = await app.execute(workflow_id="greeting", input={"people": [{"name": "Aiko"}]})
        assert await texts(app, result) == ["Hello Aiko"]

    @pytest.mark.parametrize(
        ("wanted", "remedy"),
        [
            ("greting", "Did you mean 'greeting'?"),
            ("lead-enrichment", "Did you mean 'lead-enrichment-v1'?"),
            ("xyz", f"Known: {', '.join(sorted(['greeting', *names()]))}."),
        ],
    )
    async def test_an_unknown_id_names_what_there_is(self, app, wanted, remedy):
        await app.save_workflow(document())
        with pytest.raises(UsageError) as caught:
            await app.execute(workflow_id=wanted)
        assert str(caught.value) == f"there is no workflow '{wanted}'. {remedy}"

    async def test_an_invalid_workflow_is_not_saved(self, app):
        with pytest.raises(InvalidWorkflow):
            await app.save_workflow({**document(), "edges": []})
        with pytest.raises(UsageError, match="no workflow 'greeting'"):
            await app.execute(workflow_id="greeting")

    async def test_a_saved_version_never_changes(self, app):
        await app.save_workflow(document())
        await app.save_workflow(document())
        with pytest.raises(UsageError, match="already saved with other content"):
            await app.save_workflow(document(greeting="Ciao"))


async def test_an_execution_whose_process_is_gone_shows_as_interrupted(tmp_path):
    settings = Settings(data_dir=tmp_path)
    document = {
        "workflowId": "w",
        "name": "W",
        "nodes": [{"id": "in", "type": "input", "config": {"source": "static", "data": {"n": 1}}}],
        "edges": [],
    }
    async with open_app(settings) as app:
        await app.execute(document, {}, execution_id="gone")
    with sqlite3.connect(tmp_path / "lumeflow.db") as db:
        db.execute("update workflow_executions set status = 'running', completed_at = null")
    async with open_app(settings) as app:
        assert [entry.status for entry in await app.executions()] == ["interrupted"]
        assert (await app.result("gone")).status == "interrupted"
        assert (await app.resume("gone")).status == "completed"
