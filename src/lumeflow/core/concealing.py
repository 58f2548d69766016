"""Taking secrets out of texts that repeat them: answers of vendors, messages of blocks.

Secrets are opaque and enter requests only; this is for those that come back.
"""

import base64
import html
import json
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from urllib.parse import quote, quote_plus

from lumeflow.core.secret import Secret

SHORTEST = 6
"""Shorter secrets are not looked for: they are parts of words, which texts hold by chance."""
MASK = "***"
_ESCAPE = re.compile("%[0-9A-F]{2}")


@lru_cache(maxsize=1024)
def spellings(text: str) -> tuple[str, ...]:
    """How servers repeat a text: as it is, in a URL, in JSON, in HTML, in base64. The longest first."""
    if len(text) < SHORTEST:
        return ()
    quoted = (quote(text, safe=""), quote(text), quote(text, safe="!'()*~"), quote_plus(text))
    lower = (_ESCAPE.sub(lambda match: match[0].lower(), each) for each in quoted)
    in_json = [json.dumps(text, ensure_ascii=ascii_only)[1:-1] for ascii_only in (False, True)]
    slashed = (each.replace("/", "\\/") for each in in_json)
    in_base64 = (encode(text.encode()).decode().rstrip("=") for encode in (base64.b64encode, base64.urlsafe_b64encode))
    in_html = (html.escape(text), html.escape(text, quote=False))
    found = {text, *quoted, *lower, *in_json, *slashed, *in_html, *in_base64}
    return tuple(sorted(found, key=lambda each: (-len(each), each)))


def conceal(text: str, secrets: Iterable[Secret]) -> str:
    """The text with `***` in place of these secrets."""
    for secret in secrets:
        for spelling in spellings(secret.reveal()):
            if spelling in text:
                text = text.replace(spelling, MASK)
    return text


class SecretsInUse:
    """Looks secrets up, and conceals those that were found.

    Args:
        find: Looks one up by name; None if it is not configured.
    """

    def __init__(self, find: Callable[[str], Secret | None]) -> None:
        self._find = find
        self._found: dict[str, Secret] = {}

    def find(self, name: str) -> Secret | None:
        """A secret; None if it is not configured."""
        secret = self._found.get(name)
        if secret is None and (secret := self._find(name)) is not None:
            self._found[name] = secret
        return secret

    def conceal(self, text: str) -> str:
        """The text with `***` in place of every secret that was looked up."""
        return conceal(text, list(self._found.values())) if self._found else text
