"""Whatever is written and whatever it meets: only the documented errors come out."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumeflow.core.expressions import (
    FUNCTIONS,
    MISSING,
    EvaluationError,
    ExpressionError,
    canonical_json,
    compile_path,
    compile_pattern,
    compile_template,
    find_problems,
)
from lumeflow.core.expressions.values import equal, order, to_text

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | st.text()
    | st.sampled_from(
        ["2026-01-09", "2026-01-09T10:00:00Z", "a@example.com", "42", "-1.5", "https://example.com", "\ud800"]
    )
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
FRAGMENTS = "{{ }} input . a [ ] 0 -1 ( ) 'x' \" ' , + - * / % ?? == < in not and or true null { } : \\ secrets env é"
fragments = st.sampled_from([*FRAGMENTS.split(), " ", *sorted(FUNCTIONS)])


def failure(attempt, expected=ExpressionError):
    """Return the error of the expected kind that an attempt ends with, if it does; any other error is a failed test."""
    try:
        attempt()
    except expected as error:
        return error
    return None


@given(
    st.text() | st.lists(fragments, max_size=25).map("".join).map("{{{}}}".format) | st.lists(fragments).map("".join)
)
@settings(max_examples=1500, deadline=None)
def test_compiling_any_text_gives_a_template_or_an_expression_error(text):
    problems = find_problems(text)
    error = failure(lambda: compile_template(text))
    assert bool(problems) is (error is not None)
    if error is None:
        failure(lambda: compile_template(text).render({"input": {"a": [1, "x"]}, "secrets": {}}), EvaluationError)
    else:
        assert str(error) == str(problems[0][1])
        assert 0 <= error.position <= len(text)


@given(st.text().filter(lambda text: "{{" not in text))
def test_text_without_braces_is_itself(text):
    assert compile_template(text).render({}) == text


@given(st.text(), st.text())
def test_escaped_text_comes_back(before, after):
    if before.endswith(("\\", "{")):
        before += " "
    text = before + "{{" + after.replace("{{", "{ {")
    escaped = before.replace("{{", "{ {") + r"\{{" + after.replace("{{", "{ {")
    assert compile_template(escaped).render({}) == text.replace(before, before.replace("{{", "{ {"), 1)


def calls(function):
    least = function.minimum
    most = least + 2 if function.maximum is None else function.maximum
    return range(least, most + 1)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_every_function_takes_any_values(name, data):
    function = FUNCTIONS[name]
    count = data.draw(st.sampled_from([*calls(function)]))
    arguments = [f"input[{index}]" for index in range(count)]
    if name == "matches":
        arguments[1] = "'[a-z]+'"
    template = compile_template(f"{{{{{name}({', '.join(arguments)})}}}}")
    given_values = data.draw(st.lists(values, min_size=count, max_size=count))
    scope = {"input": given_values, "execution": {"now": "2026-01-09T10:00:00Z"}}
    error = failure(lambda: template.render(scope), EvaluationError)
    assert error is None or error.position == 2


@given(
    values,
    values,
    st.sampled_from(["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in", "and", "or", "??"]),
)
@settings(max_examples=500, deadline=None)
def test_every_operator_takes_any_values(left, right, operator):
    template = compile_template(f"{{{{input.l {operator} input.r}}}}")
    try:
        result = template.render({"input": {"l": left, "r": right}})
    except EvaluationError:
        assert operator in "+-*/%"
        return
    if operator not in "+-*/%" and operator != "??":
        assert isinstance(result, bool)


@given(values)
def test_a_single_expression_hands_the_very_value_on(value):
    assert compile_template("{{ input.x }}").render({"input": {"x": value}}) is value


finite = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(finite)
def test_canonical_json_reads_back_equal(value):
    assert equal(json.loads(canonical_json(value)), value)


@given(finite, finite)
def test_equal_values_have_equal_json_and_the_other_way_round(left, right):
    assert equal(left, right) == equal(right, left)
    if equal(left, right):
        assert to_text(left) == to_text(right)


@given(values, values)
def test_order_is_antisymmetric_and_never_fails(left, right):
    one, other = order(left, right), order(right, left)
    assert (one is None) == (other is None)
    assert one is None or one == -other


@given(st.text(max_size=30), values)
def test_any_path_leads_somewhere_or_nowhere(text, value):
    try:
        path = compile_path(text)
    except ExpressionError:
        return
    assert compile_path(str(path)) == path
    path.get(value)


@given(st.lists(st.text(min_size=1, max_size=5) | st.integers(0, 3), min_size=1, max_size=5), values)
def test_what_is_set_is_found_there(parts, value):
    path = compile_path(
        "".join(
            f"[{part}]" if isinstance(part, int) else "['" + part.replace("\\", "\\\\").replace("'", "\\'") + "']"
            for part in parts
        )
    )
    assert path.parts == tuple(parts)
    before = repr(value)
    try:
        changed = path.set(value, "new")
    except ExpressionError:
        assert path.get(value) is MISSING
    else:
        assert path.get(changed) == "new"
    assert repr(value) == before


pattern_pieces = st.sampled_from(
    [*"ab()[]{}^$.*+?|\\,-1239:&~", "(?:", "(?i)", "[^", "{2,3}", "{30}", r"\w", r"\pL", r"\]", "é"]
)


@given(st.lists(pattern_pieces, max_size=20).map("".join) | st.text(max_size=30), st.text("ab1é ()[]", max_size=200))
@settings(max_examples=800, deadline=None)
def test_any_pattern_is_compiled_or_refused(source, text):
    error = failure(lambda: compile_pattern(source))
    assert compile_pattern(source).found_in(text) in (True, False) if error is None else str(error)
