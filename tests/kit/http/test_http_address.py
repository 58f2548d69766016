"""Addresses as templates: a value can change no part of the address but its own."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumeflow.kit.http.address import Address
from lumeflow.plugin import ExpressionError, RecordError


def rendered(source, **scope):
    return Address(source).render(lambda template: template.render(scope))


@pytest.mark.parametrize(
    ("source", "value", "address"),
    [
        ("https://a.example.com/p/{{input.v}}", "x", "https://a.example.com/p/x"),
        ("https://a.example.com/p/{{input.v}}", 17, "https://a.example.com/p/17"),
        ("https://a.example.com/p/{{input.v}}", True, "https://a.example.com/p/true"),
        ("https://a.example.com/p/{{input.v}}", "a/b?c=d&e#f", "https://a.example.com/p/a%2Fb%3Fc%3Dd%26e%23f"),
        ("https://a.example.com/p/{{input.v}}", "Zoë Đặng", "https://a.example.com/p/Zo%C3%AB%20%C4%90%E1%BA%B7ng"),
        ("https://a.example.com/p/{{input.v}}", "lena@example.com", "https://a.example.com/p/lena%40example.com"),
        ("https://a.example.com?q={{input.v}}&r=1", "1&r=2", "https://a.example.com?q=1%26r%3D2&r=1"),
        ("https://{{input.v}}.example.com/p", "shop-7", "https://shop-7.example.com/p"),
        ("https://a.example.com:{{input.v}}/p", 8080, "https://a.example.com:8080/p"),
        ("{{input.v}}/p", "http://a.example.com:8080/x", "http://a.example.com:8080/x/p"),
        ("{{input.v}}", "https://a.example.com/x?y=z", "https://a.example.com/x?y=z"),
        (r"https://a.example.com/\{{x}}/{{input.v}}", "1", "https://a.example.com/{{x}}/1"),
    ],
)
def test_values_are_put_in(source, value, address):
    if "{{x}}" not in source:
        assert Address(source) is not None
        assert rendered(source, input={"v": value}) == address
    else:
        with pytest.raises(ValueError, match="must be encoded"):
            Address(source)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("https://a.example.com/p/{{input.v}}", None),
        ("https://a.example.com/p/{{input.v}}", ""),
        ("https://a.example.com/p/{{input.v}}", "  "),
        ("https://a.example.com/p/{{input.v}}", ["a"]),
        ("https://a.example.com/p/{{input.v}}", {"a": 1}),
        ("https://a.example.com/p/{{input.v}}", ".."),
        ("https://a.example.com/p/{{input.v}}/x", "."),
        ("https://{{input.v}}.example.com/p", "evil.example.net/"),
        ("https://{{input.v}}.example.com/p", "evil.example.net#"),
        ("https://{{input.v}}.example.com/p", "evil.example.net\\"),
        ("https://{{input.v}}.example.com/p", "user@evil.example.net"),
        ("https://{{input.v}}.example.com/p", "a b"),
        ("https://{{input.v}}.example.com/p", "a..b"),
        ("{{input.v}}/p", "file:///etc/passwd"),
        ("{{input.v}}/p", "a.example.com"),
        ("{{input.v}}", "https://a.example.com/\r\nHost: evil"),
    ],
)
def test_values_that_would_change_more_than_their_place_fail_the_record(source, value):
    with pytest.raises(RecordError) as caught:
        rendered(source, input={"v": value})
    assert caught.value.field == "url"
    assert not isinstance(value, str) or value.strip() in ("", ".", "..") or value not in str(caught.value)


@given(st.text(min_size=1))
def test_whatever_stands_in_a_record_stays_one_segment_and_one_value(text):
    source = "https://a.example.com/p/{{input.v}}/q?k={{input.v}}&fixed=1"
    try:
        address = rendered(source, input={"v": text})
    except RecordError:
        assert not text.strip() or text in (".", "..")
        return
    except UnicodeEncodeError:
        return
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "a.example.com", "")
    assert [unquote(part) for part in parts.path.split("/")] == ["", "p", text, "q"]
    assert parse_qs(parts.query, keep_blank_values=True) == {"k": [text], "fixed": ["1"]}


@given(st.text(max_size=30))
def test_a_host_part_never_leaves_its_domain(text):
    try:
        address = rendered("https://{{input.v}}.crm.example.com/p", input={"v": text})
    except RecordError:
        return
    assert urlsplit(address).hostname.endswith(".crm.example.com")
    assert urlsplit(address).path == "/p"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("", "empty"),
        ("a.example.com/x", "must begin with http"),
        ("ftp://a.example.com/", "must begin with http"),
        ("https:///x", "names no host"),
        ("https://user:pass@a.example.com/", "user name or password"),
        ("https://a.example.com:port/", "not a URL"),
        ("https://a.example.com/a b", "must be encoded"),
        ("https://a.example.com/?key={{secrets.crm}}", "secrets into auth"),
    ],
)
def test_addresses_that_can_never_be_right(source, reason):
    with pytest.raises(ValueError, match=reason):
        Address(source)


def test_an_expression_that_is_wrong_is_told():
    with pytest.raises(ExpressionError):
        Address("https://a.example.com/{{input.}}")


@pytest.mark.parametrize(
    ("source", "host", "records_decide"),
    [
        ("https://a.example.com/{{input.x}}", "https://a.example.com", False),
        ("https://a.example.com:8443", "https://a.example.com:8443", False),
        ("https://{{variables.region}}.example.com/", None, False),
        ("{{variables.base}}/x/{{input.id}}", None, False),
        ("https://{{input.shop}}.example.com/", None, True),
        ("{{input.url}}", None, True),
        ("{{nodes['a'].output.base}}/x", None, True),
        ("{{variables.base}}{{input.path}}", None, True),
    ],
)
def test_who_decides_which_host_is_called(source, host, records_decide):
    address = Address(source)
    assert (address.host, address.host_from_records) == (host, records_decide)
