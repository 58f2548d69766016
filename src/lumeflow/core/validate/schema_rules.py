"""Schemas of nodes: which property holds the records, and what can be checked of it record by record."""

from collections.abc import Iterator, Sequence

from lumeflow.core.block import Shape
from lumeflow.core.document import Code
from lumeflow.core.findings import Finding, did_you_mean
from lumeflow.core.validate.subject import INPUT, OUTPUT, NodeFacts, Subject

_RECORD_SHAPES = frozenset({Shape.RECORD, Shape.BATCH})
_WHOLE_KEYWORDS = ("uniqueItems", "contains", "minContains", "maxContains", "prefixItems", "unevaluatedItems")


def collections(subject: Subject) -> Iterator[Finding]:
    """Each payload needs one collection, and its schema must be able to hold it."""
    for facts in subject.nodes.values():
        for side in (INPUT, OUTPUT):
            yield from _side(subject, facts, side)


def _side(subject: Subject, facts: NodeFacts, side: str) -> Iterator[Finding]:
    schema = subject.schema(facts, side)
    if schema is None or facts.block_class is None:
        return
    names = subject.record_properties(facts, side)
    chosen = facts.config.collection if facts.config is not None else None
    if chosen is not None:
        yield from _chosen(subject, facts, side, chosen, names)
    elif len(names) > 1 and facts.config is not None and _matters(facts, side):
        message = (
            f"which property holds the records: {' or '.join(names)}? Both are arrays of objects; "
            f'set \'collection\' in the node\'s config, for instance "collection": "{names[0]}".'
        )
        yield facts.finding(
            Code.AMBIGUOUS_COLLECTION, message.replace("Both", "All") if len(names) > 2 else message, side
        )
    name = subject.collection(facts, side)
    if name is not None:
        yield from _unchecked(subject, facts, side, name)


def _matters(facts: NodeFacts, side: str) -> bool:
    """Blocks that work on a payload as a whole need to know only where their records go."""
    shape = facts.block_class.shape() if facts.block_class else Shape.WHOLE
    return shape in _RECORD_SHAPES or (side == OUTPUT and shape is Shape.PRODUCER)


def _chosen(subject: Subject, facts: NodeFacts, side: str, chosen: str, names: Sequence[str]) -> Iterator[Finding]:
    """The configured collection against a schema that describes it, or forbids it."""
    if chosen in names:
        return
    schema = subject.schema(facts, side)
    view = subject.library.view((schema,)) if schema is not None else None
    said = view.property(chosen) if view is not None else ()
    held = subject.library.view(said) if said else None
    if said is not None and (held is None or held.types is None or "array" in held.types):
        return
    message = f"'collection' is '{chosen}', but in the {side} that is no array of objects." + did_you_mean(
        chosen, names
    )
    yield facts.finding(Code.INVALID_COLLECTION, message, "config", "collection")


def _unchecked(subject: Subject, facts: NodeFacts, side: str, name: str) -> Iterator[Finding]:
    schema = subject.schema(facts, side)
    said = subject.library.view((schema,)).property(name) if schema is not None else None
    for keyword in subject.library.view(said).has(*_WHOLE_KEYWORDS) if said else ():
        message = (
            f"'{keyword}' of '{name}' is not checked: records are checked one by one as they pass. "
            "Leave it out, or check it in a block of its own."
        )
        yield facts.finding(Code.UNCHECKED_KEYWORD, message, side)
