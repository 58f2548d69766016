"""A JSON Schema in words that a person who writes a workflow understands."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

Schema = Mapping[str, Any]

KIND = "x-kind"
"""Keyword by which field types of lumeflow say what they are."""

KINDS = {"template": "any value, may hold `{{…}}`", "path": "path", "condition": "condition or list of conditions"}

_NAMES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "object": "object",
    "array": "list",
    "null": "null",
}


def code(value: Any) -> str:
    """A JSON value between backticks."""
    return f"`{orjson.dumps(value).decode()}`"


def one_of(words: Iterable[str]) -> str:
    """`a`, `a or b`, `a, b or c`; each once."""
    *others, last = dict.fromkeys(words)
    return f"{', '.join(others)} or {last}" if others else last


class Wording:
    """Words for the schemas of one document.

    Args:
        definitions: Its `$defs`.
        links: Markdown links by the name of a definition; those of definitions without one are put into words.
    """

    def __init__(self, definitions: Mapping[str, Schema], links: Mapping[str, str]) -> None:
        self._definitions = definitions
        self._links = links

    def type_of(self, schema: Schema) -> str:
        """What a value may be: `text`, `whole number, 1 to 100`, `list of paths`, `"skip"` or `"error"`."""
        if KIND in schema:
            return KINDS[schema[KIND]]
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return self._links.get(name) or self.type_of(self._definitions[name])
        choices = _choices(schema)
        if choices:
            return one_of(self.type_of(choice) for choice in choices)
        if "const" in schema:
            return code(schema["const"])
        if "enum" in schema:
            return one_of(code(value) for value in schema["enum"])
        return self._plain(schema)

    def _plain(self, schema: Schema) -> str:
        kind = schema.get("type")
        if not isinstance(kind, str):
            return "any value"
        words = _NAMES[kind]
        if kind == "array" and schema.get("items"):
            words = f"list of {_several(self.type_of(schema['items']))}"
        if kind == "array" and "prefixItems" in schema:
            words = f"list: {', '.join(self.type_of(item) for item in schema['prefixItems'])}"
        values = schema.get("additionalProperties")
        if kind == "object" and isinstance(values, Mapping):
            words = _object_of(values, self.type_of(values))
        bounds = bounds_of(schema)
        return bounded(words, bounds)


def bounded(words: str, bounds: str) -> str:
    """`list of paths (not empty)`."""
    return f"{words} ({bounds})" if bounds else words


def keys_of(schema: Schema) -> Sequence[str]:
    """The keys that an object may have, where its schema lists them."""
    found = schema.get("propertyNames", {}).get("enum")
    if found is None:
        for choice in schema.get("anyOf", ()):
            found = found or choice.get("propertyNames", {}).get("enum")
    return found or ()


def takes_null(schema: Schema) -> bool:
    """True if null is allowed."""
    return any(choice.get("type") == "null" for choice in schema.get("anyOf", ()))


def bounds_of(schema: Schema) -> str:
    """Limits in words: `1 to 100`, `at least 1`, `more than 0`, `one character`; nothing if there are none."""
    parts = [
        _range(schema.get("minimum"), schema.get("maximum"), ""),
        _range(schema.get("minLength"), schema.get("maxLength"), " character"),
        _range(schema.get("minItems"), schema.get("maxItems"), " item"),
        _range(schema.get("minProperties"), schema.get("maxProperties"), " key"),
    ]
    if "exclusiveMinimum" in schema:
        parts.append(f"more than {schema['exclusiveMinimum']:g}")
    if "exclusiveMaximum" in schema:
        parts.append(f"less than {schema['exclusiveMaximum']:g}")
    return ", ".join(part for part in parts if part)


def _range(least: float | None, most: float | None, unit: str) -> str:
    if unit and least == 1 and most is None:
        return "not empty"
    if least is not None and least == most:
        return f"exactly {_counted(least, unit)}"
    if least is not None and most is not None:
        return f"{least:g} to {_counted(most, unit)}"
    if least is not None:
        return f"at least {_counted(least, unit)}"
    return "" if most is None else f"at most {_counted(most, unit)}"


def _counted(number: float, unit: str) -> str:
    shown = f"{number:,}" if isinstance(number, int) else f"{number:g}"
    return f"{shown}{unit}{'s' if unit and number != 1 else ''}"


def _choices(schema: Schema) -> list[Schema]:
    """Alternatives, those of alternatives too; null is told elsewhere."""
    found: list[Schema] = []
    for keyword in ("anyOf", "oneOf", "allOf"):
        for choice in schema.get(keyword, ()):
            found += (KIND not in choice and _choices(choice)) or [choice]
    return [choice for choice in found if choice.get("type") != "null"]


_PLURALS = {
    "text": "texts",
    "number": "numbers",
    "whole number": "whole numbers",
    "path": "paths",
    "object": "objects",
    KINDS["template"]: "any values, may hold `{{…}}`",
}


def _several(words: str) -> str:
    """`paths` for `path`, where that is one word that has a plural."""
    if words in _PLURALS:
        return _PLURALS[words]
    first, bracket, rest = words.partition(" (")
    return _PLURALS.get(first, first) + bracket + rest


def _object_of(values: Schema, words: str) -> str:
    if values.get(KIND) == "template":
        return "object, values may hold `{{…}}`"
    return f"object of {_several(words)}" if words in _PLURALS else f"object; each value: {words}"


def slug(heading: str) -> str:
    """What a link names behind `#`, as it is made from headings."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
