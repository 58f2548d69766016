"""Times and days in requests: ISO 8601 and nothing else."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator

from lumeflow.server.problems import unusable

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:.*", re.ASCII | re.DOTALL)


def _day(value: Any) -> Any:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("expected a day such as 2026-01-09")
    return value


def _time(value: Any) -> Any:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise ValueError("expected a time with an offset such as 2026-01-09T10:00:00Z")
    return value


Day = Annotated[date, BeforeValidator(_day)]
Time = Annotated[AwareDatetime, BeforeValidator(_time)]
"""Numbers are refused: they could be seconds, milliseconds or a year."""


def in_utc(name: str, at: datetime | None) -> datetime | None:
    """A time of a request in UTC; `name` is the field that it stands in.

    Raises:
        Problem: It is so far away that UTC has no such time.
    """
    try:
        return None if at is None else at.astimezone(UTC)
    except OverflowError:
        raise unusable(f"{name}: a time that far away cannot be asked for") from None
