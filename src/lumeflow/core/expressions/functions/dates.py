"""Functions on dates and times. They take and give ISO 8601 texts; a time without offset is taken as UTC."""

import calendar
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from lumeflow.core.expressions.errors import FunctionError
from lumeflow.core.expressions.functions.registry import Anything, Date, Integer, Number, Text, function
from lumeflow.core.expressions.moments import as_instant, moment_text, parse_moment

_MAX_FORMAT_CHARS = 64
_FIELD = re.compile(r"YYYY|YY|MM|M|DD|D|HH|H|mm|m|ss|s|.", re.DOTALL)
_WRITERS: dict[str, Callable[[datetime], str]] = {
    "YYYY": lambda moment: f"{moment.year:04}",
    "YY": lambda moment: f"{moment.year % 100:02}",
    "MM": lambda moment: f"{moment.month:02}",
    "M": lambda moment: str(moment.month),
    "DD": lambda moment: f"{moment.day:02}",
    "D": lambda moment: str(moment.day),
    "HH": lambda moment: f"{moment.hour:02}",
    "H": lambda moment: str(moment.hour),
    "mm": lambda moment: f"{moment.minute:02}",
    "m": lambda moment: str(moment.minute),
    "ss": lambda moment: f"{moment.second:02}",
    "s": lambda moment: str(moment.second),
}
_READERS = {"YYYY": ("year", "[0-9]{4}"), "YY": ("short year", "[0-9]{2}")} | {
    symbol * width: (name, "[0-9]{2}" if width == 2 else "[0-9]{1,2}")
    for symbol, name in [("M", "month"), ("D", "day"), ("H", "hour"), ("m", "minute"), ("s", "second")]
    for width in (1, 2)
}


def _now(scope: Mapping[str, Any]) -> datetime:
    execution = scope.get("execution")
    now = execution.get("now") if isinstance(execution, dict) else None
    moment = parse_moment(now) if isinstance(now, str) else now
    if not isinstance(moment, date):
        raise FunctionError("execution.now isn't known here")
    return as_instant(moment)


@function("date", reads=("execution", "now"))
def now(scope: Mapping[str, Any]) -> str:
    """The time of the execution, the same for all its records; `execution.now`."""
    return moment_text(_now(scope))


@function("date", reads=("execution", "now"))
def today(scope: Mapping[str, Any]) -> str:
    """The date of the execution in UTC."""
    return _now(scope).astimezone(UTC).date().isoformat()


@function("date")
def is_date(value: Anything) -> bool:
    """Whether the value is an ISO 8601 date or time.

    Example:
        isDate('2026-01-09') -> true
        isDate('09/01/2026') -> false
    """
    return isinstance(value, str) and parse_moment(value) is not None


@function("date")
def parse_date(text: Text, layout: Text = "") -> str | None:
    """The date or time in a text, written in ISO 8601 or in the given layout; null if it isn't there.

    Layouts are made of YYYY YY MM M DD D HH H mm m ss s; other characters stand for themselves.

    Example:
        parseDate('09/01/2026', 'DD/MM/YYYY') -> '2026-01-09'
        parseDate('9.1.26 8:05', 'D.M.YY H:mm') -> '2026-01-09T08:05:00'
        parseDate('soon') -> null
    """
    if not layout:
        moment = parse_moment(text.strip())
        return None if moment is None else moment_text(moment)
    pattern, names = _reader(layout)
    found = pattern.fullmatch(text.strip())
    return None if found is None else _built(dict(zip(names, map(int, found.groups()), strict=True)))


def _built(fields: dict[str, int]) -> str | None:
    short_year = fields.pop("short year", None)
    if short_year is not None:
        fields["year"] = short_year + (1900 if short_year > 68 else 2000)
    timed = bool(fields.keys() & {"hour", "minute", "second"})
    try:
        moment = datetime(**({"year": 1, "month": 1, "day": 1} | fields))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return None
    return moment_text(moment if timed else moment.date())


