"""Connections: what a node's source promises must satisfy what the node requires."""

from collections.abc import Iterator, Mapping

from lumeflow.core.block import BlockType, Shape
from lumeflow.core.document import Code, Port
from lumeflow.core.document.codes import make_finding
from lumeflow.core.findings import Finding
from lumeflow.core.graph import CyclicGraph, Link, topological_order
from lumeflow.core.pointer import pointer
from lumeflow.core.schemas.compatibility import Comparison, Mismatch
from lumeflow.core.validate.subject import INPUT, OUTPUT, NodeFacts, Promises, Subject

PASSING = frozenset({BlockType.FILTER, BlockType.BRANCH})
"""Types whose blocks hand records on as they are: where they promise nothing themselves, their sources' word holds."""

_MAX_FOR_LINK = 10


def connections(subject: Subject) -> Iterator[Finding]:
    """Compare the schemas at both ends of every link."""
    if subject.ancestry is None:
        return
    comparison = Comparison(subject.library)
    for link in subject.links:
        target = subject.nodes[link.target]
        requirement = subject.schema(target, INPUT)
        if requirement is None or target.type is BlockType.MERGE or link.port == Port.ERROR:
            continue
        for origin, promise in promises(subject, link):
            mismatches = comparison.mismatches(promise, requirement)
            for mismatch in mismatches[:_MAX_FOR_LINK]:
                yield _finding(subject, link, origin, mismatch)
            if not mismatches:
                yield from _collections(subject, link, origin, target)


def promises(subject: Subject, link: Link) -> Promises:
    """What is promised of the payloads that come by a link, each with the node whose word it is. An empty list says
    that nothing is known.
    """
    if subject.promised is None:
        subject.promised = _all_promises(subject)
    return subject.promised.get((link.source, link.port), [])


def _all_promises(subject: Subject) -> dict[tuple[str, str], Promises]:
    """By source and port, worked out from the sources on: a way through a large graph is long, and there are many."""
    found: dict[tuple[str, str], Promises] = {}
    try:
        order = topological_order(list(subject.nodes), [link.pair for link in subject.links])
    except CyclicGraph:
        return found
    for node_id in order:
        ports = {link.port for link in subject.outgoing[node_id]} - {Port.ERROR}
        word = _word(subject, subject.nodes[node_id], found) if ports else []
        found.update({(node_id, port): word for port in ports})
    return found


def _word(subject: Subject, node: NodeFacts, before: Mapping[tuple[str, str], Promises]) -> Promises:
    own = subject.schema(node, OUTPUT)
    if own is not None:
        return [(node, own)]
    if node.type not in PASSING:
        return []
    passed = {
        origin.id: (origin, schema)
        for link in subject.incoming[node.id]
        for origin, schema in before.get((link.source, link.port), ())
    }
    required = subject.schema(node, INPUT)
    return list(passed.values()) or ([(node, required)] if required is not None else [])


def _finding(subject: Subject, link: Link, origin: NodeFacts, mismatch: Mismatch) -> Finding:
    target = subject.nodes[link.target]
    place = f"'{mismatch.path}'" if mismatch.path else "the payload"
    word = "promises" if subject.schema(origin, OUTPUT) is not None else "passes on"
    message = (
        f"{place}: '{origin.id}' {word} {mismatch.promised}, but '{target.id}' requires {mismatch.required}. "
        f"Change the outputSchema of '{origin.id}' or the inputSchema of '{target.id}', or convert in between."
    )
    if mismatch.serious:
        return _at(subject, link, Code.INCOMPATIBLE, message)
    return _at(subject, link, Code.FORMAT_NOT_PROMISED, message)


def _collections(subject: Subject, link: Link, origin: NodeFacts, target: NodeFacts) -> Iterator[Finding]:
    """Records that come under one name and are looked for under another."""
    if target.block_class is None or target.block_class.shape() not in {Shape.RECORD, Shape.BATCH}:
        return
    side = OUTPUT if subject.schema(origin, OUTPUT) is not None else INPUT
    sent, wanted = subject.collection(origin, side), subject.collection(target, INPUT)
    schema = subject.schema(origin, side)
    if sent is None or wanted is None or sent == wanted or schema is None:
        return
    if wanted not in subject.library.view((schema,)).properties:
        message = (
            f"'{origin.id}' sends its records as '{sent}', but '{target.id}' takes them from '{wanted}'. "
            "Give both the same name, or put a transform in between."
        )
        yield _at(subject, link, Code.INCOMPATIBLE, message)


def _at(subject: Subject, link: Link, code: Code, message: str) -> Finding:
    if link.edge is None:
        return subject.nodes[link.source].finding(code, message, "config")
    edge = subject.draft.workflow.edges[link.edge]
    at = pointer(("edges", subject.draft.edge_index[link.edge]))
    return make_finding(code, message, at, edge=edge.label)
