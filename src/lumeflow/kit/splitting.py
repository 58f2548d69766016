"""Parting texts that hold several values."""

import re
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator


def _not_empty(separators: tuple[str, ...]) -> tuple[str, ...]:
    if not separators or not all(separators):
        raise ValueError("name at least one separator, none of them empty")
    return separators


Separators = Annotated[tuple[str, ...], AfterValidator(_not_empty)]
"""Texts that part; where one is the beginning of another, the longer one is tried first."""


def split_text(text: str, separators: tuple[str, ...], most: int = 0) -> list[str]:
    """The parts of `text`, trimmed and without empty ones.

    Args:
        text: What to part.
        separators: What stands between parts.
        most: Number of parts at most, the last of which is all that is left; 0 for any.
    """
    if not most:
        return [part for part in map(str.strip, _pattern(separators).split(text)) if part]
    parts: list[str] = []
    rest = text
    while rest and len(parts) < most - 1:
        part, rest = (*_pattern(separators).split(rest, maxsplit=1), "")[:2]
        if part.strip():
            parts.append(part.strip())
    rest = rest.strip()
    while empty := _pattern(separators).match(rest):
        rest = rest[empty.end() :].lstrip()
    return [*parts, rest] if rest else parts


@lru_cache(maxsize=64)
def _pattern(separators: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(separators, key=len, reverse=True))))
