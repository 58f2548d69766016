"""The shapes of what is told of executions."""

from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field

from lumeflow.core.clock import LONGEST_ID
from lumeflow.core.document.fields import ID_PATTERN
from lumeflow.core.journal import Mode, Status
from lumeflow.server.models import Model
from lumeflow.server.times import Time
from lumeflow.service import JobKind

Number = int | float
_LIMITS = (
    "In place of the document's limits: `records`, `calls`, `costUsd`, `seconds`, `memoryMb`. The execution ends with a"
    " reason before it exceeds one, and can be resumed with a higher."
)
NEW_ID = r"^(\.{0,2}[^/.]|\.{3})[^/]*$"
"""Ids that can stand in a path: no `/`, and neither `.` nor `..`, which clients take out of it."""


class RunRequest(Model):
    """How an execution is to be run."""

    mode: Mode = Field(default=Mode.LIVE, description="`live` calls the vendors and needs the scope `live`.")
    mocks: dict[str, Any] = Field(default={}, description="Demo answers by provider or node id; only in mode demo.")
    execution_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=LONGEST_ID,
        pattern=NEW_ID,
        description="Its id, without '/'; a new one if left out.",
    )
    priority: int = Field(default=0, ge=-100, le=100, description="The higher goes first.")
    limits: dict[str, Number] = Field(default={}, description=_LIMITS)
    now: Time | None = Field(
        default=None, description="The time that the execution sees; ISO 8601 with an offset. The real one if left out."
    )
    not_before: Time | None = Field(default=None, description="It waits until then; ISO 8601 with an offset.")


class StartRequest(RunRequest):
    """On what is to be executed, and how."""

    input: dict[str, Any] = Field(default={}, description="Input of the execution.")
    variables: dict[str, Any] = Field(default={}, description="Values of `{{variables.x}}`.")


class SearchRequest(RunRequest):
    """Whose contacts are to be found."""

    source_audience_id: str = Field(
        min_length=1, max_length=200, description="A row of `source_audiences`, whose posts' comments are read."
    )


class ExecuteRequest(StartRequest):
    """Which version of a saved workflow is to be executed, on what, and how."""

    version: int | None = Field(default=None, ge=1, le=2**31 - 1, description="The current one if left out.")


class ExecuteDocumentRequest(StartRequest):
    """A document that is to be executed without being saved, on what, and how."""

    workflow: dict[str, Any] = Field(description="The document.")


class ResumeRequest(Model):
    """How to go on."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"limits": {"costUsd": 20}}]})

    limits: dict[str, Number] = Field(default={}, description=_LIMITS)
    priority: int = Field(default=0, ge=-100, le=100, description="The higher goes first.")


class RerunFailedRequest(Model):
    """Under which id the new execution runs."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"limits": {"calls": 500}}]})

    execution_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=LONGEST_ID,
        pattern=NEW_ID,
        description="Of the new execution, without '/'; made if left out.",
    )
    priority: int = Field(default=0, ge=-100, le=100, description="The higher goes first.")
    limits: dict[str, Number] = Field(default={}, description=_LIMITS)


