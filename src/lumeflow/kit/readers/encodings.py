"""Finding out the encoding of a text from a sample of it.

Unicode encodings tell by themselves. Among the older ones the general detectors choose by running text, and files of
leads hold none: a list of Spanish names was taken for Polish, `Núñez` for `Núńez`. So each word is asked for by itself
here: is there one language that has all its letters, written as a person would write them? The encoding that explains
the most words wins, and in doubt the more common one.
"""

import codecs
import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise

from lumeflow.kit.readers import alphabets
from lumeflow.kit.readers.alphabets import Language

SAMPLE_BYTES = 1 << 16
"""Enough of a text to tell its encoding by."""

BOMS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
"""Byte order marks; the longer ones first."""

_CANDIDATES: Mapping[str, Sequence[Language]] = {
    "cp1252": alphabets.WESTERN,
    "cp1250": alphabets.CENTRAL,
    "iso8859-2": alphabets.CENTRAL,
    "cp1254": (*alphabets.TURKISH, *alphabets.WESTERN[:9]),
    "cp1257": alphabets.BALTIC,
    "cp1251": alphabets.CYRILLIC,
    "koi8-r": alphabets.CYRILLIC[:1],
    "cp866": alphabets.CYRILLIC[:1],
    "cp1253": alphabets.GREEK,
    "cp1255": alphabets.HEBREW,
    "cp1256": alphabets.ARABIC,
    "cp874": alphabets.THAI,
    "mac-roman": alphabets.WESTERN,
    "cp850": alphabets.WESTERN,
    "cp932": alphabets.JAPANESE,
    "euc-jp": alphabets.JAPANESE,
    "gb18030": alphabets.SIMPLIFIED,
    "big5": alphabets.TRADITIONAL,
    "cp949": alphabets.KOREAN,
}
"""In the order in which they win a draw."""

_LATIN = frozenset({"cp1252", "cp1250", "iso8859-2", "cp1254", "cp1257", "mac-roman", "cp850"})
_COMMON_BLOCK = {
    "cp932": ("euc-jp", range(0xB0, 0xD0)),
    "euc-jp": ("euc-jp", range(0xB0, 0xD0)),
    "gb18030": ("gb2312", range(0xB0, 0xD8)),
    "big5": ("big5", range(0xA4, 0xC7)),
    "cp949": ("euc-kr", range(0xB0, 0xC9)),
}
"""For encodings of thousands of characters: where a national standard keeps the common ones, by their first byte."""

_MARKS = (b"\n", b"\r", b",", b";", b"\t", b"|", b'"')
_WORDS_ENOUGH = 400
_WORD = re.compile(r"[^\W\d_]*(?:[^\x00-\x7f][^\W\d_]*)+")
_AROUND_WORDS = frozenset("“”„‘’‚«»‹›¿¡–—…·•°ºª²³®™©€£§%\xa0「」、。・（）－～／　：，")
"""Marks that stand before, after or between words in honest text."""

_AFTER_ONLY = frozenset("°ºª²³®™€%")
_INSIDE = frozenset("’·‘–—-")


def detect(sample: bytes) -> tuple[str, bool]:
    """The encoding of a text, and whether it had to be guessed.

    Args:
        sample: The text from a little before its first byte that is not ASCII; it may break off.
    """
    if _is_utf8(sample):
        return "utf-8", False
    scores = {name: _score(name, sample) for name in _CANDIDATES}
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] > 0 else _western(sample), True


def detect_unicode(head: bytes) -> str | None:
    """The encoding of a text, if its beginning shows that it is one of those that are no extension of ASCII."""
    for mark, name in BOMS:
        if head.startswith(mark):
            return name
    if b"\x1b$B" in head or b"\x1b$@" in head:
        return "iso2022_jp"
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) <= 0.02 * len(head) or max(even, odd) <= 9 * min(even, odd):
        return None
    high = even > odd
    marks = sum(head.count(mark) for mark in _MARKS)
    wide = sum(head.count(b"\0" + mark if high else mark + b"\0") for mark in _MARKS)
    return ("utf-16-be" if high else "utf-16-le") if 2 * wide > marks else None


