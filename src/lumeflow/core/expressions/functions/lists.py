"""Functions on lists. None of them changes what it is given."""

from typing import Any

from lumeflow.core.expressions.errors import FunctionError
from lumeflow.core.expressions.functions.registry import Anything, Integer, ListOfValues, Text, function
from lumeflow.core.expressions.limits import MAX_ITEMS, check_items
from lumeflow.core.expressions.paths import compile_path, getter
from lumeflow.core.expressions.values import canonical_json, equal, is_number, type_name
from lumeflow.core.expressions.values import exists as is_there

_RANKS = {"boolean": 0, "integer": 1, "number": 1, "string": 2}


@function("list")
def first(items: ListOfValues) -> Any:
    """The first item of a list; null if it is empty.

    Example:
        first([1, 2]) -> 1
        first([]) -> null
    """
    return items[0] if items else None


@function("list")
def last(items: ListOfValues) -> Any:
    """The last item of a list; null if it is empty.

    Example:
        last([1, 2]) -> 2
    """
    return items[-1] if items else None


@function("list")
def count(value: Anything) -> int:
    """The number of items of a list or keys of an object; 0 for null, 1 for any other value.

    Example:
        count(['a', 'b']) -> 2
        count(null) -> 0
    """
    if value is None:
        return 0
    return len(value) if isinstance(value, list | dict) else 1


@function("list")
def unique(items: ListOfValues) -> list[Any]:
    """The items of a list, each once, in the order they first appear.

    Example:
        unique(['b', 'a', 'b']) -> ['b', 'a']
        unique([1, true, 1.0]) -> [1, true]
    """
    seen: dict[Any, Any] = {}
    for item in items:
        seen.setdefault(_identity(item), item)
    return [*seen.values()]


def _identity(item: Any) -> tuple[str, Any]:
    """Return something hashable that is the same for equal items only."""
    if isinstance(item, list | dict):
        return "json", canonical_json(item)
    return ("boolean" if isinstance(item, bool) else "value"), item


@function("list")
def compact(items: ListOfValues) -> list[Any]:
    """The items of a list that exist: without nulls, empty texts and empty lists.

    Example:
        compact(['a', null, '', 0]) -> ['a', 0]
    """
    return [item for item in items if is_there(item)]


@function("list")
def append(items: ListOfValues, *more: Anything) -> list[Any]:
    """The list with the other values behind it; a list among them gives its items.

    Example:
        append([1], 2, [3, 4]) -> [1, 2, 3, 4]
    """
    check_items(len(items) + sum(len(value) if isinstance(value, list) else 1 for value in more))
    result = [*items]
    for value in more:
        result += value if isinstance(value, list) else [value]
    return result


@function("list")
def flatten(items: ListOfValues) -> list[Any]:
    """The list with the items of the lists in it in their place, one level deep.

    Example:
        flatten([1, [2, 3], [[4]]]) -> [1, 2, 3, [4]]
    """
    check_items(sum(len(item) if isinstance(item, list) else 1 for item in items))
    return [inner for item in items for inner in (item if isinstance(item, list) else (item,))]


@function("list")
def reverse(items: ListOfValues) -> list[Any]:
    """The list from its end to its beginning.

    Example:
        reverse([1, 2, 3]) -> [3, 2, 1]
    """
    return items[::-1]


@function("list")
def slice_(items: ListOfValues, start: Integer, end: Integer = MAX_ITEMS) -> list[Any]:
    """The items from index `start` up to, not including, `end`; negative indexes count from the end.

    Example:
        slice([1, 2, 3], 1) -> [2, 3]
        slice([1, 2, 3], 0, -1) -> [1, 2]
    """
    return items[start:end]


@function("list")
def pluck(items: ListOfValues, field: Text) -> list[Any]:
    """What lies at the path `field` in each item of a list; null where there is nothing.

    Example:
        pluck([{'id': 1}, {'id': 2}, {}], 'id') -> [1, 2, null]
    """
    get = getter(_path(field))
    return [get(item) for item in items]


@function("list")
def where(items: ListOfValues, field: Text, value: Anything) -> list[Any]:
    """The items of a list in which the path `field` leads to `value`.

    Example:
        where([{'type': 'work', 'n': 1}, {'type': 'home', 'n': 2}], 'type', 'home') -> [{'type': 'home', 'n': 2}]
    """
    get = getter(_path(field))
    return [item for item in items if equal(get(item), value)]


@function("list")
def sort(items: ListOfValues, field: Text = "") -> list[Any]:
    """The list in rising order: false, true, numbers, texts by code points, nulls; `field` is a path to sort items by.

    Example:
        sort([3, null, 1, 2]) -> [1, 2, 3, null]
        sort([{'n': 2}, {'n': 1}], 'n') -> [{'n': 1}, {'n': 2}]
    """
    get = getter(_path(field)) if field else None
    return sorted(items, key=lambda item: _sort_key(get(item) if get else item))


def _path(field: str) -> tuple[str | int, ...]:
    try:
        return compile_path(field).parts
    except ValueError:
        raise FunctionError("field isn't a path such as 'name' or 'company.name'") from None


def _sort_key(value: Any) -> tuple[int, Any]:
    if value is None:
        return 3, 0
    rank = _RANKS.get(type_name(value))
    if rank is None or (rank == 1 and not is_number(value)):
        raise FunctionError(f"can't sort by a value of type {type_name(value)}; name a field to sort by")
    return rank, value
