"""Lifting of inline schemas: a schema that says `"$id": "#/schemas/NAME"` becomes the document's schema NAME.

A fragment as `$id` is not legal in JSON Schema 2020-12, but it reads well: declare a schema where it is first used, and
point at it, or into it, from anywhere else. After lifting the document is legal, and every `$ref` is a JSON pointer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from lumeflow.core.document.codes import Code, make_finding
from lumeflow.core.findings import Finding
from lumeflow.core.pointer import Parts, parse_pointer, pointer
from lumeflow.core.schemas.keywords import Schema, walk

PREFIX = "#/schemas/"
SIDES = ("inputSchema", "outputSchema")


@dataclass(frozen=True, slots=True)
class Unit:
    """One schema of the document with all that is inside it, except what was lifted out.

    Attributes:
        at: Its place after lifting, e.g. `("schemas", "contact")`.
        origin: Its place in the document as written: where findings point.
        schema: The schema.
        parts: It and all schemas inside it, with their places in it.
    """

    at: Parts
    origin: Parts
    schema: Schema
    parts: tuple[tuple[Parts, dict[str, Any]], ...]


@dataclass(slots=True)
class Lifted:
    """All schemas of a document.

    Attributes:
        root: `schemas` by name, and `nodes` as in the document, reduced to their two schemas.
        origins: Where each named schema was declared.
        findings: Ids that cannot be lifted, names declared twice.
    """

    root: dict[str, Any] = field(default_factory=lambda: {"schemas": {}, "nodes": []})
    origins: dict[str, Parts] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def units(self) -> Iterator[Unit]:
        """Every schema once, named ones first."""
        for name, schema in self.root["schemas"].items():
            yield Unit(("schemas", name), self.origins[name], schema, tuple(walk(schema)))
        for index, node in enumerate(self.root["nodes"]):
            for side, schema in node.items():
                at = ("nodes", index, side)
                yield Unit(at, at, schema, tuple(walk(schema)))


def lift(raw: Mapping[str, Any]) -> Lifted:
    """Collect the schemas of a document; parts of another shape are passed over."""
    lifted = Lifted()
    named = raw.get("schemas")
    for name, schema in named.items() if isinstance(named, dict) else ():
        if isinstance(schema, (dict, bool)):
            at = ("schemas", name)
            _declare(lifted, name, _own(lifted, schema, name, at), at)
    nodes = raw.get("nodes")
    for index, node in enumerate(nodes if isinstance(nodes, list) else ()):
        sides = {}
        for side in SIDES if isinstance(node, dict) else ():
            if isinstance(node.get(side), (dict, bool)):
                sides[side] = _copy(lifted, node[side], ("nodes", index, side))
        lifted.root["nodes"].append(sides)
    return lifted


def _own(lifted: Lifted, schema: Schema, name: str, at: Parts) -> Schema:
    """An entry of `schemas`: its `$id` may repeat its own name."""
    if isinstance(schema, dict) and schema.get("$id") == PREFIX + pointer((name,))[1:]:
        schema = {key: value for key, value in schema.items() if key != "$id"}
    copy: Schema = _copy(lifted, schema, at)
    return copy


def _copy(lifted: Lifted, value: Any, at: Parts) -> Any:
    """A copy in which every declaration is replaced by a reference to what it declares."""
    if isinstance(value, list):
        return [_copy(lifted, item, (*at, index)) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    identifier = value.get("$id") if _is_schema_place(at) else None
    body = {
        key: item if key in _DATA and _is_schema_place(at) else _copy(lifted, item, (*at, key))
        for key, item in value.items()
        if not (key == "$id" and identifier is not None)
    }
    if identifier is None:
        return body
    name = _name(identifier)
    if name is None:
        lifted.findings.append(_bad_id(identifier, at))
        return body
    _declare(lifted, name, body, at)
    return {"$ref": PREFIX + pointer((name,))[1:]}


_DATA = frozenset({"enum", "const", "default", "examples"})
_NAMED = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"})


def _is_schema_place(at: Parts) -> bool:
    """False for the objects whose keys are names of properties, where `$id` would be one of these."""
    depth = 2 if at[0] == "schemas" else 3
    inside = at[depth:]
    names = False
    for part in inside:
        names = not names and part in _NAMED
    return not names


def _name(identifier: Any) -> str | None:
    if not isinstance(identifier, str) or not identifier.startswith(PREFIX):
        return None
    parts = parse_pointer(identifier[1:])
    return parts[1] if len(parts) == 2 and parts[1] else None


def _bad_id(identifier: Any, at: Parts) -> Finding:
    shown = f"'{identifier[:60]}'" if isinstance(identifier, str) else "not a string"
    return make_finding(
        Code.INVALID_SCHEMA_ID,
        f"'$id' is {shown}: write '{PREFIX}NAME' to declare a schema of the document, or leave it out.",
        pointer((*at, "$id")),
    )


def _declare(lifted: Lifted, name: str, body: Schema, at: Parts) -> None:
    schemas = lifted.root["schemas"]
    if name not in schemas:
        schemas[name] = body
        lifted.origins[name] = at
    elif _text(schemas[name]) != _text(body):
        lifted.findings.append(
            make_finding(
                Code.SCHEMA_CONFLICT,
                f"schema '{name}' is declared here and at {pointer(lifted.origins[name])} with different bodies: "
                "rename one, or make one of them a '$ref' to the other.",
                pointer(at),
            )
        )


def _text(schema: Schema) -> bytes:
    return orjson.dumps(schema, option=orjson.OPT_SORT_KEYS)
