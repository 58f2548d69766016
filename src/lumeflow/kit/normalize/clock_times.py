"""The time of day within a written date, and its offset from UTC."""

import re
from datetime import time, timedelta, timezone
from typing import NamedTuple

_HOUR = r"(?<![\d.:/-])(?P<hour>\d{1,2})"
_CLOCK = re.compile(
    rf"{_HOUR}(?:\s?:\s?(?P<minute>\d{{2}})(?::(?P<second>\d{{2}})(?:[.,](?P<fraction>\d{{1,9}}))?)?(?!\d)"
    r"|\s?h\s?(?P<french>\d{2})?(?!\w)|(?=\s?[ap]\.?m\b))"
    r"(?:\s?(?P<half>[ap])\.?m\b\.?)?",
    re.IGNORECASE,
)
_ZONE = re.compile(
    r"\s*(?:(?:utc|gmt)?\s?(?P<sign>[+\-−])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?(?!\d)|(?P<name>[a-z]{1,4})\b)",
    re.IGNORECASE,
)
_NAMED = {
    **dict.fromkeys(("z", "utc", "gmt", "wet"), 0),
    **dict.fromkeys(("west", "cet", "mez"), 60),
    **dict.fromkeys(("cest", "mesz", "eet"), 120),
    "eest": 180,
    "est": -300,
    "edt": -240,
    "cst": -360,
    "cdt": -300,
    "mst": -420,
    "mdt": -360,
    "pst": -480,
    "pdt": -420,
}
"""Minutes by the names that mean one offset; those of North America as in e-mail (RFC 5322)."""


class Clock(NamedTuple):
    """A time of day with the text around it.

    Attributes:
        time: The time, with its offset if one is written.
        rest: The text without it.
    """

    time: time
    rest: str


def take_clock(text: str) -> Clock | None:
    """Take the time of day out of a text; None if there is none.

    Raises:
        ValueError: There is something like a time that isn't one, such as 25:00.
    """
    found = _CLOCK.search(text)
    if found is None:
        return None
    zone, end = _zone(text, found.end())
    micros = int((found["fraction"] or "").ljust(6, "0")[:6] or 0)
    moment = time(_hour(found), int(found["minute"] or found["french"] or 0), int(found["second"] or 0), micros, zone)
    return Clock(moment, f"{text[: found.start()].removesuffix('T')} {text[end:]}")


def _hour(found: re.Match[str]) -> int:
    hour = int(found["hour"])
    if not found["half"]:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError("half days have 12 hours")
    return hour % 12 + (12 if found["half"] in "pP" else 0)


def _zone(text: str, start: int) -> tuple[timezone | None, int]:
    """The offset that is written at `start`, and where it ends."""
    found = _ZONE.match(text, start)
    if found is None:
        return None, start
    if found["sign"]:
        minutes = int(found["hours"]) * 60 + int(found["minutes"] or 0)
        return timezone(timedelta(minutes=minutes if found["sign"] == "+" else -minutes)), found.end()
    minutes_named = _NAMED.get(found["name"].lower())
    if minutes_named is None:
        return None, start
    return timezone(timedelta(minutes=minutes_named)), found.end()
