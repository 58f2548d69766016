"""What the headers of a vendor of language models say: rates, waits, and whether to try again."""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from lumeflow.kit.replies import retry_after, seconds
from lumeflow.plugin import HttpResponse, RateHint, RateLimit

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS: Mapping[str, float] = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_MINUTE, _DAY = 60.0, 86_400.0
_LONGEST_PAUSE = 60.0
_MOST_CALLS = 1_000_000


def asked_wait(response: HttpResponse) -> float | None:
    """Seconds that the vendor asks to wait: `retry-after-ms`, else `retry-after`; None if it does not say."""
    exact = seconds(response.headers.get("retry-after-ms"))
    return retry_after(response) if exact is None else exact / 1000


def word_on_retry(response: HttpResponse) -> bool | None:
    """What `x-should-retry` says; None if it is not there."""
    return {"true": True, "false": False}.get(response.headers.get("x-should-retry", "").strip().lower())


def duration(text: str | None) -> float | None:
    """Seconds in `120ms`, `6m0s` or `1h30m`; None if it is no duration."""
    if not text or _PART.sub("", text.strip()):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def until(moment: str | None, response: HttpResponse) -> float | None:
    """Seconds from the answer's `Date` to an RFC 3339 moment; None if either cannot be read."""
    try:
        now = parsedate_to_datetime(response.headers.get("date", ""))
        return max((datetime.fromisoformat(moment or "") - now).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None


def rate_hint(limit: str | None, *, left: str | None, full_in: float | None, other_pause: float) -> RateHint | None:
    """Limits out of what the headers say of requests.

    Args:
        limit: Requests in a window.
        left: How many of them are left.
        full_in: Seconds until all of them are there again.
        other_pause: Seconds to wait because something else is used up.
    """
    most = _count(limit)
    if not most:
        return RateHint(pause=min(other_pause, _LONGEST_PAUSE)) if other_pause > 0 else None
    rest = _count(left)
    window, pause = _MINUTE, other_pause
    if rest is not None and full_in is not None and rest < most:
        each = full_in / (most - rest)
        # The window's length is not told: it is a minute, or at the smallest accounts a day.
        window = _DAY if each * most > 2 * _MINUTE else _MINUTE
        pause = max(pause, each if rest == 0 else 0.0)
    return RateHint((RateLimit(most, window),), min(pause, _LONGEST_PAUSE))


def _count(text: str | None) -> int | None:
    return min(int(text), _MOST_CALLS) if text and text.isascii() and text.isdigit() and len(text) < 12 else None
