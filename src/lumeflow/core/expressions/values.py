"""What JSON values mean in expressions and conditions: their types, their text, equality and order."""

import math
from typing import Any

import orjson

from lumeflow.core.expressions.errors import FunctionError
from lumeflow.core.expressions.limits import MAX_INTEGER, MAX_JSON_DEPTH
from lumeflow.core.expressions.moments import instant
from lumeflow.core.secret import Secret

_MAX_EXACT_FLOAT = 2**53
_MAX_NUMBER_CHARS = 40


def type_name(value: Any) -> str:
    """Return the JSON Schema name of `value`'s type; `integer` for numbers without fraction."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case int():
            return "integer"
        case float():
            return "integer" if value.is_integer() else "number"
        case list():
            return "array"
        case dict():
            return "object"
        case Secret():
            return "secret"
        case _:
            return "value that isn't JSON"


def is_number(value: Any) -> bool:
    """Tell whether `value` is a JSON number; true and false aren't, nor are NaN and infinity."""
    kind = type(value)
    return kind is int or (kind is float and math.isfinite(value))


def number_text(value: float) -> str:
    """Write a number as JSON does, but 1.0 as 1, so that a total reads the same whether it came as 1 or 1.0."""
    if isinstance(value, int):
        if abs(value) > 10**300:
            raise FunctionError("a number of more than 300 digits can't be written")
        return str(value)
    if not math.isfinite(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < _MAX_EXACT_FLOAT else repr(value)


def to_text(value: Any) -> str:
    """Return the text of `value` as it stands in mixed templates: null is empty, lists and objects are JSON.

    Raises:
        FunctionError: `value` isn't JSON, or nested too deeply.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    return canonical_json(value)


def canonical_json(value: Any) -> str:
    """Return JSON with sorted keys, no spaces and 1.0 as 1: equal values give equal texts.

    Raises:
        FunctionError: `value` isn't JSON, or nested too deeply.
    """
    try:
        return orjson.dumps(_plain(value, 0), option=orjson.OPT_SORT_KEYS).decode()
    except TypeError as error:
        raise FunctionError("this value can't be written as JSON") from error


def _plain(value: Any, depth: int) -> Any:
    if depth > MAX_JSON_DEPTH:
        raise FunctionError(f"a value of more than {MAX_JSON_DEPTH} levels")
    if isinstance(value, float) and value.is_integer() and abs(value) < _MAX_EXACT_FLOAT:
        return int(value)
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, list):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item, depth + 1) for key, item in value.items()}
    raise FunctionError(f"a {type_name(value)} can't be turned into text")


def equal(left: Any, right: Any) -> bool:
    """Tell whether two JSON values are the same: 1 equals 1.0, but true isn't 1 and "1" isn't 1."""
    if type(left) is str or type(right) is str:
        return type(left) is type(right) and bool(left == right)
    if isinstance(left, list | dict) or isinstance(right, list | dict):
        return _equal_containers(left, right, 0)
    if isinstance(left, int | float) and isinstance(right, int | float):
        return isinstance(left, bool) is isinstance(right, bool) and left == right
    return left is right


def _equal_containers(left: Any, right: Any, depth: int) -> bool:
    if depth > MAX_JSON_DEPTH:
        raise FunctionError(f"values of more than {MAX_JSON_DEPTH} levels can't be compared")
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(
            _equal_containers(one, other, depth + 1) for one, other in zip(left, right, strict=True)
        )
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal_containers(left[key], right[key], depth + 1) for key in left)
    if isinstance(left, list | dict) or isinstance(right, list | dict):
        return False
    return equal(left, right)


def contains(container: Any, item: Any) -> bool:
    """Tell whether a list has an item equal to `item`, or a text has the text `item` in it; otherwise false."""
    if isinstance(container, str):
        return isinstance(item, str) and item in container
    return isinstance(container, list) and any(equal(candidate, item) for candidate in container)


def exists(value: Any) -> bool:
    """Tell whether there is something: not null, not an empty text, not an empty list."""
    return value is not None and value != "" and not (isinstance(value, list) and not value)


def truthy(value: Any) -> bool:
    """Tell what counts as true in `if`, `and`, `or`, `not`: all but null, false, 0, and what is empty."""
    return bool(value)


def order(left: Any, right: Any) -> int | None:
    """Compare two values: -1, 0 or 1, or None where no order is defined.

    Numbers compare with numbers and with texts that are written as a number ("42"). ISO 8601 dates compare as
    instants (a date alone is midnight, no offset means UTC). Other texts compare by code points. All else, and
    any mixture, has no order.
    """
    one, other = _sortable(left), _sortable(right)
    if one is None or other is None or one[0] != other[0]:
        return None
    return int(one[1] > other[1]) - int(one[1] < other[1])


def _sortable(value: Any) -> tuple[str, Any] | None:
    if is_number(value):
        return "number", value
    if not isinstance(value, str):
        return None
    if value[:1].isdigit() or value[:1] in ("-", "+"):
        number = plain_number(value)
        if number is not None:
            return "number", number
        moment = instant(value)
        if moment is not None:
            return "moment", moment
    return "text", value


def plain_number(text: str) -> int | float | None:
    """Return the number that `text` is written as (`42`, `-1.5`, `2e3`), or None."""
    if len(text) > _MAX_NUMBER_CHARS or not text.isascii() or "_" in text:
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def bounded(number: float) -> int | float:
    """Return `number` if it may be the result of arithmetic.

    Raises:
        FunctionError: It is an integer over 64 bits, infinite or not a number.
    """
    if isinstance(number, int):
        if -MAX_INTEGER - 1 <= number <= MAX_INTEGER:
            return number
        raise FunctionError("the result is an integer of more than 64 bits")
    if math.isfinite(number):
        return number
    raise FunctionError("the result isn't a finite number")
