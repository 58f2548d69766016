"""Running a block in the real engine, in demo mode, with nothing of the outside in reach."""

import asyncio
import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson

from lumeflow.app import App
from lumeflow.core.block import Block
from lumeflow.core.expressions import compile_template
from lumeflow.core.findings import Report
from lumeflow.core.journal import KeptRecord, Mode, RecordKind
from lumeflow.core.records import JsonObject
from lumeflow.core.registry import Registry
from lumeflow.core.result import ExecutionResult
from lumeflow.kit.json_text import dump_json
from lumeflow.one_block import OneBlock, registry_of
from lumeflow.plugins import load_registry
from lumeflow.settings import SECRET_PREFIX, Settings
from lumeflow.storage import open_database
from lumeflow.testing.contract.guard import guarded
from lumeflow.testing.contract.hooks import SECRET, Hooks, StopAt
from lumeflow.testing.contract.watched import watched
from lumeflow.testing.memory import MemoryTables
from lumeflow.vendors import Vendors

NOW = datetime(2026, 1, 9, 12, tzinfo=UTC)
EXECUTION_ID = "contract"
THREADS = "lumeflow-block"
"""What the names of the threads begin with in which plain blocks run; they end soon after the application."""
PATIENCE = 60.0
"""Seconds after which a run hangs."""


@dataclass(frozen=True, slots=True)
class World:
    """What a block finds.

    Attributes:
        tables: Rows by table name.
        files: Input files by path, relative to the working folder.
        mocks: Demo answers of vendors that the simulator does not know.
        variables: What `{{variables.x}}` sees.
        processes: True if it may start processes.
        modules: Modules with the operations that it calls, besides its own.
    """

    tables: Mapping[str, Sequence[JsonObject]] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    mocks: JsonObject = field(default_factory=dict)
    variables: JsonObject = field(default_factory=dict)
    processes: bool = False
    modules: Sequence[ModuleType] = ()


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a run.

    Attributes:
        status: The execution's status.
        error: Why it failed.
        output: What its end `reported`, the `fields` that came there, and all `records`, in order.
        failed: Records that failed, with their reasons.
        skipped: Records that were left out, with their reasons.
        warnings: Warnings of the block.
        files: Files that it wrote.
        rows: The tables afterwards.
        forbidden: What it did that no block may do.
        left_behind: What was still there when the run had ended.
    """

    status: str
    error: str | None
    output: Mapping[str, Any]
    failed: Sequence[KeptRecord]
    skipped: Sequence[KeptRecord]
    warnings: Sequence[str]
    files: Mapping[str, bytes]
    rows: Mapping[str, Any]
    forbidden: Sequence[str]
    left_behind: Sequence[str]

    def written(self) -> Mapping[str, bytes]:
        """All that it made, as bytes by the name of the part."""
        kept = {
            "failed records": [(r.node_id, r.position, r.error_class, r.reason, r.data) for r in self.failed],
            "skipped records": [(r.node_id, r.position, r.reason, r.data) for r in self.skipped],
        }
        values = {"status": [self.status, self.error], "output": self.output, **kept, "tables": self.rows}
        parts = {name: dump_json(value) for name, value in values.items()}
        return parts | {f"file {name}": data for name, data in self.files.items()}

    def told(self) -> Sequence[str]:
        """Every sentence that a person may read."""
        reasons = [record.reason or "" for record in (*self.failed, *self.skipped)]
        return [*reasons, *self.warnings, self.error or ""]


@cache
def installed() -> Registry:
    """Everything that is installed as a package; not the user's folders, whose blocks the test imports itself."""
    return load_registry()[0]


def registry_with(block: type[Block[Any]]) -> Registry:
    """Everything that is installed, and the block.

    Raises:
        RegistrationError: Another block has its name, or it lacks something.
    """
    registry = Registry()
    for known in installed().blocks():
        registry.add_block(known)
    registry.add_block(block)
    return registry


