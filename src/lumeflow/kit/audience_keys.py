"""What advertising audiences match people by: values normalised by Meta's rules, hashed with SHA-256.

A value that is missing, or of which nothing is left, is an empty text and is never hashed: the hash of nothing would
match nobody and count as a value.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lumeflow.kit.normalize.countries import country_code
from lumeflow.kit.normalize.emails import email_address
from lumeflow.kit.normalize.phones import phone_e164
from lumeflow.kit.normalize.us_states import us_state
from lumeflow.kit.text import text_of

Rule = Callable[[str, str | None], str]
"""Normalises a text; the second argument is the person's country as alpha-2 code, if it is known."""

_US_ZIP = re.compile(r"(\d{5})(?:[- ]?\d{4})?")
_US_ZIP_WITH_EXTENSION = re.compile(r"(\d{5})-\d{4}")
_UK_POSTCODE = re.compile(r"([a-z]{1,2}\d[a-z\d]?\d)[a-z]{2}")
_FEMALE = frozenset({"f", "female", "woman"})
_MALE = frozenset({"m", "male", "man"})


def _email(text: str, country: str | None) -> str:
    """Small letters. Addresses that are not ASCII before the @ are left as they are otherwise."""
    found = email_address(text, all_lower=True)
    if found is not None:
        return found
    lower = unicodedata.normalize("NFC", text).strip().lower()
    local, _, domain = lower.rpartition("@")
    is_whole = local and "@" not in local and "." in domain and not any(map(str.isspace, lower))
    return lower if is_whole and not lower.isascii() else ""


def _phone(text: str, country: str | None) -> str:
    """Digits with the calling code. With neither that nor a country, nobody can tell whose number it is."""
    found = phone_e164(text, country, possible=True)
    return found[1:] if found else ""


def _name(text: str, country: str | None) -> str:
    """Letters of any script, small, with their accents."""
    return "".join(letter for letter in _composed(text) if unicodedata.category(letter)[0] in "LM")


def _initial(text: str, country: str | None) -> str:
    return _name(text, country)[:1]


def _gender(text: str, country: str | None) -> str:
    word = text.lower().rstrip(".")
    return "f" if word in _FEMALE else "m" if word in _MALE else ""


def _year(text: str, country: str | None) -> str:
    return text if len(text) == 4 and text.isascii() and text.isdigit() else ""


def _two_digits(most: int) -> Rule:
    def rule(text: str, country: str | None) -> str:
        is_number = text.isascii() and text.isdigit() and len(text) <= 2
        return f"{int(text):02d}" if is_number and 1 <= int(text) <= most else ""

    return rule


def _city(text: str, country: str | None) -> str:
    return _name(text, country)


def _state(text: str, country: str | None) -> str:
    if country == "US":
        return (us_state(text) or "").lower()
    return "".join(letter for letter in _composed(text) if unicodedata.category(letter)[0] in "LMN")


def _zip(text: str, country: str | None) -> str:
    american = (_US_ZIP if country == "US" else _US_ZIP_WITH_EXTENSION).fullmatch(text)
    if american and country in {"US", None}:
        return american[1]
    if country == "US":
        return ""
    code = "".join(letter for letter in _composed(text) if unicodedata.category(letter)[0] in "LMN")
    british = _UK_POSTCODE.fullmatch(code) if country == "GB" else None
    return british[1] if british else code


def _country(text: str, country: str | None) -> str:
    return (country_code(text) or "").lower()


def _device(text: str, country: str | None) -> str:
    return text.lower()


def _as_it_is(text: str, country: str | None) -> str:
    return text


def _composed(text: str) -> str:
    """Small letters in composed form (NFC): `é` is one character, however it was typed."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


_RULES: Mapping[str, Rule] = {
    "EMAIL": _email, "PHONE": _phone, "FN": _name, "LN": _name, "FI": _initial, "GEN": _gender, "DOBY": _year,
    "DOBM": _two_digits(12), "DOBD": _two_digits(31), "CT": _city, "ST": _state, "ZIP": _zip, "COUNTRY": _country,
    "MADID": _device, "EXTERN_ID": _as_it_is,
}  # fmt: skip
AUDIENCE_KEYS: Sequence[str] = tuple(_RULES)
"""All keys, in the order in which they are sent."""
UNHASHED = frozenset({"MADID", "EXTERN_ID"})
"""Keys that the vendor wants in plain text."""
_ENOUGH: Sequence[frozenset[str]] = (
    frozenset({"EMAIL"}),
    frozenset({"PHONE"}),
    frozenset({"MADID"}),
    frozenset({"EXTERN_ID"}),
    frozenset({"FN", "LN"}),
    frozenset({"FI", "LN"}),
)
"""What at least tells somebody from everybody: a country or a year of birth alone does not."""


def normalized_key(key: str, value: Any, country: str | None = None) -> str:
    """A value by the rule of its key; an empty text if there is none, or it is not what the key asks for.

    Args:
        key: One of `AUDIENCE_KEYS`.
        value: A text or a number; anything else is taken for missing.
        country: The person's country as alpha-2 code: whose phone number, state and postcode it is.
    """
    text = text_of(value)
    return _RULES[key](text, country) if text else ""


def hashed_key(key: str, normalized: str) -> str:
    """What is sent for a normalised value: its SHA-256 in small hexadecimal digits; nothing for nothing."""
    if not normalized or key in UNHASHED:
        return normalized
    return hashlib.sha256(normalized.encode("utf-8", "replace")).hexdigest()


def audience_row(values: Mapping[str, Any], country: str | None = None) -> list[str] | None:
    """The row for one person, in the order of `values`; None if nothing in it tells who it is.

    Args:
        values: Values by key.
        country: Country of those who have none of their own, as alpha-2 code.
    """
    own = country_code(text_of(values.get("COUNTRY"))) or country
    found = {key: normalized_key(key, value, own) for key, value in values.items()}
    present = {key for key, value in found.items() if value}
    if not any(enough <= present for enough in _ENOUGH):
        return None
    return [hashed_key(key, value) for key, value in found.items()]
