"""When each operator holds."""

from pathlib import Path

import pytest

from lumeflow.core.conditions import OPERATORS, compile_conditions

ABSENT = object()
NOTHING = [ABSENT, None, "", []]
SOMETHING = ["x", " ", 0, False, [0], {}, {"a": 1}]


def holds(operator, found, *value, **options):
    condition = {"field": "f", "operator": operator, **options}
    if value:
        condition["value"] = value[0]
    return compile_conditions(condition)({} if found is ABSENT else {"f": found})


@pytest.mark.parametrize("found", NOTHING)
def test_nothing_is_what_is_missing_null_or_empty(found):
    assert holds("empty", found)
    assert not holds("exists", found)


@pytest.mark.parametrize("found", SOMETHING)
def test_everything_else_exists(found):
    assert holds("exists", found)
    assert not holds("empty", found)


@pytest.mark.parametrize(
    ("operator", "value", "holding", "failing"),
    [
        ("equals", "a", ["a"], ["A", "", None, ABSENT, ["a"], 1]),
        ("equals", 1, [1, 1.0], ["1", True, None, ABSENT, [1]]),
        ("equals", True, [True], [1, "true", None, ABSENT]),
        ("equals", None, [None, ABSENT], ["", 0, False, []]),
        ("equals", [1, "a"], [[1.0, "a"]], [["a", 1], [1], "1,a"]),
        ("equals", {"a": {"b": 1}}, [{"a": {"b": 1}}], [{"a": {"b": True}}, {"a": {}}, {}]),
        ("in", ["a", 1, None, [2]], ["a", 1.0, None, ABSENT, [2]], ["b", True, "1", [], [3]]),
        ("in", [], [], ["a", None, ABSENT]),
        ("contains", "b", ["abc", ["a", "b"]], ["ABC", ["bc"], None, ABSENT, {"b": 1}, 5]),
        ("contains", 5, [[4, 5.0]], ["5", [True], 5]),
        ("startsWith", "ab", ["abc", "ab"], ["a", "cab", None, ABSENT, ["ab"], 5]),
        ("endsWith", ".com", ["example.com"], ["example.org", ".com.", None, ABSENT]),
        ("regex", "^[a-c]+$", ["abc"], ["abcd", "", None, ABSENT, 5, ["abc"]]),
        ("regex", "b", ["abc"], ["ac"]),
        ("gt", 18, [19, 18.5, "19", "1e3"], [18, 17, "18", "abc", "", None, ABSENT, True, [19], {}]),
        ("gte", 18, [18, 18.0, "18"], [17.9, None]),
        ("lt", 18, [17, "-5", 17.99], [18, None, ABSENT, False, "abc"]),
        ("lte", 18, [18, 0], [18.01, None, ABSENT]),
        ("gt", "2026-01-09", ["2026-01-10", "2026-01-09T00:00:01Z"], ["2026-01-09", "2026", "x", 5, None, ABSENT]),
        ("lt", "2026-01-09T12:00:00+02:00", ["2026-01-09T09:59:59Z", "2026-01-09"], ["2026-01-09T10:00:00", "b"]),
        ("gte", "m", ["m", "n"], ["a", "2026-01-09", "5", 5, None]),
        ("between", [18, 65], [18, 65, 40.5, "40"], [17, 66, None, ABSENT, "abc", True]),
        ("between", ["2026-01-01", "2026-12-31"], ["2026-06-01"], ["2027-01-01", 5, None]),
        ("type", "string", ["", "5"], [5, None, ABSENT]),
        ("type", "number", [5, 5.5], ["5", True]),
        ("type", "integer", [5, 5.0], [5.5]),
        ("type", "null", [None, ABSENT], ["", 0]),
        ("type", "array", [[]], [{}]),
        ("type", "object", [{}], [[]]),
        ("type", "boolean", [True], ["true", 1]),
    ],
)
def test_operators_with_a_value(operator, value, holding, failing):
    assert [found for found in holding if not holds(operator, found, value)] == []
    assert [found for found in failing if holds(operator, found, value)] == []


@pytest.mark.parametrize(
    ("operator", "holding", "failing"),
    [
        ("isEmail", ["mira@example.com"], ["mira", "", None, ABSENT, 5, ["mira@example.com"]]),
        ("isUrl", ["https://example.com/a"], ["example.com", None, ABSENT]),
        ("isPhone", ["+39 02 5550 1234"], ["12", None, ABSENT, 390255501234]),
        ("isDate", ["2026-01-09", "2026-01-09T10:00:00Z"], ["09/01/2026", "2026-13-01", None, ABSENT, 20260109]),
        ("isTrue", [True, "true", " TRUE "], [False, "yes", 1, "", None, ABSENT]),
        ("isFalse", [False, "false", "False"], [True, 0, "", None, ABSENT]),
    ],
)
def test_operators_without_value(operator, holding, failing):
    assert [found for found in holding if not holds(operator, found)] == []
    assert [found for found in failing if holds(operator, found)] == []


@pytest.mark.parametrize(
    ("operator", "opposite", "value"),
    [("equals", "notEquals", "a"), ("in", "notIn", ["a", 1]), ("contains", "notContains", "a")],
)
@pytest.mark.parametrize("found", [*NOTHING, *SOMETHING, "a", "ab", 1, ["a"]])
def test_an_operator_with_not_holds_exactly_where_the_other_does_not(operator, opposite, value, found):
    assert holds(opposite, found, value) is not holds(operator, found, value)


@pytest.mark.parametrize(
    ("operator", "value", "found"),
    [
        ("equals", "Straße", "STRASSE"),
        ("in", ["CEO", 5], "ceo"),
        ("contains", "sales", "Head of SALES"),
        ("contains", "Sales", ["x", "SALES"]),
        ("startsWith", "head", "HEAD of"),
        ("endsWith", ".COM", "example.com"),
        ("regex", "^ceo$", "CEO"),
    ],
)
def test_case_is_ignored_on_demand(operator, value, found):
    assert not holds(operator, found, value)
    assert holds(operator, found, value, ignoreCase=True)


def test_case_can_be_ignored_by_the_opposites_too():
    assert not holds("notEquals", "CEO", "ceo", ignoreCase=True)
    assert not holds("notIn", "CEO", ["ceo"], ignoreCase=True)
    assert not holds("notContains", "the CEO", "ceo", ignoreCase=True)


def test_every_operator_is_tested_here():
    source = Path(__file__).read_text()
    assert [name for name in OPERATORS if f'"{name}"' not in source] == []


def test_every_operator_is_explained():
    assert all(operator.summary and operator.name == name for name, operator in OPERATORS.items())


def test_values_nested_deeper_than_anything_sane_are_unequal():
    deep = shallow = []
    for _ in range(2_000):
        shallow.append([])
        shallow = shallow[0]
    other = [deep[0]]
    assert not holds("equals", deep, "x")
    assert (
        compile_conditions({"field": "f", "operator": "equals", "value": "{{input.g}}"})({"f": deep, "g": other})
        is False
    )
