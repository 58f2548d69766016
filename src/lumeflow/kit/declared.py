"""Values as the declared kind of their column, where this loses nothing."""

from array import array
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from math import isfinite
from typing import Any

from lumeflow.kit.json_text import dump_json
from lumeflow.kit.kinds import Kind, Scalar, Vector
from lumeflow.kit.payloads import json_type

_INT64 = range(-(2**63), 2**63)
_BOOLEANS = {"true": True, "false": False}


def declared_value(kind: Kind, value: Any) -> Any:
    """A value as a column of a declared kind holds it; null stays null.

    Raises:
        ValueError: It does not fit; the message says what would, and what was found, but not its data.
    """
    if value is None:
        return None
    if isinstance(kind, Vector):
        return _vector(value, kind.size or 0)
    assert isinstance(kind, Scalar)
    return _READ[kind](value)


def _vector(value: Any, size: int) -> "array[float]":
    if isinstance(value, list | tuple) and all(type(number) in (int, float) for number in value):
        value = array("f", value)
    if not (isinstance(value, array) and value.typecode == "f"):
        raise ValueError(f"must be a vector of {size} numbers; found {json_type(value)}")
    if len(value) != size:
        raise ValueError(f"must be a vector of {size} numbers; found one of {len(value)}")
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else dump_json(value).decode()


def _integer(value: Any) -> int:
    number = value
    if isinstance(value, str):
        number = int(value) if value.strip().lstrip("+-").isdecimal() and len(value) < 24 else None
    elif isinstance(value, float):
        number = int(value) if value.is_integer() else None
    if type(number) is not int or number not in _INT64:
        raise ValueError(f"must be an integer of 64 bits; found {json_type(value)}")
    return number


def _number(value: Any) -> float:
    number = value
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            number = None
    if (
        type(number) not in (int, float)
        or not isfinite(number)
        or (type(number) is int and int(float(number)) != number)
    ):
        raise ValueError(f"must be a number; found {json_type(value)}")
    return float(number)


def _boolean(value: Any) -> bool:
    found = _BOOLEANS.get(value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise ValueError(f"must be true or false; found {json_type(value)}")
    return found


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"must be a time such as '2026-01-09T10:00:00Z'; found {json_type(value)}") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _date(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"must be a date such as '2026-01-09'; found {json_type(value)}") from None


_READ: Mapping[Scalar, Callable[[Any], Any]] = {
    Scalar.TEXT: _text,
    Scalar.MIXED: _text,
    Scalar.LONG: _integer,
    Scalar.NUMBER: _number,
    Scalar.BOOLEAN: _boolean,
    Scalar.DATE: _date,
    Scalar.TIMESTAMP: _moment,
}
