"""What any other actor delivers here: entries of a directory of companies, each made from its position alone."""

from collections.abc import Iterator, Mapping
from typing import Any

from lumeflow.simulator.hashing import Dice
from lumeflow.simulator.people.person import address_of, employment_of, fictional_number, invented_name, slug

DEFAULT_RESULTS = 20
"""Entries of each query whose input names no number."""

_QUERIES = ("startUrls", "directUrls", "urls", "queries", "searchStringsArray", "searchTerms", "keywords", "usernames")
"""Where actors look for the list of what to fetch."""
_NUMBERS = ("resultsLimit", "maxItems", "maxResults", "maxCrawledPlacesPerSearch", "limit")


def queries_of(given: Mapping[str, Any]) -> tuple[str, ...]:
    """What an actor's input asks for, each once; one query for the whole input if it names none."""
    return tuple(dict.fromkeys(_texts(given))) or ("",)


def results_of(given: Mapping[str, Any]) -> int:
    """Entries that it wants for each query."""
    numbers = (given.get(name) for name in _NUMBERS)
    return next((n for n in numbers if isinstance(n, int) and not isinstance(n, bool) and n >= 0), DEFAULT_RESULTS)


def entry(seed: int, actor: str, query: str, index: int) -> dict[str, Any]:
    """One item of an actor's dataset."""
    dice = Dice(seed, "directory", actor, query, str(index))
    first, last = invented_name(dice)
    work = employment_of(seed, first, last)
    city, state, country = work.place
    owner: dict[str, Any] = {"name": f"{first} {last}", "title": work.title}
    if dice.chance(0.6):
        owner["email"] = address_of(first, last, work.domain)
    return {
        "id": f"{slug(work.company)}-{dice.below(10**6):06d}",
        "title": work.company, "website": work.domain, "url": f"https://{work.domain}/", "owner": owner,
        "phone": fictional_number(dice) if dice.chance(0.7) else None,
        "city": city, "state": state, "countryName": country,
        "rating": round(2 + dice.below(31) / 10, 1), "position": index + 1, "searchString": query,
    }  # fmt: skip


def _texts(given: Mapping[str, Any]) -> Iterator[str]:
    for name in _QUERIES:
        value = given.get(name)
        for item in value if isinstance(value, list) else [value]:
            text = item.get("url") if isinstance(item, dict) else item
            if isinstance(text, str) and text:
                yield text
