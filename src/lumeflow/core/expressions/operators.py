"""What the operators of the expression language compute. Null in arithmetic gives null; comparisons never fail."""

from collections.abc import Callable
from typing import Any

from lumeflow.core.expressions.errors import FunctionError
from lumeflow.core.expressions.limits import check_text
from lumeflow.core.expressions.values import bounded, contains, equal, is_number, order, type_name


def _numbers(operator: str, left: Any, right: Any) -> None:
    for operand in (left, right):
        if is_number(operand):
            bounded(operand)
        else:
            raise FunctionError(
                f"{operator} wants numbers, found {type_name(operand)}; number(…) reads one from a text"
            )


def add(left: Any, right: Any) -> Any:
    """Add two numbers, or join two texts."""
    if left is None or right is None:
        return None
    if isinstance(left, str) and isinstance(right, str):
        check_text(len(left) + len(right))
        return left + right
    if isinstance(left, str) or isinstance(right, str):
        found = f"{type_name(left)} and {type_name(right)}"
        raise FunctionError(f"+ wants two numbers or two texts, found {found}; text(…) turns a value into text")
    _numbers("+", left, right)
    return bounded(left + right)


def subtract(left: Any, right: Any) -> Any:
    """Subtract two numbers."""
    if left is None or right is None:
        return None
    _numbers("-", left, right)
    return bounded(left - right)


def multiply(left: Any, right: Any) -> Any:
    """Multiply two numbers."""
    if left is None or right is None:
        return None
    _numbers("*", left, right)
    return bounded(left * right)


def divide(left: Any, right: Any) -> Any:
    """Divide two numbers; whole numbers that divide evenly give a whole number."""
    if left is None or right is None:
        return None
    _numbers("/", left, right)
    if right == 0:
        raise FunctionError("division by zero")
    if isinstance(left, int) and isinstance(right, int) and left % right == 0:
        return bounded(left // right)
    return bounded(left / right)


def remainder(left: Any, right: Any) -> Any:
    """Return what a division leaves, with the sign of the divisor."""
    if left is None or right is None:
        return None
    _numbers("%", left, right)
    if right == 0:
        raise FunctionError("division by zero")
    return bounded(left % right)


def negate(operand: Any) -> Any:
    """Return the number with the other sign."""
    if operand is None:
        return None
    _numbers("-", operand, operand)
    return bounded(-operand)


def _less(left: Any, right: Any) -> bool:
    return order(left, right) == -1


def _at_most(left: Any, right: Any) -> bool:
    return order(left, right) in (-1, 0)


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": remainder,
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": _less,
    "<=": _at_most,
    ">": lambda left, right: _less(right, left),
    ">=": lambda left, right: _at_most(right, left),
    "in": lambda left, right: contains(right, left),
    "not in": lambda left, right: not contains(right, left),
}
COMPARISONS = frozenset(["==", "!=", "<", "<=", ">", ">=", "in", "not in"])
