"""The names of a table's columns, from a row of a file that a person made."""

import re
from collections.abc import Iterable, Sequence

from lumeflow.kit.text import is_address

_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\xad]")
_SPACE = re.compile(r"\s+")
_DATA = re.compile(r"(?:https?://\S+|www\.\S+|[+-]?\d+(?:[.,]\d+)?)$", re.IGNORECASE)


def looks_like_data(cells: Sequence[str]) -> bool:
    """True if a first row holds an address of mail or web, or nothing but numbers: then the columns have no names."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    if any(is_address(cell) or cell.lower().startswith(("http://", "https://")) for cell in filled):
        return True
    return bool(filled) and all(_DATA.match(cell) for cell in filled)


def column_names(cells: Sequence[str], width: int) -> tuple[list[str], list[str]]:
    """A name for each of at least `width` columns, all different, and notes on those that had to be made.

    White space around and in a name becomes single spaces, invisible characters go. A column without a name is called
    `column3` by its place; the second of one name `name_2`.
    """
    tidy = [_SPACE.sub(" ", _INVISIBLE.sub("", cell)).strip() for cell in cells]
    tidy += [""] * (width - len(tidy))
    free = _FreeNames(name for name in tidy if name)
    seen: set[str] = set()
    names: list[str] = []
    notes: list[str] = []
    for place, name in enumerate(tidy, start=1):
        if name and name not in seen:
            seen.add(name)
            names.append(name)
            continue
        made = free.numbered(name) if name else free.like(f"column{place}")
        names.append(made)
        why = f"has the name '{name}' of an earlier one" if name else "has no name"
        notes.append(f"column {place} {why}: it is called '{made}'")
    return names, notes


class _FreeNames:
    """Names that no column has. The file may give all of its columns one name: numbers are not counted up anew."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._numbers: dict[str, int] = {}

    def like(self, wanted: str) -> str:
        """`wanted`, or if it is taken, with a number."""
        if wanted in self._taken:
            return self.numbered(wanted)
        self._taken.add(wanted)
        return wanted

    def numbered(self, stem: str) -> str:
        """`stem_2`, or the next that is free."""
        number = self._numbers.get(stem, 2)
        while f"{stem}_{number}" in self._taken:
            number += 1
        self._numbers[stem] = number + 1
        self._taken.add(f"{stem}_{number}")
        return f"{stem}_{number}"
