"""Functions that choose; they compute only the arguments they need."""

from collections.abc import Mapping
from typing import Any

from lumeflow.core.expressions.functions.registry import Anything, Condition, Lazy, function
from lumeflow.core.expressions.values import exists as is_there
from lumeflow.core.expressions.values import truthy, type_name


def _null(_: Any) -> None:
    return None


@function("logic")
def if_(scope: Mapping[str, Any], condition: Condition, then: Lazy, otherwise: Lazy = _null) -> Any:
    """The second argument if the first is true, else the third, or null.

    Example:
        if(3 > 2, 'more', 'less') -> 'more'
        if('' == null, 1) -> null
    """
    return then(scope) if truthy(condition(scope)) else otherwise(scope)


@function("logic", lenient=True)
def coalesce(scope: Mapping[str, Any], *values: Lazy) -> Any:
    """The first argument that isn't null; the same as `a ?? b`.

    Example:
        coalesce(null, '', 'x') -> ''
    """
    for value in values:
        found = value(scope)
        if found is not None:
            return found
    return None


@function("logic", lenient=True)
def default(scope: Mapping[str, Any], value: Lazy, fallback: Lazy) -> Any:
    """The first argument if it exists (see `exists`), else the second.

    Example:
        default('', 'unknown') -> 'unknown'
        default(0, 5) -> 0
    """
    found = value(scope)
    return found if is_there(found) else fallback(scope)


@function("logic", lenient=True)
def exists(value: Anything) -> bool:
    """Whether there is something: not null, not an empty text, not an empty list.

    Example:
        exists(0) -> true
        exists([]) -> false
    """
    return is_there(value)


@function("logic", lenient=True)
def empty(value: Anything) -> bool:
    """Whether there is nothing; the opposite of `exists`.

    Example:
        empty('') -> true
    """
    return not is_there(value)


@function("logic", lenient=True)
def type_(value: Anything) -> str:
    """The type of a value by its JSON Schema name: null, boolean, integer, number, string, array, object.

    Example:
        type('42') -> 'string'
        type(4.5) -> 'number'
    """
    return type_name(value)
