"""Turns arguments into what a function's parameters ask for, or says what was found instead."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from lumeflow.core.expressions.errors import FunctionError
from lumeflow.core.expressions.moments import parse_moment
from lumeflow.core.expressions.values import is_number, to_text, type_name


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return to_text(value)
    raise FunctionError(f"a text, found {type_name(value)}")


def _number(value: Any) -> Any:
    if is_number(value):
        return value
    hint = "; number(…) reads one from a text" if isinstance(value, str) else ""
    raise FunctionError(f"a number, found {type_name(value)}{hint}")


def _integer(value: Any) -> int:
    if is_number(value) and int(value) == value:
        return int(value)
    raise FunctionError(f"a whole number, found {type_name(value)}")


def _list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    raise FunctionError(f"a list, found {type_name(value)}")


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise FunctionError(f"an object, found {type_name(value)}")


def _sized(value: Any) -> Any:
    if isinstance(value, list | dict):
        return value
    return _text(value)


def _date(value: Any) -> date | datetime:
    moment = parse_moment(value) if isinstance(value, str) else None
    if moment is None:
        found = "a text that isn't one" if isinstance(value, str) else type_name(value)
        raise FunctionError(f"an ISO 8601 date or time, found {found}")
    return moment


def _anything(value: Any) -> Any:
    return value


CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "any": _anything,
    "text": _text,
    "number": _number,
    "integer": _integer,
    "list": _list,
    "object": _object,
    "text, list or object": _sized,
    "date": _date,
    "pattern": _anything,
}
