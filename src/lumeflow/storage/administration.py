"""The schema of a database, for who administers it: its version, up, down, and whether it is as declared."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from lumeflow.core.errors import UsageError
from lumeflow.storage.connection import Source, connect_writer, migrate, version_of
from lumeflow.storage.locations import default_data_dir, is_postgres, locate
from lumeflow.storage.migrations import LATEST
from lumeflow.storage.migrations.types import Kind
from lumeflow.storage.problems import storage_error
from lumeflow.storage.schema_standing import SchemaState, state_of


async def schema_state(url: str | None, data_dir: Path | None = None, *, compare: bool = False) -> SchemaState:
    """Look at a database without changing it.

    Raises:
        UsageError: The URL is not understood, or there is no such file.
        StorageError: It cannot be read.
    """
    return await _on(url, data_dir, None, compare=compare)


async def change_schema(
    url: str | None, target: int, data_dir: Path | None = None, *, is_up: bool = True
) -> SchemaState:
    """Bring a database to a version, up or down, but only in the direction that is meant.

    Raises:
        UsageError: There is no such version, or no way back to it.
        StorageError: It cannot be changed, or holds what the older version cannot.
    """
    found = 0 if is_up else (await schema_state(url, data_dir)).version
    if is_up and target < LATEST:
        found = await _found(url, data_dir)
    if is_up and target < found:
        raise UsageError(f"the schema has version {found} already: `lumeflow db downgrade --to {target}` goes back")
    if not is_up and target > found:
        raise UsageError(f"the schema has version {found}: `lumeflow db upgrade --to {target}` goes up")
    return await _on(url, data_dir, target, compare=False)


async def _found(url: str | None, data_dir: Path | None) -> int:
    try:
        return (await schema_state(url, data_dir)).version
    except UsageError:
        return 0


async def _on(url: str | None, data_dir: Path | None, target: int | None, *, compare: bool) -> SchemaState:
    folder = data_dir or default_data_dir()
    if is_postgres(url):
        from lumeflow.storage.postgres.administration import administer

        return await asyncio.to_thread(administer, str(url), target, compare=compare)
    path = await asyncio.to_thread(locate, url, folder)
    if path is None:
        raise UsageError("a database in memory has no schema to administer: name a file or a PostgreSQL database")
    return await asyncio.to_thread(_administer_file, Source(path), target, compare)


def _administer_file(source: Source, target: int | None, compare: bool) -> SchemaState:
    if target is None and (source.path is None or not source.path.exists()):
        raise UsageError(f"there is no database {source.name}: `lumeflow db upgrade` makes one")
    with closing(connect_writer(source, is_migrated=False)) as db:
        try:
            if target is not None:
                migrate(db, source, target=target)
            return state_of(db, source.name, Kind.SQLITE, version_of(db, source), compare=compare)
        except sqlite3.Error as error:
            raise storage_error(error, source.name) from error
