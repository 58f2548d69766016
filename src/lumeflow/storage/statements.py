"""Statements over many rows at once.

Each call into SQLite gives up the interpreter's lock and must win it back from a busy event loop, which takes up to the
switch interval; a statement for fifty rows pays that once where `executemany` pays it fifty times.
"""

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

ROWS = 64
"""Rows in one statement, at most."""

VALUES = 32766
"""Values in one statement, at most: SQLite's default limit."""


@lru_cache(maxsize=512)
def placeholders(rows: int, columns: int) -> str:
    """`(?,?),(?,?)` for two rows of two columns."""
    row = "(" + ",".join("?" * columns) + ")"
    return ",".join([row] * rows)


def execute_rows(db: sqlite3.Connection, statement: str, rows: Sequence[Sequence[Any]]) -> int:
    """Run `statement` for all rows; returns how many rows of the table it changed.

    Args:
        db: Connection inside a transaction.
        statement: SQL with `{rows}` where the list of values goes; other braces doubled. Values never stand in it.
        rows: Values, equally many in each row.
    """
    changed = 0
    size = min(ROWS, VALUES // len(rows[0])) if rows else ROWS
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        values = list(chain.from_iterable(part))
        changed += db.execute(statement.format(rows=placeholders(len(part), len(part[0]))), values).rowcount
    return changed
