"""Numbering plans of countries, for numbers that leave no question how they are meant.

The plans are those of `phonenumbers`. What it does for any text (look for where a number begins, try prefixes, ask for
the kind of number) takes a hundred steps; for plain digits that fit a plan at once, three regular expressions come to
the same result, which a test checks. Everything else is left to the library.
"""

import re
from functools import cache
from typing import Any

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

_KINDS = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "voip",
    "pager",
    "uan",
    "voicemail",
)
_NO_COUNTRY = "001"
_NEVER = re.compile(r"(?!)")


class NumberingPlan:
    """The plan of the main country of a calling code."""

    def __init__(self, code: str, metadata: PhoneMetadata) -> None:
        patterns = [_pattern(getattr(metadata, kind)) for kind in _KINDS]
        self._code = code
        self._valid = re.compile("|".join(f"(?:{pattern})" for pattern in patterns if pattern) or "(?!)")
        self._general = re.compile(_pattern(metadata.general_desc) or "(?!)")
        self._trunk_prefix = _compiled(metadata.national_prefix_for_parsing)
        self._transforms = bool(metadata.national_prefix_transform_rule)
        self._exit_prefix = _compiled(metadata.international_prefix)

    def number(self, national: str) -> str | None:
        """E.164 of digits that stood behind the calling code; None if there is a question about them."""
        prefix = self._trunk_prefix.match(national)
        if prefix:
            if self._transforms or self._general.fullmatch(national):
                return None
            national = national[prefix.end() :]
        return f"+{self._code}{national}" if self._valid.fullmatch(national) else None

    def domestic(self, digits: str) -> str | None:
        """E.164 of digits as they are dialled within the country; None if there is a question about them."""
        if digits.startswith(self._code) or self._exit_prefix.match(digits):
            return None
        return self.number(digits)


def split_calling_code(digits: str) -> tuple[str, str]:
    """The calling code at the start of an international number, and the rest; an empty one if there is none."""
    for length in (2, 1, 3):
        if digits[:length] in _calling_codes():
            return digits[:length], digits[length:]
    return "", digits


@cache
def plan_of(code: str) -> NumberingPlan | None:
    """The plan of a calling code's main country; None for codes without country, and for what is no code."""
    regions = COUNTRY_CODE_TO_REGION_CODE.get(int(code), ()) if code else ()
    if not regions or regions[0] == _NO_COUNTRY:
        return None
    metadata = PhoneMetadata.metadata_for_region(regions[0], None)
    return None if metadata is None or metadata.leading_digits else NumberingPlan(code, metadata)


@cache
def plan_at_home(country: str) -> NumberingPlan | None:
    """The plan by which numbers are dialled in a country; None for a country that shares another one's calling code."""
    code = phonenumbers.country_code_for_region(country)
    return plan_of(str(code)) if COUNTRY_CODE_TO_REGION_CODE.get(code, ("",))[0] == country else None


@cache
def exit_prefix_is_00(country: str | None) -> bool:
    """True if `00` is what one dials in the country before the calling code of another; also for no country."""
    if country is None:
        return True
    metadata = PhoneMetadata.metadata_for_region(country, None)
    return metadata is not None and bool(re.fullmatch(metadata.international_prefix or "(?!)", "00"))


@cache
def _calling_codes() -> frozenset[str]:
    return frozenset(map(str, COUNTRY_CODE_TO_REGION_CODE))


def _pattern(description: Any) -> str | None:
    pattern: str | None = description.national_number_pattern if description is not None else None
    return pattern


def _compiled(pattern: str | None) -> re.Pattern[str]:
    return re.compile(pattern) if pattern else _NEVER
