"""All problems of a value in one pass, each with its place."""

import pytest

from lumeflow.core.expressions import ExpressionError, compile_template, find_problems
from lumeflow.core.expressions.limits import MAX_PROBLEMS


def test_a_sound_value_has_no_problems():
    assert find_problems({"a": ["{{input.x}}", 5], "b": "{{uppercase(input.y)}} {{now()}}"}) == []


def test_every_problem_is_found_with_its_pointer_and_offset():
    value = {
        "url": "{{inptu.urls}} and {{upercase(input.x)}} and {{input.",
        "a/b~c": [1, {"deep": "{{input.a = 1}} {{trim()}}"}],
        "{{key}}": "fine",
        "pattern": "{{matches(input.a, '(')}} {{matches(input.a, input.b)}}",
        "both": "{{foo(bar.x, baz(1))}}",
        "constant": "{{1 / 0}}",
        "env": "{{env.HOME}}",
    }
    found = [(pointer, error.position, error.message) for pointer, error in find_problems(value)]
    assert found == [
        ("/url", 2, "unknown name 'inptu'"),
        ("/url", 21, "unknown function 'upercase'"),
        ("/url", 45, "this {{ is never closed"),
        ("/a~1b~0c/1/deep", 10, "= means nothing here"),
        ("/a~1b~0c/1/deep", 18, "0 arguments for trim"),
        ("/{{key}}", 0, "a key can't be a template"),
        ("/pattern", 19, "not a regular expression"),
        ("/pattern", 45, "a pattern is written out, not computed"),
        ("/both", 2, "unknown function 'foo'"),
        ("/both", 6, "unknown name 'bar'"),
        ("/both", 13, "unknown function 'baz'"),
        ("/constant", 4, "division by zero"),
        ("/env", 2, "environment variables may not be read here"),
    ]


def test_permission_and_roots_are_those_of_compiling():
    assert find_problems("{{env.HOME}}", allow_env=True) == []
    assert find_problems("{{user.name}}", roots=["user"]) == []


def test_a_problem_is_said_once():
    assert len(find_problems("{{not (not secrets.a)}}")) == 2  # once for each `not`, not for each way to come there
    assert len(find_problems("{{secrets.a == secrets.a}}")) == 2


def test_the_number_of_problems_is_limited():
    assert len(find_problems(["{{x.y}}"] * 1000)) == MAX_PROBLEMS


def test_the_first_problem_is_the_one_raised():
    value = ["{{input.ok}}", "{{bad.x}}", "{{worse("]
    with pytest.raises(ExpressionError) as caught:
        compile_template(value)
    assert str(caught.value) == str(find_problems(value)[0][1])
