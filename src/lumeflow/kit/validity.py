"""Whether a text is, as it stands, what it is meant to be: an e-mail address, a phone number, a web address."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Literal

from lumeflow.core.expressions.moments import parse_moment
from lumeflow.kit.normalize.countries import country_code
from lumeflow.kit.normalize.hosts import host_name
from lumeflow.kit.normalize.phones import phone_e164
from lumeflow.kit.normalize.urls import web_address

ValueKind = Literal["email", "phone", "url", "domain", "country", "date"]

WANTED: Mapping[ValueKind, str] = {
    "email": "an e-mail address",
    "phone": "a phone number",
    "url": "a web address with http or https",
    "domain": "a domain",
    "country": "a country",
    "date": "an ISO 8601 date",
}
"""What each kind is called in messages."""

_LONGEST_EMAIL = 254
_URL = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)


def is_valid(kind: ValueKind, text: str, country: str | None = None) -> bool:
    """True if `text` is of this kind, with nothing around it.

    Args:
        kind: What it should be.
        text: What stands in the field.
        country: For phones: alpha-2 code of the country whose numbers are written without its calling code.
    """
    return phone_e164(text, country) is not None if kind == "phone" else _CHECKS[kind](text)


@lru_cache(maxsize=8192)
def is_email(text: str) -> bool:
    """True for an address that could receive mail by its syntax (RFC 5321, 6531): the domain isn't looked up.

    Quoted names, addresses of machines by number and domains that are reserved (`localhost`, `.test`) are refused.
    """
    from email_validator import EmailNotValidError, validate_email

    if len(text) > _LONGEST_EMAIL:
        return False
    try:
        validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


def _is_url(text: str) -> bool:
    return _URL.fullmatch(text) is not None and web_address(text) is not None


def _is_domain(text: str) -> bool:
    return host_name(text) is not None


def _is_country(text: str) -> bool:
    return country_code(text) is not None


def _is_date(text: str) -> bool:
    return parse_moment(text) is not None


_CHECKS: Mapping[ValueKind, Callable[[str], bool]] = {
    "email": is_email,
    "url": _is_url,
    "domain": _is_domain,
    "country": _is_country,
    "date": _is_date,
}
