"""Addresses, request heads and compressed bodies, without a network."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumeflow.core.http import HttpRequest
from lumeflow.gateway.http.request_head import render_head
from lumeflow.gateway.http.target import split_url
from lumeflow.gateway.http.unpacking import PackedBody, PlainBody, TooLarge


@pytest.mark.parametrize(
    ("url", "host", "port", "secure", "authority", "target"),
    [
        ("https://api.example.com/v1/people?q=a%20b", "api.example.com", 443, True, "api.example.com", "/v1/people?q=a%20b"),
        ("http://api.example.com", "api.example.com", 80, False, "api.example.com", "/"),
        ("http://api.example.com?q=1", "api.example.com", 80, False, "api.example.com", "/?q=1"),
        ("http://api.example.com:8080/x#part", "api.example.com", 8080, False, "api.example.com:8080", "/x"),
        ("HTTPS://API.Example.com:443/", "api.example.com", 443, True, "api.example.com", "/"),
        ("http://[2001:db8::1]:8080/x", "2001:db8::1", 8080, False, "[2001:db8::1]:8080", "/x"),
        ("https://bücher.example/é", None, 0, True, "", ""),
        ("https://bücher.example/%C3%A9", "xn--bcher-kva.example", 443, True, "xn--bcher-kva.example", "/%C3%A9"),
    ],
)  # fmt: skip
def test_addresses_are_taken_apart(url, host, port, secure, authority, target):
    if host is None:
        with pytest.raises(ValueError, match="percent-encoded"):
            split_url(url)
        return
    origin, found = split_url(url)
    assert (origin.host, origin.port, origin.is_secure, origin.authority) == (host, port, secure, authority)
    assert found == target


@pytest.mark.parametrize(
    "url",
    [
        *("", "no address", "//api.example.com/", "ftp://api.example.com/", "http://", "http:///x", "http://:80/"),
        *("http://user:word@api.example.com/", "http://api.example.com:99999/", "http://api.example.com:x/"),
        *("http://api.example.com/a b", "http://api.example.com/a\r\nX: y", "http://api.example.com/\x00", "http://a b/"),
        *("http://api.example.com\r\nX: y/", "http://[::1/"),
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_being_quoted(url):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is looked at below
        split_url(url + "?api_key=k-secret" if "://" in url else url)
    assert "k-secret" not in str(caught.value)


@given(st.text())
def test_no_text_makes_a_request_line_of_two(text):
    try:
        _, target = split_url(f"http://api.example.com/{text}")
    except ValueError:
        return
    assert target.isascii()
    assert not set(target) & {" ", "\r", "\n", "\0", "#"}


def head(**given):
    request = HttpRequest(**{"method": "GET", "url": "http://api.example.com/x", **given})
    return render_head(request, *split_url(request.url)).decode()


def test_a_head_has_what_servers_expect():
    assert head() == (
        "GET /x HTTP/1.1\r\nHost: api.example.com\r\naccept: */*\r\naccept-encoding: gzip, deflate\r\n"
        "user-agent: lumeflow\r\n\r\n"
    )
    assert "\r\nContent-Length: 2\r\n" in head(method="POST", body=b"{}")
    assert "\r\nContent-Length: 0\r\n" in head(method="POST")
    assert "Content-Length" not in head(method="DELETE")
    assert "\r\nContent-Length: 2\r\n" in head(method="DELETE", body=b"{}")


def test_given_headers_win_over_defaults_but_not_over_the_framing():
    lines = head(
        headers={"Accept": "text/csv", "Host": "elsewhere", "Content-Length": "9", "Transfer-Encoding": "chunked"}
    )
    assert "Accept: text/csv\r\n" in lines
    assert "*/*" not in lines
    assert "elsewhere" not in lines
    assert "chunked" not in lines
    assert "Content-Length" not in lines


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\0b", "\x7f"])
def test_a_header_cannot_smuggle_in_another(value):
    with pytest.raises(ValueError, match="'X-Key'") as caught:
        head(headers={"X-Key": f"k-secret{value}"})
    assert "k-secret" not in str(caught.value)


@pytest.mark.parametrize("given", [{"method": "GET /x"}, {"headers": {"X Key": "a"}}, {"headers": {"": "a"}}])
def test_what_is_no_method_or_header_is_refused(given):
    with pytest.raises(ValueError, match=r"its (method|header)"):
        head(**given)


def raw(data):
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKERS = {"gzip": gzip.compress, "zlib": zlib.compress, "raw": raw}


@pytest.mark.parametrize(("encoding", "form"), [("gzip", "gzip"), ("deflate", "zlib"), ("deflate", "raw")])
@given(data=st.binary(max_size=5000), cut=st.integers(1, 400))
def test_a_packed_body_is_unpacked_in_whatever_pieces_it_comes(encoding, form, data, cut):
    body = PackedBody(5000, encoding)
    packed = PACKERS[form](data)
    for at in range(0, len(packed), cut):
        body.feed(packed[at : at + cut])
    assert body.whole() == data


def test_gzip_of_several_parts_is_one_body():
    body = PackedBody(100, "gzip")
    body.feed(gzip.compress(b"one ") + gzip.compress(b"two"))
    assert body.whole() == b"one two"


def test_a_bomb_is_stopped_when_it_has_unpacked_what_is_allowed():
    body = PackedBody(1 << 20, "gzip")
    with pytest.raises(TooLarge):
        body.feed(gzip.compress(bytes(50_000_000)))


def test_a_cut_or_wrong_body_is_told():
    body = PackedBody(100, "gzip")
    body.feed(gzip.compress(b"hello")[:-4])
    with pytest.raises(ValueError, match="cut off"):
        body.whole()
    with pytest.raises(ValueError, match="not compressed"):
        PackedBody(100, "gzip").feed(b"hello")


def test_a_plain_body_of_one_piece_is_not_copied():
    body, piece = PlainBody(10), b"0123456789"
    body.feed(piece)
    assert body.whole() is piece
    with pytest.raises(TooLarge):
        body.feed(b"x")