class RerunRequest(RerunFailedRequest):
    """From where."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"fromNode": "with-email"}]})

    from_node: str = Field(pattern=ID_PATTERN, description="The first node that is computed afresh.")


class StateModel(Model):
    """Where an execution stands."""

    execution_id: str
    workflow_id: str
    workflow_version: int
    mode: Mode
    status: Status
    started_at: datetime = Field(description="When it began; the time of submission while it waits.")
    completed_at: datetime | None
    error: str | None = Field(description="Why it failed.")
    kind: JobKind = Field(description="Who does the work: a workflow, or the hard-coded pipeline.")


class QueuedStateModel(StateModel):
    """Where an execution stands, in the queue as well."""

    cancelling: bool = Field(description="It runs, and was asked to stop.")
    priority: int
    attempts: int = Field(description="How often a process has taken it from the queue.")
    queued_at: datetime | None = Field(description="Null if it was never queued.")
    not_before: datetime | None = Field(description="It waits until then; null if it need not.")


class NodeProgressModel(Model):
    """One node so far."""

    block_id: str = Field(description="The node's id.")
    name: str = Field(description="The node's name; its id if it has none.")
    block: str
    status: Status
    records_in: int
    records_out: int
    failed: int
    skipped: int
    calls: int
    replayed_calls: int
    retries: int
    cost: Number
    waiting: str = Field(description="Why it stands still at the moment; empty if it does not.")


class ProgressModel(Model):
    """Live, while it runs."""

    percent: float | None = Field(description="0 to 100; null while it cannot be told.")
    elapsed_seconds: float
    remaining_seconds: float | None
    calls: int
    cost: Number
    nodes: list[NodeProgressModel]


class CostModel(Model):
    """What calls cost; amounts are exact."""

    api_calls: int
    cost_per_call: Number
    total_cost: Number
    possibly_paid_twice: Number
    currency: str


class TimeModel(Model):
    """When something ran."""

    started_at: datetime | None
    completed_at: datetime | None
    duration_ms: int


class NodeResultModel(Model):
    """How a node ended."""

    model_config = ConfigDict(json_schema_extra={"required": ["blockId", "block", "status", "executionCost"]})

    block_id: str = Field(description="The node's id.")
    block: str
    status: Status
    records_in: int = 0
    records_out: int = 0
    failed: int = 0
    skipped: int = 0
    retries: int = 0
    coercions: int = 0
    replayed_calls: int = 0
    execution_cost: CostModel
    execution_time: TimeModel
    error: str | None = None


class FailedModel(Model):
    """A failed record, without its data."""

    node: str
    position: int
    class_: str = Field(alias="class")
    reason: str


class DoubtModel(Model):
    """A call whose answer was lost."""

    node: str
    operation: str
    lost: int
    price: Number
    settled: bool


class ExecutionModel(QueuedStateModel):
    """An execution, whole; its records are asked for apart."""

    progress: ProgressModel | None = Field(description="Live; null unless this server runs it now.")
    nodes: dict[str, NodeResultModel] = Field(description="By node id; those that have ended.")
    cost: CostModel
    execution_time: TimeModel
    output: dict[str, Any] = Field(description="What the output nodes report.")
    failed_records: list[FailedModel] = Field(description="The first thousand.")
    in_doubt: list[DoubtModel] = Field(description="Calls that were possibly paid twice.")
    repeated_calls: int


class ExecutionPage(Model):
    """Executions, the newest first."""

    items: list[StateModel]
    next_cursor: str | None


class EventModel(Model):
    """An event of the timeline."""

    number: int
    at: datetime
    kind: str
    node: str | None
    message: str
    data: dict[str, Any]


class EventPage(Model):
    """Events in order."""

    items: list[EventModel]
    next_cursor: str | None


class RecordModel(Model):
    """A record that is kept with an execution."""

    node: str
    position: int
    lineage: list[Any]
    class_: str | None = Field(alias="class", description="Why it failed; null for others.")
    reason: str | None
    data: dict[str, Any]


class RecordPage(Model):
    """Records by node and position."""

    items: list[RecordModel]
    next_cursor: str | None


class ArtifactModel(Model):
    """A file that an execution wrote."""

    name: str
    size: int
    media_type: str
    created_at: datetime


class ArtifactList(Model):
    """Files by name."""

    items: list[ArtifactModel]


class UploadModel(Model):
    """A file that waits for executions."""

    id: str = Field(description='What an execution\'s input names: `{"file": "upload-….csv"}`.')
    name: str
    size: int
    media_type: str
    sha256: str
    created_at: datetime
    expires_at: datetime | None


class DeliveryModel(Model):
    """What became of a webhook's delivery."""

    execution_id: str
    duplicate: bool = Field(description="It was received before, and started this execution then.")
