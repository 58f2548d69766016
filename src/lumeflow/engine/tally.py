"""Counting what happens: calls and records per node, and the timeline that can be read back."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from lumeflow.core.clock import Clock
from lumeflow.core.errors import ErrorClass
from lumeflow.core.events import Event, EventKind
from lumeflow.core.journal import Journal
from lumeflow.core.money import Charge, plain
from lumeflow.core.progress import NodeProgress
from lumeflow.engine.plan import PlannedNode

EVENTS_OF_A_KIND = 200
"""Events of one kind and node that go onto the timeline; further ones are only counted."""


class Timeline:
    """Writes events down as they happen, with a limit for the kinds that come by the thousand."""

    def __init__(self, execution_id: str, journal: Journal, clock: Clock) -> None:
        self._execution_id = execution_id
        self._journal = journal
        self._clock = clock
        self._written: Counter[tuple[EventKind, str | None]] = Counter()

    def note(self, kind: EventKind, node_id: str | None = None, message: str = "", **data: object) -> None:
        """Put an event on the timeline. `data`: numbers and names only."""
        self._written[kind, node_id] += 1
        if self._written[kind, node_id] > EVENTS_OF_A_KIND:
            return
        event = Event(kind, self._clock.now(), node_id, message, dict(data))
        self._journal.note(self._execution_id, [event])


class Tally:
    """Live counts per node; told of calls by the gateway (`CallObserver`) and of records by the nodes."""

    def __init__(self, nodes: Sequence[NodeProgress], timeline: Timeline) -> None:
        self.timeline = timeline
        self.nodes: Mapping[str, NodeProgress] = {node.node_id: node for node in nodes}

    @classmethod
    def of(cls, nodes: Sequence[PlannedNode], timeline: Timeline) -> "Tally":
        """Counts of planned nodes."""
        names = [NodeProgress(node.id, node.node.name or node.id, node.block_class.id()) for node in nodes]
        return cls(names, timeline)

    def sent(self, node_id: str, account: str) -> None:
        """A request went out."""
        node = self.nodes[node_id]
        node.calls += 1
        node.waiting = ""

    def answered(self, node_id: str, account: str, charge: Charge, duration: float) -> None:
        """A usable answer was stored."""
        self.nodes[node_id].cost += charge.amount

    def replayed(self, node_id: str) -> None:
        """A call was answered by the ledger."""
        self.nodes[node_id].replayed += 1

    def retried(self, node_id: str, error_class: ErrorClass, attempt: int, delay: float) -> None:
        """A call will be tried again after `delay` seconds."""
        self.nodes[node_id].retries += 1
        self.timeline.note(
            EventKind.CALL_RETRIED, node_id, f"{error_class}: trying again", attempt=attempt, delay=round(delay, 3)
        )

    def rate_limited(self, node_id: str, account: str, pause: float) -> None:
        """The vendor refused for its rate limit; the account pauses."""
        self.nodes[node_id].waiting = f"rate limit, {pause:.0f} s"
        self.timeline.note(
            EventKind.CALL_RATE_LIMITED, node_id, f"{account}: rate limit reached", pause=round(pause, 3)
        )

    def doubtful(self, node_id: str, operation: str, price: Decimal) -> None:
        """An answer was lost; the call may have been paid."""
        self.nodes[node_id].cost += price
        self.timeline.note(
            EventKind.CALL_IN_DOUBT, node_id, f"{operation}: no answer arrived, possibly paid", price=plain(price)
        )

    def failed(self, node_id: str, operation: str, error_class: ErrorClass, message: str) -> None:
        """A call failed for good."""
        self.timeline.note(EventKind.CALL_FAILED, node_id, message, operation=operation, errorClass=str(error_class))

    def circuit_opened(self, node_id: str, account: str, pause: float) -> None:
        """The vendor seems to be down; calls wait."""
        self.nodes[node_id].waiting = f"{account} does not answer"
        self.timeline.note(
            EventKind.CIRCUIT_OPENED, node_id, f"{account}: too many failures in a row, waiting", pause=round(pause, 3)
        )