def _is_utf8(sample: bytes) -> bool:
    """True for UTF-8 that may break off, and may have a few bytes of another encoding in it."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        wrong = sample.decode(errors="replace").count("�")
        right = sum(1 for char in sample.decode(errors="ignore") if char > "\x7f")
        return right > wrong
    return True


def _western(sample: bytes) -> str:
    try:
        sample.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def _score(name: str, sample: bytes) -> float:
    text = sample.decode(name, errors="replace")
    words = list(dict.fromkeys(_WORD.findall(text)))[:_WORDS_ENOUGH]
    explain = _explains_latin if name in _LATIN else _explains
    return sum(explain(name, word) for word in words) / len(words) if words else 0.0


def _explains_latin(name: str, word: str) -> float:
    """Weight of the language that has all letters of a word; below 0 for what nobody writes."""
    parts = _parts(word)
    if parts is None:
        return -1.0
    text = parts.lower()
    letters = {char for char in text if char > "\x7f"}
    return max((language.weight for language in _CANDIDATES[name] if _may_be(language, letters, text)), default=0.0)


def _may_be(language: Language, letters: set[str], text: str) -> bool:
    return letters <= _letters(language) and not (language.never and re.search(language.never, text))


def _explains(name: str, word: str) -> float:
    """How frequent the letters of a word are, 0 to 1; below 0 for what nobody writes."""
    parts = _parts(word)
    if parts is None or (parts and any(char < "\x80" for char in parts)):
        return -1.0
    if not parts:
        return 0.5
    return max(sum(_frequency(name, number, char) for char in parts.lower()) for number in _numbers(name)) / len(parts)


def _parts(word: str) -> str | None:
    """The letters of a word without the marks around and inside it; None if they are not written as people do."""
    core = word.strip("".join(_AROUND_WORDS))
    if word[: len(word) - len(word.lstrip("".join(_AFTER_ONLY)))] and core:
        return None
    for mark in _INSIDE:
        core = core.replace(mark, " ")
    pieces = core.split()
    if all(_is_word(piece) for piece in pieces):
        return "".join(pieces)
    return None


def _is_word(text: str) -> bool:
    """True if all are letters and none is a capital after a small one (but in `McÉvoy`)."""
    if not all(char.isalpha() or _is_mark(char) for char in text):
        return False
    changes = sum(before.islower() and after.isupper() for before, after in pairwise(text))
    return changes == 0 or (changes == 1 and text[:2] in {"Mc", "Ma", "De", "Di", "La", "Le"})


def _is_mark(char: str) -> bool:
    """True for vowel signs of Thai, Hebrew and Arabic, which stand as characters of their own."""
    return "\u0591" <= char <= "\u0670" or "\u0e31" <= char <= "\u0e4e" or char == "\u30fc"


@cache
def _letters(language: Language) -> frozenset[str]:
    return frozenset(language.letters)


def _numbers(name: str) -> range:
    return range(len(_CANDIDATES[name]))


@cache
def _frequency(name: str, number: int, char: str) -> float:
    """How much a letter speaks for an encoding, from -1 to 1."""
    language = _CANDIDATES[name][number]
    if name not in _COMMON_BLOCK:
        rank = language.letters.find(char)
        return -0.5 if rank < 0 else language.weight * (1 - 0.8 * rank / len(language.letters))
    if char in language.letters or (language in alphabets.JAPANESE and "\u3041" <= char <= "\u30ff"):
        return 1.0
    codec, common = _COMMON_BLOCK[name]
    try:
        return 0.5 if char.encode(codec)[0] in common else 0.0
    except UnicodeEncodeError:
        return -0.5
