"""Files of rows: JSON array, one JSON object, JSON lines, CSV; every bad row with its place and the reason."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from lumeflow.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row cannot be used.

    Attributes:
        place: `line 3` of a file that has a row a line, else `row 3`, counted from 1.
        reason: What is wrong, and what would be right.
    """

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


@dataclass(slots=True)
class RowFile:
    """What a file holds.

    Attributes:
        rows: Place and row, in order; the values of CSV are text, None for an empty cell.
        problems: Rows that could not be read.
        is_text: True if all values are text (CSV) and have yet to be read by their column's type.
    """

    rows: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    is_text: bool = False


def read_rows(data: bytes, name: str) -> RowFile:
    """Read a file of rows.

    Args:
        data: The file.
        name: Its name; the ending tells the format: `.json`, `.jsonl`, `.ndjson`, `.csv`, `.tsv`. With another
            ending, or none, the content tells.

    Raises:
        UsageError: It is not UTF-8, is empty, or is no file of rows.
    """
    text = _text(data, name)
    start = text.lstrip()[:1]
    if not start:
        raise UsageError(f"{name} is empty: expected rows as a JSON array, JSON lines or CSV")
    ending = name.lower().rpartition(".")[2]
    if ending in {"csv", "tsv"}:
        return _csv(text, name)
    if ending in {"jsonl", "ndjson"}:
        return _json_lines(text)
    if ending == "json" or start in "[{":
        return _json(text, name)
    return _csv(text, name)


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"{name}, line {line}: byte 0x{data[error.start]:02x} is not UTF-8: save the file as UTF-8"
        ) from error


def _json(text: str, name: str) -> RowFile:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        # One object a line, in a file that does not say so by its name.
        lines = _json_lines(text) if text.lstrip().startswith("{") else RowFile()
        if len(lines.rows) > 1:
            return lines
        raise UsageError(f"{name}, line {error.lineno}, column {error.colno}: not JSON: {error.msg}") from error
    if isinstance(value, dict):
        return RowFile([("row 1", value)])
    if not isinstance(value, list):
        raise UsageError(f"{name}: expected an array of objects, or one object, found {_kind(value)}")
    found = RowFile()
    for number, row in enumerate(value, 1):
        _add(found, f"row {number}", row)
    return found


def _json_lines(text: str) -> RowFile:
    found = RowFile()
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            _add(found, f"line {number}", orjson.loads(line))
        except orjson.JSONDecodeError as error:
            found.problems.append(RowProblem(f"line {number}", f"not JSON: {error.msg}, column {error.colno}"))
    return found


def _add(found: RowFile, place: str, row: Any) -> None:
    if isinstance(row, dict):
        found.rows.append((place, row))
    else:
        found.problems.append(RowProblem(place, f"expected an object, found {_kind(row)}"))


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _csv(text: str, name: str) -> RowFile:
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [cell.strip() for cell in next(reader)]
    except csv.Error as error:
        raise UsageError(f"{name}, line 1: not CSV: {error}") from error
    if "" in header or len(set(header)) < len(header):
        raise UsageError(f"{name}, line 1: expected a name for each column, each once, found: {', '.join(header)}")
    found = RowFile(is_text=True)
    for place, cells in _csv_lines(reader, found):
        if len(cells) != len(header):
            reason = f"expected {len(header)} cells ({', '.join(header)}), found {len(cells)}"
            found.problems.append(RowProblem(place, reason))
        else:
            found.rows.append((place, {column: cell or None for column, cell in zip(header, cells, strict=True)}))
    return found


def _csv_lines(reader: Any, found: RowFile) -> Iterator[tuple[str, list[str]]]:
    while True:
        place = f"line {reader.line_num + 1}"
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # What a broken quotation swallowed cannot be told from rows: stop here.
            found.problems.append(RowProblem(place, f"not CSV: {error}"))
            return
        if cells:
            yield place, cells
