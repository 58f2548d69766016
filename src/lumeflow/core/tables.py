"""What blocks ask of the database's tables: which rows, in which order, and which columns a new table is to have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Comparison(StrEnum):
    """How a column is compared. A comparison with a column that is null never holds, but for the last two."""

    EQUALS = "equals"
    """Like `=`; null equals null."""
    NOT_EQUALS = "notEquals"
    IN = "in"
    """Equal to one of a list."""
    NOT_IN = "notIn"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    IS_NULL = "isNull"
    """True or false: whether the column is null."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition that rows must meet.

    Attributes:
        column: The column.
        comparison: How it is compared.
        value: With what; a list for `IN` and `NOT_IN`, a boolean for `IS_NULL`.
    """

    column: str
    comparison: Comparison
    value: Any


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows are read.

    Attributes:
        source: A table, a view, or a query that the operator has named; a query goes before a table of its name.
        fields: Columns to read; None for all.
        where: Conditions, all of which must hold.
        params: Parameters of a named query.
        key: Columns that put the rows in order and differ, together, from row to row; none of them null. Empty for the
            primary key, or for what a named query declares.
    """

    source: str
    fields: Sequence[str] | None = None
    where: Sequence[Filter] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    key: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a selection.

    Attributes:
        rows: The rows, JSON columns decoded.
        after: Where the next page begins: JSON that `Tables.page` takes; None if there are no more rows.
    """

    rows: Sequence[dict[str, Any]]
    after: Sequence[Any] | None


class ColumnKind(StrEnum):
    """What a column of a table that a block makes can hold."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    JSON = "json"
    TIMESTAMP = "timestamp"
    """A time as ISO 8601 text."""
    VECTOR = "vector"
    """float32 numbers, packed or, where the database has them, as a vector."""
