"""The commands that meet the queue: cancel, rerun, worker."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.service.conftest import PEOPLE, greeting

from lumeflow import Mode, Settings, Status, open_app
from lumeflow.service import ExecutionService


def lumeflow(folder, *words, code=0):
    environ = {**os.environ, "LUMEFLOW_DATA_DIR": str(folder)}
    command = [sys.executable, "-m", "lumeflow", *words]
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert ended.returncode == code, ended.stderr
    return ended


@contextmanager
def working(folder) -> Iterator[None]:
    """Within it, `lumeflow worker` runs; at its end it is asked to end, and does so well."""
    environ = {**os.environ, "LUMEFLOW_DATA_DIR": str(folder)}
    command = [sys.executable, "-m", "lumeflow", "worker", "--concurrency", "3"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as worker:
        try:
            assert worker.stdout is not None
            assert worker.stdout.readline().startswith("running the queue of ")
            yield
        finally:
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(30) == 0


async def queued(folder, **changes):
    async with open_app(Settings(data_dir=folder)) as app:
        service = ExecutionService(app)
        return await service.submit("default", greeting(), PEOPLE, **changes)


async def status(folder, execution_id):
    async with open_app(Settings(data_dir=folder)) as app:
        return (await ExecutionService(app).status("default", execution_id)).status


async def test_what_waits_is_cancelled(tmp_path):
    execution_id = await queued(tmp_path)
    assert lumeflow(tmp_path, "executions", "cancel", execution_id).stdout == "cancelled\n"
    assert await status(tmp_path, execution_id) is Status.CANCELLED
    told = json.loads(lumeflow(tmp_path, "executions", "cancel", execution_id, "--json").stdout)
    assert told == {"executionId": execution_id, "status": "cancelled"}


def test_cancelling_what_is_not_there(tmp_path):
    assert "there is no execution 'nope'" in lumeflow(tmp_path, "executions", "cancel", "nope", code=2).stderr


async def test_a_worker_runs_what_waits_until_it_is_asked_to_end(tmp_path):
    execution_id = await queued(tmp_path)
    with working(tmp_path):
        async with open_app(Settings(data_dir=tmp_path)) as app:
            state = await ExecutionService(app).wait("default", execution_id, 30)
        assert state.status is Status.COMPLETED


async def test_a_part_is_run_again_as_a_new_execution(tmp_path):
    async with open_app(Settings(data_dir=tmp_path)) as app:
        base = await app.execute(greeting(), PEOPLE, mode=Mode.DEMO, execution_id="base")
    words = ("executions", "rerun", "base", "--from", "greet", "--execution-id", "again", "--json")
    told = json.loads(lumeflow(tmp_path, *words).stdout)
    assert (told["executionId"], told["status"]) == ("again", "completed")
    assert told["output"]["recordsCount"] == base.output["recordsCount"] == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [((), "has failed"), (("--from", "gret"), "no node 'gret'")],
    ids=["nothing failed", "no node"],
)
async def test_what_cannot_be_run_again(tmp_path, words, message):
    async with open_app(Settings(data_dir=tmp_path)) as app:
        await app.execute(greeting(), PEOPLE, mode=Mode.DEMO, execution_id="base")
    assert message in lumeflow(tmp_path, "executions", "rerun", "base", *words, code=2).stderr
