"""Operators, literals and what is said about mistakes."""

import pytest

from lumeflow.core.expressions import EvaluationError, ExpressionError, compile_template

SCOPE = {"input": {"a": 2, "b": 3, "text": "abc", "list": [1, 2], "none": None, "age": "42", "day": "2026-01-09"}}


def evaluate(expression):
    return compile_template(f"{{{{{expression}}}}}").render(SCOPE)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1", 1),
        ("1.50", 1.5),
        ("2e3", 2000.0),
        ("-1", -1),
        ("'a\\'b'", "a'b"),
        ('"say \\"hi\\""', 'say "hi"'),
        ("'tab\\tnew\\nline \\u00e9 \\\\'", "tab\tnew\nline é \\"),
        ("'}}'", "}}"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("[]", []),
        ("[1, 'a', [true],]", [1, "a", [True]]),
        ("{}", {}),
        ("{'a': 1, b: input.a, 'c d': {}}", {"a": 1, "b": 2, "c d": {}}),
    ],
)
def test_literals(expression, expected):
    result = evaluate(expression)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # arithmetic
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 3 - 2", 5),
        ("10 / 4", 2.5),
        ("10 / 5", 2),
        ("7 % 3", 1),
        ("-7 % 3", 2),
        ("2 * -3", -6),
        ("- input.a - 1", -3),
        ("1 - (2 - 3)", 2),
        ("'a' + 'b' + input.text", "ababc"),
        ("input.none + 1", None),
        ("input.none * 2 - 1", None),
        ("-input.none", None),
        # comparison
        ("1 == 1.0", True),
        ("'1' == 1", False),
        ("true == 1", False),
        ("[1, {'a': [true]}] == [1.0, {'a': [true]}]", True),
        ("[1] == [true]", False),
        ("{'a': 1} == {'a': 1, 'b': null}", False),
        ("null == input.absent", True),
        ("1 != 2", True),
        ("1 < 2", True),
        ("2 <= 2", True),
        ("3 > input.a", True),
        ("2 >= 3", False),
        ("'a' < 'b'", True),
        ("input.age > 9", True),
        ("'10' < '9'", False),
        ("input.day < '2026-01-10T00:00:00+02:00'", True),
        ("'2026-01-09' == '2026-01-09T00:00:00Z'", False),
        ("'2026-01-09' >= '2026-01-09T00:00:00Z'", True),
        ("null < 1", False),
        ("null >= null", False),
        ("true > false", False),
        ("'abc' < 5", False),
        ("'abc' >= 5", False),
        # membership
        ("2 in input.list", True),
        ("'2' in input.list", False),
        ("'b' in input.text", True),
        ("5 in input.text", False),
        ("1 in null", False),
        ("3 not in input.list", True),
        # logic
        ("true and 0", False),
        ("1 and 'a'", True),
        ("'' or []", False),
        ("null or 5", True),
        ("not ''", True),
        ("not not 5", True),
        ("not 1 == 2", True),
        ("not input.absent and true", True),
        ("true or false and false", True),
        # coalescence
        ("input.absent ?? input.none ?? 'x'", "x"),
        ("'' ?? 'x'", ""),
        ("input.absent ?? 0 > 1", False),
        ("input.absent ?? 1 + 1", 2),
        ("false ?? true", False),
        # steps behind other things
        ("split(input.text, 'b')[1]", "c"),
        ("{'a': [5]}.a[0]", 5),
        ("[1, 2][-1]", 2),
        ("(input).a", 2),
        ("[7, 8][input.a - 1.0]", 8),
    ],
)
def test_operators(expression, expected):
    result = evaluate(expression)
    assert result == expected
    assert type(result) is type(expected)


def test_logic_computes_no_more_than_it_needs():
    assert evaluate("true or 1 / input.absentButZero") is True
    assert compile_template("{{input.n == 0 or 1 / input.n > 1}}").render({"input": {"n": 0}}) is True
    assert compile_template("{{if(input.n == 0, 'none', 1 / input.n)}}").render({"input": {"n": 0}}) == "none"


