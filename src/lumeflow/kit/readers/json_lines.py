"""Rows of JSON Lines: an object on each line."""

from collections.abc import Callable, Iterator

import orjson

from lumeflow.kit.readers.json_cursor import VALUE_CHARS, JsonCursor, JsonSyntaxError
from lumeflow.kit.readers.json_rows import row_of
from lumeflow.kit.readers.rows import BadRow, FileRefused, Row

_DIGITS_TO_0 = bytes(0x30 if 0x30 <= byte <= 0x39 else 0x20 for byte in range(256))
_LONG = b"0" * 20


class JsonLines:
    """Parses JSON Lines; see `rows.Parser`. Empty lines are passed over; a line that is no object is a bad row.

    Args:
        encoding: Tells the encoding for messages.
    """

    def __init__(self, encoding: Callable[[], str]) -> None:
        self.notes: list[str] = []
        self._encoding = encoding
        self._tail: list[str] = []
        self._tail_chars = 0
        self._line = 0

    def feed(self, text: str) -> Iterator[list[Row]]:
        """Take more of the text; gives the rows of the lines that are complete."""
        first, newline, rest = text.partition("\n")
        self._keep(first)
        if newline:
            lines = rest.split("\n")
            last = lines.pop()
            yield self._rows([self._take(), *lines])
            self._keep(last)

    def finish(self) -> Iterator[list[Row]]:
        """Give the last row."""
        yield self._rows([self._take()])

    def _keep(self, text: str) -> None:
        self._tail.append(text)
        self._tail_chars += len(text)
        if self._tail_chars > VALUE_CHARS:
            raise FileRefused(f"line {self._line + 1} has more than {VALUE_CHARS:,} characters")

    def _take(self) -> str:
        text = "".join(self._tail)
        self._tail.clear()
        self._tail_chars = 0
        return text

    def _rows(self, lines: list[str]) -> list[Row]:
        rows: list[Row] = []
        some_long = _has_long_number("\n".join(lines))
        for line in lines:
            self._line += 1
            if some_long and _has_long_number(line):
                rows.append(self._explained(line))
                continue
            try:
                value = orjson.loads(line)
            except ValueError:
                if line.strip():
                    rows.append(self._explained(line))
                continue
            rows.append(value if type(value) is dict else row_of(value, self._line))
        return rows

    def _explained(self, line: str) -> Row:
        """A line that the fast parser refuses; the other one tells the place, or may be able to read it."""
        cursor = JsonCursor(self._encoding)
        cursor.feed(line)
        cursor.end()
        try:
            value = cursor.value()
            cursor.expect_end()
        except JsonSyntaxError as error:
            return BadRow(self._line, f"not JSON: {str(error).removeprefix('line 1, ')}")
        return row_of(value, self._line, cursor.flaw)


def _has_long_number(text: str) -> bool:
    """True if there may be an integer beyond 64 bits, of which orjson would silently make an inexact number."""
    return _LONG in text.encode(errors="replace").translate(_DIGITS_TO_0)
