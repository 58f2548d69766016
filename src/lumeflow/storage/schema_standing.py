"""Where the schema of an open database stands."""

from collections.abc import Sequence
from dataclasses import dataclass

from lumeflow.storage.dialect import Connection
from lumeflow.storage.migrations import LATEST
from lumeflow.storage.migrations.types import Kind
from lumeflow.storage.schema_check import check


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Where a database's schema stands.

    Attributes:
        name: The database, without password.
        version: Its version; 0 if it has none of our tables.
        latest: The newest version that this lumeflow knows.
        differences: What is not as declared; only of the newest version, and only if it was asked for.
    """

    name: str
    version: int
    latest: int
    differences: Sequence[str] = ()


def state_of(db: Connection, name: str, kind: Kind, version: int, *, compare: bool) -> SchemaState:
    """Look at an open database."""
    told = check(db, kind) if compare and version == LATEST else ()
    return SchemaState(name, version, LATEST, told)
