import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumeflow.kit.normalize.emails import email_address
from lumeflow.kit.text import is_address

RELAXED = settings(deadline=None, max_examples=300)


@pytest.mark.parametrize(
    ("given_text", "address"),
    [
        ("mira.holt@example.com", "mira.holt@example.com"),
        (" Mira.Holt@Example.COM\n", "Mira.Holt@example.com"),
        ("\ufeffmira@\u200bexample.com\u00a0", "mira@example.com"),
        ("mailto:mira@example.com", "mira@example.com"),
        ("MAILTO:mira%2Bnews@example.com?subject=Hello", "mira+news@example.com"),
        ("Mira Holt <mira@example.com>", "mira@example.com"),
        ('"Holt, Mira" <mira@example.com>', "mira@example.com"),
        ("<mira@example.com>", "mira@example.com"),
        ("(mira@example.com)", "mira@example.com"),
        ("'mira@example.com'", "mira@example.com"),
        ("mira@example.com.", "mira@example.com"),
        ("mira@example.com,", "mira@example.com"),
        ("E-Mail: mira@example.com", "mira@example.com"),
        ("mira@example.com (work)", "mira@example.com"),
        ("mira @ example.com", "mira@example.com"),
        ("mira＠example.com", "mira@example.com"),
        ("mira [at] example [dot] com", "mira@example.com"),
        ("mira(at)example.com", "mira@example.com"),
        ("mira (chiocciola) example (punto) it", "mira@example.it"),
        ("mira@example.com; tomas@example.org", "mira@example.com"),
        ("mira@example.com / tomas@example.org", "mira@example.com"),
        ("mira@example.com tomas@example.org", "mira@example.com"),
        ("n/a, tomas@example.org", "tomas@example.org"),
        ("o’neill@example.com", "o'neill@example.com"),
        ("mira@Müller.example", "mira@xn--mller-kva.example"),
        ("mira@xn--mller-kva.example", "mira@xn--mller-kva.example"),
        ("m@example.museum", "m@example.museum"),
        (".mira@example.com", "mira@example.com"),
        ("_mira_@example.com", "_mira_@example.com"),
    ],
)
def test_an_address_is_found_in_what_surrounds_it(given_text, address):
    assert email_address(given_text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "n/a",
        "mira",
        "@mira",
        "mira@",
        "mira@example",
        "mira@localhost",
        "mira@@example.com",
        "mira@example..com",
        "mira.@example.com",
        "mira@-example.com",
        "mira@192.0.2.1",
        "mira holt@example.com",
        "mirà@example.com",
        "https://example.com/@mira",
        "mira at example dot com",
        "mira@example,com",
        "x" * 2000 + "@example.com",
    ],
)
def test_what_is_no_address_is_not_guessed_at(text):
    assert email_address(text) is None


@pytest.mark.parametrize(
    ("text", "options", "address"),
    [
        ("Mira.Holt@Example.com", {"all_lower": True}, "mira.holt@example.com"),
        ("mira+fair-2026@example.com", {"drop_tag": True}, "mira@example.com"),
        ("mira+a+b@example.com", {"drop_tag": True}, "mira@example.com"),
        ("+mira@example.com", {"drop_tag": True}, "+mira@example.com"),
        ("mira+fair@example.com", {}, "mira+fair@example.com"),
    ],
)
def test_options(text, options, address):
    assert email_address(text, **options) == address


LOCALS = st.from_regex(r"[a-z0-9]{1,8}([.+_-][a-z0-9]{1,8}){0,2}", fullmatch=True)
DOMAINS = st.from_regex(r"[a-z]{2,8}(-[a-z]{1,4})?\.example\.(com|org|net)", fullmatch=True)
ADDRESSES = st.builds("{}@{}".format, LOCALS, DOMAINS)
WRAPPINGS = ["{}", " {} ", "<{}>", "Mira Holt <{}>", '"Holt, Mira" <{}>', "mailto:{}", "{}.", "'{}'", "{};", "({})"]


@RELAXED
@given(ADDRESSES, st.sampled_from(WRAPPINGS), st.sampled_from([*WRAPPINGS[:1], " {}\t", "\u200b{}"]))
def test_whatever_surrounds_an_address_leads_to_it(address, wrapping, outer):
    assert email_address(outer.format(wrapping.format(address))) == address


@RELAXED
@given(ADDRESSES)
def test_capitals_make_no_difference_if_all_become_small(address):
    assert email_address(address.upper(), all_lower=True) == address


@RELAXED
@given(st.text(max_size=60) | st.text("ab.@<>; +-[]'\"/", max_size=30), st.booleans(), st.booleans())
def test_any_text_gives_an_address_that_stays_as_it_is_or_none(text, all_lower, drop_tag):
    address = email_address(text, all_lower=all_lower, drop_tag=drop_tag)
    assert address is None or is_address(address)
    if address is not None:
        assert email_address(address, all_lower=all_lower, drop_tag=drop_tag) == address
