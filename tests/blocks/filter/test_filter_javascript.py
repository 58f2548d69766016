import subprocess
import sys
from array import array
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lumeflow.blocks.filter.javascript import JavaScriptFilter
from lumeflow.kit.javascript.script import read_script
from lumeflow.plugin import ErrorClass, NodeError
from lumeflow.testing import MemoryContext, run_block

ROWS = [{"n": 1}, {"n": 5}, {"n": 9}]
QUICK = {"timeLimit": 0.05, "memoryMb": 16}


async def filtered(code, rows=ROWS, context=None, **config):
    config = {"operation": "javascript", "code": code, **config}
    return await run_block(JavaScriptFilter, config, {"rows": rows}, context=context)


@pytest.mark.parametrize(
    "code",
    [
        "record => record.n > 3",
        "record.n > 3",
        "function (contact) { return contact.n > 3; }",
        "function big({ n }) { return n > 3 }",
        "const { n } = record;\nreturn n > 3;",
        "if (record.n > 3) return 'yes'; else return ''",
        "record => record.n > 3 // not the small ones",
        "({ n }) => [5, 9].includes(n)",
        "record => { record.n -= 3; return record.n > 0 }",
    ],
)
async def test_functions_expressions_and_bodies_are_asked(code):
    run = await filtered(code)
    assert run.records == ROWS[1:]
    assert [left.position for left in run.skipped] == [0]


async def test_what_counts_as_true_is_what_javascript_takes_for_it():
    rows = [{"v": value} for value in (0, 1, "", "no", None, [], {}, False)]
    assert (await filtered("record.v", rows)).records == [{"v": value} for value in (1, "no", [], {})]
    assert (await filtered("record.there?.is", rows)).records == []


async def test_the_reason_is_the_authors():
    assert (await filtered("false")).skipped[0].reason == "the code did not take it"
    assert (await filtered("false", reason="too small")).skipped[0].reason == "too small"
    run = await filtered("record.n > 3", reason="too small", onFail="error")
    assert [(failed.position, str(failed.error)) for failed in run.failed] == [(0, "too small")]


async def test_values_of_all_kinds_arrive():
    row = {
        "text": 'Zoë\u2028 "\x00" 漢字 🎺',
        "list": [1, 2.5, None],
        "deep": {"a": {"b": True}},
        "vector": array("f", [0.5, 1]),
    }
    code = (
        r"""record.text === 'Zoë\u2028 "\x00" 漢字 🎺' && record.list[1] === 2.5 && record.list[2] === null"""
        " && record.deep.a.b === true && record.vector.length === 2 && record.vector[0] === 0.5"
    )
    run = await filtered(code, [row])
    assert run.records == [row]
    assert isinstance(run.records[0]["vector"], array)


BOMBS = {
    "endless loop": "while (true);",
    "endless loop that catches": "for (;;) try { while (true); } catch {}",
    "regex": "/^(a+)+$/.test('a'.repeat(50) + 'b');",
    "inside the engine": "[].indexOf.call({ length: 2 ** 53 - 1 }, 1);",
    "text search": "'ab'.repeat(2e6).includes('ab'.repeat(1e6) + 'c');",
    "memory": "const all = []; for (;;) all.push(new Array(1000).fill(7));",
    "memory that catches": "let s = 'x'; for (;;) try { s += s } catch {}",
    "long text": "let s = 'x'; for (;;) s += s;",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
async def test_a_bomb_fails_its_record_and_no_other(bomb):
    run = await filtered(f"record => {{ if (record.n === 5) {{ {bomb} }} return true; }}", **QUICK)
    assert run.records == [ROWS[0], ROWS[2]]
    (failed,) = run.failed
    assert (failed.position, failed.error.error_class) == (1, ErrorClass.LIMIT)


@pytest.mark.parametrize("bomb", ["endless loop", "memory", "regex"])
async def test_a_bomb_fails_the_node_if_that_is_wanted(bomb):
    with pytest.raises(NodeError) as failure:
        await filtered(f"record => {{ {BOMBS[bomb]} }}", onLimit="node", **QUICK)
    assert failure.value.error_class is ErrorClass.LIMIT


async def test_limits_are_told_apart():
    slow = (await filtered(f"record => {{ {BOMBS['endless loop']} }}", ROWS[:1], **QUICK)).failed[0].error
    large = (await filtered(f"record => {{ {BOMBS['memory']} }}", ROWS[:1], memoryMb=16)).failed[0].error
    assert str(slow) == "the code took longer than 0.05 s"
    assert str(large) == "the code needed more than 16 MB of memory"


async def test_endless_recursion_is_an_error_like_any_other():
    run = await filtered("record => { const f = () => f(); return record.n !== 5 || f() }")
    assert [str(failed.error) for failed in run.failed] == [
        "the code raised RangeError: Maximum call stack size exceeded"
    ]


SECRET = {"n": 7, "email": "mira.holt@example.com"}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("record.company.name", "the code raised TypeError: cannot read property 'name' of undefined"),
        (
            "record => {\n  const x = 1;\n  return nothing(x);\n}",
            "the code raised ReferenceError on line 3: nothing is not defined",
        ),
        ("record => { throw new Error('too old') }", "the code raised Error: too old"),
        ("record => { throw new Error('bad ' + record.email) }", "the code raised Error"),
        ("undefined[record.email]", "the code raised TypeError"),
        ("record => { throw record.email }", "the code raised an error"),
        ("record => { throw { get name() { return record.email } } }", "the code raised an error"),
        ("record => { class E extends Error { get message() { throw 5 } } throw new E() }", "the code raised an error"),
        ("record => import('fs')", "the code gave a promise or a function instead of true or false"),
        ("async record => true", "the code gave a promise or a function instead of true or false"),
        ("record => other => true", "the code gave a promise or a function instead of true or false"),
    ],
)
async def test_an_error_fails_the_record_and_tells_nothing_of_it(code, message):
    run = await filtered(code, [SECRET])
    assert [(str(failed.error), failed.error.error_class) for failed in run.failed] == [
        (message, ErrorClass.VALIDATION)
    ]


