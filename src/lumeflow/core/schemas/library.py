"""All schemas of one document, with every reference resolved."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

import jsonschema_rs

from lumeflow.core.document.codes import Code, make_finding
from lumeflow.core.findings import Finding, did_you_mean
from lumeflow.core.pointer import Parts, parse_pointer, pointer, step
from lumeflow.core.schemas.inspect import Inspector
from lumeflow.core.schemas.keywords import Schema, in_place
from lumeflow.core.schemas.lift import Lifted, Unit, lift
from lumeflow.core.schemas.views import Conjunction, View, merge

BASE = "lumeflow:/document"
"""Where the bundled root lives; references are absolute, so that a part cut out of it still finds its targets."""

_HOPS = 32
_LONGEST = 200
_LOOP = (
    "this '$ref' leads back to itself, so that no value could ever be checked: "
    "break the loop, or go through a property or an item."
)
_TOO_LONG = f"references lead from one to the next more than {_LONGEST} times: point at the last one."
_SIDE_DEPTH = {"schemas": 2, "nodes": 3}


class Unresolved(Exception):
    """A reference leads nowhere; `str()` says why."""


class SchemaLibrary:
    """The schemas of one document.

    Attributes:
        findings: Whatever is wrong with them. Only a library without errors can make validators.
        origins: Where each named schema was declared, by name.
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        lifted = lift(raw)
        self._root = lifted.root
        self._targets: dict[str, Schema] = {}
        self._views: dict[tuple[int, ...], tuple[Conjunction, View]] = {}
        self._registry: jsonschema_rs.Registry | None = None
        self.origins = lifted.origins
        self.findings: Sequence[Finding] = tuple(self._check(lifted))

    def node_schema(self, index: int, side: str) -> Schema | None:
        """The `inputSchema` or `outputSchema` of the node at `index` of the document; None if it has none.

        Where that is a mere reference, it is the schema that is referred to: nodes that refer to one schema get one
        object, so that what is worked out for it is worked out once.
        """
        schema: Schema | None = self._root["nodes"][index].get(side)
        while isinstance(schema, dict) and schema.keys() == {"$ref"}:
            schema = self.target(schema["$ref"])
        return schema

    def named(self, name: str) -> Schema | None:
        """The document's schema called `name`."""
        schema: Schema | None = self._root["schemas"].get(name)
        return schema

    def view(self, schemas: Conjunction) -> View:
        """What a value must be like that satisfies all of `schemas`, references followed."""
        key = tuple(map(id, schemas))
        if key not in self._views:
            self._views[key] = (schemas, merge(schemas, self.target))
        return self._views[key][1]

    def target(self, reference: str) -> Schema:
        """The schema that a `$ref` of this library means; one that leads nowhere allows everything."""
        return self._targets.get(reference, True)

    def validator(self, schema: Schema) -> jsonschema_rs.Draft202012Validator:
        """Compile a schema of this library, or one made of parts of it. Formats are asserted; patterns run in linear
        time.
        """
        if self._registry is None:
            self._registry = jsonschema_rs.Registry([(BASE, self._root)], draft=jsonschema_rs.Draft202012)
        return jsonschema_rs.Draft202012Validator(
            schema,
            validate_formats=True,
            registry=self._registry,
            offline=True,
            pattern_options=jsonschema_rs.RegexOptions(),
        )

    def _check(self, lifted: Lifted) -> Iterator[Finding]:
        yield from lifted.findings
        units = list(lifted.units())
        inspector = Inspector()
        for unit in units:
            yield from self._link(unit)
        for unit in units:
            yield from inspector.inspect(unit)
        yield from self._loops(units)

    def _link(self, unit: Unit) -> Iterator[Finding]:
        """Resolve every `$ref` of a unit and write it in its one, absolute form."""
        for at, schema in unit.parts:
            reference = schema.get("$ref")
            if "$ref" not in schema:
                continue
            if isinstance(reference, str) and reference in self._targets:
                continue
            try:
                place = self._resolve(reference)
            except Unresolved as error:
                yield make_finding(Code.UNRESOLVED_REF, str(error), pointer((*unit.origin, *at, "$ref")))
                del schema["$ref"]
                continue
            schema["$ref"] = f"{BASE}#{quote(pointer(place))}"
            self._targets[schema["$ref"]] = self._at(place)

    def _at(self, place: Parts) -> Any:
        value: Any = self._root
        for part in place:
            value = step(value, part)
        return value

    def _resolve(self, reference: Any) -> Parts:
        """The place in the root that a reference means; places inside lifted schemas are found by their old path too.

        Raises:
            Unresolved: There is no schema.
        """
        if not isinstance(reference, str):
            raise Unresolved("'$ref' is no text: write a place in this document, such as '#/schemas/NAME'.")
        if not reference.startswith("#/"):
            raise Unresolved(
                f"'$ref' is '{reference[:80]}': only places in this document can be meant, such as '#/schemas/NAME'. "
                "Nothing is fetched from elsewhere."
            )
        place: list[str | int] = []
        rest = list(parse_pointer(unquote(reference[1:])))
        hops = 0
        while rest:
            here = self._at(tuple(place))
            try:
                step(here, rest[0])
            except KeyError:
                onward = _onward(here)
                if onward is None or hops == _HOPS:
                    raise Unresolved(_leads_nowhere(reference, place, rest[0], here)) from None
                hops += 1
                place, rest = [], [*onward, *rest]
            else:
                place.append(rest.pop(0))
        self._must_be_schema(reference, tuple(place))
        return tuple(place)

    def _must_be_schema(self, reference: str, place: Parts) -> None:
        if len(place) < _SIDE_DEPTH.get(str(place[0]), 99) or not isinstance(self._at(place), (dict, bool)):
            raise Unresolved(f"'$ref': '{reference[:80]}' points at something that is no schema.")

    def _loops(self, units: Sequence[Unit]) -> Iterator[Finding]:
        """References that come back to themselves without going into a property or an item: no value ends them. Those
        that go on too long are refused as well; what works on schemas is recursive.
        """
        faults: dict[int, tuple[Code, str]] = {}
        done: set[int] = set()
        for unit in units:
            for _, schema in unit.parts:
                self._follow(schema, done, faults)
        for unit in units if faults else ():
            for at, schema in unit.parts:
                if id(schema) in faults:
                    yield make_finding(*faults[id(schema)], pointer((*unit.origin, *at, "$ref")))
                    del schema["$ref"]

    def _follow(self, start: dict[str, Any], done: set[int], faults: dict[int, tuple[Code, str]]) -> None:
        """Depth first without recursion; `done` holds the schemas below which all is known."""
        path: list[tuple[dict[str, Any], Iterator[Any]]] = [(start, self._same_value(start))]
        on_path = {id(start)}
        while path:
            schema, below = path[-1]
            part = next((part for part in below if isinstance(part, dict) and id(part) not in done), None)
            if part is None:
                path.pop()
                on_path.discard(id(schema))
                done.add(id(schema))
            elif id(part) in on_path:
                faults[next(id(each) for each, _ in reversed(path) if "$ref" in each)] = (Code.REF_LOOP, _LOOP)
            elif len(path) >= _LONGEST and "$ref" in schema:
                faults[id(schema)] = (Code.TOO_DEEP, _TOO_LONG)
            else:
                path.append((part, self._same_value(part)))
                on_path.add(id(part))

    def _same_value(self, schema: dict[str, Any]) -> Iterator[Any]:
        if isinstance(schema.get("$ref"), str):
            yield self.target(schema["$ref"])
        yield from in_place(schema)


def _onward(schema: Any) -> tuple[str, ...] | None:
    """Where a schema that is, or has, a reference sends those who look for a place inside it."""
    reference = schema.get("$ref") if isinstance(schema, dict) else None
    if not isinstance(reference, str) or not reference.removeprefix(BASE).startswith("#/"):
        return None
    return parse_pointer(unquote(reference.removeprefix(BASE)[1:]))


def _leads_nowhere(reference: str, place: Sequence[str | int], missing: str, here: Any) -> str:
    where = pointer(place) or "the document"
    known = [str(key) for key in here] if isinstance(here, dict) else []
    return f"'$ref': '{reference[:80]}' leads nowhere: {where} has no '{missing}'." + did_you_mean(missing, known)
