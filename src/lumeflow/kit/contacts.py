"""Contacts as a language model reports them, read with care: models fill gaps with words and invent formats."""

from collections.abc import Mapping
from typing import Any

from lumeflow.kit.shares import confidence_in
from lumeflow.kit.text import is_address, text_of

Contact = dict[str, Any]

_NOTHING = frozenset({"null", "none", "n/a", "na", "unknown", "undefined", "not provided", "not available", "-", "?"})
"""Words that stand for "no value"."""
_LONGEST = 200
_TEXTS = ("firstName", "lastName", "email", "phone", "company")
_IDENTIFYING = ("firstName", "lastName", "email", "phone")
_FEWEST_DIGITS = 5


def read_contacts(part: Any) -> list[Contact]:
    """The contacts in `{"id": …, "contacts": [{…}, …]}`: none, one or several.

    A contact holds only values that are there and plausible; one without name, address and number is left out, since
    nobody could be found by it.

    Raises:
        ValueError: It is something else; the message says what was expected.
    """
    contacts = part.get("contacts") if isinstance(part, Mapping) else None
    if not isinstance(contacts, list):
        raise ValueError("'contacts' must be a list")
    if not all(isinstance(contact, Mapping) for contact in contacts):
        raise ValueError("every contact must be an object")
    read = (_contact(contact) for contact in contacts)
    return [contact for contact in read if any(name in contact for name in _IDENTIFYING)]


def _contact(given: Mapping[str, Any]) -> Contact:
    contact: Contact = {}
    for name in _TEXTS:
        value = _value(given.get(name))
        if value and _PLAUSIBLE.get(name, _anything)(value):
            contact[name] = value
    confidence = confidence_in(given.get("confidence"))
    if confidence is not None:
        contact["confidence"] = confidence
    return contact


def _value(value: Any) -> str:
    text = " ".join(text_of(value).split())
    return "" if text.casefold() in _NOTHING or len(text) > _LONGEST else text


def _anything(value: str) -> bool:
    return True


def _is_number(value: str) -> bool:
    return sum(letter.isdigit() for letter in value) >= _FEWEST_DIGITS


_PLAUSIBLE = {"email": is_address, "phone": _is_number}
