"""Secrets go through templates without ever being seen."""

import copy
import json
import logging
import pickle

import orjson
import pytest

from lumeflow.core.expressions import EvaluationError, ExpressionError, compile_template
from lumeflow.core.secret import Secret

KEY = "key-5f1d"
SCOPE = {"secrets": {"apiKey": Secret(KEY), "user": Secret("mira")}, "input": {"a": "x"}}


def test_a_secret_shows_itself_to_nobody():
    secret = Secret(KEY)
    shown = [
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret:>20}",
        f"{secret!r}",
        str([secret]),
    ]
    assert not any(KEY in text for text in shown)
    assert str(secret) == repr(secret) == f"{secret:x}" == "***"
    assert secret.reveal() == KEY


@pytest.mark.parametrize("dump", [json.dumps, orjson.dumps, pickle.dumps])
def test_a_secret_cannot_be_serialised_by_accident(dump):
    with pytest.raises(TypeError):
        dump({"key": Secret(KEY)})


def test_a_secret_equals_only_itself_and_copies_to_itself():
    secret = Secret(KEY)
    assert secret != Secret(KEY)
    assert secret == secret
    assert copy.deepcopy({"key": secret})["key"] is secret
    assert copy.copy(secret) is secret
    assert not hasattr(secret, "__dict__")


def test_a_logged_secret_is_masked(caplog):
    logging.getLogger("lumeflow.test").warning("key %s", Secret(KEY))
    assert "key ***" in caplog.text
    assert KEY not in caplog.text


def test_one_expression_hands_on_the_opaque_object():
    compiled = compile_template("{{secrets.apiKey}}")
    assert compiled.render(SCOPE) is SCOPE["secrets"]["apiKey"]
    assert compiled.secrets == {"apiKey"}
    assert not compiled.is_constant


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Bearer {{secrets.apiKey}}", f"Bearer {KEY}"),
        ("{{input.a}}-{{secrets.apiKey}}-{{1}}", f"x-{KEY}-1"),
        ("{{'Bearer ' + secrets.apiKey}}", f"Bearer {KEY}"),
        ("{{concat(secrets.user, ':', secrets.apiKey)}}", f"mira:{KEY}"),
        ("Basic {{base64(secrets.user + ':' + secrets.apiKey)}}", "Basic bWlyYTprZXktNWYxZA=="),
        ("{{json({'key': [secrets.apiKey]})}}", f'{{"key":["{KEY}"]}}'),
        ("{{length(secrets.apiKey)}}", "8"),
        ("{{secrets.absent ?? secrets.apiKey}}", KEY),
        ("{{default(secrets.apiKey, 'none')}}", KEY),
        ("{{if(input.a == 'x', secrets.apiKey, 'none')}}", KEY),
        ("{{uppercase(default(secrets.apiKey, 'none'))}}", KEY.upper()),
        ("{{first([secrets.apiKey])}}", KEY),
    ],
)
def test_whatever_is_computed_with_a_secret_is_a_secret(template, text):
    rendered = compile_template(template).render(SCOPE)
    assert isinstance(rendered, Secret)
    assert rendered.reveal() == text


def test_secrets_stay_opaque_inside_objects():
    rendered = compile_template({"headers": {"X-Key": "{{secrets.apiKey}}"}, "list": "{{[secrets.user]}}"}).render(
        SCOPE
    )
    assert KEY not in str(rendered)
    assert rendered["headers"]["X-Key"].reveal() == KEY
    assert rendered["list"][0].reveal() == "mira"


def test_a_missing_secret_is_null():
    assert compile_template("{{secrets.absent}}").render(SCOPE) is None
    assert compile_template("{{uppercase(secrets.absent)}}").render(SCOPE) is None


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("secrets", "read one by one"),
        ("secrets[input.a]", "read one by one"),
        ("secrets.apiKey.length", "read one by one"),
        ("secrets[0]", "read one by one"),
        ("keys(secrets)", "read one by one"),
        ("secrets.apiKey == 'a'", "can't be tested"),
        ("secrets.apiKey < 'k'", "can't be tested"),
        ("'k' in secrets.apiKey", "can't be tested"),
        ("not secrets.apiKey", "can't be tested"),
        ("true and startsWith(secrets.apiKey, 'k')", "can't be tested"),
        ("if(contains(secrets.apiKey, 'k'), 1, 2)", "can't be tested"),
        ("input[secrets.apiKey]", "can't be tested"),
        ("split(input.a, 'x')[length(secrets.apiKey)]", "can't be tested"),
        ("split(secrets.apiKey, '-')[0]", "has no fields"),
    ],
)
def test_nothing_can_be_learnt_about_a_secret(expression, message):
    with pytest.raises(ExpressionError, match=message):
        compile_template(f"{{{{{expression}}}}}")


@pytest.mark.parametrize("expression", ["secrets.apiKey * 2", "round(secrets.apiKey)", "addDays(secrets.apiKey, 1)"])
def test_errors_do_not_show_secrets(expression):
    with pytest.raises(EvaluationError) as caught:
        compile_template(f"{{{{{expression}}}}}").render(SCOPE)
    assert KEY not in str(caught.value)


def test_a_secret_that_came_by_another_way_is_not_opened_either():
    scope = {"input": {"key": Secret(KEY)}}
    assert compile_template("a {{input.key}}").render(scope).reveal() == f"a {KEY}"
    for expression in ["uppercase(input.key)", "json(input)", "input.key + 'a'", "join([input.key])"]:
        with pytest.raises(EvaluationError) as caught:
            compile_template(f"{{{{{expression}}}}}").render(scope)
        assert KEY not in str(caught.value)
