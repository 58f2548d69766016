"""How columns and their values stand in a statement, on either database."""

from typing import Any

from lumeflow.storage.catalog import Column, quote
from lumeflow.storage.cells import to_cell, to_text
from lumeflow.storage.jobs import Transaction
from lumeflow.storage.migrations.types import Kind


def is_postgres(tx: Transaction) -> bool:
    """True on PostgreSQL, false on SQLite."""
    return tx.sql.kind is Kind.POSTGRES


def selected(column: Column) -> str:
    """The column in a list of what is read."""
    return quote(column.name) + ("::text" if column.is_vector else "")


def ordered(tx: Transaction, column: Column) -> str:
    """By code points on both databases, so that an execution reads the same rows in the same order."""
    return quote(column.name) + (' COLLATE "C"' if is_postgres(tx) and column.is_text else "")


def nulls_first(tx: Transaction, column: Column) -> str:
    """In an ORDER BY: as SQLite does of itself. Where there are none, nothing, so that an index fits."""
    return " NULLS FIRST" if is_postgres(tx) and not column.required and not column.key else ""


def compared(tx: Transaction, column: Column, sign: str = "=") -> str:
    """The column compared with one value."""
    if is_postgres(tx) and column.cast == "json":
        return f"{quote(column.name)}::text {sign} ?::text"
    name = quote(column.name) if sign in {"=", "<>"} else ordered(tx, column)
    return f"{name} {sign} {marked(tx, column)}"


def among(tx: Transaction, column: Column, values: int) -> str:
    """The column compared with so many values, one of which it must equal."""
    if not values:
        return "1 = 0"
    if is_postgres(tx) and column.cast == "json":
        return f"{quote(column.name)}::text IN ({', '.join(['?::text'] * values)})"
    return f"{quote(column.name)} IN ({', '.join([marked(tx, column)] * values)})"


def marked(tx: Transaction, column: Column) -> str:
    """The place of a value for the column."""
    return cast(column, "?") if is_postgres(tx) else "?"


def cast(column: Column, value: str) -> str:
    """On PostgreSQL: a value that is bound as text, as one of the column's type."""
    return value if column.cast in {"", "bytea"} else f"{value}::text::{column.cast}"


def bound(tx: Transaction, column: Column, value: Any) -> Any:
    """The value as it is bound.

    Raises:
        UsageError: The column cannot hold it.
    """
    return to_text(column, value) if is_postgres(tx) else to_cell(column, value)
