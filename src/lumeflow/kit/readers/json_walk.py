"""The outer two levels of a JSON text, as it arrives: the elements of a list, or of lists that an object holds."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from lumeflow.kit.payloads import json_type
from lumeflow.kit.readers.json_cursor import JsonCursor, JsonSyntaxError, Starved


class Element(NamedTuple):
    """An element of a list that was entered.

    Attributes:
        place: Ordinal of the property that holds the list; None if the list is the whole text.
        line: Line in which it begins.
        value: The element.
        flaw: Why it cannot be a record, whatever it is; None if nothing is wrong with its text.
    """

    place: int | None
    line: int
    value: Any
    flaw: str | None


class Property(NamedTuple):
    """A property of the object, without the value of one whose list is entered."""

    place: int
    name: str
    entered: bool
    value: Any = None


Event = Element | Property
Enters = Callable[[int, str, str], bool]
"""Whether a list is entered, by its property's ordinal and name and the first character in it."""

_State = Callable[[], Event | None]


class JsonWalk:
    """Goes through a text that is a list, or an object.

    Args:
        cursor: Where the text arrives.
        enters: Decides on the lists of an object.

    Attributes:
        is_object: True if the text is an object; None as long as it is not known.
    """

    def __init__(self, cursor: JsonCursor, enters: Enters) -> None:
        self.is_object: bool | None = None
        self._cursor = cursor
        self._enters = enters
        self._state: _State | None = self._start
        self._place = -1
        self._name = ""

    def events(self) -> Iterator[Event]:
        """What can be told of the text that has arrived; to be called again when there is more.

        Raises:
            JsonSyntaxError: It is not JSON from here on, or neither a list nor an object.
        """
        while self._state is not None:
            try:
                event = self._state()
            except Starved:
                return
            if event is not None:
                yield event

    def _start(self) -> None:
        first = self._cursor.peek()
        if first not in ("[", "{") or not first:
            found = json_type(self._cursor.value()) if first else "an empty file"
            raise JsonSyntaxError(f"expected a list of objects, an object or JSON Lines; found {found}")
        self._cursor.expect(first)
        self.is_object = first == "{"
        self._state = self._first_key if self.is_object else self._first_element

    def _first_key(self) -> None:
        self._state = self._end if self._cursor.take("}") else self._key

    def _key(self) -> None:
        if self._cursor.peek() != '"':
            raise self._cursor.error("expected a property name in double quotes")
        self._name = self._cursor.value()
        self._place += 1
        self._state = self._colon

    def _colon(self) -> None:
        self._cursor.expect(":")
        self._state = self._value

    def _value(self) -> Event:
        if self._cursor.peek() == "[" and self._enters(self._place, self._name, self._cursor.peek_inside()):
            self._cursor.expect("[")
            self._state = self._first_element
            return Property(self._place, self._name, True)
        value = self._cursor.value()
        if self._cursor.flaw:
            raise self._cursor.error(f"property '{self._name}': {self._cursor.flaw}")
        self._state = self._after_value
        return Property(self._place, self._name, False, value)

    def _after_value(self) -> None:
        self._state = self._key if self._goes_on("}") else self._end

    def _first_element(self) -> None:
        self._state = self._after_list() if self._cursor.take("]") else self._element

    def _element(self) -> Event:
        self._cursor.peek()
        line, value = self._cursor.line(), self._cursor.value()
        self._state = self._after_element
        return Element(self._place if self.is_object else None, line, value, self._cursor.flaw)

    def _after_element(self) -> None:
        self._state = self._element if self._goes_on("]") else self._after_list()

    def _after_list(self) -> _State:
        return self._after_value if self.is_object else self._end

    def _end(self) -> None:
        self._cursor.expect_end()
        self._state = None

    def _goes_on(self, bracket: str) -> bool:
        """Step over the comma before the next entry, or over the bracket after the last one."""
        if self._cursor.take(","):
            return True
        if self._cursor.take(bracket):
            return False
        raise self._cursor.error(f"expected ',' or '{bracket}'")
