"""Paths into payloads: what the schemas on the way to a node say of them."""

from collections.abc import Iterable, Iterator, Sequence

from lumeflow.core.document import Code
from lumeflow.core.expressions.paths import format_path
from lumeflow.core.findings import Finding
from lumeflow.core.pointer import Parts
from lumeflow.core.schemas import record_schemas
from lumeflow.core.schemas.keywords import Schema
from lumeflow.core.schemas.paths import DeadEnd, dead_end
from lumeflow.core.schemas.views import Conjunction
from lumeflow.core.validate.connections import promises
from lumeflow.core.validate.spelling import slip
from lumeflow.core.validate.subject import INPUT, OUTPUT, NodeFacts, Subject

_Path = Sequence[str | int]


class Payloads:
    """Answers whether a path can lead to something."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._known_records: dict[tuple[int, str], Conjunction] = {}

    def input_path(self, facts: NodeFacts, at: Parts, path: _Path, text: str, *, record: bool) -> Iterator[Finding]:
        """Check a path into what a node gets: the record where it works record by record, else the payload.

        Args:
            facts: The node.
            at: Place of the expression in its configuration.
            path: The path, without its root.
            text: The path as written, for messages.
            record: True for a path into a record.
        """
        if not path or self._subject.ancestry is None:
            return
        own = self._own(facts, record=record)
        sent = [self._narrowed(facts, origin, schema, record) for origin, schema in self._promised(facts)]
        ends = [dead_end(self._subject.library, said, path) for said in own]
        if any(end is not None and not end.possible for end in ends):
            yield self._impossible(facts, at, path, text, next(end for end in ends if end and not end.possible))
            return
        sent_ends = [dead_end(self._subject.library, said, path) for said in sent]
        if sent_ends and self._all_known(facts) and all(end is not None and not end.possible for end in sent_ends):
            yield self._impossible(facts, at, path, text, next(end for end in sent_ends if end))
            return
        every = [*ends, *sent_ends]
        if every and all(end is not None for end in every):
            found = list(self._slips(facts, at, path, text, [end for end in every if end]))
            if found and not self._named_before(facts, path, record=record):
                yield from found

    def path_in(
        self,
        facts: NodeFacts,
        at: Parts,
        places: Iterable[tuple[NodeFacts, str]],
        path: _Path,
        text: str,
    ) -> Iterator[Finding]:
        """Check a path into payloads of other nodes, of which it must lead into one.

        Args:
            facts: The node that holds the expression.
            at: Its place in the configuration.
            places: Nodes and the side whose schema describes the payload.
            path: The path into the payload.
            text: The whole path as written.
        """
        schemas = [self._subject.schema(node, side) for node, side in places]
        known = [schema for schema in schemas if schema is not None]
        if not known or len(known) < len(schemas):
            return
        ends = [dead_end(self._subject.library, (schema,), path) for schema in known]
        found = [end for end in ends if end is not None]
        if len(found) < len(ends):
            return
        if all(not end.possible for end in found):
            yield self._impossible(facts, at, path, text, found[0])
        else:
            yield from self._slips(facts, at, path, text, found)

    def _own(self, facts: NodeFacts, *, record: bool) -> list[Conjunction]:
        schema = self._subject.schema(facts, INPUT)
        return [] if schema is None else [self._narrowed(facts, facts, schema, record)]

    def _promised(self, facts: NodeFacts) -> list[tuple[NodeFacts, Schema]]:
        return [promise for link in self._subject.incoming[facts.id] for promise in promises(self._subject, link)]

    def _all_known(self, facts: NodeFacts) -> bool:
        """True if every link to the node comes with a promise, and the payload is not put together from several."""
        incoming = self._subject.incoming[facts.id]
        return len(incoming) == 1 and all(promises(self._subject, link) for link in incoming)

    def _narrowed(self, facts: NodeFacts, origin: NodeFacts, schema: Schema, record: bool) -> Conjunction:
        """A payload's schema, or what it says of each record."""
        if not record:
            return (schema,)
        side = INPUT if origin is facts else OUTPUT
        name = self._subject.collection(facts, INPUT) or self._subject.collection(origin, side)
        return (schema,) if name is None else self._records(schema, name)

    def _records(self, schema: Schema, name: str) -> Conjunction:
        key = (id(schema), name)
        if key not in self._known_records:
            self._known_records[key] = record_schemas(self._subject.library, schema, name)
        return self._known_records[key]

    def _named_before(self, facts: NodeFacts, path: _Path, *, record: bool) -> bool:
        """True if a node upstream names the property: what blocks do not touch passes through them."""
        if self._subject.ancestry is None:
            return False
        for name in self._subject.ancestry.upstream(facts.id):
            before = self._subject.nodes[name]
            schema = self._subject.schema(before, OUTPUT)
            collection = self._subject.collection(before, OUTPUT)
            if schema is None or (record and collection is None):
                continue
            said = self._records(schema, collection) if record and collection else (schema,)
            if dead_end(self._subject.library, said, path) is None:
                return True
        return False

    def _impossible(self, facts: NodeFacts, at: Parts, path: _Path, text: str, end: DeadEnd) -> Finding:
        part = path[end.index]
        guess = slip(str(part), end.known)
        known = f" It has: {', '.join(end.known[:10])}." if end.known and not guess else ""
        place = format_path(path[: end.index]) or "the value"
        message = (
            f"'{text}' leads nowhere: by the schema, {place} is {end.reason}, so there is no "
            f"{'item ' if isinstance(part, int) else ''}'{part}'." + (f" Did you mean '{guess}'?" if guess else known)
        )
        return facts.config_finding(Code.IMPOSSIBLE_PATH, message, at)

    def _slips(self, facts: NodeFacts, at: Parts, path: _Path, text: str, ends: Sequence[DeadEnd]) -> Iterator[Finding]:
        for end in ends:
            guess = slip(str(path[end.index]), end.known) if end.possible else None
            if guess is not None:
                message = f"'{text}': the schema names no '{path[end.index]}'. Did you mean '{guess}'?"
                yield facts.config_finding(Code.POSSIBLE_TYPO, message, at)
                return
