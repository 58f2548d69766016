"""How the cells of a file are set apart, by the look of its beginning."""

import csv
import io
import re
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from _csv import Reader

DELIMITERS = (",", ";", "\t", "|")
"""In the order in which they win a draw."""

_ROWS_ENOUGH = 200
_LINE_ENOUGH = 10_000
_SEP_LINE = re.compile(r"\"?sep=(.)\"?\r?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a table is written down.

    Attributes:
        delimiter: What stands between cells.
        quote: What stands around a cell that holds a delimiter; None if nothing does.
        escape: What stands before a quote in a cell; None if it is doubled.
        spaced: True if a space stands between delimiter and quote.
        skip_lines: Lines before the table.
        width: Cells of most rows but the first, without empty ones at the end; 0 if there are none.
        old_mac: True if lines end with a carriage return alone.
    """

    delimiter: str
    quote: str | None = '"'
    escape: str | None = None
    spaced: bool = False
    skip_lines: int = 0
    width: int = 0
    old_mac: bool = False

    def rows_of(self, lines: list[str], *, strict: bool = True) -> "Reader":
        """A reader of the cells of lines."""
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote or None,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            doublequote=self.escape is None,
            escapechar=self.escape,
            skipinitialspace=self.spaced,
            strict=strict,
        )


def find_dialect(
    text: str,
    *,
    delimiter: str | None = None,
    quote: str | None = '"',
    escape: str | None = None,
    skip_lines: int = 0,
) -> Dialect:
    """Look at the beginning of a file.

    Of the possible delimiters the one wins that cuts the most rows into the same number of cells, more than one; a
    header of that number and quotes that fit speak for it, too. Without any, the table has one column.

    Args:
        text: The beginning; its last line may break off.
        delimiter: What stands between cells, if it is known.
        quote: See `Dialect`.
        escape: See `Dialect`.
        skip_lines: See `Dialect`; a line `sep=;`, as Excel knows it, is recognised besides.
    """
    old_mac = "\n" not in text and "\r" in text
    lines = split_lines(text.replace("\r", "\n") if old_mac else text)
    lines = lines[skip_lines:]
    named = _SEP_LINE.match(lines[0].rstrip("\n")) if lines else None
    if named:
        delimiter, skip_lines, lines = delimiter or named[1], skip_lines + 1, lines[1:]
    complete = lines[:-1] if len(lines) > 1 and not lines[-1].endswith("\n") else lines
    sample = [line for line in complete[:_ROWS_ENOUGH] if len(line) <= _LINE_ENOUGH]

    looks = [
        _look(Dialect(mark, quote, escape, skip_lines=skip_lines, old_mac=old_mac), sample)
        for mark in ([delimiter] if delimiter else DELIMITERS)
    ]
    return max(looks, key=_regularity).dialect


def split_lines(text: str) -> list[str]:
    """Lines with their ends; only a line feed ends one, not the other marks that `str.splitlines` knows."""
    return list(io.StringIO(text, newline="\n"))


class _Look(NamedTuple):
    """What a sample looks like in a dialect: the widths of its rows, and whether its quotes fit."""

    dialect: Dialect
    widths: list[int]
    fits: bool


def _look(dialect: Dialect, lines: list[str]) -> _Look:
    """Try a dialect, with spaces before quotes if most rows have them."""
    rows = _rows(dialect, lines)
    if dialect.quote and 2 * sum(any(_is_spaced(dialect.quote, cell) for cell in row) for row in rows) > len(rows):
        dialect = replace(dialect, spaced=True)
        rows = _rows(dialect, lines)
    dialect = replace(dialect, width=_common([_filled(row) for row in rows[1:] or rows]))
    return _Look(dialect, [len(row) for row in rows], _fits(dialect, lines))


def _filled(row: list[str]) -> int:
    """Length of a row without the empty cells at its end."""
    return max(place for place, cell in enumerate(row, start=1) if cell.strip())


def _is_spaced(quote: str, cell: str) -> bool:
    return cell.startswith(" ") and cell.lstrip(" ").startswith(quote)


def _rows(dialect: Dialect, lines: list[str]) -> list[list[str]]:
    rows: list[list[str]] = []
    with suppress(csv.Error):  # the rows before it are enough to go by
        rows.extend(row for row in dialect.rows_of(lines, strict=False) if any(map(str.strip, row)))
    return rows


def _fits(dialect: Dialect, lines: list[str]) -> bool:
    """True if no text follows a closing quote."""
    try:
        deque(dialect.rows_of(lines), maxlen=0)
    except csv.Error as error:
        return "expected after" not in str(error)
    return True


def _common(widths: list[int]) -> int:
    """The most frequent width; of two, the first one to come."""
    return Counter(widths).most_common(1)[0][0] if widths else 0


def _regularity(look: _Look) -> tuple[float, int]:
    common = _common(look.widths)
    if common < 2:
        return 0.0, 0
    share = sum(width == common for width in look.widths) / len(look.widths)
    return share - 0.3 * (look.widths[0] != common) - 0.3 * (not look.fits), common
