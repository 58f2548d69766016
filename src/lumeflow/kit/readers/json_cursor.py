"""Stepping through a JSON text value by value while it arrives, with only a window of it in memory."""

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn

from lumeflow.kit.json_text import dump_json
from lumeflow.kit.readers.rows import FileRefused
from lumeflow.kit.readers.text import MARKED, bad_text

VALUE_CHARS = 1 << 26
"""Longest value that is read as one."""

_SPACE = re.compile(r"[ \t\r\n]*")
_LONGEST_TOKEN = len("-Infinity") + len("\\uD83D\\uDE00")
_INT64 = range(-(2**63), 2**64)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class JsonSyntaxError(FileRefused):
    """The text is not JSON; the message says why, and in which line and column."""


class Starved(Exception):
    """What is needed has not arrived yet; the cursor is where it was."""


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int:
    # More than 64 bits can't be written back; the length is looked at first, because int() takes quadratic time.
    if len(digits) > 20 or int(digits) not in _INT64:
        raise ValueError("an integer beyond 64 bits; write it as a string")
    return int(digits)


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_integer)


class JsonCursor:
    """A place in a JSON text that is fed piece by piece.

    All methods that look ahead raise `Starved` where more of the text could change what they find.

    Attributes:
        flaw: Why the last value cannot be part of a record: a byte that is no character, half of a surrogate pair;
            None if it can.
    """

    def __init__(self, encoding: Callable[[], str] = lambda: "utf-8") -> None:
        self.flaw: str | None = None
        self._encoding = encoding
        self._window = ""
        self._waiting: list[str] = []
        self._waiting_chars = 0
        self._wanted = 0
        self._position = 0
        self._ended = False
        self._line = 1
        self._column = 1
        self._counted = 0

    def feed(self, text: str) -> None:
        """Take more of the text."""
        self._waiting.append(text)
        self._waiting_chars += len(text)
        if len(self._window) - self._position + self._waiting_chars >= self._wanted:
            self._slide()

    def end(self) -> None:
        """The text ends here."""
        self._ended = True
        self._slide()

    def line(self) -> int:
        """Number of the line that the cursor is in; the first is 1."""
        self._count(self._position)
        return self._line

    def peek(self) -> str:
        """The next character that is not white space; empty at the end of the text."""
        match = _SPACE.match(self._window, self._position)
        self._position = match.end() if match else self._position
        if self._position < len(self._window):
            return self._window[self._position]
        if not self._ended:
            raise Starved
        return ""

    def peek_inside(self) -> str:
        """The character after the bracket at the cursor that is not white space."""
        match = _SPACE.match(self._window, self._position + 1)
        after = match.end() if match else self._position + 1
        if after >= len(self._window) and not self._ended:
            raise Starved
        return self._window[after : after + 1]

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
            raise self.error(f"expected '{character}'")

    def expect_end(self) -> None:
        """Make sure that nothing but white space follows.

        Raises:
            JsonSyntaxError: Something does.
        """
        if self.peek():
            raise self.error("unexpected data after the end")

    def value(self) -> Any:
        """Decode the value at the cursor and step over it.

        Raises:
            JsonSyntaxError: There is none, or it is malformed.
        """
        self.peek()
        if not self._ended and len(self._window) - self._position < self._wanted:
            raise Starved
        try:
            value, end = _DECODER.raw_decode(self._window, self._position)
        except json.JSONDecodeError as error:
            if not self._ended and self._is_cut(error):
                self._starve()
            raise self.error(f"{error.msg[0].lower()}{error.msg[1:]}", error.pos) from None
        except RecursionError:
            raise self.error("nested too deeply") from None
        except ValueError as error:
            raise self.error(str(error)) from None
        if not self._ended and len(self._window) - end <= len("e-"):
            self._starve()  # a number may go on
        self.flaw = self._flaw(value, end)
        self._position = end
        self._wanted = 0
        return value

    def error(self, reason: str, position: int | None = None) -> JsonSyntaxError:
        """An error at the cursor, or at another place in the window."""
        self._count(self._position if position is None else position)
        return JsonSyntaxError(f"line {self._line}, column {self._column}: {reason}")

    def _starve(self) -> NoReturn:
        """Wait until as much again has come, so that a long value is not tried at every piece of it."""
        length = len(self._window) - self._position
        if length > VALUE_CHARS:
            raise self.error(f"a value has more than {VALUE_CHARS:,} characters")
        self._wanted = 2 * length
        raise Starved

    def _slide(self) -> None:
        self._count(self._position)
        self._window = "".join([self._window[self._position :], *self._waiting])
        self._waiting.clear()
        self._waiting_chars = self._position = self._counted = 0

    def _count(self, position: int) -> None:
        """Move line and column on to a place at or after the one they were counted to."""
        breaks = self._window.count("\n", self._counted, position)
        if breaks:
            self._line += breaks
            self._column = position - self._window.rfind("\n", self._counted, position)
        else:
            self._column += position - self._counted
        self._counted = position

    def _is_cut(self, error: json.JSONDecodeError) -> bool:
        """True if the error may only mean that the window ends inside the value."""
        return error.msg.startswith("Unterminated") or error.pos > len(self._window) - _LONGEST_TOKEN

    def _flaw(self, value: Any, end: int) -> str | None:
        window, start = self._window, self._position
        if (window.isascii() or not MARKED.search(window, start, end)) and not _SURROGATE.search(window, start, end):
            return None
        try:
            dump_json(value)
        except TypeError:
            return bad_text(window[start:end], self._encoding()) or "it holds half of a surrogate pair"
        return None
