"""Rows of a JSON file: a list of objects, an object with one list of objects, or JSON Lines."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import orjson

from lumeflow.kit.json_reader import JsonReader, JsonSyntaxError, check_utf8
from lumeflow.kit.payloads import json_type
from lumeflow.plugin import JsonObject

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is no record; the rows after it can still be read.

    Attributes:
        line: Line of the file in which it begins.
        reason: What is wrong with it; no data of the row.
    """

    line: int
    reason: str


class _Layout(Enum):
    LIST = "list"
    OBJECT = "object"
    LINES = "lines"


@dataclass(frozen=True, slots=True)
class JsonRows:
    """A file that was looked through; iterate over it to get its rows, one at a time.

    Attributes:
        fields: Properties beside the rows; empty if the file holds nothing but rows.
        collection: Name of the property that holds the rows; None where the file gives them no name.
        has_rows: False for an object without a list of objects: `fields` are all there is.
    """

    fields: JsonObject
    collection: str | None
    has_rows: bool
    _data: bytes = field(repr=False)
    _layout: _Layout = field(repr=False)
    _start: int = field(repr=False, default=0)

    def __iter__(self) -> Iterator[JsonObject | BadRow]:
        """The rows in order.

        Raises:
            JsonSyntaxError: The file is malformed from a certain place on; rows before it were given.
        """
        if not self.has_rows:
            return iter(())
        return _lines(self._data) if self._layout is _Layout.LINES else self._elements()

    def _elements(self) -> Iterator[JsonObject | BadRow]:
        reader = JsonReader(self._data, self._start)
        for line, element in reader.elements():
            yield element if isinstance(element, dict) else _no_object(line, element)
        if self._layout is _Layout.LIST:
            reader.end()


def read_json_rows(data: bytes, *, lines: bool | None = None, collection: str | None = None) -> JsonRows:
    """Look through a JSON file: check its encoding, find out how it is laid out, and read all but its rows.

    In an object the rows are the property called `collection`, else the one property that is a list beginning with an
    object; several such lists, none of them named, are all fields.

    Args:
        data: The file.
        lines: True for JSON Lines, False for one JSON value; None to find out.
        collection: Name of the property that holds the rows of an object.

    Raises:
        JsonSyntaxError: It is not UTF-8, not JSON, or neither a list nor an object.
    """
    check_utf8(data)
    start = len(BOM) if data.startswith(BOM) else 0
    if lines or (lines is None and _looks_like_lines(data, start)):
        return JsonRows({}, None, True, data[start:], _Layout.LINES)
    reader = JsonReader(data, start)
    first = reader.peek()
    if first == "[":
        return JsonRows({}, None, True, data, _Layout.LIST, start)
    if first != "{":
        found = json_type(reader.value()) if first else "an empty file"
        raise JsonSyntaxError(f"expected a list of objects, an object or JSON Lines; found {found}")
    return _read_object(data, start, collection)


def _read_object(data: bytes, start: int, wanted: str | None) -> JsonRows:
    reader = JsonReader(data, start)
    fields: dict[str, Any] = {}
    lists: dict[str, int] = {}
    for key in reader.properties():
        offset = _rows_offset(reader, data, key, wanted)
        if offset is None:
            fields[key] = reader.value()
        else:
            lists[key] = offset
            for _ in reader.elements():  # only what comes after them is wanted now
                pass
    reader.end()
    if len(lists) == 1:
        name, offset = lists.popitem()
        return JsonRows(fields, name, True, data, _Layout.OBJECT, offset)
    for key, offset in lists.items():
        fields[key] = JsonReader(data, offset).value()
    return JsonRows(fields, None, False, data, _Layout.OBJECT)


def _rows_offset(reader: JsonReader, data: bytes, key: str, wanted: str | None) -> int | None:
    """Where the value at the cursor begins, if it may be the list of rows."""
    if reader.peek() != "[" or wanted not in (None, key):
        return None
    offset = reader.offset()
    if wanted is None:
        ahead = JsonReader(data, offset)
        ahead.expect("[")
        if ahead.peek() != "{":
            return None
    return offset


def _looks_like_lines(data: bytes, start: int) -> bool:
    """True if the first line is an object of its own and more follows."""
    end = data.find(b"\n", start)
    if end < 0 or not data[end:].strip():
        return False
    try:
        return isinstance(orjson.loads(data[start:end]), dict)
    except orjson.JSONDecodeError:
        return False


def _lines(data: bytes) -> Iterator[JsonObject | BadRow]:
    start, number = 0, 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        number += 1
        line = data[start:end].strip()
        start = end + 1
        if line:
            yield _line(line, number)


def _line(line: bytes, number: int) -> JsonObject | BadRow:
    reader = JsonReader(line)
    try:
        value = reader.value()
        reader.end()
    except JsonSyntaxError as error:
        return BadRow(number, f"not JSON: {str(error).removeprefix('line 1, ')}")
    return value if isinstance(value, dict) else _no_object(number, value)


def _no_object(line: int, value: Any) -> BadRow:
    return BadRow(line, f"expected an object, found {json_type(value)}")
