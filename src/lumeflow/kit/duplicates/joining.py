"""Making one record of several that mean the same."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from lumeflow.kit.duplicates.keys import key_text
from lumeflow.kit.text import is_blank
from lumeflow.plugin import JsonObject

Lists = Literal["whole", "union"]
Prefer = Literal["first", "last", "mostComplete"]


def completeness(record: JsonObject) -> int:
    """How many values a record has, at any depth; a list counts as one."""
    count = 0
    pending: list[Any] = [record]
    while pending:
        for value in pending.pop().values():
            if isinstance(value, Mapping):
                pending.append(value)
            else:
                count += not is_blank(value)
    return count


def join(records: Iterable[JsonObject], lists: Lists) -> dict[str, Any]:
    """One record with the fields of all; of a field that several have, the value of the first of them.

    Blank values give way to others. Objects are joined field by field. A list is taken whole, or with `union` gets the
    other records' items that it lacks; lists of numbers are vectors, which are always taken whole.
    """
    joined: dict[str, Any] = {}
    for record in records:
        pending: list[tuple[dict[str, Any], JsonObject]] = [(joined, record)]
        while pending:
            target, source = pending.pop()
            for key, value in source.items():
                _join_value(target, key, value, lists, pending.append)
    return joined


def _join_value(
    target: dict[str, Any],
    key: str,
    value: Any,
    lists: Lists,
    go_into: Callable[[tuple[dict[str, Any], JsonObject]], None],
) -> None:
    old = target.get(key)
    if is_blank(old):
        if key not in target or not is_blank(value):
            target[key] = value
    elif isinstance(old, Mapping) and isinstance(value, Mapping):
        target[key] = copy = dict(old)
        go_into((copy, value))
    elif lists == "union" and isinstance(old, list) and isinstance(value, list) and not _is_vector(old):
        target[key] = _union(old, value)


def _is_vector(values: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float) for value in values)


def _union(old: Sequence[Any], new: Sequence[Any]) -> list[Any]:
    known = {key_text(item, match_case=True) for item in old}
    joined = list(old)
    for item in new:
        text = key_text(item, match_case=True)
        if text not in known:
            known.add(text)
            joined.append(item)
    return joined
