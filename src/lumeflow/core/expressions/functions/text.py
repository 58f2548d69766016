"""Functions on texts."""

import re
import unicodedata
from typing import Any

from lumeflow.core.expressions.errors import FunctionError
from lumeflow.core.expressions.functions.convert import CONVERTERS
from lumeflow.core.expressions.functions.registry import (
    Anything,
    Integer,
    ListOfValues,
    Regex,
    Sized,
    Text,
    function,
)
from lumeflow.core.expressions.limits import MAX_ITEMS, MAX_TEXT, check_items, check_text
from lumeflow.core.expressions.values import contains as holds
from lumeflow.core.expressions.values import to_text

# Letters that Unicode doesn't take apart into a base letter and an accent.
_PLAIN_LETTERS = str.maketrans(
    {"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O"}
    | {"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i"}
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_NOT_SLUG = re.compile(r"[^a-z0-9]+")


@function("text")
def text(value: Anything) -> str:
    """Any value as text: null is empty, lists and objects are JSON.

    Example:
        text(42) -> '42'
        text([1, true]) -> '[1,true]'
    """
    return to_text(value)


@function("text")
def uppercase(text: Text) -> str:
    """The text in capital letters.

    Example:
        uppercase('Anna') -> 'ANNA'
    """
    return text.upper()


@function("text")
def lowercase(text: Text) -> str:
    """The text in small letters.

    Example:
        lowercase('Anna@Example.COM') -> 'anna@example.com'
    """
    return text.lower()


@function("text")
def capitalize(text: Text) -> str:
    """The text with its first letter in capitals and the rest as it is.

    Example:
        capitalize('sales manager, EMEA') -> 'Sales manager, EMEA'
    """
    return text[:1].upper() + text[1:]


@function("text")
def titlecase(text: Text) -> str:
    """The text with each word capitalised, as names are written.

    Example:
        titlecase("ANNA-MARIA o'neill") -> "Anna-Maria O'Neill"
    """
    return _WORD.sub(lambda word: _capital(word.group()), text)


def _capital(word: str) -> str:
    if word[1:2] in ("'", "’"):  # O'Neill, D'Angelo, but Don't
        return word[0].upper() + word[1] + word[2:].capitalize()
    return word.capitalize()


@function("text")
def trim(text: Text) -> str:
    """The text without white space at both ends.

    Example:
        trim('  Anna ') -> 'Anna'
    """
    return text.strip()


@function("text")
def collapse(text: Text) -> str:
    """The text trimmed, with every run of white space inside made one space.

    Example:
        collapse('  Anna   Maria ') -> 'Anna Maria'
    """
    return " ".join(text.split())


@function("text")
def replace(text: Text, old: Text, new: Text) -> str:
    """The text with every `old` replaced by `new`; an empty `old` changes nothing.

    Example:
        replace('a.b.c', '.', '-') -> 'a-b-c'
    """
    if not old:
        return text
    check_text(len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


@function("text")
def split(text: Text, separator: Text) -> list[str]:
    """The parts of the text between the separators.

    Example:
        split('a, b', ', ') -> ['a', 'b']
    """
    if not separator:
        raise FunctionError("the separator is empty")
    check_items(text.count(separator) + 1)
    return text.split(separator)


@function("text")
def join(items: ListOfValues, separator: Text = ", ") -> str:
    """The items of a list as one text; null and empty items are left out.

    Example:
        join(['Anna', null, 'Rossi'], ' ') -> 'Anna Rossi'
        join([1, 2]) -> '1, 2'
    """
    pieces: Any = [piece for piece in map(to_text, items) if piece]
    check_text(sum(map(len, pieces)) + len(separator) * len(pieces))
    return separator.join(pieces)


@function("text")
def concat(*values: Anything) -> str:
    """The values as text, one behind the other; null is empty.

    Example:
        concat('user-', 7, null) -> 'user-7'
    """
    pieces = [to_text(value) for value in values]
    check_text(sum(map(len, pieces)))
    return "".join(pieces)


@function("text")
def substring(text: Text, start: Integer, length: Integer = MAX_TEXT) -> str:
    """The part of the text from `start` (0 is the first character, -1 the last), `length` characters or to the end.

    Example:
        substring('lumeflow', 4) -> 'flow'
        substring('lumeflow', -4, 2) -> 'fl'
    """
    begin = max(0, start + len(text)) if start < 0 else start
    return text[begin : begin + max(0, length)]


@function("text")
def before(text: Text, separator: Text) -> str:
    """The part of the text before the first separator; the whole text if there is none.

    Example:
        before('anna@example.com', '@') -> 'anna'
    """
    return text[: text.find(separator)] if separator and separator in text else text


@function("text")
def after(text: Text, separator: Text) -> str | None:
    """The part of the text behind the first separator; null if there is none.

    Example:
        after('anna@example.com', '@') -> 'example.com'
        after('anna', '@') -> null
    """
    return text[text.find(separator) + len(separator) :] if separator and separator in text else None


@function("text")
def length(value: Anything) -> int:
    """The number of characters of a text, items of a list or keys of an object; 0 for null.

    Example:
        length('Anna') -> 4
        length([1, 2]) -> 2
        length(null) -> 0
    """
    if value is None:
        return 0
    return len(value) if isinstance(value, list | dict) else len(CONVERTERS["text"](value))


@function("text")
def contains(value: Sized, item: Anything) -> bool:
    """Whether a text has `item` in it, a list has it as an item, or an object as a key.

    Example:
        contains('Head of Sales', 'Sales') -> true
        contains(['a', 'b'], 'c') -> false
    """
    return item in value if isinstance(value, dict) and isinstance(item, str) else holds(value, item)


@function("text")
def starts_with(text: Text, start: Text) -> bool:
    """Whether the text begins with `start`.

    Example:
        startsWith('+39 02 5550', '+39') -> true
    """
    return text.startswith(start)


@function("text")
def ends_with(text: Text, end: Text) -> bool:
    """Whether the text ends with `end`.

    Example:
        endsWith('anna@example.org', '.com') -> false
    """
    return text.endswith(end)


@function("text")
def matches(text: Text, pattern: Regex) -> bool:
    r"""Whether the pattern is found in the text; the pattern is written out, see "Regular expressions".

    Example:
        matches('Chief Executive Officer', '(?i)^(chief|head)\\b') -> true
    """
    found: bool = pattern.found_in(text)
    return found


@function("text")
def pad_start(text: Text, length: Integer, fill: Text = " ") -> str:
    """The text with `fill` put before it until it has `length` characters.

    Example:
        padStart('7', 3, '0') -> '007'
    """
    return _padding(text, length, fill) + text


@function("text")
def pad_end(text: Text, length: Integer, fill: Text = " ") -> str:
    """The text with `fill` put behind it until it has `length` characters.

    Example:
        padEnd('7', 3, '.') -> '7..'
    """
    return text + _padding(text, length, fill)


def _padding(text: str, length: int, fill: str) -> str:
    missing = length - len(text)
    if missing <= 0 or not fill:
        return ""
    check_text(length)
    return (fill * (missing // len(fill) + 1))[:missing]


@function("text")
def truncate(text: Text, length: Integer, ending: Text = "…") -> str:
    """The text, cut to at most `length` characters including `ending` if it is longer.

    Example:
        truncate('Head of Sales', 8) -> 'Head of…'
        truncate('Sales', 8) -> 'Sales'
    """
    if len(text) <= length:
        return text
    kept = max(0, length - len(ending))
    return (text[:kept] + ending)[: max(0, length)]


@function("text")
def unaccent(text: Text) -> str:
    """The text with accents taken off its letters.

    Example:
        unaccent('Zoë Müller-Łuczak') -> 'Zoe Muller-Luczak'
    """
    parts = unicodedata.normalize("NFKD", text.translate(_PLAIN_LETTERS))
    return "".join(character for character in parts if not unicodedata.combining(character))


@function("text")
def slug(text: Text) -> str:
    """The text as a name for an address or a file: small letters, digits and hyphens only.

    Example:
        slug('Müller & Söhne GmbH') -> 'muller-sohne-gmbh'
    """
    return _NOT_SLUG.sub("-", unaccent(text).lower()).strip("-")


@function("text")
def words(text: Text) -> list[str]:
    """The words of the text: what stands between white space.

    Example:
        words(' Anna  Maria ') -> ['Anna', 'Maria']
    """
    found = text.split(maxsplit=MAX_ITEMS)
    check_items(len(found))
    return found
