"""Functions on what leads are made of: e-mail addresses, web addresses, phone numbers and names."""

import re

from lumeflow.core.expressions import recognise
from lumeflow.core.expressions.functions.registry import Anything, Text, function
from lumeflow.core.expressions.limits import check_text

_MAX_NAME_CHARS = 200


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TITLES = _words(
    "mr mrs ms miss mx dr prof professor sir rev fr herr frau dott dottssa dottoressa "
    "ing avv sig sigra signor signora mme mlle sra srta"
)
_SUFFIXES = _words("jr sr ii iii iv phd md mba msc bsc esq cpa")
_PARTICLES = _words("van von der den de del della di da dal do dos das du la le lo ten ter el al bin ibn")
_NOT_LETTERS = re.compile(r"[^\w]|[\d_]")


@function("contact")
def is_email(value: Anything) -> bool:
    """Whether the value is one e-mail address by its form.

    Example:
        isEmail('anna.rossi@example.com') -> true
        isEmail('anna.rossi@example') -> false
    """
    return isinstance(value, str) and recognise.is_email(value)


@function("contact")
def is_url(value: Anything) -> bool:
    """Whether the value is one http or https address.

    Example:
        isUrl('https://www.example.com/about') -> true
        isUrl('www.example.com') -> false
    """
    return isinstance(value, str) and recognise.is_url(value)


@function("contact")
def is_phone(value: Anything) -> bool:
    """Whether the value is a phone number by its form: 7 to 15 digits, perhaps a leading + and separators.

    Example:
        isPhone('+39 02 5550 1234') -> true
        isPhone('call me') -> false
    """
    return isinstance(value, str) and recognise.is_phone(value)


@function("contact")
def email_domain(email: Text) -> str | None:
    """The part of an e-mail address behind the @, in small letters; null if it isn't one.

    Example:
        emailDomain('Anna@Example.com') -> 'example.com'
        emailDomain('anna') -> null
    """
    return email.strip().rpartition("@")[2].lower() if recognise.is_email(email.strip()) else None


@function("contact")
def email_local(email: Text) -> str | None:
    """The part of an e-mail address before the @; null if it isn't one.

    Example:
        emailLocal('anna.rossi@example.com') -> 'anna.rossi'
    """
    return email.strip().rpartition("@")[0] if recognise.is_email(email.strip()) else None


@function("contact")
def domain(text: Text) -> str | None:
    """The domain of a web address, e-mail address or bare host name, without `www.`; null if there is none.

    Example:
        domain('https://www.Example.com/about?x=1') -> 'example.com'
        domain('anna@mail.example.org') -> 'mail.example.org'
        domain('n/a') -> null
    """
    address = text.strip()
    if "://" not in address:
        address = f"https://{address}"
    host = recognise.url_host(address)
    return None if host is None else host.removeprefix("www.")


@function("contact")
def phone_digits(phone: Text) -> str | None:
    """The digits of a phone number; null if there are none.

    Example:
        phoneDigits('+39 (02) 5550-1234') -> '390255501234'
    """
    return recognise.digits(phone) or None


@function("contact")
def extract_emails(text: Text) -> list[str]:
    """The e-mail addresses in a text, each once, in the order they appear.

    Example:
        extractEmails('Write to anna@example.com or (bob@example.org).') -> ['anna@example.com', 'bob@example.org']
    """
    check_text(len(text))
    return recognise.find_emails(text)


@function("contact")
def extract_urls(text: Text) -> list[str]:
    """The http and https addresses in a text, each once, in the order they appear.

    Example:
        extractUrls('See https://example.com/a, then http://example.org.') -> ['https://example.com/a', 'http://example.org']
    """
    check_text(len(text))
    return recognise.find_urls(text)


@function("contact")
def extract_phones(text: Text) -> list[str]:
    """What reads like a phone number in a text, each once, as it is written.

    Example:
        extractPhones('Call +39 02 5550 1234 after 18:00 on 2026-01-09') -> ['+39 02 5550 1234']
    """
    check_text(len(text))
    return recognise.find_phones(text)


@function("contact")
def first_name(name: Text) -> str | None:
    """The first name in a person's full name; titles such as Dr. are left out.

    Example:
        firstName('Dr. Anna Maria Rossi') -> 'Anna'
        firstName('Rossi, Anna') -> 'Anna'
        firstName('') -> null
    """
    given, _ = _split_name(name)
    return given[0] if given else None


@function("contact")
def last_name(name: Text) -> str | None:
    """The last name in a person's full name, with its particles; null if there is only one name.

    Example:
        lastName('Anna Maria Rossi') -> 'Rossi'
        lastName('Jan van der Berg Jr.') -> 'van der Berg'
        lastName('Anna') -> null
    """
    _, family = _split_name(name)
    return " ".join(family) or None


@function("contact")
def initials(name: Text) -> str:
    """The first letters of the first and the last name, in capitals.

    Example:
        initials('Anna Maria Rossi') -> 'AR'
    """
    given, family = _split_name(name)
    return "".join(part[0] for part in (*given[:1], *family[-1:])).upper()


def _split_name(name: str) -> tuple[list[str], list[str]]:
    """Split a full name into given and family names, each a list of words; both may be empty."""
    before, comma, after = name[:_MAX_NAME_CHARS].partition(",")
    if comma and any(_letters(word) not in _SUFFIXES for word in _name_words(after)):
        return _name_words(after), _name_words(before)
    parts = _name_words(before)
    if len(parts) < 2:
        return parts, []
    start = len(parts) - 1
    while start > 1 and parts[start - 1].lower() in _PARTICLES:
        start -= 1
    return parts[:start], parts[start:]


def _name_words(text: str) -> list[str]:
    parts = [part.strip("\"'().,;:!?-") for part in text.split()]
    parts = [part for part in parts if _letters(part)]
    while len(parts) > 1 and _letters(parts[0]) in _TITLES:
        parts = parts[1:]
    while len(parts) > 1 and _letters(parts[-1]) in _SUFFIXES:
        parts = parts[:-1]
    return parts


def _letters(word: str) -> str:
    return _NOT_LETTERS.sub("", word).lower()
