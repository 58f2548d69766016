"""The schema of a PostgreSQL database, for who administers it."""

import asyncio
from contextlib import closing

from lumeflow.core.errors import StorageError
from lumeflow.storage.migrations.types import Kind
from lumeflow.storage.postgres.access import Patience, connect, undo
from lumeflow.storage.postgres.address import read_url
from lumeflow.storage.postgres.problems import explain, is_own
from lumeflow.storage.postgres.schema import migrate, version_of
from lumeflow.storage.schema_standing import SchemaState, state_of


def administer(url: str, target: int | None, *, compare: bool) -> SchemaState:
    """Bring the schema to a version, if one is named, and look at it.

    Raises:
        UsageError: There is no such version, or no way back to it.
        StorageError: The database cannot be read or changed.
    """
    address = read_url(url)
    with closing(asyncio.new_event_loop()) as loop, closing(connect(address, loop, Patience(5.0))) as db:
        if target is not None:
            migrate(db, address, target=target)
        try:
            db.script("BEGIN")
            return state_of(db, address.name, Kind.POSTGRES, version_of(db), compare=compare)
        except Exception as error:
            if is_own(error):
                raise StorageError(explain(error, address.name)) from error
            raise
        finally:
            undo(db)
