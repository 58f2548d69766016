"""Whether a person that Apollo describes is the one who was asked for. A place in a list proves nothing by itself."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, TypeGuard

from lumeflow.kit.replies import member
from lumeflow.kit.text import bare_domain, profile_handle

Detail = Mapping[str, str]
"""Whom a call asked for: `id`, `linkedin_url`, `email`, `first_name`, `last_name`, `name`, `domain`, …"""
Person = Mapping[str, Any]


class Likeness(IntEnum):
    """What two descriptions of a person agree in; the greater, the surer."""

    NONE = 0
    NAME = 1
    """The name, where nothing else was asked by."""
    EMPLOYMENT = 2
    """Name and employer."""
    ADDRESS = 3
    PROFILE = 4
    ID = 5


def is_person(value: Any) -> TypeGuard[dict[str, Any]]:
    """True for an object that describes somebody, and not just says that there is nobody."""
    return isinstance(value, dict) and bool(value) and value.get("match_confidence") != "none"


def assign(details: Sequence[Detail], matches: Sequence[Person | None]) -> list[Person | None]:
    """The person of each detail, or None.

    The place counts only if there are as many matches as details and the one at the place agrees. Otherwise the one
    that agrees best is taken; of two different people who agree equally well, neither is.

    Args:
        details: Whom the call asked for.
        matches: People in any order; None for nobody.
    """
    aligned = len(matches) == len(details)
    found: list[Person | None] = []
    for index, detail in enumerate(details):
        here = matches[index] if aligned else None
        if here is not None and likeness(detail, here) and not _is_ambiguous(detail, here, details):
            found.append(here)
        else:
            found.append(_best(detail, matches, details))
    return found


def likeness(detail: Detail, person: Person) -> Likeness:
    """In what, at best, the person agrees with what was asked for."""
    if _same(detail.get("id"), person.get("id")):
        return Likeness.ID
    if _same(_handle(detail.get("linkedin_url")), _handle(person.get("linkedin_url"))):
        return Likeness.PROFILE
    if _folded(detail.get("email")) in set(_addresses(person)) - {""}:
        return Likeness.ADDRESS
    if not _same_name(detail, person):
        return Likeness.NONE
    employers = set(_wanted_employers(detail))
    if employers & set(_employers(person)):
        return Likeness.EMPLOYMENT
    return Likeness.NONE if employers or detail.keys() & {"id", "linkedin_url", "email"} else Likeness.NAME


def _best(detail: Detail, people: Sequence[Person | None], details: Sequence[Detail]) -> Person | None:
    graded = [(likeness(detail, person), person) for person in people if person is not None]
    best = max((grade for grade, _ in graded), default=Likeness.NONE)
    if not best:
        return None
    chosen = [person for grade, person in graded if grade is best]
    same = len({_identity(person) for person in chosen}) == 1
    return chosen[0] if same and not _is_ambiguous(detail, chosen[0], details) else None


def _is_ambiguous(detail: Detail, person: Person, details: Sequence[Detail]) -> bool:
    """True if only the name speaks for the person, and somebody else of that name was asked for as well."""
    if likeness(detail, person) is not Likeness.NAME:
        return False
    return any(other is not detail and _same_name(other, person) for other in details)


def _identity(person: Person) -> str:
    return str(person.get("id") or _handle(person.get("linkedin_url")) or id(person))


def _same(wanted: str | None, found: Any) -> bool:
    return bool(wanted) and wanted == found


def _handle(address: Any) -> str:
    return profile_handle(address).casefold().rstrip("/") if isinstance(address, str) else ""


def _addresses(person: Person) -> Iterator[str]:
    yield _folded(person.get("email"))
    yield _folded(member(person, "contact", "email"))
    for personal in _list(person.get("personal_emails")):
        yield _folded(personal)
    for entry in _list(member(person, "contact", "contact_emails")):
        yield _folded(member(entry, "email"))


def _same_name(detail: Detail, person: Person) -> bool:
    wanted = _name(detail)
    return bool(wanted) and wanted in {_name(person), _plain(person.get("name"))}


def _name(named: Mapping[str, Any]) -> str:
    first, last = _plain(named.get("first_name")), _plain(named.get("last_name"))
    return f"{first} {last}" if first and last else _plain(named.get("name"))


def _wanted_employers(detail: Detail) -> Iterator[str]:
    for host in (detail.get("domain"), detail.get("email", "").partition("@")[2]):
        if host:
            yield bare_domain(host)
    if company := _plain(detail.get("organization_name")):
        yield company


def _employers(person: Person) -> Iterator[str]:
    """Domains and names of all that the person works or worked for."""
    organization = person.get("organization")
    for key in ("primary_domain", "website_url"):
        if host := bare_domain(_text(member(organization, key))):
            yield host
    yield bare_domain(_text(person.get("email")).partition("@")[2])
    yield _plain(member(organization, "name"))
    for job in _list(person.get("employment_history")):
        yield _plain(member(job, "organization_name"))


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _folded(value: Any) -> str:
    return _text(value).strip().casefold()


def _plain(value: Any) -> str:
    """A name without case, accents and punctuation, so that `Müller-Holt` and `muller holt` are one."""
    decomposed = unicodedata.normalize("NFKD", _text(value))
    letters = (c if c.isalnum() else " " for c in decomposed if not unicodedata.combining(c))
    return " ".join("".join(letters).casefold().split())
