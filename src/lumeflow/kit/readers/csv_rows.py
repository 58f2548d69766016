"""Rows of CSV and its relatives, read line by line, with what real files do to it."""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from lumeflow.kit.cells import FORMULA_STARTS
from lumeflow.kit.readers.dialect import Dialect, split_lines
from lumeflow.kit.readers.header import column_names, looks_like_data
from lumeflow.kit.readers.rows import BadRow, FileRefused, Row
from lumeflow.kit.readers.text import MARKED, bad_text

ROW_CHARS = 1 << 22
"""Longest row; whatever is longer has other line ends than it should, or is no table."""

_CELL_CHARS = 131_072
_NEVER_CLOSED = "a quote is opened and never closed: close it, or double a quote that belongs to the text"
_BROKEN_OFF = "unexpected end of data"
_REASONS = (
    (_BROKEN_OFF, _NEVER_CLOSED),
    ("expected after", "text follows a closing quote: double a quote that belongs to the text"),
    ("field larger than", f"a cell has more than {_CELL_CHARS:,} characters: is a quote left open?"),
    ("new-line character", "a carriage return stands outside quotes: put the cell in quotes"),
)
_NO_HEADER = "its first row looks like a record: columns are called 'column1' and so on; see 'columns' and 'header'"
_REPEATED = "it repeats the row of column names"
_NOTES_TOLD = 20


@dataclass(frozen=True, slots=True)
class HeaderRules:
    """What is known of a table's columns.

    Attributes:
        present: True if the first row names them, False if it is a record; None to find out.
        names: Names that the user gives them.
        fill: True to take a row with too few cells for one whose last cells are empty, not for a bad one.
    """

    present: bool | None = None
    names: Sequence[str] | None = None
    fill: bool = False


NO_RULES = HeaderRules()


class CsvRows:
    """Parses a table; see `rows.Parser`.

    A row becomes an object of its cells that are not empty. Rows without any are left out. A row that is broken is told
    with its line, and reading goes on with the next line, so that a quote left open costs one row and not the file.
    """

    def __init__(self, dialect: Dialect, rules: HeaderRules, encoding: Callable[[], str]) -> None:
        self.notes: list[str] = []
        self._dialect = dialect
        self._cells = _Cells(dialect, encoding)
        self._columns = _Columns(rules, dialect.width, self.notes)
        self._tail = ""
        self._line = 1
        self._to_skip = dialect.skip_lines

    def feed(self, text: str) -> Iterator[list[Row]]:
        """Take more of the text; gives the rows that are complete."""
        text = self._tail + (text.replace("\r", "\n") if self._dialect.old_mac else text)
        end = text.rfind("\n") + 1
        self._tail = text[end:]
        if end:
            yield self._rows(text[:end], final=False)
        if len(self._tail) > ROW_CHARS:
            raise FileRefused(f"line {self._line}: a row has more than {ROW_CHARS:,} characters: what ends its lines?")

    def finish(self) -> Iterator[list[Row]]:
        """Give the last row.

        Raises:
            FileRefused: There was no text.
        """
        text, self._tail = self._tail, ""
        yield self._rows(text, final=True)
        self._columns.finish()

    def _rows(self, text: str, *, final: bool) -> list[Row]:
        lines = self._without_skipped(split_lines(text))
        self._cells.look_at(text)
        found: list[Row] = []
        used = 0
        while used < len(lines):
            rows = self._dialect.rows_of(lines[used:] if used else lines)
            first = used
            try:
                for cells in rows:
                    self._settle(self._line + used, cells, found)
                    used = first + rows.line_num
            except csv.Error as error:
                if not final and str(error).startswith(_BROKEN_OFF):
                    break  # what is missing comes with the next piece
                self._settle_broken(self._line + used, lines[used], str(error), found)
                used += 1
        self._tail = "".join(islice(lines, used, None)) + self._tail
        self._line += used
        return found

    def _without_skipped(self, lines: list[str]) -> list[str]:
        skipped = min(self._to_skip, len(lines))
        self._to_skip -= skipped
        self._line += skipped
        return lines[skipped:] if skipped else lines

    def _settle(self, line: int, cells: list[str], found: list[Row]) -> None:
        """Make a row of cells."""
        reason = self._cells.clean(cells) if self._cells.dirty else None
        row = self._columns.row(cells) if reason is None else reason
        if isinstance(row, str):
            self._refuse(line, row, found)
        elif row is not None:
            found.append(row)

    def _settle_broken(self, line: int, text: str, error: str, found: list[Row]) -> None:
        """A row that does not hold to the rules: spaces behind a quote are forgiven, anything else makes it bad."""
        try:
            (cells,) = self._dialect.rows_of([self._cells.without_spaces(text)])
        except (csv.Error, ValueError):
            self._refuse(line, next((reason for start, reason in _REASONS if start in error), error), found)
            return
        self._settle(line, cells, found)

    def _refuse(self, line: int, reason: str, found: list[Row]) -> None:
        if not self._columns.known:
            raise FileRefused(f"line {line}: the columns have no names that could be read: {reason}")
        found.append(BadRow(line, reason))


