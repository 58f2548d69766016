"""What a vendor means by its statuses, where that differs from the usual."""

import re
from collections.abc import Mapping, Sequence

from lumeflow.plugin import ErrorClass, did_you_mean

SUCCESS, NOT_FOUND = "success", "notFound"
CLASSES: Mapping[str, ErrorClass] = {
    "auth": ErrorClass.AUTH,
    "quota": ErrorClass.QUOTA,
    "rateLimit": ErrorClass.RATE_LIMIT,
    "serverError": ErrorClass.SERVER_ERROR,
    "timeout": ErrorClass.TIMEOUT,
    "validation": ErrorClass.VALIDATION,
}
_MEANINGS = (SUCCESS, NOT_FOUND, *CLASSES)
_FAMILY = re.compile(r"[1-5]xx")


def checked_statuses(value: Mapping[str, Sequence[int | str]]) -> Mapping[str, str]:
    """Meanings by status or family: `{"success": [200, 202], "rateLimit": ["403"]}` gives `{"200": "success", …}`.

    Raises:
        ValueError: A meaning or a status is unknown, or a status has two meanings.
    """
    found: dict[str, str] = {}
    for meaning, statuses in value.items():
        if meaning not in _MEANINGS:
            raise ValueError(f"'{meaning}' is no meaning of a status." + did_you_mean(meaning, _MEANINGS))
        for status in statuses:
            text = str(status).lower()
            if not (_FAMILY.fullmatch(text) or (text.isdigit() and 100 <= int(text) <= 599)):
                raise ValueError(f"'{status}' is no status; write a number such as 404, or a family such as '4xx'")
            if found.setdefault(text, meaning) != meaning:
                raise ValueError(f"status {text} means both {found[text]} and {meaning}")
    return found


def meaning_of(status: int, configured: Mapping[str, str]) -> str | None:
    """The configured meaning of a status, by itself or by its family, else the usual one; None for an error."""
    meaning = configured.get(str(status)) or configured.get(f"{status // 100}xx")
    if meaning is not None:
        return meaning
    if 200 <= status < 300:
        return SUCCESS
    return NOT_FOUND if status in (404, 410) else None
