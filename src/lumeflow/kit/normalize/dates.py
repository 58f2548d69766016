"""Dates and times in ISO 8601."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from lumeflow.core.expressions.moments import moment_text, parse_moment
from lumeflow.kit.normalize.characters import digits_of, fold, tidy
from lumeflow.kit.normalize.clock_times import take_clock
from lumeflow.kit.normalize.date_options import Numbers, Order
from lumeflow.kit.normalize.date_words import IGNORED, MONTHS

_LONGEST = 80
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:Z|(?![+-]00:00)[+-]\d\d:\d\d)?)?")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)?)?")
_COMPACT_LENGTHS = frozenset({8, 12, 13, 14, 15})
_IN_BRACKETS = re.compile(r"\s*\([^()]*\)\s*$")
_EAST_ASIAN = re.compile(r"[年月년월.\s]+\s*(?=\d)|[日일号]\s*|[년월年月]\s*$")
_NUMERIC = re.compile(r"(\d{1,4})([./\-–\s])\s*(\d{1,2})\s*[./\-–\s]\s*(\d{1,4})[.\s,]*")
_TOKEN = re.compile(r"\d+|[^\W\d_]+")
_SECONDS = 1e8
_MILLISECONDS = 1e11
_MICROSECONDS = 1e14
_LAST_MOMENT = 253_402_300_800
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - spreadsheets know no time zones
_LAST_EXCEL_DAY = 2_958_466


def iso_date(
    text: str, order: Order | None = None, *, pivot: int = 68, numbers: Numbers = "timestamp", date_only: bool = False
) -> str | None:
    """The date or time in a text, in ISO 8601; None if there is none, or if it could be two.

    Takes numbers with any separator, names of months in twenty languages, days of the week, times of day with AM and
    PM, offsets and names of time zones, and dates as e-mails, browsers, databases and spreadsheets write them. What has
    no time of day is given as a date, what has no offset without one.

    Args:
        text: What stands in the field.
        order: What stands first where a date is written in numbers alone, the year not in front. Without it only
            dates are read that mean the same in every order, or that can be read in one (`25/12/2026`).
        pivot: Two-digit years up to this one are of the years from 2000, later ones from 1900.
        numbers: What a bare number is: seconds, milliseconds or microseconds since 1970, or a spreadsheet's days since
            1900. `20260109` is a date in any case.
        date_only: Leave out the time of day.
    """
    clean = text.strip()
    if not _ISO.fullmatch(clean) or parse_moment(clean) is None:
        moment = _moment(clean, order, pivot, numbers) if len(text) <= _LONGEST else None
        if moment is None:
            return None
        clean = moment_text(moment)
    return clean[:10] if date_only else clean


def _moment(text: str, order: Order | None, pivot: int, numbers: Numbers) -> date | datetime | None:
    clean = digits_of(tidy(text)).strip(" '\",;")
    try:
        if _NUMBER.fullmatch(clean) or (len(clean) in _COMPACT_LENGTHS and _COMPACT.fullmatch(clean)):
            return _compact(clean) or _counted(float(clean), numbers)
        clean = _IN_BRACKETS.sub("", clean)
        clock = take_clock(clean)
        day = _day(clock.rest if clock else clean, order, pivot)
        return day if day is None or clock is None else datetime.combine(day, clock.time)
    except (ValueError, OverflowError):
        return None


def _compact(text: str) -> date | datetime | None:
    found = _COMPACT.fullmatch(text)
    if found is None or not 1900 <= int(found[1]) < 2100:
        return None
    parts = [int(part) for part in found.groups() if part]
    try:
        return date(*parts) if len(parts) == 3 else datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return None


def _counted(number: float, numbers: Numbers) -> date | datetime | None:
    if numbers == "excel":
        if not 1 <= number < _LAST_EXCEL_DAY:
            return None
        moment = _EXCEL_EPOCH + timedelta(seconds=round(number * 86_400))
        return moment.date() if number.is_integer() else moment
    if number < _SECONDS:
        return None
    unit = 1 if number < _MILLISECONDS else 1_000 if number < _MICROSECONDS else 1_000_000
    seconds = number / unit
    return _EPOCH + timedelta(seconds=round(seconds, 3)) if seconds < _LAST_MOMENT else None


def _day(text: str, order: Order | None, pivot: int) -> date | None:
    numeric = _NUMERIC.fullmatch(_EAST_ASIAN.sub(_joined, text).strip(" ,T"))
    if numeric:
        return _from_numbers((numeric[1], numeric[3], numeric[4]), order, pivot)
    return _from_words(text, pivot)


def _joined(found: re.Match[str]) -> str:
    return " " if found.group().isspace() else "-" if found.end() < len(found.string) else ""


def _from_numbers(parts: Sequence[str], order: Order | None, pivot: int) -> date | None:
    first, second, third = parts
    if len(first) == 4 or (order == "yearFirst" and len(first) == 2):
        return date(_year(first, pivot), int(second), int(third))
    if len(first) == 3 or len(third) not in (2, 4):
        return None
    year = _year(third, pivot)
    if order in ("dayFirst", "monthFirst"):
        day, month = (first, second) if order == "dayFirst" else (second, first)
        return date(year, int(month), int(day))
    readings = {_date(year, second, first), _date(year, first, second)}
    if len(first) == len(third) == 2:
        readings.add(_date(_year(first, pivot), second, third))
    readings.discard(None)
    return readings.pop() if len(readings) == 1 and order is None else None


def _from_words(text: str, pivot: int) -> date | None:
    """A date with the month in letters: of its two numbers the year is the one of four digits, else the last."""
    words = [fold(token) for token in _TOKEN.findall(text)]
    months = [MONTHS[word] for word in words if word in MONTHS]
    numbers = [word for word in words if word[0].isdigit()]
    known = sum(word in IGNORED for word in words) + len(months) + len(numbers)
    if len(months) != 1 or len(numbers) != 2 or known < len(words):
        return None
    day, year = numbers
    if len(day) > 2:
        day, year = year, day
    return date(_year(year, pivot), months[0], int(day)) if len(day) <= 2 else None


def _date(year: int, month: str, day: str) -> date | None:
    try:
        return date(year, int(month), int(day))
    except ValueError:
        return None


def _year(text: str, pivot: int) -> int:
    """Raises ValueError for a year of other than two or four digits."""
    year = int(text)
    if len(text) == 2:
        return year + (2000 if year <= pivot else 1900)
    if len(text) != 4 or year < 1000:
        raise ValueError("not a year")
    return year
