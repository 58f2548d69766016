"""Where the server is, and the key that it asks for."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from lumeflow.core.errors import UsageError

SERVER_VARIABLE = "LUMEFLOW_SERVER"
KEY_VARIABLE = "LUMEFLOW_API_KEY"
_LONGEST_KEY = 1000


@dataclass(frozen=True, slots=True)
class Address:
    """A server, and who asks.

    Attributes:
        url: Its URL, without a slash at its end.
        key: The API key.
    """

    url: str
    key: str = field(repr=False)


def read_url(text: str, source: str) -> str:
    """The URL of a server, without a slash at its end; `source` says where it was given.

    Raises:
        UsageError: It is none. It is not quoted where it may hold a password.
    """
    example = "expected one such as https://lumeflow.example.com"
    try:
        parts = urlsplit(text.strip())
        port_is_right = parts.port != 0
    except ValueError:
        raise UsageError(f"{source} is not a URL; {example}") from None
    if "@" in parts.netloc:
        raise UsageError(f"{source} names a user: leave that out; the key is given by {KEY_VARIABLE}")
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname or not port_is_right:
        raise UsageError(f"{source}: '{text[:100]}' is not the URL of a server; {example}")
    if parts.query or parts.fragment or not parts.path.isascii() or not text.strip().isprintable():
        raise UsageError(f"{source}: the URL of a server ends with its host, its port or a path; {example}")
    return text.strip().rstrip("/")


def read_key(text: str, source: str) -> str:
    """An API key: itself, or `@FILE` for the file that holds it. It is never quoted.

    Raises:
        UsageError: The file cannot be read, or it is no key.
    """
    if text.startswith("@"):
        path = Path(text[1:])
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{source}: '{path}' cannot be read: {error.strerror}") from error
        except UnicodeDecodeError:
            raise UsageError(f"{source}: '{path}' holds no key") from None
    key = text.strip()
    if not key or len(key) > _LONGEST_KEY or not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError(f"{source} is no API key: 'lumeflow db key create' prints one, once, when it makes it")
    return key
