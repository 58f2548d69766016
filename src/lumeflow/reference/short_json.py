"""JSON as a person would write it: what fits on a line stands on one."""

from collections.abc import Mapping
from typing import Any

import orjson

WIDTH = 100


def short_json(value: Any, indent: int = 0, lead: int = 0) -> str:
    """Lay out a JSON value.

    Args:
        value: The value.
        indent: Spaces that its further lines begin with.
        lead: Characters that stand before it on its first line.
    """
    line = _line(value)
    if indent + lead + len(line) <= WIDTH or not value or not isinstance(value, Mapping | list | tuple):
        return line
    inner = indent + 2
    if isinstance(value, Mapping):
        heads = [f"{_line(key)}: " for key in value]
        items = [head + short_json(item, inner, len(head)) for head, item in zip(heads, value.values(), strict=True)]
        opening, closing = "{}"
    else:
        items = [short_json(item, inner) for item in value]
        opening, closing = "[]"
    lines = ",\n".join(" " * inner + item for item in items)
    return f"{opening}\n{lines}\n{' ' * indent}{closing}"


def _line(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_line(key)}: {_line(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_line, value)) + "]"
    return orjson.dumps(value).decode()
