"""The function library: every documented example, and the rules that all functions share."""

import pytest

from lumeflow.core.expressions import FUNCTIONS, EvaluationError, compile_template
from lumeflow.core.expressions.values import equal

NOW = {"execution": {"now": "2026-01-09T10:30:00+01:00"}}


def evaluate(expression, scope=None):
    return compile_template(f"{{{{{expression}}}}}").render(scope or {})


EXAMPLES = [(each.name, call, result) for each in FUNCTIONS.values() for call, result in each.examples]


@pytest.mark.parametrize(("name", "call", "result"), EXAMPLES, ids=[call for _, call, _ in EXAMPLES])
def test_documented_examples_hold(name, call, result):
    assert name in call
    actual, expected = evaluate(call), evaluate(result)
    assert equal(actual, expected), f"gives {actual!r}"


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_is_documented(name):
    function = FUNCTIONS[name]
    assert function.summary.endswith(".")
    assert function.examples or function.reads


def takes_no_null(function):
    required = function.parameters[: function.minimum]
    return required and not function.lazy and all(parameter.kind != "any" for parameter in required)


@pytest.mark.parametrize("name", sorted(each.name for each in FUNCTIONS.values() if takes_no_null(each)))
def test_null_for_a_required_argument_gives_null(name):
    function = FUNCTIONS[name]
    arguments = [f"input.a{index}" for index in range(function.minimum)]
    if name == "matches":
        arguments[1] = "'a'"
    assert evaluate(f"{name}({', '.join(arguments)})", {"input": {}}) is None


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("isEmail(null)", False),
        ("isUrl(5)", False),
        ("isPhone(null)", False),
        ("isDate([])", False),
        ("number(null)", None),
        ("number(true)", None),
        ("number('0x10')", None),
        ("number('1_000')", None),
        ("number('٣')", None),
        ("number('nan')", None),
        ("number('1e999')", None),
        ("int('abc')", None),
        ("text(null)", ""),
        ("text(1.0)", "1"),
        ("text(0.1)", "0.1"),
        ("text(1e21)", "1e+21"),
        ("uppercase(5)", "5"),
        ("uppercase(true)", "TRUE"),
        ("join([], '-')", ""),
        ("join([[1], {}], null)", "[1], {}"),
        ("concat()", ""),
        ("substring('abc', 1, -5)", ""),
        ("substring('abc', -9, 2)", "ab"),
        ("padStart('abc', 2, '0')", "abc"),
        ("padStart('a', 4, 'xy')", "xyxa"),
        ("padEnd('a', 4, '')", "a"),
        ("truncate('abcdef', 3, '...')", "..."),
        ("truncate('abcdef', 2, '...')", ".."),
        ("truncate('abcdef', 0)", ""),
        ("replace('aaa', 'a', '')", ""),
        ("replace('aaa', '', 'x')", "aaa"),
        ("titlecase('don\\'t mcdonald')", "Don't Mcdonald"),
        ("slug('  ')", ""),
        ("round(-2.5)", -3),
        ("round(2.675, 2)", 2.68),
        ("round(1.005, 2)", 1.01),
        ("round(7, 3)", 7),
        ("formatNumber(2.5)", "3"),
        ("formatNumber(0.1, 3)", "0.100"),
        ("formatNumber(1234567.891, 1)", "1234567.9"),
        ("min()", None),
        ("max('a' == 'a', 1) ?? 0", EvaluationError),
        ("sum([])", 0),
        ("sum([0.1, 0.2, 0.3])", 0.6),
        ("average([])", None),
        ("unique([1, 1.0, true, '1', null, null, [1], [1.0]])", [1, True, "1", None, [1]]),
        ("sort(['b', 2, null, 'a', 1, true, false])", [False, True, 1, 2, "a", "b", None]),
        ("sort([{'n': 'b'}, {}, {'n': 'a'}], 'n')", [{"n": "a"}, {"n": "b"}, {}]),
        ("where([{'a': {'b': 1}}, {}, 5], 'a.b', 1.0)", [{"a": {"b": 1}}]),
        ("pluck([{'a': [7]}, null], 'a[0]')", [7, None]),
        ("append([])", []),
        ("slice([1, 2, 3], -2)", [2, 3]),
        ("get([1, 2], '[1]')", 2),
        ("get(null, 'a', 5)", 5),
        ("merge({}, null, {'a': 1})", {"a": 1}),
        ("json('é')", '"é"'),
        ("parseJson('[1, 2')", None),
        ("parseBase64('%%%')", None),
        ("parseBase64(base64('Zoë'))", "Zoë"),
        ("count('abc')", 1),
        ("contains({'a': 1}, 'a')", True),
        ("contains('a1', 1)", False),
        ("domain('http://user:pass@WWW.Example.com:8080/x')", "example.com"),
        ("domain('ftp://example.com')", None),
        ("domain('example.co.uk')", "example.co.uk"),
        ("emailDomain('a@b')", None),
        ("emailLocal(' Anna@example.com ')", "Anna"),
        ("phoneDigits('none')", None),
        ("firstName('  ')", None),
        ("firstName('Dr.')", "Dr"),
        ("firstName('Zoë 🎉')", "Zoë"),
        ("lastName('Zoë 🎉')", None),
        ("lastName('Maria de la Cruz')", "de la Cruz"),
        ("lastName('de la Cruz, Maria')", "de la Cruz"),
        ("lastName('Anna Rossi, PhD')", "Rossi"),
        ("initials('')", ""),
        ("extractEmails('a@example.com,A@b.example.com; x@y @@ @')", ["a@example.com", "A@b.example.com"]),
        ("extractUrls('(https://example.com/a_(b)), http://x')", ["https://example.com/a_(b"]),
        ("extractPhones('id 123456, tel. (02) 5550-1234; 12345678901234567890')", ["(02) 5550-1234"]),
        ("if(0, 1)", None),
        ("coalesce()", None),
        ("default([], 'x')", "x"),
        ("type(1.0)", "integer"),
        ("type(null)", "null"),
        ("type({})", "object"),
    ],
)
def test_cases_at_the_edge(expression, expected):
    if expected is EvaluationError:
        with pytest.raises(EvaluationError):
            evaluate(expression)
    else:
        assert evaluate(expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("now()", "2026-01-09T10:30:00+01:00"),
        ("today()", "2026-01-09"),
        ("addDays(now(), 1)", "2026-01-10T10:30:00+01:00"),
        ("addHours('2026-01-09', 1.5)", "2026-01-09T01:30:00Z"),
        ("addMonths('2024-02-29', 12)", "2025-02-28"),
        ("addMonths('2026-01-15', -1)", "2025-12-15"),
        ("addMonths('2026-12-31T08:00:00Z', 2)", "2027-02-28T08:00:00Z"),
        ("diffDays('2026-01-10', '2026-01-09')", -1),
        ("diffDays('2026-01-09T23:00:00-05:00', '2026-01-10')", 0),
        ("parseDate('2026-01-09T10:00:00+00:00')", "2026-01-09T10:00:00Z"),
        ("parseDate('20260109')", None),
        ("parseDate('31/02/2026', 'DD/MM/YYYY')", None),
        ("parseDate('09-01-70', 'DD-MM-YY')", "1970-01-09"),
        ("parseDate('14:05', 'HH:mm')", "0001-01-01T14:05:00"),
        ("parseDate('x', 'DD')", None),
        ("formatDate('2026-01-09', 'D/M/YY H:m:s')", "9/1/26 0:0:0"),
        ("formatDate(now(), 'YYYY-MM-DDTHH:mm')", "2026-01-09T10:30"),
        ("fromTimestamp(0.5)", "1970-01-01T00:00:00.500000Z"),
        ("timestamp('1969-12-31T23:59:59.5Z')", -1),
        ("weekday('2026-01-11')", 7),
        ("year(now()) + month(now()) + day(now())", 2036),
    ],
)
def test_dates(expression, expected):
    assert evaluate(expression, NOW) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "addDays('2026-01-09', 99999999999)",
        "addMonths('2026-01-09', 999999)",
        "fromTimestamp(1e300)",
        "parseDate('1', 'DD DD')",
        "formatDate('2026-01-09', padEnd('Y', 100, 'Y'))",
        "round(1.5, 99)",
        "floor(1e300)",
        "9223372036854775807 + 1",
        "9223372036854775807 * 9223372036854775807",
        "1e308 * 10",
        "sum([1e308, 1e308])",
        "int('99999999999999999999')",
        "sha256('\\ud800')",
        "urlEncode('\\ud800')",
        "json('\\ud800')",
    ],
)
def test_results_that_do_not_exist_are_errors(expression):
    with pytest.raises(EvaluationError):
        evaluate(f"if(input.go, {expression})", {"input": {"go": True}})


def test_the_clock_is_the_executions():
    compiled = compile_template("{{now()}}")
    assert compiled.render({"execution": {"now": "2030-05-05T00:00:00Z"}}) == "2030-05-05T00:00:00Z"
    assert not compiled.is_constant


def test_functions_do_not_change_what_they_are_given():
    record = {"list": [3, 1, 2], "object": {"b": 1, "a": [2]}}
    calls = [
        "sort(input.list)",
        "reverse(input.list)",
        "append(input.list, 4)",
        "merge(input.object, {'c': 1})",
        "omit(input.object, 'b')",
        "json(input.object)",
        "flatten([input.list])",
    ]
    for call in calls:
        evaluate(call, {"input": record})
    assert record == {"list": [3, 1, 2], "object": {"b": 1, "a": [2]}}
