"""What the service tells of an execution: where it stands, and what happens to it while one watches."""

from dataclasses import dataclass
from datetime import datetime

from lumeflow.core.events import Event
from lumeflow.core.journal import Execution, ExecutionSummary, Mode, Rerun, Status
from lumeflow.core.progress import Progress
from lumeflow.storage import Standing
from lumeflow.storage.repositories.queue import JobKind, JobState, QueuedJob

ENDED = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})
"""Statuses after which nothing more happens, unless somebody resumes the execution."""


@dataclass(frozen=True, slots=True)
class ExecutionState:
    """Where an execution stands.

    Attributes:
        execution_id: Its id.
        workflow_id: Its workflow.
        workflow_version: The workflow's version.
        mode: Live or demo.
        kind: Who does the work.
        status: queued, running, completed, failed, cancelled; or interrupted: its process is gone, and it was not
            queued, so nobody will take it up by himself.
        cancelling: True if it runs and was asked to stop.
        priority: The higher goes first.
        attempts: How often a process has taken it from the queue.
        error: Why it failed; one sentence.
        queued_at: When it was queued last; None if it never was.
        started_at: When it was begun; the time of submission while it waits.
        completed_at: When it ended; None until then.
        rerun: Which earlier execution it runs anew, and which part; None for one that stands alone.
        not_before: It waits until then; None if it need not.
        progress: Live, per node, while this process runs it; None otherwise.
    """

    execution_id: str
    workflow_id: str
    workflow_version: int
    mode: Mode
    kind: JobKind
    status: Status
    cancelling: bool
    priority: int
    attempts: int
    error: str | None
    queued_at: datetime | None
    started_at: datetime
    completed_at: datetime | None
    rerun: Rerun | None = None
    not_before: datetime | None = None
    progress: Progress | None = None

    @property
    def ended(self) -> bool:
        """True if nothing more will happen, unless somebody resumes it."""
        return self.status in ENDED or self.status is Status.INTERRUPTED


@dataclass(frozen=True, slots=True)
class EventUpdate:
    """An event of the timeline.

    Attributes:
        ordinal: Its number on the timeline: watching after it begins with the next.
        event: The event.
    """

    ordinal: int
    event: Event


@dataclass(frozen=True, slots=True)
class ProgressUpdate:
    """Live progress. It has no number: it is not stored, and the next one takes its place."""

    progress: Progress


@dataclass(frozen=True, slots=True)
class EndUpdate:
    """The last update: the execution has ended, or nobody is going to run it."""

    state: ExecutionState


Update = EventUpdate | ProgressUpdate | EndUpdate


def state_of(found: Standing, progress: Progress | None) -> ExecutionState:
    """Put a state together.

    Args:
        found: What is stored.
        progress: Live progress.
    """
    execution, job = found.execution, found.job
    status = _status(execution, job, alive=found.alive)
    is_over = status in ENDED
    return ExecutionState(
        execution_id=execution.id,
        workflow_id=execution.workflow_id,
        workflow_version=execution.workflow_version,
        mode=execution.mode,
        kind=JobKind(execution.kind),
        status=status,
        cancelling=job is not None and job.state is JobState.RUNNING and job.cancel_requested and not is_over,
        priority=job.priority if job else 0,
        attempts=job.attempts if job else 0,
        error=execution.error if is_over else None,
        queued_at=job.created_at if job else None,
        started_at=execution.started_at,
        completed_at=execution.completed_at if is_over else None,
        rerun=found.rerun,
        not_before=_waits_until(job, status),
        progress=progress,
    )


def has_run(execution: Execution | ExecutionSummary, job: QueuedJob) -> bool:
    """True if the execution has ended since its job was queued, so that nothing of the job is left to do."""
    at = execution.completed_at
    return execution.status in ENDED and at is not None and job.created_at is not None and at >= job.created_at


def _waits_until(job: QueuedJob | None, status: Status) -> datetime | None:
    if job is None or status is not Status.QUEUED or job.available_at == job.created_at:
        return None
    return job.available_at


def _status(execution: ExecutionSummary, job: QueuedJob | None, *, alive: bool) -> Status:
    if job is not None and job.state is JobState.QUEUED:
        return Status.QUEUED
    if job is not None and job.state is JobState.RUNNING:
        return execution.status if has_run(execution, job) else Status.RUNNING
    if execution.status is Status.RUNNING and not alive:
        return Status.INTERRUPTED
    return execution.status
