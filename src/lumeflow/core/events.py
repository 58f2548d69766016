"""The timeline: a closed set of events that an execution can go through."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class EventKind(StrEnum):
    """All kinds of event."""

    EXECUTION_QUEUED = "execution.queued"
    EXECUTION_STARTED = "execution.started"
    EXECUTION_RESUMED = "execution.resumed"
    EXECUTION_FINISHED = "execution.finished"
    NODE_STARTED = "node.started"
    NODE_FINISHED = "node.finished"
    CALL_RETRIED = "call.retried"
    CALL_RATE_LIMITED = "call.rate-limited"
    CALL_FAILED = "call.failed"
    CALL_IN_DOUBT = "call.in-doubt"
    CIRCUIT_OPENED = "circuit.opened"
    RECORD_FAILED = "record.failed"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        kind: What.
        at: Real time in UTC.
        node_id: The node concerned; None for the execution itself.
        message: One sentence for a person; no secret, no personal data.
        data: Numbers and names that belong to it.
    """

    kind: EventKind
    at: datetime
    node_id: str | None = None
    message: str = ""
    data: dict[str, Any] = field(default_factory=dict)