class _Cells:
    """What is wrong with the text in cells, if anything is.

    Attributes:
        dirty: True if the piece of text looked at has something that `clean` may have to do with.
    """

    def __init__(self, dialect: Dialect, encoding: Callable[[], str]) -> None:
        self.dirty = False
        self._encoding = encoding
        quote, delimiter = re.escape(dialect.quote or ""), re.escape(dialect.delimiter)
        starts = "".join(re.escape(start) for start in FORMULA_STARTS)
        self._guarded = re.compile(rf"(?:^|[\n{delimiter}]){quote}?'[{starts}]")
        self._spaces = re.compile(rf"{quote}[ \t]+(?={delimiter}|\r?\n|\Z)")
        self._quote = dialect.quote or ""

    def look_at(self, text: str) -> None:
        """See what there is in a piece of text, so that the rows of a clean one need not be looked at."""
        marked = "\0" in text if text.isascii() else MARKED.search(text) is not None
        self.dirty = marked or ("'" in text and self._guarded.search(text) is not None)

    def clean(self, cells: list[str]) -> str | None:
        """Take off the apostrophes that guard formulas; returns why the row is bad, if it is."""
        for index, cell in enumerate(cells):
            if cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS):
                cells[index] = cell[1:]
        return bad_text("".join(cells), self._encoding())

    def without_spaces(self, line: str) -> str:
        """The line without spaces between a closing quote and a delimiter."""
        return self._spaces.sub(self._quote, line) if self._quote else line


class _Columns:
    """Makes objects of cells, with the names of the first row."""

    def __init__(self, rules: HeaderRules, width: int, notes: list[str]) -> None:
        self._rules = rules
        self._width = width
        self._notes = notes
        self._names: list[str] | None = None
        self._header: list[str] | None = None
        self._repeated: list[str] | None = None
        self._blank = 0

    @property
    def known(self) -> bool:
        """True once the first row has come."""
        return self._names is not None

    def row(self, cells: list[str]) -> dict[str, str] | str | None:
        """A record, why a row is none, or nothing for the names of columns and for a row without content."""
        names = self._names
        if names is not None and len(cells) == len(names) and all(map(str.strip, cells)):
            return dict(zip(names, cells, strict=True)) if cells != self._repeated else _REPEATED
        if not any(map(str.strip, cells)):
            self._blank += bool(cells)
            return None
        if names is None:
            names = self._begin(cells)
            if self._header is not None:
                return None
        reason = self._misfit(cells, len(names)) if len(cells) != len(names) else None
        if reason is not None:
            return reason
        if cells == self._repeated:
            return _REPEATED
        return {name: cell for name, cell in zip(names, cells, strict=False) if cell and not cell.isspace()}

    def finish(self) -> None:
        """There are no more rows.

        Raises:
            FileRefused: There was none at all.
        """
        if self._names is None:
            raise FileRefused("it is empty: expected a row of column names, and rows")
        if self._blank:
            self._notes.append(f"rows without content that were left out: {self._blank}")

    def _begin(self, cells: list[str]) -> list[str]:
        rules = self._rules
        if rules.names is not None:
            self._names, notes = column_names(rules.names, 0)
            self._header = cells if rules.present or self._repeats(cells) else None
        elif rules.present or (rules.present is None and not looks_like_data(cells)):
            self._names, notes = column_names(cells, self._width)
            self._header = cells
        else:
            self._names, notes = column_names((), max(self._width, len(cells)))
            notes = [] if rules.present is False else [_NO_HEADER]
        self._notes += notes[:_NOTES_TOLD]
        self._repeated = self._header if len(cells) > 1 else None  # one cell may well hold its column's name
        return self._names

    def _repeats(self, cells: list[str]) -> bool:
        return self._rules.present is None and [cell.strip() for cell in cells] == list(self._rules.names or ())

    def _misfit(self, cells: list[str], expected: int) -> str | None:
        """Why a row of another length is bad; None if it only has too few or too many empty cells."""
        if len(cells) > expected and not any(map(str.strip, cells[expected:])):
            return None
        if len(cells) < expected and self._rules.fill:
            return None
        remedy = "" if len(cells) > expected else "; if only empty ones are missing, set 'shortRows' to 'fill'"
        return f"expected {expected} cells, found {len(cells)}{remedy}"
