"""Secrets stay names until a request is built."""

import pytest

from lumeflow.kit.http.sealing import Unsealing, opened
from lumeflow.plugin import Secret, compile_template

SECRETS = {"key": "k-123456", "tenant": "t-654321"}


def unsealing():
    return Unsealing(lambda name: Secret(SECRETS[name]))


def test_a_template_without_secrets_stays_whole():
    template = compile_template({"a": "{{input.a}}"})
    assert opened(template) == (template, ())


def test_texts_with_secrets_are_taken_out_and_put_back_at_their_places():
    template = compile_template(
        {"q": ["{{input.a}}", "Key {{secrets.key}}"], "t": {"id": "{{secrets.tenant}}"}, "n": 1}
    )
    rest, sealed = opened(template)
    assert rest.source == {"q": ["{{input.a}}", None], "t": {"id": None}, "n": 1}
    assert sealed == ((("q", 1), "Key {{secrets.key}}"), (("t", "id"), "{{secrets.tenant}}"))
    rendered = rest.render({"input": {"a": "x"}})
    hidden = unsealing()
    whole = hidden.into(rendered, [list(pair) for pair in sealed])
    assert whole == {"q": ["x", "Key k-123456"], "t": {"id": "t-654321"}, "n": 1}
    assert rendered["q"][1] is None
    # The whole text as well: what is computed from a secret is one.
    assert {secret.reveal() for secret in hidden.used} == {*SECRETS.values(), "Key k-123456"}


@pytest.mark.parametrize("text", ["{{secrets.key}}-{{input.a}}", "{{concat(secrets.key, variables.x)}}"])
def test_a_text_that_mixes_secrets_and_records_is_refused(text):
    with pytest.raises(ValueError, match="put the two into different fields"):
        opened(compile_template({"deep": [text]}))


def test_functions_of_secrets_are_computed():
    assert unsealing().text("Basic {{base64(secrets.tenant + ':' + secrets.key)}}") == "Basic dC02NTQzMjE6ay0xMjM0NTY="
