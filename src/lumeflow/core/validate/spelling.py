"""Slips of the pen: names that differ so little from a known one that they are probably meant to be it."""

from collections.abc import Iterable

_SHORTEST = 4
_LONG = 8


def slip(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was probably meant to be; None if none is near, or if it is known itself."""
    names = list(known)
    if name in names:
        return None
    plain = _plain(name)
    for candidate in names:
        if _plain(candidate) == plain:
            return candidate
    if len(name) < _SHORTEST:
        return None
    allowed = 2 if len(name) >= _LONG else 1
    near = [(distance(plain, _plain(each)), each) for each in names if len(each) >= _SHORTEST]
    best = min((each for each in near if each[0] <= allowed), default=None)
    return best[1] if best and not _differs_in_number(name, best[1]) else None


def distance(one: str, other: str) -> int:
    """Insertions, deletions, replacements and swaps of neighbours that lead from one to the other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, above, row = row, before, [i]
        for j, counterpart in enumerate(other, 1):
            cost = letter != counterpart
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + cost)
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == counterpart:
                best = min(best, above[j - 2] + 1)
            row.append(best)
    return row[-1]


def _plain(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")


def _differs_in_number(one: str, other: str) -> bool:
    """`line1` and `line2` are two names, not one with a slip."""
    return one.rstrip("0123456789") == other.rstrip("0123456789")
