"""Which JSON Schemas a vendor can hold a model to, token by token."""

from collections.abc import Iterator, Mapping
from typing import Any

_ONE = ("items", "not", "additionalProperties")
_LISTS = ("anyOf", "allOf", "oneOf", "prefixItems")
_MAPS = ("properties", "$defs", "definitions")


def is_strict(schema: Mapping[str, Any]) -> bool:
    """True if every object in the schema is closed and requires all of its properties, as strict mode demands."""
    return all(_closed(part) for part in _parts(schema))


def _closed(schema: Mapping[str, Any]) -> bool:
    types = schema.get("type")
    if types != "object" and not (isinstance(types, list) and "object" in types) and "properties" not in schema:
        return True
    required = schema.get("required")
    named = set(required) if isinstance(required, list) else set()
    return schema.get("additionalProperties") is False and set(schema.get("properties", {})) <= named


def _parts(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    pending: list[Any] = [schema]
    while pending:
        part = pending.pop()
        if not isinstance(part, Mapping):
            continue
        yield part
        pending += [part.get(name) for name in _ONE]
        pending += [entry for name in _LISTS for entry in part.get(name) or ()]
        pending += [entry for name in _MAPS for entry in (part.get(name) or {}).values()]
