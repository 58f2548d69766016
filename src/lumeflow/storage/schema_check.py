"""Comparing a database with the declared tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from lumeflow.storage.declared import DECLARED, TYPES, DeclaredTable
from lumeflow.storage.dialect import Connection
from lumeflow.storage.migrations.types import Kind


@dataclass(slots=True)
class FoundTable:
    """A table as the database has it.

    Attributes:
        columns: Type and whether nulls are allowed, by name.
        key: Columns of the primary key, in order.
        unique: Columns of each unique constraint.
        refers: Tables that it refers to, and the columns by which it does.
        indexes: Columns by the index's name.
        is_secured: True if row level security is enabled and forced; None where there is no such thing.
    """

    columns: dict[str, tuple[str, bool]] = field(default_factory=dict)
    key: list[str] = field(default_factory=list)
    unique: list[list[str]] = field(default_factory=list)
    refers: list[tuple[str, list[str]]] = field(default_factory=list)
    indexes: dict[str, list[str]] = field(default_factory=dict)
    is_secured: bool | None = None


def differences(found: Mapping[str, FoundTable], kind: Kind) -> list[str]:
    """One sentence for each way in which a database is not as declared; none if it is."""
    told: list[str] = []
    for table in DECLARED:
        if table.name not in found:
            told.append(f"table {table.name} is missing")
        else:
            told += [f"table {table.name}: {what}" for what in _compared(table, found[table.name], kind)]
    return told


def _compared(table: DeclaredTable, found: FoundTable, kind: Kind) -> list[str]:
    told = []
    for name, declared in table.columns.items():
        types = TYPES[kind][declared.rstrip("?")]
        if name not in found.columns:
            told.append(f"column {name} is missing")
            continue
        declared_type, nullable = found.columns[name]
        if declared_type not in types:
            told.append(f"column {name} has type {declared_type}, expected {types[0]}")
        if nullable != declared.endswith("?") and declared != "counter":
            told.append(f"column {name} {'allows' if nullable else 'does not allow'} nulls")
    told += [f"column {name} is not lumeflow's" for name in found.columns if name not in table.columns]
    told += _unequal("the primary key", list(table.key), found.key)
    told += _unequal("the unique keys", sorted(map(list, table.unique)), sorted(found.unique))
    told += _unequal("the foreign keys", sorted((to, list(by)) for to, by in table.refers), sorted(found.refers))
    for name in sorted({*table.indexes, *found.indexes}):
        told += _unequal(f"the index {name}", list(table.indexes.get(name, ())), found.indexes.get(name, []))
    if found.is_secured is False:
        told.append("row level security is not enabled and forced")
    return told


def _unequal(what: str, expected: object, found: object) -> list[str]:
    return [] if expected == found else [f"{what}: expected {expected or 'none'}, found {found or 'none'}"]


def read_catalogue(db: Connection, kind: Kind) -> dict[str, FoundTable]:
    """The tables of a database that bear names of ours."""
    read: Callable[[Connection, str], FoundTable] = _read_postgres if kind is Kind.POSTGRES else _read_sqlite
    found = {table.name: read(db, table.name) for table in DECLARED}
    return {name: table for name, table in found.items() if table.columns}


def _read_sqlite(db: Connection, name: str) -> FoundTable:
    table = FoundTable()
    keys = []
    for _, column, declared, not_null, _, place in db.execute(f"PRAGMA table_info({name})").fetchall():
        table.columns[column] = (str(declared).upper(), not not_null)
        if place:
            keys.append((place, column))
    table.key = [column for _, column in sorted(keys)]
    for _, index, _, origin, _ in db.execute(f"PRAGMA index_list({name})").fetchall():
        columns = [row[2] for row in db.execute(f"PRAGMA index_info({index})").fetchall()]
        if origin == "u":
            table.unique.append(columns)
        elif origin == "c":
            table.indexes[index] = columns
    refers: dict[int, tuple[str, list[str]]] = {}
    for number, _, to, column, *_ in db.execute(f"PRAGMA foreign_key_list({name})").fetchall():
        refers.setdefault(number, (to, []))[1].append(column)
    table.refers = list(refers.values())
    return table


_COLUMNS = """
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, c.relrowsecurity, c.relforcerowsecurity
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ? AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum"""

_INDEXES = """
SELECT n.relname::text, i.indisprimary, EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.conindid = i.indexrelid
    AND k.contype = 'u'),
  ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS u (number, place)
        JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = u.number ORDER BY u.place)
FROM pg_index AS i JOIN pg_class AS n ON n.oid = i.indexrelid JOIN pg_class AS c ON c.oid = i.indrelid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ?"""

_REFERS = """
SELECT f.relname::text,
  ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u (number, place)
        JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.place)
FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_class AS f ON f.oid = k.confrelid
WHERE k.contype = 'f' AND c.relnamespace = current_schema()::regnamespace AND c.relname = ?"""


def _read_postgres(db: Connection, name: str) -> FoundTable:
    table = FoundTable()
    for column, declared, nullable, enabled, forced in db.execute(_COLUMNS, (name,)).fetchall():
        table.columns[column] = (declared, nullable)
        table.is_secured = enabled and forced
    for index, is_primary, is_constraint, columns in db.execute(_INDEXES, (name,)).fetchall():
        if is_primary:
            table.key = list(columns)
        elif is_constraint:
            table.unique.append(list(columns))
        else:
            table.indexes[index] = list(columns)
    table.refers = [(to, list(columns)) for to, columns in db.execute(_REFERS, (name,)).fetchall()]
    return table


def check(db: Connection, kind: Kind) -> Sequence[str]:
    """In which ways a database is not as declared."""
    return differences(read_catalogue(db, kind), kind)