@pytest.mark.parametrize(
    "name",
    ["Promise", "performance", "setTimeout", "queueMicrotask", "require", "process", "fetch", "std", "os", "eval",
     "Atomics", "SharedArrayBuffer", "WeakRef", "FinalizationRegistry", "console"],
)  # fmt: skip
async def test_nothing_outside_can_be_reached(name):
    assert (await filtered(f"typeof {name} === 'undefined'", ROWS[:1])).records == ROWS[:1]


@pytest.mark.parametrize(
    "code",
    [
        "record => { seen = record; }",
        "record => { globalThis.seen = record; }",
        "record => { Array.prototype.seen = record; }",
        "record => { Object.getPrototypeOf(function* () {}).seen = record; }",
        "record => { JSON.parse = () => []; }",
        "record => { delete Object.prototype.toString; }",
    ],
)
async def test_nothing_can_be_kept_from_one_record_to_the_next(code):
    run = await filtered(code)
    assert len(run.failed) == 3
    counter = "(() => { let count = 0; return record => ++count < 2 })()"
    assert (await filtered(counter)).records == ROWS


async def test_chance_is_gone_and_the_clock_stands_still():
    assert len((await filtered("Math.random() < 2")).failed) == 3
    ctx = MemoryContext(now=datetime(2026, 1, 9, 10, 30, tzinfo=UTC))
    code = "Date.now() === 1767954600000 && new Date().getHours() === 10 && +new Date() === Date.now()"
    assert (await filtered(code, ROWS[:1], context=ctx)).records == ROWS[:1]


@pytest.mark.parametrize(
    ("given_date", "iso"),
    [
        ("'2026-01-09'", "2026-01-09T00:00:00.000Z"),
        ("'2026-01-09T10:00'", "2026-01-09T10:00:00.000Z"),
        ("'2026-01-09T10:00:00+02:00'", "2026-01-09T08:00:00.000Z"),
        ("'Jan 9, 2026'", "2026-01-09T00:00:00.000Z"),
        ("'Fri, 09 Jan 2026 10:00:00 GMT'", "2026-01-09T10:00:00.000Z"),
        ("2026, 0, 9, 10", "2026-01-09T10:00:00.000Z"),
        ("1767952800000", "2026-01-09T10:00:00.000Z"),
        ("new Date(0)", "1970-01-01T00:00:00.000Z"),
    ],
)
async def test_dates_are_in_utc_whatever_the_machines_zone(given_date, iso):
    run = await filtered(
        f"new Date({given_date}).toISOString() === '{iso}' && new Date().getTimezoneOffset() === 0", ROWS[:1]
    )
    assert run.records == ROWS[:1]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("", "empty"),
        ("record => record.", "line 1|ends too early"),
        ("record =>\n  record.n >> > 5", "line 2"),
        ("record => {\n  const x = ;\n  return x;\n}", "line 2"),
        ("return 5 +", "ends too early"),
        ("const x = record.n > 3;", "returns nothing"),
        ("with (record) { return n }", "not JavaScript"),
        ("0)}); while (true); (function () { return (1", "not JavaScript"),
        ("} while (true); {", "not JavaScript"),
        ("}]; while (true); [function () {", "not JavaScript"),
        ("(" * 9000 + ")" * 9000, "nested too deeply"),
        ("1" * 20_001, "20,001 characters"),
    ],
)  # fmt: skip
def test_wrong_syntax_is_found_before_anything_runs(code, reason):
    with pytest.raises(ValidationError, match=reason):
        JavaScriptFilter.Config.model_validate({"operation": "javascript", "code": code})


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="record.n>3 (){}[];=+`'\"/*\n", max_size=30))
def test_any_text_is_code_or_refused_with_a_reason(code):
    try:
        script = read_script(code)
    except ValueError as error:
        script = str(error)
    assert script if isinstance(script, str) else code in script.program


async def test_a_record_that_is_no_json_fails_alone():
    rows = [{"n": 1}, {"n": {1, 2}}, {"n": "\ud800"}, {"n": 4}]
    run = await filtered("true", rows)
    assert run.records == [rows[0], rows[3]]
    assert [failed.position for failed in run.failed] == [1, 2]


async def test_the_code_sees_no_environment_and_ends_with_the_block():
    block = JavaScriptFilter(JavaScriptFilter.Config.model_validate({"operation": "javascript", "code": "true"}))
    ctx = MemoryContext()
    await block.open(ctx)
    assert block.process_batch(ROWS, ctx) == ROWS
    process = block._predicate._process
    assert process.poll() is None
    await block.abort()
    assert process.poll() is not None
    assert str(block.process_batch(ROWS[:1], ctx)[0]) == "the execution was stopped"


def test_the_engine_is_not_loaded_before_it_is_needed():
    code = "import sys, lumeflow.blocks.filter.javascript; print('quickjs' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
