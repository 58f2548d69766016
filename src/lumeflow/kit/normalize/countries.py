"""Countries as ISO 3166-1 alpha-2 codes, from codes, names in many languages, and flags."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

from lumeflow.kit.normalize.characters import fold

_TABLE = Path(__file__).with_name("countries.tsv")
_LONGEST = 100
_FIRST_FLAG_LETTER = 0x1F1E6
_SEVERAL = re.compile(r"[()\[\]/|;,]|\s[-–—]\s")


def country_code(text: str) -> str | None:
    """The alpha-2 code of a country.

    Takes alpha-2 and alpha-3 codes, English names and what else people write in English (`the Netherlands`, `UK`,
    `Korea, Republic of`), names in 28 languages and in the country's own, flags, and several of these that agree
    (`Italy (IT)`). None if it is no country, or several.
    """
    return None if len(text) > _LONGEST else _read(text)


@lru_cache(maxsize=4096)
def _read(text: str) -> str | None:
    whole = _known(text)
    if whole is not None:
        return whole
    parts = [part for part in _SEVERAL.split(text) if part.strip()]
    found = {_known(part) for part in parts}
    return found.pop() if len(parts) > 1 and len(found) == 1 else None


def _known(text: str) -> str | None:
    return _names().get(_key(text)) or _flag(text.strip())


def _key(name: str) -> str:
    return fold(name.replace("&", " and ")).removeprefix("the ")


def _flag(text: str) -> str | None:
    letters = [ord(letter) - _FIRST_FLAG_LETTER for letter in text]
    if len(letters) != 2 or not all(0 <= letter < 26 for letter in letters):
        return None
    return _names().get("".join(chr(ord("a") + letter) for letter in letters))


@cache
def _names() -> Mapping[str, str]:
    """Codes by folded codes and names. The table lies in a file: a country's names change more often than code."""
    names: dict[str, str] = {}
    for line in _TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        code, alpha3, known = line.split("\t")
        for name in (code, alpha3, *known.split("|")):
            names[_key(name)] = code
    return names
