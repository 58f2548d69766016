"""Cleaning texts of what nobody sees or means: invisible characters, odd spaces, several ways to write one letter."""

import unicodedata
from functools import cache

_JOINERS = "\u200c\u200d"
"""Between the letters of Persian and Indic words these two change what is written; elsewhere they are rubbish."""

_APOSTROPHES = str.maketrans(dict.fromkeys("’‘‛´`′＇", "'"))
_PLAIN_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)


def tidy(text: str) -> str:
    """`text` with single plain spaces, composed letters (NFC), and without invisible characters."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    composed = unicodedata.normalize("NFC", text)
    seen = "".join(
        character for place, character in enumerate(composed) if _is_kept(character) or _joins(composed, place)
    )
    return unicodedata.normalize("NFC", " ".join(seen.split()))


def plain_apostrophes(text: str) -> str:
    """`text` with `'` for the quotation marks and accents that people type in its place."""
    return text.translate(_APOSTROPHES)


def fold(text: str) -> str:
    """`text` for comparing: words in small letters without accents and punctuation, with one space between them."""
    lower = text.casefold()
    if not lower.isascii():
        lower = "".join(map(_folded, unicodedata.normalize("NFKD", lower.translate(_PLAIN_LETTERS))))
        return " ".join(lower.split())
    return " ".join("".join([letter if letter.isalnum() else " " for letter in lower]).split())


def digits_of(text: str) -> str:
    """`text` with the digits of all scripts as 0 to 9."""
    return text if text.isascii() else "".join(map(_digit, text))


@cache
def _digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)


@cache
def _folded(character: str) -> str:
    if unicodedata.combining(character) or character in _JOINERS:
        return ""
    return character if character.isalnum() or unicodedata.category(character).startswith("M") else " "


@cache
def _is_kept(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn"}


def _joins(text: str, place: int) -> bool:
    return (
        text[place] in _JOINERS
        and 0 < place < len(text) - 1
        and _in_word(text[place - 1])
        and _in_word(text[place + 1])
    )


def _in_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM"
