"""Statements over many rows at once.

Each call into SQLite gives up the interpreter's lock and must win it back from a busy event loop, which takes up to the
switch interval; a statement for fifty rows pays that once where `executemany` pays it fifty times. PostgreSQL gets an
array for each column: its statement is the same whatever the number of rows, and goes to the server once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

from lumeflow.storage.dialect import ARRAYS, Dialect
from lumeflow.storage.jobs import Transaction
from lumeflow.storage.migrations.types import Kind

ROWS = 64
"""Rows in one statement on SQLite, at most."""

VALUES = 32766
"""Values in one statement, at most: SQLite's default limit."""

ARRAY_ROWS = 1000
"""Rows in one statement on PostgreSQL, at most."""


@dataclass(frozen=True, slots=True)
class RowStatement:
    """SQL over rows that are given.

    Attributes:
        template: SQL with `{rows}` where the rows go, a query with the columns `column1`, `column2`…; other braces
            doubled. Values never stand in it.
        types: Types of the columns, by the names of `ARRAYS`.
    """

    template: str
    types: tuple[str, ...]


@lru_cache(maxsize=512)
def placeholders(rows: int, columns: int) -> str:
    """`(?,?),(?,?)` for two rows of two columns."""
    row = "(" + ",".join("?" * columns) + ")"
    return ",".join([row] * rows)


@lru_cache(maxsize=256)
def _from_arrays(statement: RowStatement) -> str:
    arrays = ", ".join(f"?::{ARRAYS[kind]}" for kind in statement.types)
    names = ", ".join(f"column{number}" for number in range(1, len(statement.types) + 1))
    rows = f"SELECT {names} FROM unnest({arrays}) AS given ({names})"  # noqa: S608 - constants of this package
    return statement.template.format(rows=rows)


def sized(dialect: Dialect, columns: int) -> int:
    """Rows of so many columns that one statement takes."""
    return ARRAY_ROWS if dialect.kind is Kind.POSTGRES else min(ROWS, VALUES // max(columns, 1))


def run_rows(tx: Transaction, statement: RowStatement, rows: Sequence[Sequence[Any]], *after: Any) -> Any:
    """Run `statement` for rows that are few enough, `after` being bound behind them; returns its cursor."""
    if tx.sql.kind is Kind.POSTGRES:
        return tx.db.execute(_from_arrays(statement), [*(list(column) for column in zip(*rows, strict=True)), *after])
    text = statement.template.format(rows="VALUES " + placeholders(len(rows), len(rows[0])))
    return tx.db.execute(text, [*chain.from_iterable(rows), *after])


def execute_rows(tx: Transaction, statement: RowStatement, rows: Sequence[Sequence[Any]], *after: Any) -> int:
    """Run `statement` for all rows, `after` being bound behind them; how many rows of the table it changed."""
    changed = 0
    size = sized(tx.sql, len(statement.types))
    for start in range(0, len(rows), size):
        changed += run_rows(tx, statement, rows[start : start + size], *after).rowcount
    return changed
