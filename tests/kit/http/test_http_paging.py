"""Where the next page is: Link headers, addresses in answers, and hosts that are not followed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumeflow.kit.http.paging import next_link, same_host
from lumeflow.plugin import NodeError


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("", None),
        ('<https://a.example.com/p?page=2>; rel="next"', "https://a.example.com/p?page=2"),
        ("</p?page=2>; rel=next", "/p?page=2"),
        ('</p?page=1>; rel="prev", </p?page=3>; rel="next", </p?page=9>; rel="last"', "/p?page=3"),
        ('</p?ids=1,2,3&page=2>; rel="next"', "/p?ids=1,2,3&page=2"),
        ('</p>; title="a, b; c"; rel="next"', "/p"),
        ('</p>; rel="last next"', "/p"),
        ('</p>; REL="NEXT"', "/p"),
        ('</p>; rel="nextish"', None),
        ('</p>; title="rel=next"', None),
        ('</a>; rel="first"', None),
        ("garbage", None),
        ('<unclosed; rel="next"', None),
    ],
)
def test_next_of_a_link_header(header, address):
    assert next_link(header) == address


@given(st.text(max_size=200))
def test_no_header_breaks_it(header):
    found = next_link(header)
    assert found is None or found in header


@pytest.mark.parametrize(
    ("here", "named", "address"),
    [
        ("https://a.example.com/v1/p?x=1", "/v1/p?page=2", "https://a.example.com/v1/p?page=2"),
        ("https://a.example.com/v1/p", "?page=2", "https://a.example.com/v1/p?page=2"),
        ("https://a.example.com/v1/p", "https://A.example.com/v1/p?page=2", "https://a.example.com/v1/p?page=2"),
        ("https://a.example.com/p", "http://a.example.com/p?page=2", "https://a.example.com/p?page=2"),
        ("https://a.example.com/p", "https://a.example.com:443/p#top", "https://a.example.com/p"),
        ("http://a.example.com:8080/p", "http://a.example.com:8080/q", "http://a.example.com:8080/q"),
    ],
)
def test_a_next_page_on_the_same_host(here, named, address):
    assert same_host(here, named) == address


@pytest.mark.parametrize(
    "named",
    [
        "https://evil.example.net/p",
        "//evil.example.net/p",
        "https://a.example.com.evil.example.net/",
        "https://a.example.com@evil.example.net/",
        "https://user:pass@a.example.com/",
        "https://a.example.com:8443/p",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://[::1/",
    ],
)
def test_a_next_page_anywhere_else_is_refused(named):
    with pytest.raises(NodeError, match="leads to another host"):
        same_host("https://a.example.com/p", named)
