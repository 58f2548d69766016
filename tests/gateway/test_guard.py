"""Addresses that users give: what is public, what is not, in every spelling."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumeflow.core.errors import ForbiddenAddress, UsageError
from lumeflow.gateway import Guard
from lumeflow.gateway.guard import is_public

PRIVATE_V4 = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",  # a cloud's metadata
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",  # another's
    "169.254.169.254",  # most clouds'
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
]
PUBLIC_V4 = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "11.0.0.1"]
PRIVATE_V6 = [
    "::",
    "::1",
    "::7f00:1",  # v4-compatible
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",  # NAT64 of 127.0.0.1
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",  # Teredo
    "2001:0:7f00:1::",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::",  # 6to4 of 127.0.0.1
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",  # a cloud's metadata
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "2606:4700::1111%1",  # a zone is always local
]
PUBLIC_V6 = ["2606:4700:4700::1111", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", PRIVATE_V4 + PRIVATE_V6)
def test_addresses_that_are_not_public(address):
    assert not is_public(ip_address(address))
    with pytest.raises(ForbiddenAddress):
        Guard().check("host.example.com", address)


@pytest.mark.parametrize("address", PUBLIC_V4 + PUBLIC_V6)
def test_addresses_that_are_public(address):
    assert is_public(ip_address(address))
    Guard().check("host.example.com", address)


@given(st.ip_addresses(v=4))
def test_nothing_is_public_that_python_calls_private(address: IPv4Address):
    assert not is_public(address) or (address.is_global and not address.is_multicast)


@given(st.ip_addresses(v=4))
def test_a_wrapped_address_is_never_more_public_than_what_it_wraps(address: IPv4Address):
    number = int(address)
    wrapped = [
        IPv6Address(0xFFFF << 32 | number),
        IPv6Address(0x64FF9B << 96 | number),
        IPv6Address(0x2002 << 112 | number << 80),
        IPv6Address(0x20010000 << 96 | (number ^ 0xFFFFFFFF)),
        IPv6Address(number),
    ]
    assert is_public(address) or not any(map(is_public, wrapped))


@given(st.ip_addresses(v=6))
def test_of_version_6_only_what_is_handed_out_is_public(address: IPv6Address):
    if is_public(address):
        wraps = address.ipv4_mapped is not None or address in ip_network_nat64()
        assert wraps or 0x2000 <= int(address) >> 112 < 0x4000


def ip_network_nat64():
    from ipaddress import IPv6Network

    return IPv6Network("64:ff9b::/96")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.0.0.1:8080/a?b",
        "http://127.1/",
        "http://127.0.1/",
        "http://2130706433/",
        "http://017700000001/",
        "http://0177.0.0.1/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://127.0.0.0x1/",
        "http://0X7F.1/",
        "http://127.0.0.1./",
        "http://0/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[0:0:0:0:0:ffff:7f00:1]/",
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://user:pass@8.8.8.8/",
        "http://8.8.8.8@127.0.0.1/",
        "http://256.1.1.1/",
        "http://1.2.3/",
        "http://[::1/",
        "http://host.example.com:99999/",
        "http:///path",
        "http:/one-slash",
        "//host.example.com/",
        "host.example.com",
        "",
        "ftp://host.example.com/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_INFO",
        "unix:///var/run/docker.sock",
    ],
)
def test_addresses_that_are_refused_before_anything_is_looked_up(url):
    with pytest.raises(ForbiddenAddress):
        Guard().check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/v1/people?x=1",
        "http://8.8.8.8/",
        "http://[2606:4700:4700::1111]:8080/",
        "https://localhost/",  # a name: refused when it is looked up
        "https://10.example.com/",
        "https://xn--bcher-kva.example.com/",
    ],
)
def test_addresses_that_may_be_looked_up(url):
    Guard().check_url(url)


def test_the_message_says_who_can_allow_it_and_not_where_a_name_leads():
    with pytest.raises(ForbiddenAddress) as caught:
        Guard().check("intranet.example.com", "10.11.12.13")
    assert "intranet.example.com" in str(caught.value)
    assert "LUMEFLOW_ALLOWED_ADDRESSES" in str(caught.value)
    assert "10.11" not in str(caught.value)


@pytest.mark.parametrize(
    ("allowed", "host", "address"),
    [
        ("10.1.0.0/16", "a.example.com", "10.1.2.3"),
        ("10.1.2.3", "10.1.2.3", "10.1.2.3"),
        ("127.0.0.0/8", "localhost", "127.0.0.1"),
        ("10.1.0.0/16", "a.example.com", "::ffff:10.1.2.3"),
        ("fd00::/8", "a.example.com", "fd00::5"),
        ("::1", "localhost", "::1"),
        ("intranet.example", "intranet.example", "10.9.9.9"),
        ("Intranet.Example", "INTRANET.example.", "10.9.9.9"),
        ("*.intranet.example", "crm.intranet.example", "192.168.0.4"),
    ],
)
def test_what_the_operator_allows(allowed, host, address):
    assert not Guard().allows(host, address)
    assert Guard([allowed]).allows(host, address)


@pytest.mark.parametrize(
    ("allowed", "host", "address"),
    [
        ("10.1.0.0/16", "a.example.com", "10.2.0.1"),
        ("intranet.example", "x.intranet.example", "10.0.0.1"),
        ("*.intranet.example", "intranet.example", "10.0.0.1"),
        ("*.intranet.example", "evilintranet.example", "10.0.0.1"),
        ("intranet.example", "intranet.example.evil.example.com", "10.0.0.1"),
    ],
)
def test_nothing_more_is_allowed_than_was_said(allowed, host, address):
    assert not Guard([allowed]).allows(host, address)


@pytest.mark.parametrize("entry", ["", "*.", "10.1.0.0/33", "10.1.0.5/16", "http://a.example.com", "a b", "*", "1.2.3"])
def test_an_allowance_that_cannot_be_read_is_an_error(entry):
    with pytest.raises(UsageError, match="LUMEFLOW_ALLOWED_ADDRESSES"):
        Guard([entry])
