"""Lossless coercion: a value is brought to the schema's type only where nothing at all is lost by it."""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import orjson
from jsonschema_rs import ValidationError
from jsonschema_rs import ValidationErrorKind as Kind

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,3})?")
INTEGER_LIMIT = 2**63
"""Larger whole numbers stay floats: no column and hardly a provider holds them as integers."""
_BOOLEANS = {"true": True, "false": False}

UNCHANGED = object()
"""No type that is wanted can hold the value without loss."""


def coerced(value: Any, types: Iterable[str]) -> Any:
    """The value in one of these types, the first in the order integer, number, boolean, string; else `UNCHANGED`.

    `"42"` becomes 42 and `"4.20"` 4.2, but `"007"` stays text; 42.0 becomes 42; `"true"` becomes true; where only a
    string will do, 5 becomes `"5"` and true `"true"`. Nothing becomes null, an array or an object.
    """
    wanted = set(types)
    if isinstance(value, str):
        return _from_text(value, wanted)
    if isinstance(value, float) and "integer" in wanted and "number" not in wanted and value.is_integer():
        return int(value) if abs(value) < INTEGER_LIMIT else UNCHANGED
    if isinstance(value, (bool, int, float)) and "string" in wanted:
        return orjson.dumps(value).decode() if isinstance(value, float) else str(value).lower()
    return UNCHANGED


def _from_text(text: str, wanted: set[str]) -> Any:
    if wanted & {"integer", "number"} and _NUMBER.fullmatch(text):
        number = _exact(text)
        if isinstance(number, int) or "number" in wanted:
            return number if number is not None else UNCHANGED
    if "boolean" in wanted and text in _BOOLEANS:
        return _BOOLEANS[text]
    return UNCHANGED


def _exact(text: str) -> int | float | None:
    exact = Decimal(text)
    if exact == exact.to_integral_value():
        return int(exact) if abs(exact) < INTEGER_LIMIT else None
    number = float(text)
    return number if Decimal(repr(number)) == exact else None


def wanted_types(error: ValidationError) -> Iterator[str]:
    """Types that would mend an error at its own place, those named inside `anyOf` and `oneOf` included."""
    match error.kind:
        case Kind.Type(types=types):
            yield from types
        case Kind.AnyOf(context=context) | Kind.OneOfNotValid(context=context):
            for alternative in context:
                for inner in alternative:
                    if inner.instance_path == error.instance_path:
                        yield from wanted_types(inner)