class Bench:
    """One block with one configuration."""

    def __init__(self, block: type[Block[Any]], config: Mapping[str, Any], world: World) -> None:
        self.block = block
        self.config: Mapping[str, Any] = orjson.loads(dump_json(dict(config)))
        self._world = world

    def run(self, payload: JsonObject, hooks: Hooks | None = None, *, resumes: bool = False) -> Ran:
        """Run it on a payload.

        Args:
            payload: What reaches it; of an input block, the execution's input.
            hooks: What stands between the block and its context.
            resumes: True to run the execution again after it was stopped, to its end.
        """
        given: JsonObject = orjson.loads(dump_json(payload))
        with tempfile.TemporaryDirectory(prefix="lumeflow-contract-") as name:
            folder = Path(name).resolve()
            guard = guarded(folder, processes=self._world.processes)
            with _apart(folder, self._world.files), guard as forbidden:
                ran = asyncio.run(self._run(given, hooks or Hooks(), folder, forbidden, resumes))
            for thread in threading.enumerate():
                if thread.name.startswith(THREADS):
                    thread.join(PATIENCE)
        return ran

    def validate(self, config: Mapping[str, Any], payload: JsonObject) -> Report:
        """All findings on a workflow of this block."""
        trial = OneBlock.of(self.block, config, payload)
        return asyncio.run(self._findings(trial))

    async def _findings(self, trial: OneBlock) -> Report:
        from lumeflow.core.validate import validate

        return validate(trial.document, self._registry(self.block))

    def _registry(self, block: type[Block[Any]]) -> Registry:
        """The block, and every operation that it may call: those of its own module need not be installed."""
        registry = registry_of(block, installed())
        for module in (sys.modules[self.block.__module__], *self._world.modules):
            members = vars(module).values()
            registry.add_from(
                member for member in members if not (isinstance(member, type) and issubclass(member, Block))
            )
        return registry

    async def _run(self, payload: JsonObject, hooks: Hooks, folder: Path, forbidden: list[str], resumes: bool) -> Ran:
        tables = MemoryTables(self._world.tables)
        block = watched(self.block, hooks, tables)
        trial = OneBlock.of(block, self.config, payload)
        document = {**trial.document, "globals": {"errorHandling": "continue", "retryPolicy": {"maxRetries": 0}}}
        app = await self._app(block, folder)
        try:
            async with asyncio.timeout(PATIENCE):
                cancel = hooks.cancel if isinstance(hooks, StopAt) else None
                result = await app.execute(
                    document,
                    payload,
                    mode=Mode.DEMO,
                    mocks=self._world.mocks,
                    execution_id=EXECUTION_ID,
                    now=NOW,
                    variables=self._world.variables,
                    cancel=cancel,
                )
                left = await _left_behind(folder)
                if resumes:
                    result = await app.resume(EXECUTION_ID)
            return await self._ran(app, result, hooks, folder, tables, forbidden, left)
        finally:
            await app.close()

    async def _app(self, block: type[Block[Any]], folder: Path) -> App:
        settings = Settings(data_dir=folder / "data", environ=_environ(block))
        registry = self._registry(block)
        database = await open_database("sqlite:///:memory:", data_dir=settings.data_dir)
        return App(settings, registry, (), database, await Vendors.open(settings, registry))

    async def _ran(
        self,
        app: App,
        result: ExecutionResult,
        hooks: Hooks,
        folder: Path,
        tables: MemoryTables,
        forbidden: list[str],
        left: Sequence[str],
    ) -> Ran:
        kept = {kind: [record async for record in app.kept_records(EXECUTION_ID, kind)] for kind in RecordKind}
        reported = _without(folder, result.output)
        records = [(record.node_id, record.position, record.data) for record in kept[RecordKind.OUTPUT]]
        return Ran(
            status=str(result.status),
            error=result.error,
            output={"reported": reported, "fields": _fields(reported), "records": records},
            failed=kept[RecordKind.FAILED],
            skipped=kept[RecordKind.SKIPPED],
            warnings=sorted(hooks.warnings),
            files=_files(folder, self._world.files),
            rows=tables.rows,
            forbidden=list(forbidden),
            left_behind=left,
        )


def _environ(block: type[Block[Any]]) -> dict[str, str]:
    """An environment without keys; only the secrets that the block's example names are there, and open nothing."""
    names = compile_template(dict(block.example)).secrets
    return {f"{SECRET_PREFIX}{name}": SECRET for name in names}


@contextmanager
def _apart(folder: Path, files: Mapping[str, bytes]) -> Iterator[None]:
    """Work in a folder, in which temporary files lie as well."""
    (folder / "tmp").mkdir()
    (folder / "work").mkdir()
    for name, data in files.items():
        path = folder / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    before = tempfile.tempdir
    tempfile.tempdir = str(folder / "tmp")
    try:
        with chdir(folder / "work"):
            yield
    finally:
        tempfile.tempdir = before


def _files(folder: Path, given: Mapping[str, bytes]) -> dict[str, bytes]:
    """Files that were written."""
    found = [path for part in ("work", "data") for path in sorted((folder / part).rglob("*")) if path.is_file()]
    named = {str(path.relative_to(folder)): path.read_bytes() for path in found}
    return {name: data for name, data in named.items() if name.removeprefix(f"work{os.sep}") not in given}


async def _left_behind(folder: Path) -> Sequence[str]:
    """Tasks and temporary files that are there although the run has ended."""
    for _ in range(10):
        await asyncio.sleep(0)
    own = asyncio.current_task()
    tasks = [task for task in asyncio.all_tasks() if task is not own]
    running = [f"the task {_name(task)}" for task in tasks if _is_of_a_block(task)]
    files = [f"the temporary file {path.name}" for path in (folder / "tmp").rglob("*") if path.is_file()]
    return [*running, *files]


def _name(task: "asyncio.Task[Any]") -> str:
    return getattr(task.get_coro(), "__qualname__", task.get_name())


def _is_of_a_block(task: "asyncio.Task[Any]") -> bool:
    """The application's own tasks last as long as it does."""
    code = getattr(task.get_coro(), "cr_code", None)
    path = code.co_filename if code else ""
    return not any(f"lumeflow{os.sep}{part}{os.sep}" in path for part in ("storage", "gateway", "simulator"))


def _fields(reported: Any) -> Any:
    """What a run's end says besides names of collections: the fields that were captured, or an output's report."""
    if not isinstance(reported, Mapping):
        return reported
    parts = {name: _fields(part) for name, part in reported.items() if name != "collection"}
    return {name: part for name, part in parts.items() if part}


def _without(folder: Path, value: Any) -> Any:
    """A value in which the folder's name, which is another one in every run, is left out."""
    return orjson.loads(dump_json(value).replace(str(folder).encode(), b"."))
