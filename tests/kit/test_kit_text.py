"""Small readings of text."""

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumeflow.kit.text import bare_domain, is_address, is_blank, profile_handle, text_of

EMAIL = jsonschema_rs.validator_for({"type": "string", "format": "email"}, validate_formats=True)
ADDRESSES = st.from_regex(r"[A-Za-z0-9_+'&/.-]{1,12}@[a-z0-9.-]{1,12}\.[a-z]{2,3}", fullmatch=True)


@pytest.mark.parametrize(
    "text",
    [
        "lena.okafor@example.com",
        "l@example.com",
        "lena+news@mail.example.co.uk",
        "o'hara@example.org",
        "_lena-okafor_@xn--bcher-kva.example.com",
        "L3NA@EXAMPLE.COM",
    ],
)
def test_addresses(text):
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lena",
        "lena@",
        "@example.com",
        "lena@example",
        "lena@@example.com",
        "lena@exa mple.com",
        "lena okafor@example.com",
        ".lena@example.com",
        "lena.@example.com",
        "le..na@example.com",
        "lena@example..com",
        "lena@-example.com",
        "lena@example-.com",
        "lena@example.c",
        "lena@192.168.0.1",
        "lena@example.com.",
        "lena@example.com\n",
        "lena@example.com, tomas@example.com",
        "<lena@example.com>",
        "mailto:lena@example.com",
        "lena(at)example.com",
        "léna@example.com",
        f"{'a' * 65}@example.com",
        f"lena@{'a' * 64}.com",
        f"lena@{'abcdefg.' * 32}com",
    ],
)
def test_no_addresses(text):
    assert not is_address(text)


@given(ADDRESSES)
def test_every_address_is_one_to_json_schema_too(text):
    assert not is_address(text) or EMAIL.is_valid(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [(" Lena ", "Lena"), (7, "7"), (1.5, "1.5"), (True, ""), (None, ""), (["Lena"], ""), ({}, "")],
)
def test_texts_and_numbers_are_text(value, text):
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("value", "blank"),
    [
        (None, True),
        ("", True),
        (" \n", True),
        ([], True),
        ({}, True),
        ((), True),
        (0, False),
        (False, False),
        ("x", False),
    ],
)
def test_what_counts_as_blank(value, blank):
    assert is_blank(value) is blank


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("example.com", "example.com"),
        ("https://www.Example.com/team?x=1", "example.com"),
        ("HTTP://example.com:8080", "example.com"),
        ("lena@example.com", "example.com"),
        ("@example.com", "example.com"),
        (" www.example.com. ", "example.com"),
        ("", ""),
    ],
)
def test_the_domain_in_an_address(text, domain):
    assert bare_domain(text) == domain


@pytest.mark.parametrize(
    ("text", "handle"),
    [
        ("http://www.linkedin.com/in/lena-okafor-example/", "lena-okafor-example"),
        ("https://LinkedIn.com/in/lena?trk=x", "lena"),
        ("lena-okafor-example", "lena-okafor-example"),
    ],
)
def test_the_handle_in_a_profile_address(text, handle):
    assert profile_handle(text) == handle
