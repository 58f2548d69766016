"""The names of a table's columns, from a row of a file that a person made."""

import re
from collections.abc import Sequence

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
    taken = {name for name in tidy if name}
    names: list[str] = []
    notes: list[str] = []
    for place, name in enumerate(tidy, start=1):
        if name and name not in names:
            names.append(name)
            continue
        made = _free(f"{name}_2" if name else f"column{place}", taken)
        taken.add(made)
        names.append(made)
        why = f"has the name '{name}' of an earlier one" if name else "has no name"
        notes.append(f"column {place} {why}: it is called '{made}'")
    return names, notes


def _free(wanted: str, taken: set[str]) -> str:
    stem, number = wanted, 2
    if wanted.endswith("_2"):
        stem, number = wanted[:-2], 3
    while wanted in taken:
        wanted = f"{stem}_{number}"
        number += 1
    return wanted
