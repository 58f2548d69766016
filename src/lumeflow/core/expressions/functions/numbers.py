"""Functions on numbers."""

import math
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from lumeflow.core.expressions.errors import FunctionError
from lumeflow.core.expressions.functions.registry import Anything, Integer, ListOfValues, Number, function
from lumeflow.core.expressions.values import bounded, is_number, plain_number, type_name

_MAX_DIGITS = 15
_EXACT = Context(prec=60)  # a float's 17 digits, wherever its point is, and the digits asked for


@function("number")
def number(value: Anything) -> int | float | None:
    """The number that a text is written as; a number as it is; null for all else.

    Example:
        number('42') -> 42
        number(' 1.50 ') -> 1.5
        number('n/a') -> null
    """
    if is_number(value):
        return bounded(value)
    if not isinstance(value, str):
        return None
    found = plain_number(value.strip())
    return None if found is None else bounded(found)


@function("number")
def int_(value: Anything) -> int | None:
    """Like `number`, without the fraction.

    Example:
        int('42.9') -> 42
        int(-1.5) -> -1
    """
    found = number(value)
    return None if found is None else _whole(math.trunc(found))


def _whole(value: int) -> int:
    bounded(value)
    return value


@function("number")
def round_(number: Number, digits: Integer = 0) -> int | float:
    """The number rounded to so many digits behind the point, halves away from zero.

    Example:
        round(2.5) -> 3
        round(3.14159, 2) -> 3.14
    """
    if isinstance(number, int):
        return bounded(number)
    rounded = _quantized(number, digits)
    return bounded(float(rounded)) if digits > 0 else _whole(int(rounded))


def _quantized(number: float, digits: int) -> Decimal:
    if not 0 <= digits <= _MAX_DIGITS:
        raise FunctionError(f"digits wants 0 to {_MAX_DIGITS}")
    exact = Decimal(repr(bounded(number)))
    if exact == exact.to_integral_value():
        return exact
    return exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP, context=_EXACT)


@function("number")
def format_number(number: Number, digits: Integer = 0) -> str:
    """The number as text with exactly so many digits behind the point.

    Example:
        formatNumber(1234.5, 2) -> '1234.50'
    """
    return f"{_quantized(number, digits):.{digits}f}"


@function("number")
def floor(number: Number) -> int:
    """The largest whole number that isn't larger.

    Example:
        floor(-1.5) -> -2
    """
    return _whole(math.floor(number))


@function("number")
def ceil(number: Number) -> int:
    """The smallest whole number that isn't smaller.

    Example:
        ceil(1.2) -> 2
    """
    return _whole(math.ceil(number))


@function("number")
def abs_(number: Number) -> int | float:
    """The number without its sign.

    Example:
        abs(-3) -> 3
    """
    return bounded(abs(number))


@function("number")
def min_(*values: Anything) -> int | float | None:
    """The smallest of the numbers, given one by one or as a list; null is left out.

    Example:
        min(3, 1, null) -> 1
        min([4, 2]) -> 2
        min([]) -> null
    """
    return min(_numbers(values), default=None)


@function("number")
def max_(*values: Anything) -> int | float | None:
    """The largest of the numbers, given one by one or as a list; null is left out.

    Example:
        max(3, 1) -> 3
    """
    return max(_numbers(values), default=None)


def _numbers(values: tuple[object, ...]) -> list[int | float]:
    listed = values[0] if len(values) == 1 and isinstance(values[0], list) else values
    numbers: list[Any] = [value for value in listed if value is not None]
    for value in numbers:
        if not is_number(value):
            raise FunctionError(f"wants numbers, found {type_name(value)}")
    return numbers


@function("number")
def sum_(items: ListOfValues) -> int | float:
    """The sum of a list of numbers; null is left out.

    Example:
        sum([1, 2.5, null]) -> 3.5
    """
    numbers = _numbers((items,))
    exact = all(isinstance(value, int) for value in numbers)
    return bounded(sum(numbers) if exact else math.fsum(numbers))


@function("number")
def average(items: ListOfValues) -> int | float | None:
    """The mean of a list of numbers; null is left out, and is the mean of nothing.

    Example:
        average([1, 2, 6]) -> 3
    """
    numbers = _numbers((items,))
    return bounded(math.fsum(numbers) / len(numbers)) if numbers else None
