"""Names of people as they are written."""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache

from lumeflow.kit.normalize.characters import fold, plain_apostrophes, tidy
from lumeflow.kit.normalize.name_casing import Casing
from lumeflow.kit.normalize.name_words import DOTTED_TITLES, LINEAGE_SUFFIXES, NOTHING, SUFFIXES, TITLES

_LONGEST = 200
_PLAIN = re.compile(r"[A-Za-z][A-Za-z' -]*")
_MARKS = frozenset(" .,'-()&\"·・")
_DASHES = frozenset("‐‑–—−")
_KEPT_AS_THEY_ARE = frozenset("ªº")
_PRONOUNS = re.compile(r"\s*[(\[](?:she|he|they|lei|lui|sie|er|elle|il)\b[^)\]]*[)\]]", re.IGNORECASE)
_GLUED_TITLE = re.compile(
    r"\b(mr|mrs|ms|dr|prof|dott|ing|avv|sig|dra|sra)\.(?=[^\W\d_]{2})(?!ssa\b|ra\b)", re.IGNORECASE
)
_NOT_AVAILABLE = re.compile(r"\W*n\W?/\W?a\W*", re.IGNORECASE)
_EDGES = ' ,;-/&·"'
_NOT_LETTERS = re.compile(r"[\W\d_]+")


def person_name(text: str, *, drop_titles: bool = False) -> str | None:
    """A person's name, or a part of it, as it is written; None if there is none.

    Names in capitals, or without any, get them where they belong: `MARIA-JOSÉ O'NEILL` is Maria-José O'Neill, `jan van
    der berg` Jan van der Berg. Words that have both kinds of letters stay as they are, and so do scripts that have only
    one. Accents are kept. `Holt, Mira` is turned round; emoji, pronouns in brackets and invisible characters are taken
    off; letters from the ornamental alphabets of social networks become plain ones.

    Args:
        text: What stands in the field.
        drop_titles: Leave out titles before the name and degrees behind it. `Jr.` and `III` stay.
    """
    return None if len(text) > _LONGEST else _read(text, drop_titles)


@lru_cache(maxsize=8192)
def _read(text: str, drop_titles: bool) -> str | None:
    clean = _cleaned(text)
    if not any(map(str.isalpha, clean)) or fold(clean) in NOTHING or _NOT_AVAILABLE.fullmatch(text):
        return None
    name, degrees = _in_order(clean)
    titles, words, suffixes = _taken_apart(name.split())
    if drop_titles:
        titles = []
        suffixes = [word for word in suffixes if _letters(word) in LINEAGE_SUFFIXES]
        degrees = [word for word in degrees if _letters(word) in LINEAGE_SUFFIXES]
    whole = " ".join((*map(_title, titles), *_cased(words), *map(_suffix, suffixes))).strip(_EDGES)
    if degrees:
        whole = f"{whole}, {' '.join(map(_suffix, degrees))}"
    return unicodedata.normalize("NFC", whole)  # a capital may join an accent that its small letter could not


def _cleaned(text: str) -> str:
    clean = tidy(text)
    if _PLAIN.fullmatch(clean):
        return clean
    plain = unicodedata.normalize("NFC", "".join(map(_plain, plain_apostrophes(clean))))
    plain = _GLUED_TITLE.sub(r"\1. ", _PRONOUNS.sub("", plain))
    return " ".join(plain.split()).strip(_EDGES)


@cache
def _plain(character: str) -> str:
    """A character as it belongs in a name, a space for what doesn't."""
    if character in _MARKS or character in _KEPT_AS_THEY_ARE:
        return character
    if character in _DASHES:
        return "-"
    category = unicodedata.category(character)
    if category[0] in "LM" or category == "Nd" or character in "\u200c\u200d":
        plain = unicodedata.normalize("NFKC", character)
        # Georgian has capitals for headlines only.
        return "" if "\ufe00" <= character <= "\ufe0f" else plain.lower() if "Ა" <= plain <= "Ჿ" else plain
    return " "


def _in_order(name: str) -> tuple[str, Sequence[str]]:
    """The name with the given names first, and the degrees behind a comma."""
    parts = [part.strip(_EDGES) for part in name.split(",") if _letters(part)]
    degrees: list[str] = []
    while len(parts) > 1 and all(_letters(word) in SUFFIXES for word in parts[-1].split()):
        degrees = [*parts.pop().split(), *degrees]
    return " ".join(reversed(parts)) if len(parts) == 2 else ", ".join(parts), degrees


def _taken_apart(words: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Titles, the name itself, and suffixes; of the name at least one word is left."""
    start, end = 0, len(words)
    while start < end - 1 and _is_title(words[start]):
        start += 1
    while end > start + 1 and _letters(words[end - 1]) in SUFFIXES:
        end -= 1
    return list(words[:start]), list(words[start:end]), list(words[end:])


def _cased(words: Sequence[str]) -> Sequence[str]:
    casing = Casing.of(" ".join(words))
    last = len(words) - 1
    cased = [_unpointed(casing.word(word, first=place == 0, last=place == last)) for place, word in enumerate(words)]
    # What became a name of capitals alone (`AA b`) is looked at as such: it would be the next time.
    return cased if casing.uniform or not Casing.of(" ".join(cased)).uniform else _cased(cased)


def _unpointed(word: str) -> str:
    """A word without the point behind a sentence; initials and abbreviations keep theirs."""
    return word[:-1] if word.endswith(".") and word.count(".") == 1 and len(word) > 4 else word


def _is_title(word: str) -> bool:
    letters = _letters(word)
    return letters in TITLES and (word.endswith(".") or letters not in DOTTED_TITLES)


def _title(word: str) -> str:
    return TITLES[_letters(word)] + ("." if word.endswith(".") else "")


def _suffix(word: str) -> str:
    form = SUFFIXES[_letters(word)]
    return form + ("." if word.endswith(".") and form.istitle() else "")


def _letters(word: str) -> str:
    return _NOT_LETTERS.sub("", word).lower().replace("ı", "i")
