"""What counts as an e-mail address, a web address and a phone number."""

import time

import pytest

from lumeflow.core.expressions import recognise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mira@example.com", True),
        ("mira.holt+news@mail.example.co.uk", True),
        ("o'neill@example.org", True),
        ("a@b.io", True),
        ("x@xn--bcher-kva.example", True),
        ("x@bücher.example", True),
        ("", False),
        ("mira", False),
        ("@example.com", False),
        ("mira@", False),
        ("mira@example", False),
        ("mira@@example.com", False),
        ("a b@example.com", False),
        (".mira@example.com", False),
        ("mira.@example.com", False),
        ("mi..ra@example.com", False),
        ("mira@example..com", False),
        ("mira@-example.com", False),
        ("mira@example-.com", False),
        ("mira@example.c", False),
        ("mira@example.123", False),
        ("mira@example.com\n", False),
        ("mira@127.0.0.1", False),
        ("a" * 65 + "@example.com", False),
        ("a@" + "b" * 250 + ".com", False),
    ],
)
def test_email(text, expected):
    assert recognise.is_email(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://example.com", True),
        ("HTTP://Example.com:8080/a/b?c=d#e", True),
        ("https://user@example.com/", True),
        ("https://example.com?x=1", True),
        ("example.com", False),
        ("ftp://example.com", False),
        ("https://", False),
        ("https://localhost", False),
        ("https://exa mple.com", False),
        ("https://example.com:port", False),
        ("javascript://example.com", False),
        ("https://example.com/" + "a" * 2100, False),
    ],
)
def test_url(text, expected):
    assert recognise.is_url(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+39 02 5550 1234", True),
        ("(02) 5550-1234", True),
        ("5550100", True),
        (" +1.555.010.0199 ", True),
        ("555010", False),
        ("+1234567890123456", False),
        ("555-CALL", False),
        ("", False),
        ("+", False),
        ("12345678 ext. 5", False),
    ],
)
def test_phone(text, expected):
    assert recognise.is_phone(text) is expected


@pytest.mark.parametrize("text", ["@" * 300_000, "a" * 300_000, "a@" * 150_000, "a." * 150_000, "a@b." * 75_000])
@pytest.mark.parametrize("find", [recognise.find_emails, recognise.find_urls, recognise.find_phones])
def test_finding_in_long_texts_ends_soon(find, text):
    start = time.perf_counter()
    assert find(text) == []
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize(
    "text", ["1-" * 150_000, "http://" * 40_000, "https://a" * 30_000, "1" * 300_000, "( 1" * 100_000]
)
def test_finding_phones_and_urls_in_adverse_texts_ends_soon(text):
    start = time.perf_counter()
    recognise.find_phones(text)
    recognise.find_urls(text)
    assert time.perf_counter() - start < 10
