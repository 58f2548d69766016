"""Pure questions about a graph of nodes: order, cycles, who is upstream of whom, which ports are joined.

Nodes are ids in document order, links are pairs of ids. All answers are deterministic: where several are possible, the
order of the document decides. Links that name an unknown node are ignored.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lumeflow.core.document import Port, Workflow

Pair = tuple[str, str]


class CyclicGraph(ValueError):
    """A graph has no topological order.

    Attributes:
        cycle: The nodes on one cycle, the first one repeated at the end.
    """

    def __init__(self, cycle: Sequence[str]) -> None:
        super().__init__(" → ".join(cycle))
        self.cycle = tuple(cycle)


@dataclass(frozen=True, slots=True)
class Link:
    """A way for records from port to port: drawn as an edge, or following from a node's settings.

    Attributes:
        source: Node that sends.
        port: Its port; the real one also where the edge left it to the branch's routes.
        target: Node that receives.
        target_port: Its port.
        edge: Index of the edge in the document; None if the link follows from routes or a fallback.
    """

    source: str
    port: str
    target: str
    target_port: str = Port.IN
    edge: int | None = None

    @property
    def pair(self) -> Pair:
        """Source and target."""
        return self.source, self.target


def links(workflow: Workflow, routes: Mapping[str, Mapping[str, str]]) -> list[Link]:
    """All links of a workflow, those of the edges first.

    A branch's routes bind the edges that were drawn from its `out` port to the ports that lead to their targets, and
    stand for edges that were not drawn. A fallback node is reached by the error port.

    Args:
        workflow: The document.
        routes: For each node that has some, port to node id (`Block.routes`).
    """
    found: dict[tuple[str, str, str, str], Link] = {}

    def add(link: Link) -> None:
        found.setdefault((link.source, link.port, link.target, link.target_port), link)

    for index, edge in enumerate(workflow.edges):
        bound = [port for port, target in routes.get(edge.source, {}).items() if target == edge.target]
        ports = bound if edge.source_port == Port.OUT and bound else [edge.source_port]
        for port in ports:
            add(Link(edge.source, port, edge.target, edge.target_port, index))
    drawn = {(link.source, link.port, link.target) for link in found.values()}
    for node in workflow.nodes:
        implied = [*routes.get(node.id, {}).items()]
        if node.fallback is not None and node.fallback.node not in {None, node.id}:
            implied.append((Port.ERROR, str(node.fallback.node)))
        for port, target in implied:
            if (node.id, port, target) not in drawn:
                add(Link(node.id, port, target))
    return list(found.values())


def successors(nodes: Iterable[str], pairs: Iterable[Pair]) -> dict[str, list[str]]:
    """For each node the nodes that it sends to, each once, in the order of the links."""
    onward: dict[str, dict[str, None]] = {node: {} for node in nodes}
    for source, target in pairs:
        if source in onward and target in onward:
            onward[source][target] = None
    return {node: list(targets) for node, targets in onward.items()}


def topological_order(nodes: Sequence[str], pairs: Iterable[Pair]) -> list[str]:
    """Sources before their targets; among those that are ready, the one that stands first in the document.

    Raises:
        CyclicGraph: There is no such order.
    """
    onward = successors(nodes, pairs)
    rank = {node: index for index, node in enumerate(nodes)}
    waiting = dict.fromkeys(nodes, 0)
    for targets in onward.values():
        for target in targets:
            waiting[target] += 1
    ready = [rank[node] for node, count in waiting.items() if count == 0]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        node = nodes[heapq.heappop(ready)]
        order.append(node)
        for target in onward[node]:
            waiting[target] -= 1
            if waiting[target] == 0:
                heapq.heappush(ready, rank[target])
    if len(order) < len(onward):
        raise CyclicGraph(find_cycles(nodes, ((a, b) for a, targets in onward.items() for b in targets))[0])
    return order


def find_cycles(nodes: Sequence[str], pairs: Iterable[Pair]) -> list[tuple[str, ...]]:
    """One shortest cycle for each knot of cycles, from its first node in the document back to it."""
    onward = successors(nodes, pairs)
    rank = {node: index for index, node in enumerate(nodes)}
    cycles = []
    for knot in _knots(nodes, onward):
        first = min(knot, key=rank.__getitem__)
        if len(knot) > 1 or first in onward[first]:
            cycles.append(_way_back(first, knot, onward))
    return sorted(cycles, key=lambda cycle: rank[cycle[0]])


def reachable(starts: Iterable[str], onward: Mapping[str, Sequence[str]]) -> set[str]:
    """The starts, and all that can be reached from them."""
    found = set(starts)
    pending = list(found)
    while pending:
        for target in onward.get(pending.pop(), ()):
            if target not in found:
                found.add(target)
                pending.append(target)
    return found


class Ancestry:
    """Who is upstream of whom, in a graph without cycles."""

    def __init__(self, nodes: Sequence[str], pairs: Iterable[Pair]) -> None:
        """Work it out for all nodes at once.

        Raises:
            CyclicGraph: The graph has a cycle.
        """
        pairs = list(pairs)
        self._nodes = nodes
        self._bit = {node: 1 << index for index, node in enumerate(nodes)}
        self._above = dict.fromkeys(nodes, 0)
        onward = successors(nodes, pairs)
        for node in topological_order(nodes, pairs):
            reach = self._above[node] | self._bit[node]
            for target in onward[node]:
                self._above[target] |= reach

    def is_upstream(self, node: str, of: str) -> bool:
        """True if records can come from `node` to `of`."""
        return bool(self._above.get(of, 0) & self._bit.get(node, 0))

    def upstream(self, of: str) -> list[str]:
        """All nodes that records can come from, in document order."""
        above = self._above.get(of, 0)
        return [node for node in self._nodes if self._bit[node] & above]


def _way_back(first: str, knot: set[str], onward: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Breadth first from a node to itself, within its knot."""
    came_from: dict[str, str] = {}
    level = [first]
    while level:
        below = []
        for node in level:
            for target in onward[node]:
                if target == first:
                    way = [first, node]
                    while way[-1] != first:
                        way.append(came_from[way[-1]])
                    return tuple(reversed(way))
                if target in knot and target not in came_from:
                    came_from[target] = node
                    below.append(target)
        level = below
    return (first, first)


def _knots(nodes: Sequence[str], onward: Mapping[str, Sequence[str]]) -> list[set[str]]:
    """Strongly connected components (Kosaraju), without recursion."""
    finished: list[str] = []
    seen: set[str] = set()
    for start in nodes:
        if start in seen:
            continue
        seen.add(start)
        path = [(start, iter(onward[start]))]
        while path:
            node, below = path[-1]
            target = next((each for each in below if each not in seen), None)
            if target is None:
                finished.append(node)
                path.pop()
            else:
                seen.add(target)
                path.append((target, iter(onward[target])))
    backward = successors(nodes, ((target, node) for node, targets in onward.items() for target in targets))
    knots: list[set[str]] = []
    placed: set[str] = set()
    for node in reversed(finished):
        if node in placed:
            continue
        knot = {node}
        pending = [node]
        while pending:
            found = {each for each in backward[pending.pop()] if each not in placed and each not in knot}
            knot |= found
            pending.extend(found)
        knots.append(knot)
        placed |= knot
    return knots
