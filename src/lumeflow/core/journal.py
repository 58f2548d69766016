"""What is written down of an execution, apart from its effects (those are the ledger's)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from lumeflow.core.effects import Ledger
from lumeflow.core.events import Event
from lumeflow.core.records import JsonObject, Lineage


class Status(StrEnum):
    """Where an execution, or a node of it, stands."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    """Only as it is read: its process is gone, and nobody has resumed it yet."""
    SKIPPED = "skipped"
    """Only of a node: nothing reached it."""


class Mode(StrEnum):
    """Whether vendors are really called."""

    LIVE = "live"
    DEMO = "demo"


@dataclass(frozen=True, slots=True)
class Rerun:
    """That an execution runs a part of an earlier one anew.

    Attributes:
        of: The earlier execution.
        from_node: The node from which on everything is computed afresh; None if only the records that failed are.
    """

    of: str
    from_node: str | None = None

    def as_json(self) -> dict[str, str]:
        """`{"of": …}`, with `fromNode` if there is one."""
        return {"of": self.of} | ({} if self.from_node is None else {"fromNode": self.from_node})


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution as it is stored.

    Attributes:
        id: Its id.
        workflow_id: The workflow's id.
        workflow_version: The workflow's version.
        definition: The document that it runs, whole; a resume uses this and nothing else.
        mode: Live or demo.
        input: Raw input.
        variables: Values of `{{variables.x}}`.
        mocks: Demo answers by provider or node id.
        now: The execution's constant time.
        pinned: True if `now` was given from outside; then durations that blocks report are zero.
        status: Where it stands.
        output: What the output nodes returned; None until it ended.
        error: Why it failed; one sentence.
        demo: How the vendors of demo mode behave: settings of the simulator by name; nothing for a live one.
        started_at: Real time.
        completed_at: Real time; None until it ended.
        rerun: Which earlier execution it runs anew, and which part of it; None for one that stands alone.
    """

    id: str
    workflow_id: str
    workflow_version: int
    definition: Mapping[str, Any]
    mode: Mode
    input: JsonObject
    variables: JsonObject
    mocks: JsonObject
    now: datetime
    pinned: bool
    status: Status
    started_at: datetime
    completed_at: datetime | None = None
    output: JsonObject | None = None
    error: str | None = None
    demo: JsonObject = field(default_factory=dict)
    rerun: Rerun | None = None


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One node of an execution: a row of `block_executions`.

    Attributes:
        node_id: The node.
        block_type: Its block type.
        status: Where it stands.
        counts: Numbers such as recordsIn, recordsOut, failed, skipped, retries, coercions.
        input_preview: The beginning of its input, small.
        output_preview: The beginning of its output, small.
        error: Why it failed.
        started_at: Real time of the first record; None if none came.
        completed_at: Real time of the end.
    """

    node_id: str
    block_type: str
    status: Status
    counts: Mapping[str, int]
    input_preview: Any = None
    output_preview: Any = None
    error: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None


def may_have_failed(nodes: Sequence[NodeRow]) -> bool:
    """True if records may have failed that nothing took over: one has, or no node has been written down yet."""
    return not nodes or any(node.counts.get("failed") for node in nodes)


class RecordKind(StrEnum):
    """Why a record is kept with its execution."""

    OUTPUT = "output"
    FAILED = "failed"
    SKIPPED = "skipped"
    BATCH = "batch"
    """No record, but the members of a batch for which calls were made; it outlives `reopen`."""


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """A record that is kept.

    Attributes:
        node_id: Where it ended.
        kind: Why it is kept.
        position: Ordinal in the node's input: the order in which records are read back.
        lineage: Where it came from.
        data: The record; `array('f')` values are packed when stored and come back as `array('f')`.
        reason: Error class and sentence, or the condition that it did not meet; None for output.
    """

    node_id: str
    kind: RecordKind
    position: int
    lineage: Lineage
    data: JsonObject
    error_class: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """Where a record stands among those that are kept: what a page of them ends with.

    Attributes:
        node_id: Its node.
        position: Its position.
        lineage: Its lineage.
    """

    node_id: str
    position: int
    lineage: Lineage


@dataclass(frozen=True, slots=True)
class ExecutionSummary:
    """A line of the list of executions."""

    id: str
    workflow_id: str
    workflow_version: int
    mode: Mode
    status: Status
    started_at: datetime
    completed_at: datetime | None
    error: str | None
    kind: str = "WORKFLOW"


@dataclass(frozen=True, slots=True)
class ExecutionFilter:
    """Which executions are listed: those to which everything applies that is not None.

    Attributes:
        workflow_id: Of this workflow.
        status: As it is stored; an interrupted execution is stored as running.
        since: Started then or later.
        until: Started before.
    """

    workflow_id: str | None = None
    status: Status | None = None
    since: datetime | None = None
    until: datetime | None = None


EVERY_EXECUTION = ExecutionFilter()


@dataclass(frozen=True, slots=True)
class Timeline:
    """Events of an execution in order, with their ordinals."""

    events: Sequence[tuple[int, Event]] = field(default_factory=tuple)


class AlreadyExists(Exception):
    """An execution with this id exists, or existed.

    Args:
        message: What is the matter.
        is_gone: True if it was deleted; its id is not given again.
    """

    def __init__(self, message: str, *, is_gone: bool = False) -> None:
        super().__init__(message)
        self.is_gone = is_gone


class Journal(Protocol):
    """Where executions are written down. One for each installation, shared by its executions.

    Raises:
        StorageError: From any method, when the database cannot be read or written.
    """

    async def begin(self, execution: Execution) -> None:
        """Write a new execution down, durably, with status running.

        Raises:
            AlreadyExists: The id is taken.
        """
        ...

    async def reopen(self, execution_id: str, *, at: datetime | None = None) -> None:
        """Prepare a resume: status running again.

        Records, nodes, output and error of a run that has ended stay, and records and nodes of it are read, until
        `finish`; what a run has left that was cut off is dropped.
        """
        ...

    async def get(self, execution_id: str) -> Execution | None:
        """Read an execution."""
        ...

    async def list(
        self, *, limit: int, before: str | None = None, chosen: ExecutionFilter = EVERY_EXECUTION
    ) -> Sequence[ExecutionSummary]:
        """The newest executions first; `before` is the id after which the page begins."""
        ...

    async def nodes(self, execution_id: str) -> Sequence[NodeRow]:
        """The node rows, in the order in which they were written."""
        ...

    def note(self, execution_id: str, events: Sequence[Event]) -> None:
        """Put events on the timeline; returns at once, they are on disk with the next commit."""
        ...

    async def timeline(self, execution_id: str, *, after: int = 0, limit: int = 1000) -> Timeline:
        """Read events back, in order, those with an ordinal above `after`."""
        ...

    async def keep(self, execution_id: str, records: Sequence[KeptRecord]) -> None:
        """Keep records; may return before they are on disk (`finish` and `flush` wait for them), but holds the
        caller back while much is waiting.
        """
        ...

    def kept(
        self, execution_id: str, kind: RecordKind, node_id: str | None = None, *, after: RecordPlace | None = None
    ) -> AsyncIterator[KeptRecord]:
        """Read kept records by node and position, a page at a time; those behind `after`, if it is given."""
        ...

    async def flush(self) -> None:
        """Wait until everything given so far is on disk."""
        ...

    async def finish(
        self,
        execution_id: str,
        status: Status,
        nodes: Sequence[NodeRow],
        *,
        completed_at: datetime,
        output: JsonObject | None,
        error: str | None,
    ) -> None:
        """Write down how the execution ended, with its nodes, in one commit after everything given before.

        After a resume this takes the place of what the earlier run left, unless that came further: it completed and
        this one did not, or neither did and it has kept more records. Then all is again as before the resume.
        """
        ...


class ExecutionLock(Protocol):
    """Proof that this process alone runs an execution; held until `release` or the end of the process."""

    @property
    def ledger(self) -> Ledger:
        """The ledger, bound to this owner: an owner that lost the lock can neither claim nor store."""
        ...

    def release(self) -> None:
        """Give the execution up."""
        ...