@pytest.mark.parametrize(
    ("template", "offset", "message", "hint"),
    [
        ("{{}}", 2, "an empty {{ }}", "write a path"),
        ("{{ }}", 3, "an empty {{ }}", "write a path"),
        ("{{input.a", 0, "never closed", "write }}"),
        ("x {{input.a }", 2, "never closed", "write }}"),
        ("{{input.}}", 8, "ends too early", "name of a field"),
        ("{{input..a}}", 8, "unexpected '.'", "name of a field"),
        ("{{input.0}}", 8, "a list index is written in brackets", "write [0]"),
        ("{{input.a.0.b}}", 10, "a list index", "write [0]"),
        ("{{input[}}", 8, "ends too early", "a value is missing"),
        ("{{input[1.5]}}", 8, "an index is a whole number or a text", ""),
        ("{{input[true]}}", 8, "an index is a whole number or a text", ""),
        ("{{input.a b}}", 10, "unexpected 'b'", ""),
        ("{{'a' 'b'}}", 6, "unexpected 'b'", ""),
        ("{{(1 + 2}}", 8, "ends too early", ") is missing"),
        ("{{uppercase(input.a}}", 19, "ends too early", ") is missing"),
        ("{{1 +}}", 5, "ends too early", "a value is missing"),
        ("{{* 2}}", 2, "unexpected '*'", "a value is missing"),
        ("{{and 2}}", 2, "unexpected 'and'", "a value is missing before it"),
        ("{{1 < 2 < 3}}", 8, "comparisons can't follow one another", "a < b and b < c"),
        ("{{input.a && input.b}}", 10, "&& means nothing here", "write and"),
        ("{{input.a || 1}}", 10, "|| means nothing here", "write or"),
        ("{{!input.a}}", 2, "! means nothing here", "write not"),
        ("{{input.a = 1}}", 10, "= means nothing here", "write =="),
        ("{{input.a === 1}}", 12, "= means nothing here", "write =="),
        ("{{input.a | upper}}", 10, "| means nothing here", "functions are called"),
        ("{{input.a ? 1 : 2}}", 10, "? means nothing here", "write if("),
        ("{{input?.a}}", 7, "? means nothing here", "gives null by itself"),
        ("{{“a”}}", 2, "“ means nothing here", "straight quotes"),
        ("{{'abc}}", 2, "a text without closing quote", "write ' at its end"),
        ("{{'a\\qb'}}", 4, "unknown escape \\q", "write \\\\"),
        ("{{input.a; 1}}", 9, "unexpected character ';'", ""),
        ("{{12abc}}", 2, "a name can't begin with a digit", ""),
        ("{{99999999999999999999}}", 2, "this number is too large", ""),
        ("{{1e999}}", 2, "this number is too large", ""),
        ("{{{'a' 1}}}", 7, "unexpected '1'", ": is missing"),
        ("{{{'a': 1, 'a': 2}}}", 11, "the key 'a' is there twice", ""),
        ("{{{1: 2}}}", 3, "unexpected '1'", "an object is written"),
        ("{{uppercase}}", 2, "unknown name 'uppercase'", "to call the function write uppercase(text)"),
        ("{{upercase(input.a)}}", 2, "unknown function 'upercase'", "did you mean 'uppercase'?"),
        ("{{upperCase(input.a)}}", 2, "unknown function 'upperCase'", "did you mean 'uppercase'?"),
        ("{{qqq(1)}}", 2, "unknown function 'qqq'", "see the list of functions"),
        ("{{uppercase()}}", 2, "0 arguments for uppercase", "write uppercase(text)"),
        ("{{trim(1, 2)}}", 2, "2 arguments for trim", "write trim(text)"),
        ("{{inptu.email}}", 2, "unknown name 'inptu'", "did you mean 'input'?"),
        ("{{email}}", 2, "unknown name 'email'", "written input.email"),
        ("{{nodes.llm-1.output}}", 13, "a number has no fields", "nodes['llm-1'].output"),
        ("{{input.first-name}}", 14, "unknown name 'name'", "a name with a hyphen is written in brackets"),
        ("{{1 / 0}}", 4, "division by zero", ""),
        ("{{'a' * 2}}", 6, "* wants numbers, found string", ""),
    ],
)
def test_a_mistake_is_named_with_its_place_and_its_remedy(template, offset, message, hint):
    with pytest.raises(ExpressionError) as caught:
        compile_template(template)
    error = caught.value
    assert message in error.message
    assert hint in error.hint
    assert error.text == template
    assert error.position == offset
    assert repr(template)[1:-1] in str(error)


def test_the_message_of_a_long_template_shows_the_part_concerned():
    with pytest.raises(ExpressionError) as caught:
        compile_template("x" * 5000 + "{{input.a && input.b}}" + "y" * 5000)
    assert len(str(caught.value)) < 200
    assert "{{input.a && input.b}}" in str(caught.value)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("input.text * 2", "* wants numbers, found string"),
        ("input.text + 1", "+ wants two numbers or two texts, found string and integer"),
        ("input.list + 1", "+ wants numbers, found array"),
        ("-input.text", "- wants numbers, found string"),
        ("input.a / (input.b - 3)", "division by zero"),
        ("input.a % (input.b - 3)", "division by zero"),
        ("input[input.list]", "an index is a whole number or a text, found array"),
        ("uppercase(input.list)", "uppercase: text wants a text, found array"),
        ("round(input.text)", "round: number wants a number, found string; number(…) reads one from a text"),
        ("first(input.text)", "first: items wants a list, found string"),
        ("keys(input.list)", "keys: record wants an object, found array"),
        ("addDays(input.day, 1.5)", "addDays: days wants a whole number, found number"),
        ("addDays(input.text, 1)", "addDays: date wants an ISO 8601 date or time, found a text that isn't one"),
        ("sort([input])", "sort: can't sort by a value of type object"),
        ("split(input.text, '')", "split: the separator is empty"),
        ("now()", "now: execution.now isn't known here"),
    ],
)
def test_what_cannot_be_computed_is_an_error_that_shows_types_but_no_values(expression, message):
    compiled = compile_template(f"x {{{{{expression}}}}}")
    with pytest.raises(EvaluationError) as caught:
        compiled.render(SCOPE)
    assert message in caught.value.message
    assert "abc" not in caught.value.message
