"""Invented people: the same name always has the same employer, address and job, wherever it turns up."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from lumeflow.simulator.hashing import Dice
from lumeflow.simulator.people.names import (
    COMPANY_PLACES,
    COMPANY_TRADES,
    FAMILY_NAMES,
    FICTIONAL_NUMBERS,
    GIVEN_NAMES,
    JOBS,
    PLACES,
)

EXAMPLE_DOMAINS = ("example.com", "example.org", "example.net")

_NOT_DECOMPOSED = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ß": "ss",
     "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ı": "i"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Employment:
    """Where somebody works.

    Attributes:
        company: `Example Alder Freight`.
        domain: `example-alder-freight.example.com`.
        title: Job title.
        seniority: As Apollo names it.
        department: As Apollo names it.
        place: City, region, country.
    """

    company: str
    domain: str
    title: str
    seniority: str
    department: str
    place: tuple[str, str, str]


def invented_name(dice: Dice) -> tuple[str, str]:
    """A given name and a family name; more than a million different ones."""
    first, last = dice.pick(GIVEN_NAMES), dice.pick(FAMILY_NAMES)
    if dice.chance(0.35):
        other = dice.pick(FAMILY_NAMES)
        last = last if other == last else f"{last}-{other}"
    return first, last


@lru_cache(maxsize=8192)
def employment_of(seed: int, first: str, last: str) -> Employment:
    """The employer of whoever bears this name."""
    dice = Dice(seed, "employment", folded(first), folded(last))
    place = f"{dice.pick(COMPANY_PLACES)} " if dice.chance(0.8) else ""
    company = f"Example {place}{dice.pick(COMPANY_TRADES)}"
    title, seniority, department = dice.pick(JOBS)
    return Employment(company, domain_of(company), title, seniority, department, dice.pick(PLACES))


def address_of(first: str, last: str, domain: str) -> str:
    """`first.last@domain`, in plain ASCII."""
    local = ".".join(part for part in (slug(first), slug(last)) if part)
    return f"{local or 'contact'}@{domain}"


def username_of(first: str, last: str) -> str:
    """`mira.holt`, as social networks spell it."""
    return f"{slug(first)}.{slug(last).replace('-', '_')}"


def fictional_number(dice: Dice) -> str:
    """A phone number that belongs to nobody."""
    digits = (str(dice.below(10)) if letter == "x" else letter for letter in dice.pick(FICTIONAL_NUMBERS))
    return "".join(digits)


def domain_of(company: str) -> str:
    """The company's subdomain of an example domain."""
    return f"{slug(company) or 'company'}.example.com"


def company_at(domain: str) -> str | None:
    """The company behind a domain made by `domain_of`; None for any other."""
    name, dot, rest = domain.lower().partition(".")
    if not dot or rest not in EXAMPLE_DOMAINS:
        return None
    return " ".join(word.capitalize() for word in name.split("-"))


@lru_cache(maxsize=8192)
def folded(text: str) -> str:
    """Lower case without accents: the form in which names are compared."""
    if text.isascii():
        return text.casefold().strip()
    decomposed = unicodedata.normalize("NFKD", text.translate(_NOT_DECOMPOSED))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold().strip()


@lru_cache(maxsize=8192)
def slug(text: str) -> str:
    """Lower-case ASCII letters and digits, with single hyphens for everything between them."""
    kept = (c if c.isascii() and c.isalnum() else " " for c in folded(text).replace("'", ""))
    return "-".join("".join(kept).split())
