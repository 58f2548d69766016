"""Rows of a JSON file: the elements of a list, or of the one list of objects in an object."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lumeflow.kit.payloads import json_type
from lumeflow.kit.readers.json_cursor import JsonCursor
from lumeflow.kit.readers.json_walk import Element, JsonWalk
from lumeflow.kit.readers.rows import BadRow, Row


@dataclass(slots=True)
class Survey:
    """What an object holds besides its rows.

    Attributes:
        fields: Its other properties.
        collection: Name of the property that holds the rows; None if none does: then `fields` are all there is.
        place: Ordinal of that property.
        lists: Names of the lists that might be the rows; if there are several, none of them is.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    collection: str | None = None
    place: int | None = None
    lists: list[str] = field(default_factory=list)


class JsonSurvey:
    """Goes through a JSON object once, for all but its rows; see `rows.Parser`. It gives no rows.

    The rows are the property called `wanted`, else the one property that is a list beginning with an object; several
    such lists, none of them named, are all fields, and have to be gone for with `whole`.

    Args:
        encoding: Tells the encoding for messages.
        wanted: Name of the property that holds the rows.
        whole: True to take all properties as fields.
    """

    def __init__(self, encoding: Callable[[], str], wanted: str | None = None, *, whole: bool = False) -> None:
        self.notes: list[str] = []
        self.found = Survey()
        self._wanted = wanted
        self._whole = whole
        self._cursor = JsonCursor(encoding)
        self._walk = JsonWalk(self._cursor, self._enters)

    @property
    def is_object(self) -> bool | None:
        """False if the text is a list: then there is nothing to be found, and no need to go on."""
        return self._walk.is_object

    @property
    def is_ambiguous(self) -> bool:
        """True if there are several lists and none is named."""
        return len(self.found.lists) > 1

    def feed(self, text: str) -> Iterator[list[Row]]:
        """Take more of the text."""
        self._cursor.feed(text)
        self._look()
        yield from ()

    def finish(self) -> Iterator[list[Row]]:
        """The text ends here."""
        self._cursor.end()
        self._look()
        yield from ()

    def _enters(self, place: int, name: str, first: str) -> bool:
        return not self._whole and (name == self._wanted if self._wanted is not None else first == "{")

    def _look(self) -> None:
        for event in self._walk.events():
            if self.is_object is False:
                return
            if isinstance(event, Element):
                continue
            if event.entered:
                self.found.collection, self.found.place = event.name, event.place
                self.found.lists.append(event.name)
            else:
                self.found.fields[event.name] = event.value


class JsonRows:
    """Gives the rows of a JSON text; see `rows.Parser`.

    Args:
        encoding: Tells the encoding for messages.
        place: Ordinal of the property that holds the rows, as `Survey` found it; None for a text that is a list.
    """

    def __init__(self, encoding: Callable[[], str], place: int | None = None) -> None:
        self.notes: list[str] = []
        self._cursor = JsonCursor(encoding)
        self._walk = JsonWalk(self._cursor, lambda at, _name, _first: at == place)

    def feed(self, text: str) -> Iterator[list[Row]]:
        """Take more of the text; gives the rows that are complete."""
        self._cursor.feed(text)
        yield from self._rows()

    def finish(self) -> Iterator[list[Row]]:
        """Give the last rows."""
        self._cursor.end()
        yield from self._rows()

    def _rows(self) -> Iterator[list[Row]]:
        rows: list[Row] = []
        elements = (event for event in self._walk.events() if isinstance(event, Element))
        try:
            rows.extend(row_of(element.value, element.line, element.flaw) for element in elements)
        except ValueError:
            yield rows
            raise
        yield rows


def row_of(value: Any, line: int, flaw: str | None = None) -> Row:
    """A decoded value as a row."""
    if flaw is not None:
        return BadRow(line, flaw)
    return value if isinstance(value, Mapping) else BadRow(line, f"expected an object, found {json_type(value)}")
