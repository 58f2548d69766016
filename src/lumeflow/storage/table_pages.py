"""Rows of a table, a view or a named query, a page at a time: each begins behind the key of the last."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from lumeflow.core.errors import UsageError
from lumeflow.core.findings import did_you_mean
from lumeflow.core.tables import Comparison, Filter, Page, Selection
from lumeflow.storage.catalog import TENANT, Column, Table, quote, table
from lumeflow.storage.cells import from_cell
from lumeflow.storage.column_sql import among, bound, compared, is_postgres, marked, nulls_first, ordered, selected
from lumeflow.storage.dialect import RowRefused
from lumeflow.storage.jobs import DEFAULT_TENANT, Transaction
from lumeflow.storage.named_queries import NamedQuery

_SIGNS = {
    Comparison.EQUALS: "=",
    Comparison.NOT_EQUALS: "<>",
    Comparison.GT: ">",
    Comparison.GTE: ">=",
    Comparison.LT: "<",
    Comparison.LTE: "<=",
}
_ROWID = Column("rowid", "INTEGER", required=True, key=1)
"""Orders the rows of a table of SQLite that has no primary key."""


@dataclass(slots=True)
class _Source:
    """Where rows come from.

    Attributes:
        found: Its columns.
        sql: What stands behind FROM.
        values: Values that are bound there.
        key: Columns that a named query declares as its key.
    """

    found: Table
    sql: str
    values: list[Any] = field(default_factory=list)
    key: Sequence[str] = ()


@dataclass(slots=True)
class _Conditions:
    """Conditions in the making, with their values."""

    tx: Transaction
    terms: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, term: str, *values: Any) -> None:
        self.terms.append(term)
        self.values.extend(values)

    def meet(self, column: Column, condition: Filter) -> None:
        name, comparison, value = quote(column.name), condition.comparison, condition.value
        if comparison is Comparison.IS_NULL:
            self.add(f"{name} IS {'' if value else 'NOT '}NULL")
        elif comparison in {Comparison.IN, Comparison.NOT_IN}:
            self._among(column, comparison, value)
        elif value is not None:
            self.add(compared(self.tx, column, _SIGNS[comparison]), bound(self.tx, column, value))
        elif comparison in {Comparison.EQUALS, Comparison.NOT_EQUALS}:
            self.add(f"{name} IS {'' if comparison is Comparison.EQUALS else 'NOT '}NULL")
        else:
            raise UsageError(f"column '{column.name}': '{comparison}' needs a value; found null")

    def _among(self, column: Column, comparison: Comparison, values: Any) -> None:
        if not isinstance(values, list | tuple):
            raise UsageError(f"column '{column.name}': '{comparison}' needs a list")
        negation = "NOT " if comparison is Comparison.NOT_IN else ""
        self.add(f"{negation}({among(self.tx, column, len(values))})", *(bound(self.tx, column, one) for one in values))

    def go_on(self, key: Sequence[Column], after: Sequence[Any]) -> None:
        names = ", ".join(ordered(self.tx, column) for column in key)
        marks = ", ".join(marked(self.tx, column) for column in key)
        cells = [bound(self.tx, column, value) for column, value in zip(key, after, strict=True)]
        self.add(f"({names}) > ({marks})", *cells)


def read_page(
    tx: Transaction,
    queries: Mapping[str, NamedQuery],
    selection: Selection,
    after: Sequence[Any] | None,
    limit: int,
) -> Page:
    """See `lumeflow.core.context.Tables.page`. Names are those of the database's catalogue; values are bound."""
    query = queries.get(selection.source)
    source = _from_query(tx, query, selection) if query else _from_table(tx, queries, selection)
    found = source.found
    key = _key_of(tx, source, selection)
    names = list(found.columns) if selection.fields is None else list(selection.fields)
    found.check(names)
    columns = [found.columns[name] for name in names]
    conditions = _Conditions(tx)
    if found.has_tenant:
        conditions.add(f"{TENANT} = ?", tx.tenant)
    for condition in selection.where:
        found.check([condition.column])
        conditions.meet(found.columns[condition.column], condition)
    if after is not None:
        conditions.go_on(key, after)
    where = f" WHERE {' AND '.join(conditions.terms)}" if conditions.terms else ""
    order = ", ".join(ordered(tx, column) + nulls_first(tx, column) for column in key)
    wanted = ", ".join(map(selected, [*columns, *key]))
    statement = f"SELECT {wanted} FROM {source.sql}{where} ORDER BY {order} LIMIT {int(limit) + 1}"  # noqa: S608
    cells = _run(tx, statement, [*source.values, *conditions.values], found.name)
    return _page(found.name, columns, key, cells, limit)


