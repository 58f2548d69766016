"""A record as one row of a table: nested objects become dotted columns, lists become JSON text."""

import re
from array import array
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from lumeflow.kit.json_text import dump_json

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A text cell that starts with one of these may be run as a formula by a spreadsheet (OWASP, CSV Injection)."""

_E164 = re.compile(r"\+[0-9]{6,15}")


def flatten(record: Mapping[str, Any], *, embeddings: bool = False) -> Iterator[tuple[str, Any]]:
    """Columns and values of a record, in its own order; nothing of it is lost but embeddings, unless asked for."""
    for key, value in record.items():
        yield from _flatten(_column(key), value, embeddings)


def _flatten(column: str, value: Any, embeddings: bool) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            part = _column(key)
            yield from _flatten(f"{column}{part}" if part.startswith("[") else f"{column}.{part}", inner, embeddings)
    elif embeddings or not isinstance(value, array):
        yield column, value


@lru_cache(maxsize=4096)
def _column(key: str) -> str:
    """A key as a step of a path; one that would read as several steps is quoted: `['a.b']`."""
    if key and not any(mark in key for mark in ".[]'"):
        return key
    return "['" + key.replace("\\", "\\\\").replace("'", "\\'") + "']"


def cell(value: Any, *, raw: bool = False) -> str:
    """A value as text of a cell.

    Args:
        value: A JSON value; null becomes an empty cell.
        raw: True to leave texts that a spreadsheet may run as formulas as they are.

    Raises:
        TypeError: It has no JSON form.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value if raw else harmless(value)
    return dump_json(value).decode()


def harmless(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet may run as a formula.

    A phone number in E.164 stays as it is: a plus sign and digits alone can do no harm.
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) and not _E164.fullmatch(text) else text
