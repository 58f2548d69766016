"""Makes a value obey the JSON Schema that a request asks for, as a model with structured output does."""

from collections.abc import Mapping
from typing import Any

_BLANKS: Mapping[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False, "null": None}
_MOST_DEPTH = 32


def conform(value: Any, schema: Any, root: Any, depth: int = 0) -> Any:
    """Drop what the schema forbids and fill what it demands; the rest stays.

    Args:
        value: What the model would say.
        schema: Schema of this value; anything but an object allows everything.
        root: The whole schema, in which `$ref` is looked up.
        depth: Levels above this one; below 32 levels a value is left as it is.
    """
    schema = _resolved(schema, root)
    if not isinstance(schema, Mapping) or depth > _MOST_DEPTH:
        return value
    if value is None:
        return None if _allows_null(schema, root) else blank(schema, root, depth)
    if isinstance(value, dict):
        return _conform_object(value, _branch(schema, "object", root), root, depth)
    if isinstance(value, list):
        items = _branch(schema, "array", root).get("items")
        return [conform(item, items, root, depth + 1) for item in value]
    return value


def blank(schema: Any, root: Any, depth: int = 0) -> Any:
    """The emptiest value that a schema allows."""
    schema = _resolved(schema, root)
    if not isinstance(schema, Mapping) or depth > _MOST_DEPTH or _allows_null(schema, root):
        return None
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for branch in schema.get("anyOf") or schema.get("oneOf") or ():
        return blank(branch, root, depth + 1)
    return _blank_of_type(schema, root, depth)


def _blank_of_type(schema: Mapping[str, Any], root: Any, depth: int) -> Any:
    types = schema.get("type", "object")
    kind = types if isinstance(types, str) else next(iter(types), "null")
    if kind == "array":
        return [blank(schema.get("items"), root, depth + 1)] * int(schema.get("minItems", 0))
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: blank(properties.get(name), root, depth + 1) for name in schema.get("required", ())}
    return schema.get("minimum", 0) if kind in {"integer", "number"} else _BLANKS.get(kind)


def _conform_object(value: dict[str, Any], schema: Mapping[str, Any], root: Any, depth: int) -> dict[str, Any]:
    properties, required = schema.get("properties", {}), schema.get("required", ())
    closed = schema.get("additionalProperties") is False
    result = {}
    for name, entry in value.items():
        if name not in properties:
            if not closed:
                result[name] = entry
        elif entry is not None or name in required or _allows_null(_resolved(properties[name], root), root):
            result[name] = conform(entry, properties[name], root, depth + 1)
    for name in required:
        if name not in result:
            result[name] = blank(properties.get(name), root, depth + 1)
    return result


def _branch(schema: Mapping[str, Any], kind: str, root: Any) -> Mapping[str, Any]:
    """The part of a union that describes values of `kind`."""
    for option in schema.get("anyOf") or schema.get("oneOf") or ():
        candidate = _resolved(option, root)
        if isinstance(candidate, Mapping) and kind in _types(candidate):
            return candidate
    return schema


def _types(schema: Mapping[str, Any]) -> tuple[str, ...]:
    types = schema.get("type", ())
    return (types,) if isinstance(types, str) else tuple(types)


def _allows_null(schema: Any, root: Any) -> bool:
    if not isinstance(schema, Mapping):
        return True
    if "enum" in schema:
        return None in schema["enum"]
    if "const" in schema:
        return schema["const"] is None
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return any(_allows_null(_resolved(option, root), root) for option in options)
    return "type" not in schema or "null" in _types(schema)


def _resolved(schema: Any, root: Any) -> Any:
    """Follow a `$ref` into the same document; None if it leads nowhere."""
    for _ in range(_MOST_DEPTH):
        if not isinstance(schema, Mapping) or "$ref" not in schema:
            return schema
        target = root
        for part in str(schema["$ref"]).removeprefix("#").strip("/").split("/"):
            target = target.get(part) if isinstance(target, Mapping) else None
        schema = target
    return None
