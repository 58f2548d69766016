"""Executions without a server, in a process that stays: what `lumeflow run` does, and `SEARCH`, the six steps in code.

python -m benchmarks.direct SIMULATOR FOLDER
reads `workflow` or `search` from standard input, line by line, and answers each with what it took, as JSON.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from benchmarks.contender import Meter
from benchmarks.served import INPUT, prepare
from lumeflow import Settings, open_app, workflows
from lumeflow.app import App
from lumeflow.preparation import ExecutionRequest

SETTLE = 0.2
"""Seconds after the end that still count as processor time: a server lets go of a job after it has answered."""


async def by_workflow(app: App) -> Any:
    document = app.load(workflows.source(workflows.PLAN))
    return await app.execute(document, INPUT, on_progress=lambda progress: None)


async def by_search(app: App) -> Any:
    execution = await app.prepare_search(ExecutionRequest(input=INPUT))
    (await app.database.begin(execution)).release()
    return await app.resume(execution.id, on_progress=lambda progress: None)


async def main() -> None:
    address, folder = sys.argv[1:]
    await prepare(Path(folder), ["default"], [])
    async with open_app(Settings.from_environment({}, data_dir=Path(folder), simulator_url=address)) as app:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            kind, *urls = line.split()
            row = {"id": "bench", "name": "bench", "type": "instagram", "urls": urls}
            await app.database.tables.upsert("source_audiences", [row], key=["id"])
            begin = Meter()
            result = await (by_search if kind == "search" else by_workflow)(app)
            wall = begin.read()["wall"]
            await asyncio.sleep(SETTLE)
            assert result.status == "completed", result.error
            took = {"wall": wall, "cpu": begin.read()["cpu"], "output": result.output}
            sys.stdout.buffer.write(orjson.dumps(took, default=str) + b"\n")
            sys.stdout.flush()


class Direct:
    """That process, as its parent sees it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def take(self, kind: str, urls: Sequence[str]) -> dict[str, Any]:
        """One execution."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(" ".join([kind, *urls]) + "\n")
        self._process.stdin.flush()
        took: dict[str, Any] = orjson.loads(self._process.stdout.readline())
        return took


@contextmanager
def direct(address: str, folder: Path) -> Iterator[Direct]:
    """Start it, and end it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.direct", address, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Direct(process)
    finally:
        process.communicate(timeout=30)


if __name__ == "__main__":
    asyncio.run(main())
