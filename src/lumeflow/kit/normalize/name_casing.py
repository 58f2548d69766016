"""Capitals and small letters of the words of a name."""

import re
from dataclasses import dataclass

from lumeflow.kit.normalize.name_words import ELIDED, JOINED_PARTICLES, MAC_NAMES, NO_INITIALS, PARTICLES

_LETTERS = re.compile(r"(?:[^\W\d_][\u0300-\u036f]*)+(?:'(?:[^\W\d_][\u0300-\u036f]*)+)*")
_NUMERAL = re.compile(r"VI{2,3}|XI{2,3}|XIV|XVI{0,3}")
_DUTCH_IJ = re.compile(r"ij[^aeiouy\W]")
_TURKISH = frozenset("ıİğĞ")
_TURKISH_LOWER = str.maketrans({"I": "ı", "İ": "i"})
_VOWELS = frozenset("aeiouy")


@dataclass(frozen=True, slots=True)
class Casing:
    """How the words of one name are written.

    Attributes:
        uniform: True if capitals and small letters tell nothing, since the whole name has only one kind of them.
        turkish: True if it has letters by which `I` is the capital of `ı`, and `İ` that of `i`.
    """

    uniform: bool
    turkish: bool

    @classmethod
    def of(cls, name: str) -> "Casing":
        """How `name` is written."""
        return cls(_is_upper(name) or name == name.lower(), not _TURKISH.isdisjoint(name))

    def word(self, word: str, *, first: bool, last: bool) -> str:
        """A word of the name as it should be. What has both capitals and small letters, or digits, stays as it is."""
        if not (_is_upper(word) or word == word.lower()) or _is_numeral(word, last=last) or _has_digit(word):
            return word
        lower = self._lower(word)
        if lower in PARTICLES and not last:
            return self._particle(word, lower, first=first)
        if not self.uniform and self._is_left(word):
            return word
        initials = self.uniform or _is_upper(word)
        parts = lower.split("-")
        if len(parts) > 1 and parts[0] in JOINED_PARTICLES and not first:
            return "-".join([parts[0], *(self._part(part, initials=initials) for part in parts[1:])])
        return "-".join(self._part(part, initials=initials) for part in parts)

    def _particle(self, word: str, lower: str, *, first: bool) -> str:
        if not first:
            return lower
        return self._part(lower, initials=False) if self.uniform or word != lower else word

    def _is_left(self, word: str) -> bool:
        """True for words that stay as they are among others: initials, and short ones in capitals."""
        length = sum(map(str.isalpha, word))
        return length == 1 or (length == 2 and _is_upper(word))

    def _part(self, part: str, *, initials: bool) -> str:
        return _LETTERS.sub(lambda letters: self._name(letters.group(), initials=initials), part)

    def _name(self, lower: str, *, initials: bool) -> str:
        """A run of letters, maybe with apostrophes within; `initials` if two consonants can be some."""
        start, apostrophe, rest = lower.partition("'")
        if apostrophe:
            rest = self._name(rest, initials=initials) if start in ELIDED else rest
            return f"{self._capital(start)}'{rest}"
        if initials and len(lower) == 2 and lower.isascii() and _VOWELS.isdisjoint(lower):
            return self._capital(lower) if lower in NO_INITIALS else lower.upper()
        if lower.startswith("mc") and len(lower) > 3:
            return f"Mc{self._capital(lower[2:])}"
        if lower in MAC_NAMES:
            return f"Mac{self._capital(lower[3:])}"
        return f"IJ{lower[2:]}" if _DUTCH_IJ.match(lower) else self._capital(lower)

    def _capital(self, lower: str) -> str:
        first = lower[:1]
        if self.turkish and first == "i":
            first = "İ"
        return ("ẞ" if first == "ß" else first.title()) + lower[1:]

    def _lower(self, word: str) -> str:
        return (word.translate(_TURKISH_LOWER) if self.turkish else word).lower()


def _is_upper(text: str) -> bool:
    """True if it has no small letter but `ß`, whose capital hardly any keyboard has."""
    text = text.replace("ß", "ẞ")
    return text == text.upper()


def _has_digit(word: str) -> bool:
    return any(map(str.isdigit, word))


def _is_numeral(word: str, *, last: bool) -> bool:
    return last and _NUMERAL.fullmatch(word) is not None
