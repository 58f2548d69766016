"""The graph: ids, edges, ports, reachability, cycles."""

from collections import Counter
from collections.abc import Iterator, Sequence

from lumeflow.core.block import BlockType
from lumeflow.core.document import Code, Edge, Port
from lumeflow.core.document.codes import make_finding
from lumeflow.core.findings import Finding, did_you_mean
from lumeflow.core.graph import Link, find_cycles, reachable
from lumeflow.core.pointer import Parts, pointer
from lumeflow.core.validate.subject import NodeFacts, Subject


def duplicate_ids(subject: Subject) -> Iterator[Finding]:
    """Two nodes, or two edges, with one id."""
    draft = subject.draft
    first: dict[str, int] = {}
    for node, index in zip(draft.workflow.nodes, draft.node_index, strict=True):
        if first.setdefault(node.id, index) != index:
            message = f"the id '{node.id}' is taken by /nodes/{first[node.id]}: give this node another."
            yield make_finding(Code.DUPLICATE_ID, message, pointer(("nodes", index, "id")), node=node.id)
    first = {}
    for edge, index in zip(draft.workflow.edges, draft.edge_index, strict=True):
        if edge.id is not None and first.setdefault(edge.id, index) != index:
            message = f"the id '{edge.id}' is taken by /edges/{first[edge.id]}: give this edge another."
            yield make_finding(Code.DUPLICATE_ID, message, pointer(("edges", index, "id")), edge=edge.id)


def edge_rules(subject: Subject) -> Iterator[Finding]:
    """Each edge for itself: its nodes, its ports, and whether it may be there at all."""
    seen: dict[tuple[str, str, str, str], int] = {}
    named_ports: dict[tuple[str, str], int] = {}
    for edge, index in zip(subject.draft.workflow.edges, subject.draft.edge_index, strict=True):
        ends = [_end(subject, edge, index, side) for side in ("source", "target")]
        yield from (end for end in ends if isinstance(end, Finding))
        source, target = ends
        if isinstance(source, NodeFacts):
            yield from _source_port(edge, index, source)
        if isinstance(target, NodeFacts):
            yield from _target_port(edge, index, target, named_ports)
        if isinstance(source, NodeFacts) and isinstance(target, NodeFacts):
            key = (edge.source, edge.source_port, edge.target, edge.target_port)
            if seen.setdefault(key, index) != index:
                message = f"it repeats /edges/{seen[key]}: the records would arrive once all the same; remove it."
                yield _at(edge, index, Code.DUPLICATE_EDGE, message)


def node_rules(subject: Subject) -> Iterator[Finding]:
    """What nodes say of other nodes: routes, sources, fallbacks."""
    for facts in subject.nodes.values():
        yield from _fallback(subject, facts)
        if facts.block is not None:
            yield from _routes(subject, facts)
            yield from _sources(subject, facts)


def cycles(subject: Subject) -> Iterator[Finding]:
    """Every knot of cycles, as a path."""
    for cycle in find_cycles(list(subject.nodes), [link.pair for link in subject.links]):
        closing = next(link for link in subject.links if link.pair == cycle[-2:])
        message = f"the graph has a cycle: {' → '.join(cycle)}. Remove one of these edges."
        yield _of_link(subject, closing, Code.CYCLE, message)


def reachability(subject: Subject) -> Iterator[Finding]:
    """Inputs, outputs, and whether records can come everywhere and go on from everywhere."""
    inputs = list(subject.of_type(BlockType.INPUT))
    if not inputs:
        message = "no node is of type 'input', so that nothing would ever run: add one."
        yield make_finding(Code.NO_INPUT, message, "/nodes")
    if not list(subject.of_type(BlockType.OUTPUT)):
        message = "no node is of type 'output': what the last nodes make is only counted. Add one to keep it."
        yield make_finding(Code.NO_OUTPUT, message, "/nodes")
    reached = reachable([facts.id for facts in inputs], subject.onward)
    for facts in subject.nodes.values() if inputs else ():
        if facts.id not in reached:
            message = f"no path leads from an input node to '{facts.id}': draw an edge to it, or remove it."
            yield facts.finding(Code.UNREACHABLE, message)
        elif facts.type is not BlockType.OUTPUT and not _goes_on(subject.outgoing[facts.id]):
            message = f"nothing follows '{facts.id}', and it is no output: what it makes is only counted."
            yield facts.finding(Code.DEAD_END, message)


def _goes_on(outgoing: Sequence[Link]) -> bool:
    return any(link.port != Port.ERROR for link in outgoing)


def _at(edge: Edge, index: int, code: Code, message: str, *at: str) -> Finding:
    return make_finding(code, message, pointer(("edges", index, *at)), edge=edge.label)


def _of_link(subject: Subject, link: Link, code: Code, message: str) -> Finding:
    if link.edge is None:
        return subject.nodes[link.source].finding(code, message)
    edge = subject.draft.workflow.edges[link.edge]
    return _at(edge, subject.draft.edge_index[link.edge], code, message)


def _end(subject: Subject, edge: Edge, index: int, side: str) -> NodeFacts | Finding | None:
    """The node at one end; None if it is there but cannot be understood."""
    name = edge.source if side == "source" else edge.target
    if name in subject.nodes:
        return subject.nodes[name]
    if name in subject.draft.dropped:
        return None
    message = f"there is no node '{name}'." + did_you_mean(name, (*subject.nodes, *subject.draft.dropped))
    return _at(edge, index, Code.UNKNOWN_NODE, message, side)


