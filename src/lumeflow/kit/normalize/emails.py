"""E-mail addresses, out of what stands in address fields."""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from lumeflow.kit.normalize.characters import plain_apostrophes, tidy
from lumeflow.kit.normalize.hosts import host_name
from lumeflow.kit.text import is_address

_LONGEST = 1_000
_AROUND = re.compile(r"([\s;,|:?<>\"()\[\]{}]+)")
_EDGES = "'*.!/\\"
_SPACED_AT = re.compile(r"\s*@\s*")
_HIDDEN_AT = re.compile(r"\s*[\[({]\s*(?:at|@|chiocciola|arroba|arobase)\s*[\])}]\s*", re.IGNORECASE)
_HIDDEN_DOT = re.compile(r"\s*[\[({]\s*(?:dot|\.|punto|punkt|point)\s*[\])}]\s*", re.IGNORECASE)


def email_address(text: str, *, all_lower: bool = False, drop_tag: bool = False) -> str | None:
    """The e-mail address in a text: of several, the first; None if there is none.

    Takes off spaces, invisible characters, `mailto:`, display names, brackets and quotes, and puts together what was
    written apart to hide it from robots (`mira [at] example [dot] com`). The domain is given in small letters and in
    ASCII; before the @ there is nothing but ASCII, as with nearly all mail servers.

    Args:
        text: What stands in the field.
        all_lower: Small letters before the @ too. By the standard only the recipient's server knows whether they
            matter; there is hardly any to which they do.
        drop_tag: Leave out what stands between a `+` and the @.
    """
    if len(text) > _LONGEST:
        return None
    clean = text.strip()
    inner = clean[clean.rfind("<") + 1 : -1] if clean.endswith(">") else clean
    address = inner if is_address(inner) else _found(clean)
    if address is None:
        return None
    local, _, domain = address.rpartition("@")
    if all_lower:
        local = local.lower()
    if drop_tag:
        local = local.partition("+")[0] or local
    return f"{local}@{domain.lower()}"


def _found(text: str) -> str | None:
    clean = plain_apostrophes(tidy(text.replace("＠", "@")))
    if "mailto:" in clean.lower():
        clean = unquote(clean)
    if "@" not in clean or "]" in clean or ")" in clean or "}" in clean:
        clean = _HIDDEN_DOT.sub(".", _HIDDEN_AT.sub("@", clean))
    bracketed = clean.rpartition("<")[2].partition(">")[0] if "<" in clean else ""
    candidates = [*_candidates(bracketed), *_candidates(clean)]
    return next((address for address in map(_address, candidates) if address is not None), None)


def _candidates(text: str) -> Iterator[str]:
    """Parts with an @. One that follows a word and a space is none: `mira holt@example.com` most likely lacks a dot."""
    before, between = "", ""
    for place, part in enumerate(_AROUND.split(_SPACED_AT.sub("@", text))):
        if place % 2:
            between = part
        elif "@" in part and (not before or "@" in before or not between.isspace()):
            yield part
            before = part
        else:
            before = part


def _address(candidate: str) -> str | None:
    local, _, domain = candidate.strip(_EDGES).rpartition("@")
    host = host_name(domain)
    address = f"{local}@{host}"
    return address if host is not None and is_address(address) else None
