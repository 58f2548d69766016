"""Where an execution stands, as it is shown live."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from lumeflow.core.journal import Status
from lumeflow.core.money import ZERO, plain, total


@dataclass(slots=True)
class NodeProgress:
    """Counts of one node so far; see `NodeResult` for their meaning.

    Attributes:
        settled: Records of its input of which it is known what became of them.
        waiting: Why it stands still at the moment (`rate limit, 12 s`), or an empty string.
    """

    node_id: str
    name: str
    block: str
    status: Status = Status.QUEUED
    records_in: int = 0
    records_out: int = 0
    failed: int = 0
    skipped: int = 0
    settled: int = 0
    retries: int = 0
    coercions: int = 0
    calls: int = 0
    replayed: int = 0
    cost: Decimal = ZERO
    waiting: str = ""

    def counts(self) -> Mapping[str, int]:
        """What is stored of a node that has ended."""
        return {
            "recordsIn": self.records_in,
            "recordsOut": self.records_out,
            "failed": self.failed,
            "skipped": self.skipped,
            "retries": self.retries,
            "coercions": self.coercions,
            "replayed": self.replayed,
        }

    def ending(self) -> Mapping[str, int | str]:
        """What the timeline says of a node that has ended; its cost as text, with all digits."""
        return {**self.counts(), "calls": self.calls, "cost": plain(self.cost)}


@dataclass(frozen=True, slots=True)
class Progress:
    """A snapshot of an execution.

    Attributes:
        execution_id: The execution.
        status: Where it stands.
        nodes: Per node, in document order.
        elapsed: Seconds since it started.
        percent: 0 to 100; None while it cannot be told.
        remaining: Seconds that are left at the present pace; None while it cannot be told.
    """

    execution_id: str
    status: Status
    nodes: Sequence[NodeProgress]
    elapsed: float
    percent: float | None = None
    remaining: float | None = None

    @property
    def cost(self) -> Decimal:
        """Money spent so far by this run of the execution."""
        return total(node.cost for node in self.nodes)

    @property
    def calls(self) -> int:
        """Calls made so far by this run of the execution."""
        return sum(node.calls for node in self.nodes)


ProgressListener = Callable[[Progress], None]
