"""A schema seen from above: what several schemas together ask of one value, references and `allOf` merged.

This is for questions about schemas (is this path possible, does this promise satisfy that requirement, where are the
records), never for validating values. What it does not understand (`not`, `if`, …) it takes as allowing everything.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jsonschema_rs

from lumeflow.core.schemas.keywords import TYPES, Schema

Conjunction = tuple[Schema, ...]
"""Schemas that all apply to one value."""

_ATOMS = {name: frozenset({name}) for name in TYPES} | {"number": frozenset({"integer", "fraction"})}
ALL_TYPES = frozenset().union(*_ATOMS.values())
_CHOICES = ("anyOf", "oneOf")


@dataclass(frozen=True)
class View:
    """What a value must be like.

    Attributes:
        layers: The object schemas that apply, each without `$ref`, `allOf` and choices.
        choices: For each `anyOf` or `oneOf`, its alternatives.
        never: True if no value is allowed.
    """

    layers: tuple[dict[str, Any], ...]
    choices: tuple[tuple[Schema, ...], ...]
    never: bool

    @cached_property
    def types(self) -> frozenset[str] | None:
        """Types that are allowed, `number` as `integer` and `fraction`; None if nothing is said."""
        allowed: frozenset[str] | None = None
        for layer in self.layers:
            declared = _declared_types(layer)
            if declared is not None:
                allowed = declared if allowed is None else allowed & declared
        return allowed

    @cached_property
    def properties(self) -> Mapping[str, Conjunction]:
        """What is said of each property by name, in the order of declaration."""
        found: dict[str, Conjunction] = {}
        for layer in self.layers:
            for name, schema in _mapping(layer, "properties").items():
                found[name] = (*found.get(name, ()), schema)
        return found

    @cached_property
    def required(self) -> frozenset[str]:
        """Properties that must be there."""
        lists = (layer.get("required") for layer in self.layers)
        return frozenset(name for names in lists if isinstance(names, list) for name in names if isinstance(name, str))

    @cached_property
    def enum(self) -> tuple[Any, ...] | None:
        """The values that are allowed, if they are listed."""
        listed: tuple[Any, ...] | None = None
        for layer in self.layers:
            values = (layer["const"],) if "const" in layer else layer.get("enum")
            if isinstance(values, (list, tuple)):
                listed = tuple(values) if listed is None else tuple(value for value in listed if _in(value, values))
        return listed

    @cached_property
    def formats(self) -> frozenset[str]:
        """Formats that a string must have."""
        return frozenset(layer["format"] for layer in self.layers if isinstance(layer.get("format"), str))

    @cached_property
    def items(self) -> Conjunction:
        """What is said of each item of an array."""
        return tuple(layer["items"] for layer in self.layers if isinstance(layer.get("items"), (dict, bool)))

    def property(self, name: str) -> Conjunction | None:
        """What is said of one property, patterns and `additionalProperties` included; None if it cannot be there."""
        said: list[Schema] = []
        for layer in self.layers:
            own = _of_layer(layer, name)
            if False in own:
                return None
            said.extend(own)
        unevaluated = any(layer.get("unevaluatedProperties") is False for layer in self.layers)
        if unevaluated and not said and not self.choices:
            return None
        return tuple(said)

    def limit(self, keyword: str) -> int | None:
        """The strictest value of `minItems` or `maxItems`."""
        values = [layer[keyword] for layer in self.layers if isinstance(layer.get(keyword), int)]
        return None if not values else max(values) if keyword.startswith("min") else min(values)

    def has(self, *keywords: str) -> list[str]:
        """Which of these keywords are used."""
        return [keyword for keyword in keywords if any(keyword in layer for layer in self.layers)]


def merge(schemas: Conjunction, target: Callable[[str], Schema]) -> View:
    """Make the view of a conjunction; `target` follows references."""
    layers: list[dict[str, Any]] = []
    choices: list[tuple[Schema, ...]] = []
    never = False
    seen: set[int] = set()
    pending = list(reversed(schemas))
    while pending:
        schema = pending.pop()
        if isinstance(schema, bool):
            never = never or not schema
            continue
        if not isinstance(schema, dict) or id(schema) in seen:
            continue
        seen.add(id(schema))
        layer = dict(schema)
        inner: list[Schema] = []
        if isinstance(layer.get("$ref"), str):
            inner.append(target(layer.pop("$ref")))
        inner.extend(_list(layer.pop("allOf", None)))
        for key in _CHOICES:
            alternatives = _list(layer.pop(key, None))
            if len(alternatives) == 1:
                inner.extend(alternatives)
            elif alternatives:
                choices.append(tuple(alternatives))
        layers.append(layer)
        pending.extend(reversed(inner))
    return View(tuple(layers), tuple(choices), never)


def type_of(value: Any) -> str:
    """The type of a JSON value, in the terms of `View.types`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "integer" if value == int(value) else "fraction"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def name_types(types: frozenset[str]) -> str:
    """Types for a message: `string or null`."""
    names = [name for name in TYPES if name not in {"integer", "number"} and name in types]
    if "fraction" in types:
        names.append("number")
    elif "integer" in types:
        names.append("integer")
    return " or ".join(sorted(names)) or "nothing"


def _declared_types(layer: dict[str, Any]) -> frozenset[str] | None:
    declared: frozenset[str] | None = None
    names = layer.get("type")
    if isinstance(names, (str, list)):
        listed = [names] if isinstance(names, str) else names
        declared = frozenset().union(*(_ATOMS.get(name, frozenset()) for name in listed if isinstance(name, str)))
    values = [layer["const"]] if "const" in layer else layer.get("enum")
    if isinstance(values, list):
        of_values = frozenset(map(type_of, values))
        declared = of_values if declared is None else declared & of_values
    return declared


def _of_layer(layer: dict[str, Any], name: str) -> list[Schema]:
    properties = _mapping(layer, "properties")
    said: list[Schema] = [properties[name]] if name in properties else []
    for pattern, schema in _mapping(layer, "patternProperties").items():
        if _matches(pattern, name):
            said.append(schema)
    if not said and "additionalProperties" in layer:
        said.append(layer["additionalProperties"])
    return said


def _matches(pattern: str, name: str) -> bool:
    try:
        return jsonschema_rs.is_valid({"pattern": pattern}, name, pattern_options=jsonschema_rs.RegexOptions())
    except jsonschema_rs.ValidationError:
        return True


def _mapping(layer: dict[str, Any], key: str) -> dict[str, Any]:
    value = layer.get(key)
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _in(value: Any, values: Any) -> bool:
    return any(value == other and type_of(value) == type_of(other) for other in values)
