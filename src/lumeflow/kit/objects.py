"""Changing JSON objects without touching the original."""

from collections.abc import Mapping, Sequence
from typing import Any

from lumeflow.plugin import JsonObject


def deep_merge(below: JsonObject, above: JsonObject) -> dict[str, Any]:
    """`below` with `above` laid over it: objects are merged key by key, anything else is replaced, lists too.

    Neither is changed; the result shares with them what was not merged. Works on any depth of nesting.
    """
    result = dict(below)
    pending: list[tuple[dict[str, Any], JsonObject]] = [(result, above)]
    while pending:
        target, source = pending.pop()
        for key, value in source.items():
            old = target.get(key)
            if isinstance(old, Mapping) and isinstance(value, Mapping):
                target[key] = merged = dict(old)
                pending.append((merged, value))
            else:
                target[key] = value
    return result


def without(value: Any, parts: Sequence[str | int]) -> Any:
    """A copy of `value` that lacks the object key at the end of `parts`; `value` itself if there is nothing there.

    A path that ends at a list index leaves the list as it is: to take an element out would move all that follow.
    """
    if not parts:
        return value
    part, rest = parts[0], parts[1:]
    if isinstance(part, str):
        if not isinstance(value, Mapping) or part not in value:
            return value
        if not rest:
            return {key: entry for key, entry in value.items() if key != part}
        return {**value, part: without(value[part], rest)}
    if not rest or not isinstance(value, list) or not -len(value) <= part < len(value):
        return value
    items = list(value)
    items[part] = without(items[part], rest)
    return items
