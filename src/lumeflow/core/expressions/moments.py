"""Dates and times as ISO 8601 texts, the only form that JSON knows."""

from datetime import UTC, date, datetime

_MAX_CHARS = 40
_DATE_CHARS = len("2026-01-09")


def parse_moment(text: str) -> date | datetime | None:
    """Read `2026-01-09` as a date and `2026-01-09T10:00:00+02:00` as a time; None if `text` is neither."""
    if not _DATE_CHARS <= len(text) <= _MAX_CHARS or text[4] != "-" or text[7] != "-":
        return None
    try:
        return date.fromisoformat(text) if len(text) == _DATE_CHARS else datetime.fromisoformat(text)
    except ValueError:
        return None


def instant(text: str) -> datetime | None:
    """Return the moment that an ISO 8601 text means: a date is its midnight, a time without offset is in UTC."""
    moment = parse_moment(text)
    return None if moment is None else as_instant(moment)


def as_instant(moment: date | datetime) -> datetime:
    """Return `moment` as a time with an offset."""
    if not isinstance(moment, datetime):
        return datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def moment_text(moment: date | datetime) -> str:
    """Write `moment` in ISO 8601, with `Z` for UTC."""
    text = moment.isoformat()
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text
