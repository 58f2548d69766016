"""The operators of conditions: what each takes as value and how it tests what was found.

A test never raises: what can't be compared is false. `notX` is true exactly where `X` is false, also where nothing
was found.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lumeflow.core.expressions.errors import FunctionError
from lumeflow.core.expressions.moments import parse_moment
from lumeflow.core.expressions.patterns import Pattern
from lumeflow.core.expressions.recognise import is_email, is_phone, is_url
from lumeflow.core.expressions.values import equal, exists, order, type_name

Test = Callable[[Any], bool]
TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator.

    Attributes:
        takes: What its value is: nothing, value, text, list, range, number or date, pattern or type.
        build: Makes the test of a found value from the expected one, whatever that is.
        summary: When it holds, for the reference.
    """

    name: str
    takes: str
    build: Callable[[Any], Test]
    summary: str


OPERATORS: dict[str, Operator] = {}


def _register(name: str, takes: str, build: Callable[[Any], Test], summary: str) -> None:
    OPERATORS[name] = Operator(name, takes, build, summary)


def _same(found: Any, expected: Any) -> bool:
    try:
        return equal(found, expected)
    except FunctionError:  # nested deeper than anything that is compared
        return False


def _never(_: Any) -> bool:
    return False


def _not(build: Callable[[Any], Test]) -> Callable[[Any], Test]:
    def build_opposite(expected: Any) -> Test:
        test = build(expected)
        return lambda found: not test(found)

    return build_opposite


def _fixed(test: Test) -> Callable[[Any], Test]:
    return lambda _: test


def _equals(expected: Any) -> Test:
    if isinstance(expected, str):
        return lambda found: isinstance(found, str) and found == expected
    return lambda found: _same(found, expected)


def _one_of(expected: Any) -> Test:
    if not isinstance(expected, list):
        return _never
    texts = frozenset(item for item in expected if isinstance(item, str))
    others = [item for item in expected if not isinstance(item, str)]
    return lambda found: found in texts if isinstance(found, str) else any(_same(found, item) for item in others)


def _contains(expected: Any) -> Test:
    def test(found: Any) -> bool:
        if isinstance(found, str):
            return isinstance(expected, str) and expected in found
        return isinstance(found, list) and any(_same(item, expected) for item in found)

    return test


def _starts_with(expected: Any) -> Test:
    return (lambda found: isinstance(found, str) and found.startswith(expected)) if _is_text(expected) else _never


def _ends_with(expected: Any) -> Test:
    return (lambda found: isinstance(found, str) and found.endswith(expected)) if _is_text(expected) else _never


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _matches(expected: Any) -> Test:
    if not isinstance(expected, Pattern):
        return _never
    return lambda found: isinstance(found, str) and expected.found_in(found)


def _ordered(*accepted: int) -> Callable[[Any], Test]:
    def build(expected: Any) -> Test:
        return lambda found: order(found, expected) in accepted

    return build


def _between(expected: Any) -> Test:
    if not isinstance(expected, list) or len(expected) != 2:
        return _never
    low, high = expected
    return lambda found: order(found, low) in (0, 1) and order(found, high) in (0, -1)


def _has_type(expected: Any) -> Test:
    def test(found: Any) -> bool:
        name = type_name(found)
        return name == expected or (expected == "number" and name == "integer")

    return test


def _is_flag(flag: bool) -> Test:
    text = "true" if flag else "false"
    return lambda found: found is flag or (isinstance(found, str) and found.strip().lower() == text)


def _is_date(found: Any) -> bool:
    return isinstance(found, str) and parse_moment(found) is not None


_register("exists", "nothing", _fixed(exists), "it is there: not null, not an empty text, not an empty list")
_register("empty", "nothing", _fixed(lambda found: not exists(found)), "it isn't there: the opposite of `exists`")
_register("equals", "value", _equals, 'it is the same JSON value; 1 equals 1.0, but not `"1"`; nothing equals null')
_register("notEquals", "value", _not(_equals), "the opposite of `equals`")
_register("in", "list", _one_of, "it equals one of the values")
_register("notIn", "list", _not(_one_of), "the opposite of `in`")
_register("contains", "value", _contains, "the text has this text in it, or the list has this item")
_register("notContains", "value", _not(_contains), "the opposite of `contains`")
_register("startsWith", "text", _starts_with, "the text begins so")
_register("endsWith", "text", _ends_with, "the text ends so")
_register("regex", "pattern", _matches, "the pattern is found anywhere in the text")
_register("gt", "number or date", _ordered(1), "it is greater, or later")
_register("gte", "number or date", _ordered(0, 1), "it is greater or equal")
_register("lt", "number or date", _ordered(-1), "it is less, or earlier")
_register("lte", "number or date", _ordered(0, -1), "it is less or equal")
_register("between", "range", _between, "it lies between the two, both included")
_register("type", "type", _has_type, "it is of this JSON Schema type; a missing field is `null`")
_register("isEmail", "nothing", _fixed(lambda found: isinstance(found, str) and is_email(found)), "an e-mail address")
_register("isUrl", "nothing", _fixed(lambda found: isinstance(found, str) and is_url(found)), "an http(s) address")
_register("isPhone", "nothing", _fixed(lambda found: isinstance(found, str) and is_phone(found)), "a phone number")
_register("isDate", "nothing", _fixed(_is_date), "an ISO 8601 date or time")
_register("isTrue", "nothing", _fixed(_is_flag(True)), "true, or the text `true` in any case")
_register("isFalse", "nothing", _fixed(_is_flag(False)), "false, or the text `false` in any case")

CASE_SENSITIVE = frozenset(
    ["equals", "notEquals", "in", "notIn", "contains", "notContains", "startsWith", "endsWith", "regex"]
)


def folded(value: Any) -> Any:
    """Return a text, or the texts in a list, without regard to case."""
    if isinstance(value, str):
        return value.casefold()
    if isinstance(value, list):
        return [item.casefold() if isinstance(item, str) else item for item in value]
    return value


def build_test(operator: Operator, expected: Any, *, ignore_case: bool) -> Test:
    """Return the test of `operator` against `expected`; a pattern has its own way to ignore case."""
    if not ignore_case or operator.takes == "pattern":
        return operator.build(expected)
    test = operator.build(folded(expected))
    return lambda found: test(folded(found))
