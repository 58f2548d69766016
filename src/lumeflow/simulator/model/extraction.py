"""Finds contacts in comments: who asks to be contacted, and by which name, address, number and employer."""

import re
from typing import Any

EMAIL = re.compile(r"[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}")
PHONE = re.compile(r"(?<![\w@.])\+?\(?\d[\d ()/.-]{6,18}\d(?![\w@])")

_ASKS = re.compile(
    r"\b(?:"
    r"(?:i|we) work (?:at|for)|my name is|my (?:address|e-?mail|number) is|(?:e-?mail|message|call|text) me"
    r"|(?:contact|reach) me|write (?:to )?me|get in touch|drop me a line"
    r"|lavoro (?:per|da|in|alla)|mi chiamo|scrivetemi|contattatemi|chiamatemi"
    r"|trabajo en|me llamo|escr[ií]banme|ll[aá]menme|cont[aá]ctenme|me pueden contactar"
    r"|ich arbeite (?:bei|für)|mein name ist|schreibt mir|meldet euch|erreichbar unter"
    r"|je travaille (?:chez|pour)|je m['’]appelle|[eé]crivez-moi|contactez-moi|appelez-moi"
    r"|trabalho (?:na|no|em)|chamo-me|escrevam-me|liguem-me"
    r"|ik werk (?:bij|voor)|bel me|mail me|pracuj[eę] w|napiszcie do mnie"
    r"|çalışıyorum|bana yazın|jag jobbar på|hör av er"
    r")(?!\w)",
    re.IGNORECASE,
)
_WORDS = r"((?:[^\W\d_a-zß-öø-ÿ][\w&'’-]*)(?: [^\W\d_a-zß-öø-ÿ][\w&'’-]*){0,3})"
_NAME = re.compile(
    r"\b(?i:my name is|mi chiamo|me llamo|mein name ist|je m['’]appelle|chamo-me)"
    r" ([^\W\d_][\w'’-]*(?: [^\W\d_][\w'’-]*){0,2}?)(?=[.,:;!?\n(]| (?i:from|and|at|und|et|y|e)\b|$)"
)
_COMPANY = re.compile(
    r"\b(?i:work (?:at|for)|from|need at|lavoro (?:per|da|in|alla)|trabajo en|ich arbeite (?:bei|für)"
    r"|je travaille (?:chez|pour)|trabalho (?:na|no|em)|ik werk (?:bij|voor)|pracuj[eę] w|jag jobbar på) " + _WORDS
)
_COMPANY_BEFORE = re.compile(_WORDS + r" için çalışıyorum")
_HANDLE_PARTS = re.compile(r"[^\W\d_]+(?:[-_][^\W\d_]+)*")


def contacts_in(comment: dict[str, Any]) -> list[dict[str, Any]]:
    """The contacts in one comment: one, or none if nobody asks to be contacted.

    Args:
        comment: `{"id", "author"?, "username"?, "text"}`; anything else in it is ignored.
    """
    text = _string(comment, "text")
    email, phone = EMAIL.search(text), _phone(text)
    asks = _ASKS.search(text) is not None
    if not (email or phone or asks):
        return []
    address = email.group().rstrip(".-") if email else None
    first, last, certain = _name(comment, text, address)
    if not (first or address):
        return []
    company = _company(text)
    found = sum(value is not None for value in (address, phone, company))
    return [
        {
            "firstName": first,
            "lastName": last,
            "email": address,
            "phone": phone,
            "company": company,
            "confidence": round(0.5 + 0.12 * found + (0.1 if certain else 0.0), 2),
        }
    ]


def _name(comment: dict[str, Any], text: str, address: str | None) -> tuple[str | None, str | None, bool]:
    """First name, last name, and whether they were written out as a name."""
    said = _NAME.search(text)
    for written in (said.group(1) if said else "", _string(comment, "author")):
        words = written.split()
        if len(words) > 1:
            return words[0], " ".join(words[1:]), True
    for handle in (_string(comment, "username"), (address or "").partition("@")[0]):
        parts = [_capitalised(part) for part in _HANDLE_PARTS.findall(handle)]
        if len(parts) > 1:
            return parts[0], " ".join(parts[1:]), False
    words = _string(comment, "author").split()
    return (words[0] if words else None), None, False


def _capitalised(part: str) -> str:
    return "-".join(piece.capitalize() for piece in part.replace("_", "-").split("-"))


def _phone(text: str) -> str | None:
    """The first run of digits long enough for a phone number."""
    for match in PHONE.finditer(text):
        found = match.group()
        if 8 <= sum(letter.isdigit() for letter in found) <= 15:
            return found
    return None


def _company(text: str) -> str | None:
    match = _COMPANY.search(text) or _COMPANY_BEFORE.search(text)
    return match.group(1).rstrip("'’-") if match else None


def _string(comment: dict[str, Any], name: str) -> str:
    value = comment.get(name)
    return value if isinstance(value, str) else ""
