"""The one port between the commands and what they work on: a database of this machine, or a server's.

There are two implementations, `cli/local.py` and `cli/remote/backend.py`. Commands ask `Shell.backend` for the one that
the user has chosen, and show what it gives: they never know which it is.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from lumeflow.cli.target import Write
from lumeflow.cli.writers import Layout
from lumeflow.core.clock import iso
from lumeflow.core.findings import Report
from lumeflow.core.journal import ExecutionSummary, KeptRecord, Mode, RecordKind, Status, Timeline
from lumeflow.core.progress import ProgressListener
from lumeflow.core.records import JsonObject
from lumeflow.core.result import ExecutionResult

Start = Callable[[ProgressListener, asyncio.Event], Awaitable[ExecutionResult]]
"""Runs an execution to its end: gets the listener and the event that asks it to stop."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be run.

    Attributes:
        document: The document, or the name of a workflow that is saved or installed there.
        input: Input of the execution.
        mode: Live or demo.
        mocks: Demo answers by provider or node id.
        variables: Values of `{{variables.x}}`.
        files: Files of this machine by the key of the input that is to name them.
        execution_id: Its id; None for a new one.
        now: The time that it sees; None for the real one.
    """

    document: bytes | str
    input: JsonObject
    mode: Mode = Mode.LIVE
    mocks: JsonObject | None = None
    variables: JsonObject = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    execution_id: str | None = None
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class Blocks:
    """The installed blocks.

    Attributes:
        blocks: A JSON object each: id, type, name, when, summary.
        left_out: Plugins that cannot be used, with the reason; of a server's nothing is told.
    """

    blocks: Sequence[Mapping[str, Any]]
    left_out: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is kept with an execution.

    Attributes:
        name: Its name in the execution's folder.
        size: Bytes.
        created_at: When it was finished.
    """

    name: str
    size: int
    created_at: datetime

    def as_json(self) -> dict[str, Any]:
        """The file as a JSON object."""
        return {"name": self.name, "size": self.size, "createdAt": iso(self.created_at)}


class Backend(Protocol):
    """Where workflows run and executions are kept.

    Attributes:
        runs_alone: True if an execution goes on when this process is gone.

    Raises:
        UsageError: From any method: what was asked for is not there, or cannot be done.
        InvalidWorkflow: From `run`, `resume` and `rerun`, or from what they return.
        LumeflowError: From any method: the database or the server cannot do its part.
    """

    @property
    def runs_alone(self) -> bool:
        """True if an execution goes on when this process is gone."""
        ...

    async def validate(self, document: bytes | str) -> Report:
        """All findings on a document, or on the workflow of a name."""
        ...

    async def run(self, order: Order) -> Start:
        """Check everything that can be checked at once; what is returned runs it."""
        ...

    async def submit(self, order: Order) -> str:
        """Have it run by the server, or by whoever runs the queue of the database; returns the execution's id."""
        ...

    async def resume(self, execution_id: str, limits: JsonObject) -> Start:
        """Go on with an execution; `limits` take the place of the workflow's of the same name."""
        ...

    async def rerun(self, execution_id: str, from_node: str | None, new_id: str | None) -> Start:
        """Run a part again: the failed records, or everything from a node on."""
        ...

    async def watch(self, execution_id: str) -> Start:
        """Follow an execution; what is returned ends with it, or when it is asked to stop: nothing is cancelled."""
        ...

    async def cancel(self, execution_id: str) -> Status:
        """Stop an execution that waits, or that a server or a worker runs; returns its status after that."""
        ...

    async def executions(self, *, limit: int, before: str | None) -> Sequence[ExecutionSummary]:
        """The newest executions first."""
        ...

    async def result(self, execution_id: str) -> ExecutionResult:
        """What is stored of an execution, finished or not."""
        ...

    async def timeline(self, execution_id: str, *, after: int, limit: int) -> Timeline:
        """Events of an execution, those with a number above `after`."""
        ...

    def kept(self, execution_id: str, kind: RecordKind, node_id: str | None) -> AsyncIterator[KeptRecord]:
        """Records that are kept with an execution, by node and position."""
        ...

    async def write_output(self, execution_id: str, layout: Layout, write: Write) -> int:
        """Write all records that reached the output blocks; returns how many there were."""
        ...

    async def files(self, execution_id: str) -> Sequence[StoredFile]:
        """Files that an execution's output blocks wrote into its own folder, by name."""
        ...

    async def write_file(self, execution_id: str, name: str, write: Write) -> int:
        """Write the bytes of one of these files; returns how many there were."""
        ...

    async def blocks(self) -> Blocks:
        """The installed blocks."""
        ...

    async def blocks_called(self, name: str) -> Sequence[Mapping[str, Any]]:
        """All that is known of a block, or of all blocks of a type; `reference` is its page in Markdown."""
        ...

    async def schema(self) -> Mapping[str, Any]:
        """The JSON Schema of workflow documents, with the configuration of every installed block."""
        ...
