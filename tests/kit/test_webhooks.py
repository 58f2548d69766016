"""Signatures of webhooks: what verifies, and all that must not."""

import hashlib
import hmac
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumeflow.kit.webhooks import Delivery, DeliveryRefused, Rules, body_of, signature, signing_headers, verify
from lumeflow.plugin import Secret

NOW = datetime(2026, 1, 9, 12, tzinfo=UTC)
SECRET = Secret("whsec-example")
BODY = '{"name": "Tomás"}'.encode()
RULES = Rules()


def signed(body=BODY, *, rules=RULES, secret=SECRET, at=NOW, delivery="d-1"):
    headers = signing_headers(rules, secret, body, at=at, delivery=delivery)
    return {**headers, rules.delivery_header: delivery}


def check(headers, body=BODY, *, rules=RULES, secrets=(SECRET,), now=NOW):
    return verify(rules, secrets, headers, body, now=now)


def test_what_is_signed_is_what_the_documentation_says():
    expected = hmac.new(b"whsec-example", b"1767960000.d-1." + BODY, hashlib.sha256).hexdigest()

    assert signed() == {
        "X-Lumeflow-Timestamp": "1767960000",
        "X-Lumeflow-Signature": f"sha256={expected}",
        "Idempotency-Key": "d-1",
    }


@given(st.binary(max_size=200), st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30))
def test_every_body_that_was_signed_is_verified(body, delivery):
    assert check(signed(body, delivery=delivery), body).id == delivery


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_no_other_body_is(body, other):
    headers = signed(body)
    if other != body:
        with pytest.raises(DeliveryRefused, match="does not fit the body"):
            check(headers, other)


@given(st.text(max_size=80))
def test_no_text_in_place_of_the_signature_is_taken_or_breaks_it(text):
    with pytest.raises(DeliveryRefused):
        check({**signed(), "X-Lumeflow-Signature": text})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X-Lumeflow-Signature": ""}, "header X-Lumeflow-Signature is missing"),
        ({"X-Lumeflow-Timestamp": " "}, "header X-Lumeflow-Timestamp is missing"),
        ({"Idempotency-Key": ""}, "header Idempotency-Key is missing"),
        ({"X-Lumeflow-Timestamp": "1767960001"}, "does not fit"),
        ({"Idempotency-Key": "d-2"}, "does not fit"),
    ],
)
def test_nothing_that_is_signed_may_change(change, message):
    with pytest.raises(DeliveryRefused, match=message):
        check(signed() | change)


def test_header_names_are_read_in_any_case():
    assert check({name.upper(): value for name, value in signed().items()}).id == "d-1"


def test_another_secret_does_not_do():
    with pytest.raises(DeliveryRefused, match="check the secret"):
        check(signed(), secrets=[Secret("other")])


def test_both_secrets_do_while_one_is_replaced():
    new = Secret("new")

    assert check(signed(), secrets=[new, SECRET]).id == "d-1"
    assert check(signed(secret=new), secrets=[new, SECRET]).id == "d-1"


@pytest.mark.parametrize("seconds", [-300, -1, 0, 1, 300])
def test_within_the_window(seconds):
    assert check(signed(), now=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("seconds", "told"), [(301, "301 s ago"), (-301, "301 s in the future"), (10**6, "1000000 s ago")]
)
def test_outside_the_window(seconds, told):
    with pytest.raises(DeliveryRefused, match=f"{told}, and at most 300 s"):
        check(signed(), now=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "written", ["1767960000", "1767960000000", "2026-01-09T12:00:00Z", "2026-01-09T13:00:00+01:00"]
)
def test_times_in_seconds_milliseconds_and_iso(written):
    made = signature(RULES, SECRET, body=BODY, timestamp=written, delivery="d")

    headers = {"X-Lumeflow-Timestamp": written, "X-Lumeflow-Signature": made, "Idempotency-Key": "d"}
    assert check(headers).id == "d"


@pytest.mark.parametrize("written", ["soon", "2026-01-09T12:00:00", "9" * 39, "²", "-5", "1" * 400])
def test_times_that_are_none(written):
    made = signature(RULES, SECRET, body=BODY, timestamp=written, delivery="d")

    headers = {"X-Lumeflow-Timestamp": written, "X-Lumeflow-Signature": made, "Idempotency-Key": "d"}
    with pytest.raises(DeliveryRefused, match="must be a time"):
        check(headers)


def other_senders():
    plain = Rules("X-Hub-Signature-256", None, signed="{body}")
    yield plain, {"X-Hub-Signature-256": "sha256=" + hmac.new(b"whsec-example", BODY, "sha256").hexdigest()}
    slack = Rules("X-Slack-Signature", "X-Slack-Request-Timestamp", signed="v0:{timestamp}:{body}")
    made = hmac.new(b"whsec-example", b"v0:1767960000:" + BODY, "sha256").hexdigest()
    yield slack, {"X-Slack-Signature": f"v0={made}", "X-Slack-Request-Timestamp": "1767960000"}
    standard = Rules(
        "webhook-signature", "webhook-timestamp", "webhook-id", encoding="base64", signed="{id}.{timestamp}.{body}"
    )
    raw = hmac.new(b"whsec-example", b"msg_1.1767960000." + BODY, "sha256").digest()
    yield (
        standard,
        {
            "webhook-id": "msg_1",
            "webhook-timestamp": "1767960000",
            "webhook-signature": f"v1,AAAA v1,{b64encode(raw).decode()}",
        },
    )
    wide = Rules("X-Sig", None, algorithm="sha512", signed="{body}")
    yield wide, {"X-Sig": hmac.new(b"whsec-example", BODY, "sha512").hexdigest().upper()}


@pytest.mark.parametrize(("rules", "headers"), list(other_senders()), ids=["plain", "v0", "standard", "sha512"])
def test_how_others_sign(rules, headers):
    assert check(headers, rules=rules).body == BODY
    with pytest.raises(DeliveryRefused):
        check(headers, b"other", rules=rules)


def test_an_id_that_is_not_signed_is_not_trusted():
    rules = replace(RULES, signed="{timestamp}.{body}")
    headers = signing_headers(rules, SECRET, BODY, at=NOW, delivery="")

    first = check({**headers, "Idempotency-Key": "a"}, rules=rules)
    caught = check({**headers, "Idempotency-Key": "b"}, rules=rules)

    assert first.id == caught.id
    assert first.id.startswith("signature ")


@pytest.mark.parametrize(
    ("content_type", "body", "value"),
    [
        ("application/json", b'{"a": [1]}', {"a": [1]}),
        ("", b"[1]", [1]),
        ("text/plain", b'"x"', "x"),
        ("application/x-www-form-urlencoded", b"a=1&b=&c=x%20y", {"a": "1", "b": "", "c": "x y"}),
        ("application/x-www-form-urlencoded", b"a=1&a=2&a=3", {"a": ["1", "2", "3"]}),
        ("application/x-www-form-urlencoded", b"", {}),
    ],
)
def test_bodies(content_type, body, value):
    assert body_of(Delivery("d", body, content_type)) == value


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"secret": '),
        ("application/json", b""),
        ("text/html", b"<html>"),
        ("application/x-www-form-urlencoded", b"a=%ff&"),
        ("application/x-www-form-urlencoded", b"\xff"),
        ("application/x-www-form-urlencoded", b"a=1&" * 1001),
    ],
)
def test_bodies_that_cannot_be_read(content_type, body):
    with pytest.raises(DeliveryRefused) as caught:
        body_of(Delivery("d", body, content_type))
    assert "secret" not in str(caught.value)
