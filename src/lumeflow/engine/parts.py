"""What each node has to do in an execution that runs a part of an earlier one anew.

    replays ──► replays ──► fresh ──► fresh          from a node on: everything behind it
                  │
                  └──► idle                          what the fresh nodes don't need

Where only failed records are run again, a fresh node is one behind which nothing failed. It takes the records that
failed there or before, and what was made of them; nodes before it replay everything, so that these come to be again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from lumeflow.core.block import Shape
from lumeflow.core.records import Lineage, Record
from lumeflow.engine.plan import Plan, PlannedNode

Takes = Callable[[Record], bool]


@dataclass(frozen=True, slots=True)
class Part:
    """A node's part.

    Attributes:
        inherits: True if it uses the answers that the earlier execution got.
        only: True if it may make no call that costs or changes something: what was not answered then fails.
        is_idle: True if it has nothing to do.
        takes: Which records are for it; None for all.
    """

    inherits: bool = False
    only: bool = False
    is_idle: bool = False
    takes: Takes | None = None


EVERYTHING = Part()
IDLE = Part(is_idle=True)


@dataclass(frozen=True)
class _Map:
    """Who stands before and behind whom; a node stands neither before nor behind itself."""

    plan: Plan

    @cached_property
    def behind(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for node in reversed(self.plan.nodes):
            found[node.id] = {link.target for link in node.outputs}.union(
                *(found[link.target] for link in node.outputs)
            )
        return found

    @cached_property
    def before(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for node in self.plan.nodes:
            found[node.id] = {link.source for link in node.inputs}.union(*(found[link.source] for link in node.inputs))
        return found

    def all_before(self, nodes: Iterable[str]) -> set[str]:
        return set().union(*(self.before[name] for name in nodes))


@dataclass(frozen=True, slots=True)
class _Failed:
    """Takes what failed, and what comes of it.

    Attributes:
        lineages: Of the failed records.
        lengths: How long these are.
        makers: Ordinals of nodes behind the failures: what they made themselves is new.
        roots: Where the failed records come from; records from elsewhere are taken too. None to refuse those.
    """

    lineages: frozenset[Lineage]
    lengths: Sequence[int]
    makers: frozenset[int]
    roots: frozenset[int] | None

    def __call__(self, record: Record) -> bool:
        lineage = record.lineage
        if lineage[0] in self.makers or (self.roots is not None and lineage[0] not in self.roots):
            return True
        return any(lineage[:length] in self.lineages for length in self.lengths)


def parts_from(plan: Plan, node_id: str) -> Mapping[str, Part]:
    """The parts of a re-run from a node on."""
    known = _Map(plan)
    fresh = {node_id} | known.behind[node_id]
    needed = known.all_before(fresh)
    return {
        node.id: EVERYTHING if node.id in fresh else Part(inherits=True, only=True) if node.id in needed else IDLE
        for node in plan.nodes
    }


def parts_of_failed(plan: Plan, failed: Mapping[str, Iterable[Lineage]]) -> Mapping[str, Part]:
    """The parts of a re-run of failed records alone, by the node where they failed."""
    known = _Map(plan)
    lineages = {node.id: frozenset(map(tuple, failed[node.id])) for node in plan.nodes if node.id in failed}
    fresh = {
        node.id
        for node in plan.nodes
        if (node.id in lineages or known.before[node.id] & lineages.keys())
        and not known.behind[node.id] & lineages.keys()
    }
    needed = known.all_before(fresh)
    parts: dict[str, Part] = {}
    for node in plan.nodes:
        if node.id in fresh and not (node.id in lineages and node.shape is Shape.PRODUCER):
            parts[node.id] = Part(takes=_takes(plan, known, node, lineages))
        elif node.id in fresh or node.id in needed:
            # A source of which records failed makes them all again; those behind it take what failed.
            parts[node.id] = Part(inherits=True, only=node.id not in lineages)
        else:
            parts[node.id] = IDLE
    return parts


def combined(newest: Mapping[str, Part], earlier: Sequence[Mapping[str, Part]]) -> Mapping[str, Part]:
    """The parts of a re-run of a re-run: what is not for a node in one of them is not for it at all."""
    return {node_id: _joined([part, *(parts[node_id] for parts in earlier)]) for node_id, part in newest.items()}


def _joined(parts: Sequence[Part]) -> Part:
    takes = [part.takes for part in parts if part.takes is not None]
    if any(part.is_idle for part in parts):
        return IDLE
    both = takes[0] if len(takes) == 1 else (lambda record: all(take(record) for take in takes)) if takes else None
    return Part(parts[0].inherits, parts[0].only, takes=both)


def _takes(plan: Plan, known: _Map, node: PlannedNode, failed: Mapping[str, frozenset[Lineage]]) -> Takes:
    before = known.before[node.id]
    sources = [name for name in failed if name in before or name == node.id]
    lineages = frozenset[Lineage]().union(*(failed[name] for name in sources))
    behind = set[str]().union(*(known.behind[name] for name in sources)) & before
    makers = frozenset(other.ordinal for other in plan.nodes if other.id in behind)
    # What joins records of several sources needs the others whole.
    roots = frozenset(lineage[0] for lineage in lineages) if node.shape is Shape.WHOLE else None
    return _Failed(lineages, sorted({len(lineage) for lineage in lineages}), makers, roots)
