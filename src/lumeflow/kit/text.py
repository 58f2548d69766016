"""Small readings of text values that come from people, models and vendors."""

import re
from collections.abc import Mapping
from typing import Any

_LOCAL = r"[A-Za-z0-9_+-](?:[A-Za-z0-9_+'&/-]|\.(?!\.)){0,62}(?<!\.)"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{6,254}}\Z){_LOCAL}@(?:{_LABEL}\.)+[A-Za-z]{{2,63}}")


def is_address(text: str) -> bool:
    """True for an e-mail address as people have them: `local@domain.tld`, ASCII, no quoted parts, no IP addresses.

    Stricter than the standard on purpose: whatever passes is also an `email` to JSON Schema and to the vendors.
    """
    return _ADDRESS.fullmatch(text) is not None


def text_of(value: Any) -> str:
    """A text or a number as trimmed text; an empty one for anything else, null and booleans too."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def is_blank(value: Any) -> bool:
    """True for null, and for a text, list or object without content."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value.strip()
    return isinstance(value, (list, tuple, Mapping)) and not value


def bare_domain(text: str) -> str:
    """The host out of a web or e-mail address, in lower case: `https://www.Example.com/team` gives `example.com`."""
    host = text.strip().lower().rpartition("://")[2]
    host = re.split(r"[/?#]", host, maxsplit=1)[0].rpartition("@")[2].partition(":")[0]
    return host.removeprefix("www.").strip(".")


def profile_handle(text: str) -> str:
    """The handle out of a LinkedIn profile address; any other text as it is."""
    match = re.search(r"linkedin\.com/in/([^/?#\s]+)", text, re.IGNORECASE)
    return match.group(1) if match else text.strip()
