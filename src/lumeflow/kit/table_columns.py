"""Columns of a table that a block makes as it goes: their kinds follow from the values, or are given."""

from array import array
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from lumeflow.kit.payloads import json_type
from lumeflow.plugin import ColumnKind, ErrorClass, JsonObject, RecordError

_KINDS: tuple[tuple[type | tuple[type, ...], ColumnKind], ...] = (
    (bool, ColumnKind.BOOLEAN),
    (int, ColumnKind.INTEGER),
    ((float, Decimal), ColumnKind.NUMBER),
    (str, ColumnKind.TEXT),
    (array, ColumnKind.VECTOR),
    (datetime, ColumnKind.TIMESTAMP),
    ((Mapping, list, tuple), ColumnKind.JSON),
)


class GrowingColumns:
    """The columns of a table, in the order in which values for them first appear.

    Attributes:
        kinds: Kind by column, those that were given first.
        made: How many of them the table has been given.
    """

    def __init__(self, given: Mapping[str, ColumnKind]) -> None:
        self.kinds = dict(given)
        self.made = 0

    def learn(self, rows: Iterable[JsonObject]) -> None:
        """Add the columns of rows that are not known yet."""
        for row in rows:
            for name, value in row.items():
                if name not in self.kinds and (kind := kind_of(value)) is not None:
                    self.kinds[name] = kind

    def fitted(self, row: JsonObject) -> dict[str, Any]:
        """The row with values as their columns hold them, without those whose column has never had a value.

        Raises:
            RecordError: A value is of another kind than its column.
        """
        return {name: _fitted(name, self.kinds[name], value) for name, value in row.items() if name in self.kinds}


def kind_of(value: Any) -> ColumnKind | None:
    """The kind of column that a value makes; None for null."""
    return next((kind for types, kind in _KINDS if isinstance(value, types)), None)


def _fitted(name: str, kind: ColumnKind, value: Any) -> Any:
    found = kind_of(value)
    if found in {None, kind} or kind is ColumnKind.JSON or (kind, found) in _ALIKE:
        return value
    if kind is ColumnKind.VECTOR and isinstance(value, list) and all(kind_of(n) in _NUMBERS for n in value):
        return array("f", value)
    if kind is ColumnKind.TEXT and found in _NUMBERS:
        return str(value)
    message = f"the column '{name}' holds values of the kind {kind}; found {json_type(value)}"
    raise RecordError(ErrorClass.VALIDATION, message, field=name)


_NUMBERS = frozenset({ColumnKind.INTEGER, ColumnKind.NUMBER})
_ALIKE = frozenset({(ColumnKind.NUMBER, ColumnKind.INTEGER), (ColumnKind.TIMESTAMP, ColumnKind.TEXT)})
