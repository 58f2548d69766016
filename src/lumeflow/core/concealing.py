"""Taking secrets out of texts that repeat them: answers of vendors, messages of blocks.

Secrets are opaque and enter requests only; this is for those that come back.
"""

import base64
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote, quote_plus

from lumeflow.core.secret import Secret

SHORTEST = 6
"""Shorter secrets are not looked for: they are parts of words, which texts hold by chance."""
MASK = "***"
_PERCENT = re.compile("%[0-9A-F]{2}")


@lru_cache(maxsize=1024)
def spellings(text: str) -> tuple[str, ...]:
    """How servers repeat a text: as it is, in URLs, base64, JSON, HTML and source code, and one of these in another.

    A text of letters and digits, as most secrets are, has hardly any besides itself. The longest come first.
    """
    if len(text) < SHORTEST:
        return ()
    once = {text, *_in_urls(text), *_in_base64(text), *_escaped(text)}
    twice = {spelling for each in once for spelling in _escaped(each)}
    return tuple(sorted(once | twice, key=lambda each: (-len(each), each)))


def _in_urls(text: str) -> Iterator[str]:
    for quoted in (quote(text, safe=""), quote(text), quote(text, safe="!'()*~"), quote_plus(text)):
        yield quoted
        yield _PERCENT.sub(lambda match: match[0].lower(), quoted)


def _in_base64(text: str) -> Iterator[str]:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(text.encode()).decode().rstrip("=")


def _escaped(text: str) -> Iterator[str]:
    for in_json in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        yield in_json
        yield in_json.replace("/", "\\/")
    in_html = html.escape(text)
    yield from (in_html, in_html.replace("&#x27;", "&#39;"), html.escape(text, quote=False))
    single = text.replace("\\", "\\\\").replace("'", "\\'")
    yield from (single, single.replace('"', '\\"'))


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
