"""Loading rows of a file into a table: all of them, or none and a list of what is wrong."""

import asyncio
from array import array
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from lumeflow.core.errors import UsageError
from lumeflow.core.findings import did_you_mean
from lumeflow.storage.catalog import Column, Table
from lumeflow.storage.files import read_whole
from lumeflow.storage.row_files import RowProblem, read_rows
from lumeflow.storage.tables import SqlTables

_SHOWN = 10

_TEXT_LISTS = {("source_audiences", "urls")}
"""JSON columns that must hold a list of texts."""


class BadRows(UsageError):
    """Rows of a file cannot be loaded; none was.

    Attributes:
        problems: Every bad row.
    """

    def __init__(self, table: str, source: str, problems: Sequence[RowProblem]) -> None:
        shown = "\n".join(f"  {problem}" for problem in problems[:_SHOWN])
        more = f"\n  and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        super().__init__(f"{source} cannot be loaded into '{table}'; nothing was loaded:\n{shown}{more}")
        self.problems = problems


async def load_rows(tables: SqlTables, table: str, source: Path | bytes, *, name: str | None = None) -> int:
    """Insert the rows of a file, or overwrite those with the same primary key; returns how many.

    Args:
        tables: The database.
        table: Where to.
        source: The file, or its content.
        name: The file's name for messages and for telling its format; needed only with content.

    Raises:
        UsageError: The table or the file is unusable.
        BadRows: Some rows are; nothing was loaded.
    """
    known = await tables.describe(table)
    if not known.key:
        raise UsageError(f"table '{table}' has no primary key: rows can only be loaded by key")
    shown = name or (source.name if isinstance(source, Path) else "input")
    rows = await asyncio.to_thread(_rows, known, source, shown)
    await tables.upsert(table, rows, key=known.key)
    return len(rows)


def _rows(table: Table, source: Path | bytes, name: str) -> list[dict[str, Any]]:
    file = read_rows(read_whole(source) if isinstance(source, Path) else source, name)
    problems = list(file.problems)
    rows: list[dict[str, Any]] = []
    seen: dict[tuple[Any, ...], str] = {}
    for place, given in file.rows:
        row, reasons = _check(table, given, is_text=file.is_text)
        key = tuple(row.get(column) for column in table.key)
        if not reasons and key in seen:
            reasons.append(f"{', '.join(table.key)} {_list(key)} is already used in {seen[key]}")
        if reasons:
            problems.append(RowProblem(place, "; ".join(reasons)))
        else:
            seen[key] = place
            rows.append(row)
    if problems:
        problems.sort(key=lambda problem: int(problem.place.rpartition(" ")[2]))
        raise BadRows(table.name, name, problems)
    return rows


def _list(values: Sequence[Any]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _check(table: Table, given: Mapping[str, Any], *, is_text: bool) -> tuple[dict[str, Any], list[str]]:
    """The row by the table's columns, in their order, and what is wrong with it."""
    reasons = [
        f"unknown column '{name}'." + did_you_mean(name, table.columns) for name in given if name not in table.columns
    ]
    row: dict[str, Any] = {}
    for column in table.columns.values():
        if given.get(column.name) is None:
            if column.required or column.key:
                reasons.append(f"'{column.name}' is missing")
            elif column.name in given:
                row[column.name] = None
            continue
        try:
            row[column.name] = _value(table.name, column, given[column.name], is_text=is_text)
        except ValueError as error:
            reasons.append(f"'{column.name}': {error}")
    return row, reasons


def _value(table: str, column: Column, given: Any, *, is_text: bool) -> Any:
    """Read one value by its column's type.

    Raises:
        ValueError: It does not fit.
    """
    is_list = (table, column.name) in _TEXT_LISTS
    if is_text and column.is_json:
        given = _json_of(given, is_list=is_list)
    elif is_text:
        given = _typed(column, given)
    if is_list:
        return _text_list(given)
    for fits, check in _CHECKS:
        if fits(column):
            return check(given)
    return _scalar(given)


def _json_of(text: str, *, is_list: bool) -> Any:
    if is_list and text.lstrip()[:1] not in {"[", "{", '"'}:
        return [part.strip() for part in text.split("|")]
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"expected JSON, found '{_short(text)}' ({error.msg})") from error


def _typed(column: Column, text: str) -> Any:
    """Text of a CSV cell as the column's type; text that does not fit is left, and refused by the check."""
    if column.is_boolean:
        return {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower(), text)
    kind = int if column.is_whole else float if _is_real(column) else str
    try:
        return kind(text)
    except ValueError:
        return text


def _is_real(column: Column) -> bool:
    return "TEXT" not in column.declared and any(
        kind in column.declared for kind in ("REAL", "DOUB", "FLOA", "NUMERIC", "DECIMAL")
    )


def _text_list(value: Any) -> Any:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ValueError(f"expected a list of texts, found {_found(value)}")
    return value


def _text(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError(f"expected text, found {_found(value)}")
    if "\0" in value:
        raise ValueError("it has a character that cannot be stored (U+0000)")
    return value


def _time(value: Any) -> Any:
    try:
        datetime.fromisoformat(_text(value))
    except ValueError as error:
        raise ValueError(f"expected an ISO 8601 time such as '2026-01-09T10:00:00Z', found {_found(value)}") from error
    return value


def _boolean(value: Any) -> Any:
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, found {_found(value)}")
    return value


def _whole(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"expected a whole number, found {_found(value)}")
    return value


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"expected a number, found {_found(value)}")
    return value


def _floats(value: Any) -> Any:
    if not isinstance(value, list):
        raise ValueError(f"expected a list of numbers, found {_found(value)}")
    return array("f", [_number(item) for item in value])


def _scalar(value: Any) -> Any:
    return value


_CHECKS: Sequence[tuple[Callable[[Column], bool], Callable[[Any], Any]]] = (
    (lambda column: column.is_json, _scalar),
    (lambda column: column.is_boolean, _boolean),
    (lambda column: column.is_floats, _floats),
    (lambda column: "TIME" in column.declared or "DATE" in column.declared, _time),
    (lambda column: column.is_whole, _whole),
    (lambda column: column.is_text, _text),
    (_is_real, _number),
)


def _found(value: Any) -> str:
    return f"'{_short(value)}'" if isinstance(value, str) else _short(orjson.dumps(value).decode())


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "…"