def _source_port(edge: Edge, index: int, source: NodeFacts) -> Iterator[Finding]:
    if edge.source_port == Port.ERROR:
        return
    if source.type is BlockType.OUTPUT:
        message = f"'{source.id}' is an output: only its 'error' port can lead on. Remove this edge."
        yield _at(edge, index, Code.OUTPUT_WITH_EDGE, message)
        return
    if source.block is None:
        return
    routes, ports = source.block.routes(), tuple(source.block.out_ports())
    if edge.source_port == Port.OUT and Port.OUT not in ports and edge.target in routes.values():
        return
    if edge.source_port not in ports:
        message = f"'{source.id}' has no port '{edge.source_port}'." + _ports(edge.source_port, (*ports, Port.ERROR))
        yield _at(edge, index, Code.UNKNOWN_PORT, message, *_written(edge, "sourcePort"))
    elif routes.get(edge.source_port, edge.target) != edge.target:
        message = (
            f"this edge leaves '{source.id}' by port '{edge.source_port}', but its configuration sends that port to "
            f"'{routes[edge.source_port]}': make the two agree."
        )
        yield _at(edge, index, Code.UNDECLARED_ROUTE, message)


def _target_port(edge: Edge, index: int, target: NodeFacts, taken: dict[tuple[str, str], int]) -> Iterator[Finding]:
    if target.type is BlockType.INPUT:
        yield _at(
            edge, index, Code.INPUT_WITH_EDGE, f"'{target.id}' is an input: nothing can lead to it. Remove this edge."
        )
    elif edge.target_port == Port.IN:
        return
    elif target.type is not BlockType.MERGE:
        message = f"'{target.id}' has no port '{edge.target_port}': only merge nodes have other ports than 'in'."
        yield _at(edge, index, Code.UNKNOWN_PORT, message, *_written(edge, "targetPort"))
    elif taken.setdefault((target.id, edge.target_port), index) != index:
        message = f"port '{edge.target_port}' of '{target.id}' is taken by /edges/{taken[target.id, edge.target_port]}."
        yield _at(edge, index, Code.PORT_TAKEN, message + " Name another, or leave 'targetPort' out.", "targetPort")


def _written(edge: Edge, key: str) -> tuple[str, ...]:
    field = "source_port" if key == "sourcePort" else "target_port"
    return (key,) if field in edge.model_fields_set else ()


def _ports(wrong: str, known: Sequence[str]) -> str:
    guess = did_you_mean(wrong, known)
    return guess if "Did you mean" in guess else f" It has: {', '.join(known)}."


def _fallback(subject: Subject, facts: NodeFacts) -> Iterator[Finding]:
    wanted = facts.node.fallback.node if facts.node.fallback else None
    if wanted is None or wanted in subject.draft.dropped:
        return
    if wanted == facts.id:
        yield facts.finding(
            Code.UNKNOWN_FALLBACK, "a node cannot be its own fallback: name another.", "fallback", "node"
        )
    elif wanted not in subject.nodes:
        message = f"there is no node '{wanted}' to fall back on." + did_you_mean(wanted, subject.nodes)
        yield facts.finding(Code.UNKNOWN_FALLBACK, message, "fallback", "node")
    elif subject.nodes[wanted].type is BlockType.INPUT:
        message = f"'{wanted}' is an input: nothing can lead to it. Name another node."
        yield facts.finding(Code.UNKNOWN_FALLBACK, message, "fallback", "node")


def _routes(subject: Subject, facts: NodeFacts) -> Iterator[Finding]:
    for port, target in facts.block.routes().items() if facts.block else ():
        at = _place_of(facts.node.config, target)
        if target in subject.nodes:
            if subject.nodes[target].type is BlockType.INPUT:
                message = f"port '{port}' leads to '{target}', which is an input: nothing can lead to it."
                yield facts.config_finding(Code.INPUT_WITH_EDGE, message, at)
        elif target not in subject.draft.dropped:
            message = f"port '{port}' leads to '{target}', but there is no such node."
            yield facts.config_finding(Code.UNKNOWN_NODE, message + did_you_mean(target, subject.nodes), at)


def _sources(subject: Subject, facts: NodeFacts) -> Iterator[Finding]:
    names = facts.block.sources() if facts.block else ()
    direct = {link.source for link in subject.incoming[facts.id]}
    counts = Counter(names)
    for name in counts:
        at = _place_of(facts.node.config, name)
        if name in subject.draft.dropped:
            continue
        if name not in subject.nodes:
            message = f"there is no node '{name}'." + did_you_mean(name, subject.nodes)
            yield facts.config_finding(Code.UNKNOWN_SOURCE, message, at)
        elif counts[name] > 1:
            yield facts.config_finding(Code.UNKNOWN_SOURCE, f"'{name}' is named more than once: name it once.", at)
        elif subject.ancestry is not None and not subject.ancestry.is_upstream(name, facts.id):
            message = f"no path leads from '{name}' to '{facts.id}', so it can be no source: draw an edge."
            yield facts.config_finding(Code.UNKNOWN_SOURCE, message, at)
        elif name not in direct:
            message = f"'{name}' is upstream, but no edge leads from it to '{facts.id}': name the node that sends here."
            yield facts.config_finding(Code.INDIRECT_SOURCE, message, at)


def _place_of(value: object, text: str, at: Parts = ()) -> Parts:
    """Where a text stands in a configuration; the configuration itself if it is nowhere."""
    children: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    for key, child in children:
        if child == text:
            return (*at, key)
        found = _place_of(child, text, (*at, key))
        if found:
            return found
    return ()
