"""What is known of an execution while it is watched: snapshots of the process that runs it, or else its events."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from lumeflow.core.events import Event, EventKind
from lumeflow.core.journal import Status
from lumeflow.core.progress import NodeProgress, Progress
from lumeflow.core.result import ExecutionResult, NodeResult

_ENDED = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})


class Picture:
    """Where a watched execution stands.

    Args:
        execution_id: The execution.
        since: Events before this time belong to an earlier run of it; None if there was none.

    Attributes:
        progress: The newest snapshot.
    """

    def __init__(self, execution_id: str, since: datetime | None = None) -> None:
        self._since = since
        self._began: datetime | None = None
        self._nodes: dict[str, NodeProgress] = {}
        self.progress = Progress(execution_id, Status.QUEUED, (), 0.0)

    def see_progress(self, progress: Progress) -> None:
        """Take a snapshot of the process that runs it."""
        self.progress = progress
        self._nodes = {node.node_id: node for node in self.progress.nodes}

    def see_event(self, event: Event) -> None:
        """Take an event: a node that starts or ends."""
        if self._since is not None and event.at < self._since:
            return
        if event.node_id is not None and event.kind in {EventKind.NODE_STARTED, EventKind.NODE_FINISHED}:
            known = self._nodes.get(event.node_id) or NodeProgress(event.node_id, event.node_id, "")
            self._nodes[event.node_id] = _with_event(known, event)
        elif event.kind in {EventKind.EXECUTION_STARTED, EventKind.EXECUTION_RESUMED}:
            self._began = event.at
        else:
            return
        self._draw(Status.RUNNING, event.at)

    def see_end(self, result: ExecutionResult) -> None:
        """Take what came of it."""
        for node_id, ended in result.nodes.items():
            name = known.name if (known := self._nodes.get(node_id)) else node_id
            self._nodes[node_id] = _as_ended(ended, name)
        self._draw(result.status, result.time.completed_at)

    def _draw(self, status: Status, at: datetime | None) -> None:
        nodes = tuple(self._nodes.values())
        is_over = status in _ENDED
        self.progress = replace(
            self.progress,
            status=status,
            nodes=nodes,
            elapsed=(at - self._began).total_seconds() if at and self._began else self.progress.elapsed,
            percent=100.0 if status is Status.COMPLETED else None if is_over else self.progress.percent,
            remaining=None if is_over else self.progress.remaining,
        )


def _with_event(node: NodeProgress, event: Event) -> NodeProgress:
    if event.kind is EventKind.NODE_STARTED:
        return replace(node, status=Status.RUNNING)
    counts = event.data
    return replace(
        node,
        status=Status(event.message),
        records_in=int(counts.get("recordsIn", 0)),
        records_out=int(counts.get("recordsOut", 0)),
        failed=int(counts.get("failed", 0)),
        skipped=int(counts.get("skipped", 0)),
        retries=int(counts.get("retries", 0)),
        calls=int(counts.get("calls", 0)),
        replayed=int(counts.get("replayed", 0)),
        cost=Decimal(counts.get("cost", "0")),
        waiting="",
    )


def _as_ended(node: NodeResult, name: str) -> NodeProgress:
    return NodeProgress(
        node_id=node.node_id,
        name=name,
        block=node.block,
        status=node.status,
        records_in=node.records_in,
        records_out=node.records_out,
        failed=node.failed,
        skipped=node.skipped,
        retries=node.retries,
        coercions=node.coercions,
        calls=node.cost.api_calls,
        replayed=node.replayed,
        cost=node.cost.total_cost,
    )
