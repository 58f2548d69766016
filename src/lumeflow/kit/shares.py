"""Numbers between two ends, as language models give them: `0.9`, `"0.9"`, and now and then beyond the end."""

from typing import Any

from lumeflow.plugin import decimal_of


def between(value: Any, least: float, most: float) -> float | None:
    """The number; what lies outside is moved to the nearer end. None if it is no number."""
    try:
        number = float(decimal_of(value))
    except ValueError:
        return None
    return min(max(number, least), most)


def confidence_in(value: Any) -> float | None:
    """A confidence from 0 to 1; None if there is none."""
    return between(value, 0.0, 1.0)
