"""What a PostgreSQL URL says, and what follows from it."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lumeflow.core.errors import UsageError

POOLER_PORT = 6543
"""Supabase's poolers in transaction mode: nothing outlives a transaction there, prepared statements neither."""

_FORM = "expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE, special characters of the password as %XX"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is, and how it is spoken to.

    Attributes:
        dsn: The URL in the one form that the driver takes; holds the password.
        name: For messages: without password.
        is_pooled: True if a transaction may find another connection than the one before.
        sslmode: How TLS is asked for, where the URL does not say; None if it does.
    """

    dsn: str
    name: str
    is_pooled: bool
    sslmode: str | None

    def __repr__(self) -> str:
        return f"Address({self.name!r})"

    def options(self) -> dict[str, Any]:
        """Arguments of the driver's `connect`."""
        options: dict[str, Any] = {
            "dsn": self.dsn,
            "timeout": 10,
            "command_timeout": 120,
            "server_settings": {"application_name": "lumeflow"},
        }
        if self.is_pooled:
            options["statement_cache_size"] = 0
        if self.sslmode is not None:
            options["ssl"] = self.sslmode
        return options


def read_url(url: str) -> Address:
    """Understand `postgresql://…`, `postgres://…` and `postgresql+driver://…`.

    Raises:
        UsageError: It is none of them; the message does not hold the password.
    """
    _, separator, rest = url.partition("://")
    if not separator or not rest:
        raise UsageError(f"the database URL is not understood: {_FORM}")
    parts = urlsplit("postgresql://" + rest)
    try:
        port = parts.port
    except ValueError as error:
        raise UsageError(f"the database URL is not understood: its port is no number; {_FORM}") from error
    query = parse_qs(parts.query)
    host = parts.hostname or next(iter(query.get("host", [])), "")
    place = f"{host}:{port}" if port else host
    user = f"{parts.username}@" if parts.username else ""
    sslmode = None if "sslmode" in query or not _is_remote(host) else "require"
    ports = {port, *(int(one) for one in query.get("port", []) if one.isdecimal())}
    return Address(parts.geturl(), f"postgresql://{user}{place}{parts.path}", POOLER_PORT in ports, sslmode)


def _is_remote(host: str) -> bool:
    """True for a host on the open net; what is local, private or a bare name may do without TLS."""
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.startswith("/") and not host.endswith((".local", ".internal", ".localhost"))
