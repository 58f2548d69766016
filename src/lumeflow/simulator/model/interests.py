"""Infers interests from words that stand in what is known of a person."""

import re
from collections.abc import Mapping
from typing import Any

_SAID: Mapping[str, tuple[str, ...]] = {
    "home baking": ("sourdough", "baking", "bake", "bread", "cake", "pane", "brot"),
    "running": ("running", "trail", "marathon", "runner"),
    "dogs": ("dog", "dogs", "puppy", "cane", "hund"),
    "cycling": ("cycling", "bike", "bikes", "cycles", "bici"),
    "coffee": ("coffee", "espresso", "caffè", "kaffee"),
    "travel": ("travel", "trip", "holiday", "viaggio"),
    "music": ("music", "guitar", "concert", "musica"),
    "gardening": ("garden", "gardening", "plants"),
    "photography": ("photo", "photos", "camera", "photography"),
    "football": ("football", "calcio", "soccer"),
}
_SUGGESTED: Mapping[str, tuple[str, ...]] = {
    "home baking": ("baker", "bakery"),
    "logistics": ("freight", "logistics", "rail", "shipping"),
    "food": ("foods", "chef", "restaurant", "bakery"),
    "education": ("teacher", "school", "university"),
    "technology": ("engineer", "software", "developer", "data"),
    "procurement": ("buyer", "purchasing", "procurement"),
    "retail": ("store", "shop", "retail"),
    "marketing": ("marketing", "brand", "media"),
}
_SAYING = ("text", "bio", "about", "headline", "interests", "keywords", "comment")
_WORD = re.compile(r"\w+")


def interests_of(person: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The interests of one person, the surest first: said by themselves, or suggested by anything else."""
    said = _words(value for name, value in person.items() if name in _SAYING)
    everything = _words(value for name, value in person.items() if name != "id")
    found: dict[str, float] = {}
    for confidence, table, words in ((0.9, _SAID, said), (0.5, _SUGGESTED, everything), (0.45, _SAID, everything)):
        for name, signs in table.items():
            if not words.isdisjoint(signs):
                found.setdefault(name, confidence)
    return [{"name": name, "confidence": sure} for name, sure in sorted(found.items(), key=lambda item: -item[1])]


def _words(values: Any) -> set[str]:
    return {word for value in values if isinstance(value, str) for word in _WORD.findall(value.lower())}
