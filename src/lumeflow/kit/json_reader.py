"""Reading a JSON text value by value, with only a window of it decoded at a time.

A parsed file takes about ten times its size in memory. Read this way, 50 MB need little more than 50 MB.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

WINDOW_BYTES = 1 << 18

_SPACE = re.compile(r"[ \t\r\n]*")
_LONGEST_TOKEN = len("-Infinity") + len("\\uD83D\\uDE00")
_INT64 = range(-(2**63), 2**64)


class JsonSyntaxError(ValueError):
    """The text is not JSON; the message says why, and in which line and column."""


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int:
    # More than 64 bits can't be written back; the length is looked at first, because int() takes quadratic time.
    if len(digits) > 20 or int(digits) not in _INT64:
        raise ValueError("an integer beyond 64 bits; write it as a string")
    return int(digits)


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_integer)


class JsonReader:
    """A cursor in a JSON text.

    Args:
        data: The text in UTF-8, valid throughout (see `check_utf8`).
        start: Byte offset to begin at.
    """

    def __init__(self, data: bytes, start: int = 0) -> None:
        self._data = data
        self._window = ""
        self._position = 0
        self._window_start = start
        self._next = start
        self._line = 1 + data.count(b"\n", 0, start)
        self._counted = 0

    def line(self) -> int:
        """Number of the line that the cursor is in; the first is 1."""
        self._line += self._window.count("\n", self._counted, self._position)
        self._counted = self._position
        return self._line

    def offset(self) -> int:
        """Byte offset of the cursor."""
        return self._window_start + len(self._window[: self._position].encode())

    def peek(self) -> str:
        """The next character that is not white space; empty at the end of the text."""
        while True:
            match = _SPACE.match(self._window, self._position)
            self._position = match.end() if match else self._position
            if self._position < len(self._window):
                return self._window[self._position]
            if not self._fill():
                return ""

    def take(self, character: str) -> bool:
        """Step over the next character if it is `character`."""
        found = self.peek() == character
        self._position += found
        return found

    def expect(self, character: str) -> None:
        """Step over `character`.

        Raises:
            JsonSyntaxError: Something else comes.
        """
        if not self.take(character):
            raise self._syntax_error(f"expected '{character}'", self._position)

    def value(self) -> Any:
        """Decode the value at the cursor and step over it.

        Raises:
            JsonSyntaxError: There is none, or it is malformed.
        """
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._window, self._position)
            except json.JSONDecodeError as error:
                if self._is_cut(error) and self._fill():
                    continue
                raise self._syntax_error(error.msg, error.pos) from None
            except RecursionError:
                raise self._syntax_error("nested too deeply", self._position) from None
            except ValueError as error:
                raise self._syntax_error(str(error), self._position) from None
            if len(self._window) - end <= len("e-") and self._fill():
                continue  # a number may go on
            self._position = end
            return value

    def elements(self) -> Iterator[tuple[int, Any]]:
        """Decode the elements of the list at the cursor, each with the number of the line it begins in."""
        self.expect("[")
        if self.take("]"):
            return
        while True:
            self.peek()
            yield self.line(), self.value()
            if self._ends("]"):
                return

    def properties(self) -> Iterator[str]:
        """Step through the object at the cursor; after each key, the caller has to read the value."""
        self.expect("{")
        if self.take("}"):
            return
        while True:
            if self.peek() != '"':
                raise self._syntax_error("expected a property name in double quotes", self._position)
            key = self.value()
            self.expect(":")
            yield key
            if self._ends("}"):
                return

    def end(self) -> None:
        """Make sure that nothing but white space follows.

        Raises:
            JsonSyntaxError: Something does.
        """
        if self.peek():
            raise self._syntax_error("unexpected data after the end", self._position)

    def _ends(self, bracket: str) -> bool:
        """Step over the comma before the next entry, or over the bracket that ends the list or object."""
        if self.take(","):
            return False
        if self.take(bracket):
            return True
        raise self._syntax_error(f"expected ',' or '{bracket}'", self._position)

    def _fill(self) -> bool:
        """Decode more of the text, at least as much again as is still needed; False at its end."""
        if self._next >= len(self._data):
            return False
        self.line()
        self._window_start = self.offset()
        self._window = self._window[self._position :]
        self._position = self._counted = 0
        end = _character_start(self._data, self._next + max(WINDOW_BYTES, len(self._window)))
        self._window += self._data[self._next : end].decode()
        self._next = end
        return True

    def _is_cut(self, error: json.JSONDecodeError) -> bool:
        """True if the error may only mean that the window ends inside the value."""
        return error.msg.startswith("Unterminated") or error.pos > len(self._window) - _LONGEST_TOKEN

    def _syntax_error(self, reason: str, position: int) -> JsonSyntaxError:
        offset = self._window_start + len(self._window[:position].encode())
        return JsonSyntaxError(f"{place(self._data, offset)}: {reason[:1].lower()}{reason[1:]}")


def place(data: bytes, offset: int) -> str:
    """`line 3, column 14` of a byte offset; columns count characters."""
    line_start = data.rfind(b"\n", 0, offset) + 1
    column = len(data[line_start:offset].decode(errors="replace")) + 1
    line = data.count(b"\n", 0, offset) + 1
    return f"line {line}, column {column}"


def check_utf8(data: bytes) -> None:
    """Make sure that `data` is UTF-8, without holding a decoded copy of it.

    Raises:
        JsonSyntaxError: It is not; the message names the place and the likely encoding.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise JsonSyntaxError("the text is UTF-16; save it as UTF-8")
    start = 0
    while start < len(data):
        end = _character_start(data, start + WINDOW_BYTES)
        try:
            data[start:end].decode()
        except UnicodeDecodeError as error:
            at = start + error.start
            raise JsonSyntaxError(f"{place(data, at)}: byte 0x{data[at]:02X} is not UTF-8; save it as UTF-8") from None
        start = end


def _character_start(data: bytes, offset: int) -> int:
    """The offset nearest below `offset` at which a character begins; the end of `data` if that comes first."""
    if offset >= len(data):
        return len(data)
    for back in range(4):
        if data[offset - back] & 0xC0 != 0x80:
            return offset - back
    return offset
