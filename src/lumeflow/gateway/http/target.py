"""A request's address, taken apart: where to connect, and what to ask for there."""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a server is reached.

    Attributes:
        host: Name or address of the host, without brackets.
        port: Its port.
        is_secure: True for TLS.
        authority: Value of the `Host` header.
    """

    host: str
    port: int
    is_secure: bool
    authority: str

    @property
    def place(self) -> str:
        """Host and port, for messages."""
        return f"{self.host}:{self.port}"


def split_url(url: str) -> tuple[Origin, str]:
    """An address as its origin and the target of the request line.

    Raises:
        ValueError: It is not an http or https URL, or holds what must not stand in a request line. Nothing of it is
            quoted, as it may hold a key.
    """
    scheme, mark, rest = url.partition("://")
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    if not mark:
        raise ValueError("it has no scheme")
    target = rest[end:].partition("#")[0]
    if not target.startswith("/"):
        target = f"/{target}"
    if not target.isascii() or not target.isprintable() or " " in target:
        raise ValueError("it holds a character that must be percent-encoded")
    return _origin(scheme.lower(), rest[:end]), target


@lru_cache(maxsize=256)
def _origin(scheme: str, netloc: str) -> Origin:
    if scheme not in _PORTS:
        raise ValueError("its scheme is neither http nor https")
    parts = urlsplit(f"{scheme}://{netloc}")
    host, port = parts.hostname, parts.port or _PORTS[scheme]
    if not host or "@" in netloc:
        raise ValueError("it names no host, or a user")
    host = _ascii(host)
    shown = f"[{host}]" if ":" in host else host
    return Origin(host, port, scheme == "https", shown if port == _PORTS[scheme] else f"{shown}:{port}")


def _ascii(host: str) -> str:
    if not host.isascii():
        import idna

        host = idna.encode(host, uts46=True).decode()  # its error is a ValueError
    if not host.isprintable() or " " in host:
        raise ValueError("its host is no name")
    return host
