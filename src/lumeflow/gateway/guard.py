"""Keeps requests whose address a user gave away from networks that only this machine can reach.

The check is made on the address that is connected to: on literals before the connection, on every answer of the
resolver, and once more on the socket. So it makes no difference how an address is spelled, what a name resolves to at
the moment, or where a redirect leads.

Whoever operates lumeflow can allow names and networks; addresses that the operator sets (vendors' base URLs, a
simulator) are not guarded at all.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from lumeflow.core.errors import ForbiddenAddress, UsageError

VARIABLE = "LUMEFLOW_ALLOWED_ADDRESSES"

_PRIVATE_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # behind a provider's NAT
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's host, a public address that only its machines reach
        "169.254.0.0/16",  # link-local, with the clouds' metadata at .169.254
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)
_PUBLIC_V6 = IPv6Network("2000::/3")
"""All that is handed out so far; loopback, unique local, link-local, multicast and v4-compatible are outside."""
_PRIVATE_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocols: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which wraps a v4 address
        "3fff::/20",  # documentation
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
_LAST_32_BITS = 2**32 - 1

_Network = IPv4Network | IPv6Network
_Address = IPv4Address | IPv6Address


class Guard:
    """Says which addresses may be connected to.

    Args:
        allowed: What may be reached although it is not public: addresses, networks (`10.1.0.0/16`), host names,
            and names with all names below them (`*.intranet.example`).

    Raises:
        UsageError: An entry is none of these.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._networks: list[_Network] = []
        self._names: set[str] = set()
        self._domains: list[str] = []
        for entry in allowed:
            self._allow(entry.strip())

    def check_url(self, url: str) -> None:
        """Check all that can be told from an address before anything is looked up.

        Raises:
            ForbiddenAddress: It must not be called.
        """
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
            _ = parts.port
        except ValueError:
            raise ForbiddenAddress("the address is not a URL") from None
        if parts.scheme not in ("http", "https") or not host:
            raise ForbiddenAddress("the address must begin with http:// or https:// and name a host")
        if "@" in parts.netloc:
            raise ForbiddenAddress("the address must hold no user name or password; use auth for them")
        if ":" in host or _ends_in_number(host):
            self.check(host, host)

    def check(self, host: str, address: str) -> None:
        """Check an address that is about to be connected to, on behalf of a host name (or of the address itself).

        Raises:
            ForbiddenAddress: It must not be reached.
        """
        if self._allows_name(host):
            return
        try:
            found = ip_address(address)
        except ValueError:
            raise ForbiddenAddress(f"{host} is not a name and not an address in its usual form") from None
        if not is_public(found) and not self._allows_address(found):
            # Where a name leads to inside is not told: it would map the network for whoever asks.
            raise ForbiddenAddress(
                f"{host} is not on the public internet, and private networks must not be called from a workflow; "
                f"whoever runs lumeflow can allow it in {VARIABLE}"
            )

    def allows(self, host: str, address: str) -> bool:
        """`check` as a question."""
        try:
            self.check(host, address)
        except ForbiddenAddress:
            return False
        return True

    def _allow(self, entry: str) -> None:
        if "/" in entry or ":" in entry or _ends_in_number(entry):
            try:
                self._networks.append(ip_network(entry))
            except ValueError as error:
                raise UsageError(f"{VARIABLE}: '{entry}' is no address and no network: {error}") from None
            return
        name = _name(entry)
        bare = name.removeprefix("*.")
        if not bare or not all(letter.isalnum() or letter in "-._" for letter in bare):
            raise UsageError(
                f"{VARIABLE}: '{entry}' is no host name; write names, *.names, addresses or networks with commas "
                "between them"
            )
        if name == bare:
            self._names.add(name)
        else:
            self._domains.append(f".{bare}")

    def _allows_name(self, host: str) -> bool:
        name = _name(host)
        return name in self._names or any(name.endswith(domain) for domain in self._domains)

    def _allows_address(self, address: _Address) -> bool:
        candidates = {address}
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            candidates.add(address.ipv4_mapped)
        return any(
            each.version == network.version and each in network for each in candidates for network in self._networks
        )


def is_public(address: _Address) -> bool:
    """True if an address belongs to one machine on the public internet.

    Forms of version 6 that wrap one of version 4 are as public as that one, or, where nothing uses them any more
    (6to4, Teredo, v4-compatible), not at all.
    """
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _PRIVATE_V4)
    if address.scope_id is not None:
        return False
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & _LAST_32_BITS))
    return address in _PUBLIC_V6 and not any(address in network for network in _PRIVATE_V6)


def _name(host: str) -> str:
    return host.lower().rstrip(".")


def _ends_in_number(host: str) -> bool:
    """True for what systems take for an address of version 4: `127.1`, `2130706433`, `0x7f.0.0.1`, `0177.0.0.1`."""
    last = _name(host).rpartition(".")[2]
    return last.isdigit() or (last.startswith("0x") and all(letter in "0123456789abcdef" for letter in last[2:]))
