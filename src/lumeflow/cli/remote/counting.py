"""Counting the records of a file while it passes by."""

from typing import Protocol

from lumeflow.cli.writers import Format


class Counter(Protocol):
    """Counts records.

    Attributes:
        records: How many there were so far.
    """

    @property
    def records(self) -> int:
        """How many there were."""
        ...

    def see(self, piece: bytes) -> None:
        """Take the next piece of the file."""
        ...


class LineCounter:
    """A record a line, beside some lines of the frame.

    Args:
        frame: How many of the lines hold no record.
    """

    def __init__(self, frame: int) -> None:
        self._frame = frame
        self._lines = 0

    @property
    def records(self) -> int:
        """How many there were; a frame alone holds none."""
        return max(0, self._lines - self._frame)

    def see(self, piece: bytes) -> None:
        """Take the next piece of the file."""
        self._lines += piece.count(b"\n")


class RowCounter:
    """CSV (RFC 4180): a row ends where a line does that is not in quotes; the first one is the head."""

    def __init__(self) -> None:
        self._is_quoted = False
        self._rows = 0

    @property
    def records(self) -> int:
        """How many there were."""
        return max(0, self._rows - 1)

    def see(self, piece: bytes) -> None:
        """Take the next piece of the file."""
        for part in piece.split(b'"'):
            if not self._is_quoted:
                self._rows += part.count(b"\n")
            self._is_quoted = not self._is_quoted
        self._is_quoted = not self._is_quoted  # between two pieces there is no quote


def counter_of(form: Format) -> Counter:
    """What counts the records of a file of this form, as the server writes it."""
    if form is Format.CSV:
        return RowCounter()
    return LineCounter(0 if form is Format.JSONL else 2)
