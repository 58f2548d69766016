"""What all readers of files have in common."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from lumeflow.plugin import JsonObject


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is no record; the rows after it can still be read.

    Attributes:
        line: Line of the file in which it begins, from 1; None for a file that has no lines.
        reason: What is wrong with it; no data of the row.
    """

    line: int | None
    reason: str


Row = JsonObject | BadRow


class FileRefused(ValueError):
    """The file cannot be read, or not from a certain place on; the message says why, and where."""


class Reader(Protocol):
    """Takes the bytes of a file, gives its rows.

    Both methods are plain: to be advanced in a thread, a list at a time. They raise `FileRefused`; the rows before the
    broken place have been given by then.

    Attributes:
        notes: What the user should know of how the file was read; whoever passes them on empties the list.
    """

    notes: list[str]

    def feed(self, data: bytes) -> Iterator[list[Row]]:
        """Take the next piece of the file; to be exhausted before the next call."""
        ...

    def finish(self) -> Iterator[list[Row]]:
        """There are no more pieces."""
        ...

    def close(self) -> None:
        """Let go of what it holds, whether it came to its end or not."""
        ...


class Parser(Protocol):
    """Takes the text of a file, gives its rows."""

    notes: list[str]

    def feed(self, text: str) -> Iterator[list[Row]]:
        """Take more of the text; to be exhausted before the next call."""
        ...

    def finish(self) -> Iterator[list[Row]]:
        """The text ends here."""
        ...