def _fields(layout: str) -> list[str]:
    if len(layout) > _MAX_FORMAT_CHARS:
        raise FunctionError(f"layout wants at most {_MAX_FORMAT_CHARS} characters")
    return _FIELD.findall(layout)


@lru_cache(maxsize=64)
def _reader(layout: str) -> tuple[re.Pattern[str], list[str]]:
    pieces, names = [], []
    for symbol in _fields(layout):
        name, pattern = _READERS.get(symbol, ("", re.escape(symbol)))
        if name in names:
            raise FunctionError(f"layout has the {name} twice")
        names += [name] if name else []
        pieces.append(f"({pattern})" if name else pattern)
    return re.compile("".join(pieces)), names


@function("date")
def format_date(date: Date, layout: Text) -> str:
    """A date or time in the given layout (see `parseDate`), by the clock of its own offset.

    Example:
        formatDate('2026-01-09T08:05:00Z', 'DD.MM.YYYY HH:mm') -> '09.01.2026 08:05'
    """
    moment = date if isinstance(date, datetime) else as_instant(date)
    return "".join(_WRITERS[symbol](moment) if symbol in _WRITERS else symbol for symbol in _fields(layout))


@function("date")
def add_days(date: Date, days: Integer) -> str:
    """The date or time so many days later; negative is earlier.

    Example:
        addDays('2026-02-27', 3) -> '2026-03-02'
    """
    return moment_text(date + timedelta(days=days))


@function("date")
def add_hours(date: Date, hours: Number) -> str:
    """The time so many hours later; a date is taken as its midnight in UTC.

    Example:
        addHours('2026-01-09T23:30:00Z', 1) -> '2026-01-10T00:30:00Z'
    """
    moment = date if isinstance(date, datetime) else as_instant(date)
    return moment_text(moment + timedelta(hours=hours))


@function("date")
def add_months(date: Date, months: Integer) -> str:
    """The date or time so many months later; a day that the month hasn't becomes its last.

    Example:
        addMonths('2026-01-31', 1) -> '2026-02-28'
    """
    years, month = divmod(date.month - 1 + months, 12)
    year = date.year + years
    if not 1 <= year <= 9999:
        raise FunctionError("the result is outside the years 1 to 9999")
    day = min(date.day, calendar.monthrange(year, month + 1)[1])
    return moment_text(date.replace(year=year, month=month + 1, day=day))


@function("date")
def diff_days(from_: Date, to: Date) -> int:
    """The whole days from the first date or time to the second; negative if the second is earlier.

    Example:
        diffDays('2026-01-09', '2026-02-01') -> 23
        diffDays('2026-01-09T18:00:00Z', '2026-01-10T06:00:00Z') -> 0
    """
    return int((as_instant(to) - as_instant(from_)) / timedelta(days=1))


@function("date")
def year(date: Date) -> int:
    """The year of a date.

    Example:
        year('2026-01-09') -> 2026
    """
    return int(date.year)


@function("date")
def month(date: Date) -> int:
    """The month of a date, 1 to 12.

    Example:
        month('2026-01-09') -> 1
    """
    return int(date.month)


@function("date")
def day(date: Date) -> int:
    """The day of a date in its month, 1 to 31.

    Example:
        day('2026-01-09') -> 9
    """
    return int(date.day)


@function("date")
def weekday(date: Date) -> int:
    """The day of the week of a date, from 1 (Monday) to 7 (Sunday).

    Example:
        weekday('2026-01-09') -> 5
    """
    return int(date.isoweekday())


@function("date")
def timestamp(date: Date) -> int:
    """The seconds since 1970-01-01T00:00:00Z, rounded down.

    Example:
        timestamp('2026-01-09T00:00:00Z') -> 1767916800
    """
    return (as_instant(date) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)


@function("date")
def from_timestamp(seconds: Number) -> str:
    """The time that many seconds after 1970-01-01T00:00:00Z.

    Example:
        fromTimestamp(1767916800) -> '2026-01-09T00:00:00Z'
    """
    return moment_text(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
