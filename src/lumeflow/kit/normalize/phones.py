"""Phone numbers in E.164: a plus sign, the country's calling code, and the digits of the number."""

import re
from functools import cache, lru_cache
from types import ModuleType

from lumeflow.kit.normalize.characters import digits_of, tidy

_LONGEST = 120
_SEPARATORS = str.maketrans("", "", " \u00a0\t-.()/\u2010\u2011\u2012\u2013\u2014")
_PLAIN = re.compile(r"\+?[0-9]{6,19}")
_FLOAT = re.compile(r"([0-9]{6,17})\.0")
_ROUNDED = re.compile(r"\+?[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]+")
_SEVERAL = re.compile(r"\s*(?:[;,/|]|\s(?:or|and|oder|und|ou|et|o|e|y)\s)\s*", re.IGNORECASE)


def phone_e164(text: str, country: str | None = None, *, possible: bool = False) -> str | None:
    """The phone number in a text, as `+39025550123`: of several, the first; None if there is none.

    Takes separators of all kinds, international prefixes, `tel:` and words before it, numbers as spreadsheets write
    them, digits of other scripts and letters on keys; extensions are left out. What a spreadsheet has rounded
    (`3.93E+11`) can't be brought back.

    Args:
        text: What stands in the field.
        country: Alpha-2 code of the country whose numbers are written without its calling code; without it only
            international numbers can be read.
        possible: Take numbers that are as long as numbers of the country are, though in none of its known ranges.
    """
    return None if len(text) > _LONGEST else _read(text, country, possible)


@lru_cache(maxsize=8192)
def _read(text: str, country: str | None, possible: bool) -> str | None:
    return _quick(text, country) or _first(_cleaned(text), country, possible=possible)


def _quick(text: str, country: str | None) -> str | None:
    """The number, if it is written in a way that leaves no question: a tenth of the work."""
    digits = text.translate(_SEPARATORS)
    if not _PLAIN.fullmatch(digits):
        return None
    plans = _plans()
    is_dialled = digits[:2] == "00" and plans.exit_prefix_is_00(country)
    abroad = digits[1:] if digits[0] == "+" else digits[2:] if is_dialled else ""
    if abroad:
        code, national = plans.split_calling_code(abroad)
        plan = plans.plan_of(code)
        return plan.number(national) if plan else None
    home = plans.plan_at_home(country) if country else None
    return home.domestic(digits) if home else None


@cache
def _plans() -> ModuleType:
    """The numbering plans, whose library is large: they are loaded with the first number."""
    from lumeflow.kit.normalize import phone_plans

    return phone_plans


def _cleaned(text: str) -> str:
    clean = digits_of(tidy(text)).lstrip("'=").strip()
    floating = _FLOAT.fullmatch(clean)
    return floating[1] if floating else clean


def _first(text: str, country: str | None, *, possible: bool) -> str | None:
    if _ROUNDED.fullmatch(text):
        return None
    pieces = [text, *(piece for piece in _SEVERAL.split(text) if piece != text)]
    return next((found for piece in pieces if (found := _parsed(piece, country, possible=possible))), None)


def _parsed(text: str, country: str | None, *, possible: bool) -> str | None:
    import phonenumbers

    if text.startswith("00") and _plans().exit_prefix_is_00(country):
        text = f"+{text[2:]}"
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    right = phonenumbers.is_possible_number(number) if possible else phonenumbers.is_valid_number(number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if right else None
