"""Ctrl-C: the first one stops cleanly, the second at once."""

import asyncio
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli_samples import node, progress, result

from lumeflow.__main__ import main
from lumeflow.cli.display import SilentDisplay
from lumeflow.cli.supervise import STOPPING, supervise
from lumeflow.core.errors import StorageError, UsageError
from lumeflow.core.journal import Status


def resume_command(execution_id: str) -> str:
    return f"lumeflow executions resume {execution_id}"


async def test_an_undisturbed_run_returns_its_result():
    async def start(listen, cancel):
        listen(progress(node("a")))
        return result()

    display = SilentDisplay(io.StringIO())
    assert await supervise(start, display, resume_command=resume_command) == result()
    assert display.execution_id == "run-1"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_first_signal_asks_to_stop(number):
    async def start(listen, cancel):
        os.kill(os.getpid(), number)
        await asyncio.wait_for(cancel.wait(), 5)
        return result(status=Status.CANCELLED)

    stream = io.StringIO()
    ended = await supervise(start, SilentDisplay(stream), resume_command=resume_command)
    assert ended.status is Status.CANCELLED
    assert stream.getvalue() == f"{STOPPING}\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_second_signal_ends_the_process_at_once(number):
    script = f"""
import asyncio, os, sys
from lumeflow.cli.display import SilentDisplay
from lumeflow.cli.supervise import supervise
from cli_samples import node, progress

async def start(listen, cancel):
    listen(progress(node("a")))
    os.kill(os.getpid(), {int(number)})
    await cancel.wait()
    os.kill(os.getpid(), {int(number)})
    await asyncio.sleep(60)

asyncio.run(supervise(start, SilentDisplay(sys.stderr), resume_command=str))
"""
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False, env=environ
    )
    assert ended.returncode == 128 + number
    assert ended.stderr == f"{STOPPING}\nto continue: run-1\n"


async def test_a_storage_error_says_how_to_continue():
    async def start(listen, cancel):
        listen(progress(node("a")))
        raise StorageError("the disk is full")

    with pytest.raises(StorageError) as caught:
        await supervise(start, SilentDisplay(io.StringIO()), resume_command=resume_command)
    assert caught.value.__notes__ == ["What was done is stored; continue with: lumeflow executions resume run-1"]


@pytest.mark.parametrize("error", [UsageError("no such id"), StorageError("not a database")])
async def test_what_never_began_is_not_continued(error):
    async def start(listen, cancel):
        raise error

    with pytest.raises(type(error)) as caught:
        await supervise(start, SilentDisplay(io.StringIO()), resume_command=resume_command)
    assert not hasattr(caught.value, "__notes__")


def test_ctrl_c_while_the_program_is_still_being_loaded_is_no_traceback(monkeypatch):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("lumeflow.cli.main.run", interrupted)
    monkeypatch.setattr(sys, "argv", ["lumeflow", "demo"])
    assert main() == 130
