"""Secrets in texts that repeat them."""

import base64
import html
import json
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumeflow.core.concealing import SHORTEST, SecretsInUse, conceal, spellings
from lumeflow.core.secret import Secret

WRITTEN = (
    str,
    quote,
    quote_plus,
    lambda text: quote(text, safe=""),
    lambda text: urlencode({"key": text}),
    lambda text: json.dumps({"key": text}),
    lambda text: json.dumps({"key": text}, ensure_ascii=False).replace("/", "\\/"),
    lambda text: json.dumps({"body": json.dumps({"key": text})}),
    html.escape,
    lambda text: html.escape(json.dumps(text)),
    lambda text: json.dumps(html.escape(text)),
    lambda text: json.dumps({"url": f"https://example.com/?key={quote(text)}"}),
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
)


@given(st.text(st.characters(codec="utf-8"), min_size=SHORTEST, max_size=40), st.sampled_from(WRITTEN))
def test_nothing_is_left_of_a_secret_however_it_is_written(text, write):
    secret = f"{text}-5b1fq"
    left = conceal(f"before {write(secret)} after", [Secret(secret)])
    assert "***" in left
    assert "5b1fq" not in left


def test_a_short_secret_is_not_looked_for():
    assert conceal("a word that stands alone", [Secret("alone"), Secret("")]) == "a word that stands alone"


@pytest.mark.parametrize("text", ["sk-live-abc123", "0123456789abcdef"])
def test_most_secrets_have_hardly_any_spellings(text):
    assert len(spellings(text)) == 2


def test_what_was_looked_up_is_concealed_and_looked_up_once():
    asked = []

    def find(name):
        asked.append(name)
        return Secret(f"tok-{name}-1") if name != "none" else None

    secrets = SecretsInUse(find)
    assert secrets.conceal("tok-a-1 tok-b-1") == "tok-a-1 tok-b-1"
    assert secrets.find("a") is secrets.find("a")
    assert secrets.find("none") is None
    assert asked == ["a", "none"]
    assert secrets.conceal("tok-a-1 tok-b-1") == "*** tok-b-1"