def _page(name: str, columns: Sequence[Column], key: Sequence[Column], cells: Sequence[Any], limit: int) -> Page:
    ends = [
        [from_cell(column, cell) for column, cell in zip(key, row[len(columns) :], strict=True)]
        for row in cells[limit - 1 : limit + 1]
    ]
    names = ", ".join(column.name for column in key)
    if any(cell is None or not isinstance(cell, str | int | float) for row in ends for cell in row):
        raise UsageError(f"'{name}': {names} is null or no single value in a row: {_REMEDY}")
    if len(ends) > 1 and ends[0] == ends[1]:
        raise UsageError(f"'{name}': two rows have the same {names}: {_REMEDY}")
    rows = [
        {column.name: from_cell(column, cell) for column, cell in zip(columns, row, strict=False)}
        for row in cells[:limit]
    ]
    return Page(rows, ends[0] if len(ends) > 1 else None)


_REMEDY = "name columns that tell all rows apart in 'key'"


def _run(tx: Transaction, statement: str, values: Sequence[Any], name: str) -> Sequence[Any]:
    try:
        return tx.db.execute(statement, values).fetchall()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        raise UsageError(f"'{name}' cannot be read: {error}") from error
    except RowRefused as error:
        raise UsageError(f"'{name}' cannot be read: {error}") from error


def _from_table(tx: Transaction, queries: Mapping[str, NamedQuery], selection: Selection) -> _Source:
    try:
        found = table(tx, selection.source)
    except UsageError as error:
        if not queries:
            raise
        raise UsageError(f"{error} As a named query:{did_you_mean(selection.source, queries)}") from error
    if selection.params:
        raise UsageError(f"'{found.name}' is a table and takes no parameters; 'where' says which rows are wanted")
    return _Source(found, found.quoted)


def _from_query(tx: Transaction, query: NamedQuery, selection: Selection) -> _Source:
    """The query as a table: what its columns are called, and of which type those are that it takes from tables."""
    if TENANT not in query.params and tx.tenant != DEFAULT_TENANT:
        raise UsageError(
            f"named query '{query.name}' does not use the parameter ':{TENANT}', so it belongs to the tenant"
            f" '{DEFAULT_TENANT}'"
        )
    sql, names = query.positional()
    params = query.bound(selection.params, tx.tenant)
    values = [params[name] for name in names]
    columns = (_described_postgres if is_postgres(tx) else _described)(tx, query, sql, values)
    return _Source(Table(query.name, columns, is_view=True), f"(\n{sql}\n) AS named", values, query.key)


def _described(tx: Transaction, query: NamedQuery, sql: str, values: Sequence[Any]) -> dict[str, Column]:
    try:
        cursor = cast("sqlite3.Cursor", tx.db.execute(f"SELECT * FROM (\n{sql}\n) LIMIT 0", values))  # noqa: S608
    except sqlite3.OperationalError as error:
        raise UsageError(f"named query '{query.name}' cannot be run: {error}") from error
    types = dict(cast("Sequence[tuple[str, str]]", tx.db.execute(_DECLARED_TYPES).fetchall()))
    return {name: Column(name, types.get(name, ""), required=False, key=0) for name, *_ in cursor.description}


def _described_postgres(tx: Transaction, query: NamedQuery, sql: str, values: Sequence[Any]) -> dict[str, Column]:
    # One row of nulls, whatever the query finds: it has the query's columns, and they have their types.
    source = f"FROM (SELECT 1) AS one LEFT JOIN (\n{sql}\n) AS named ON false"
    try:
        names = list(tx.db.execute(f"SELECT named.* {source}", values).fetchone().keys())
        wanted = ", ".join(f"pg_typeof(named.{quote(name)})::text" for name in names)
        types = tx.db.execute(f"SELECT {wanted} {source}", values).fetchone()
    except RowRefused as error:
        raise UsageError(f"named query '{query.name}' cannot be run: {error}") from error
    return {
        name: Column(name, kind.upper(), required=False, key=0, cast=kind)
        for name, kind in zip(names, types, strict=True)
    }


_DECLARED_TYPES = """
SELECT c.name, upper(c.type) FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
WHERE t.type IN ('table', 'view') GROUP BY c.name HAVING count(DISTINCT upper(c.type)) = 1"""
"""Types by column name, where all tables agree on them."""


def _key_of(tx: Transaction, source: _Source, selection: Selection) -> list[Column]:
    found = source.found
    names = list(selection.key or source.key or found.key)
    found.check(names)
    if names:
        return [found.columns[name] for name in names]
    if found.is_view or is_postgres(tx):
        raise UsageError(f"'{found.name}' has no order: {_REMEDY}, or in a line '-- key: id' of a named query's file")
    return [_ROWID]
