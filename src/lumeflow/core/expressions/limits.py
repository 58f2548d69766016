"""How much a template may ask for: templates come from API users and are hostile until proven otherwise."""

import threading

from lumeflow.core.expressions.errors import FunctionError

MAX_TEMPLATE_CHARS = 100_000  # one string with {{…}}
MAX_EXPRESSION_NODES = 500  # literals, paths, calls and operators in one {{…}}
MAX_TOTAL_NODES = 5_000  # the same, in all strings of one JSON value
MAX_DEPTH = 64  # parentheses, calls, lists and operators inside one another
MAX_JSON_DEPTH = 64  # objects and arrays inside one another around the strings
MAX_PROBLEMS = 100  # reported for one JSON value
MAX_TEXT = 1_048_576  # characters of any text that an expression makes
MAX_ITEMS = 100_000  # items of any list that an expression makes
MAX_INTEGER = 2**63 - 1  # what JSON readers and databases take
MAX_MADE = 16 * MAX_TEXT  # characters and items made in one render, counting only results over SMALL
SMALL = 4_096


class _Meter(threading.local):
    """What the render under way in this thread may still make."""

    left = MAX_MADE


_meter = _Meter()


def start_render() -> None:
    """Give the render that begins now in this thread its full allowance."""
    _meter.left = MAX_MADE


def check_size(size: int, limit: int, unit: str) -> None:
    """Refuse a result before it is made.

    Raises:
        FunctionError: `size` is over `limit`, or this render has made too much already.
    """
    if size <= SMALL:
        return
    if size > limit:
        raise FunctionError(f"the result would have more than {limit:,} {unit}")
    _meter.left -= size
    if _meter.left < 0:
        raise FunctionError(f"one template may make {MAX_MADE:,} characters in all")


def check_text(size: int) -> None:
    """Refuse a text of `size` characters if it is too long; raises `FunctionError`."""
    check_size(size, MAX_TEXT, "characters")


def check_items(size: int) -> None:
    """Refuse a list of `size` items if it is too long; raises `FunctionError`."""
    check_size(size, MAX_ITEMS, "items")
