"""Host names as they travel: small letters, ASCII."""

import re

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{4,253}}\Z)(?:{_LABEL}\.)+(?!\d+\Z)[a-z0-9-]{{2,63}}(?<!-)")


def host_name(text: str) -> str | None:
    """`text` as a host name with at least two labels, in ASCII (IDNA 2008); None if it isn't one.

    `Müller.Example.com.` gives `xn--mller-kva.example.com`.
    """
    host = text.lower().removesuffix(".")
    if not host.isascii():
        host = _ascii(host)
    return host if _HOST.fullmatch(host) else None


def _ascii(host: str) -> str:
    import idna

    try:
        return idna.encode(host, uts46=True, std3_rules=True).decode()
    except (idna.IDNAError, UnicodeError):
        return ""
