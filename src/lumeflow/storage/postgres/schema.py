"""Bringing the schema of a PostgreSQL database to a version: tables, row level security, the application's role."""

from collections.abc import Sequence
from datetime import UTC, datetime

import asyncpg

from lumeflow.core.errors import StorageError
from lumeflow.storage.catalog import FLOATS, VECTOR_TYPE
from lumeflow.storage.migrations import HISTORY, LATEST, STEPS, Kind, Step, path
from lumeflow.storage.migrations.step import Sight
from lumeflow.storage.postgres.access import undo
from lumeflow.storage.postgres.address import Address
from lumeflow.storage.postgres.connection import PgConnection
from lumeflow.storage.postgres.problems import explain, is_own
from lumeflow.storage.row_security import APPLICATION_ROLE, securing

_LOCK = 0x6C756D65666C6F77
"""Number of the lock that one process holds while it changes the schema: "lumeflow"."""

_MAKE_ROLE = f"""
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{APPLICATION_ROLE}') THEN
    CREATE ROLE {APPLICATION_ROLE} NOLOGIN NOBYPASSRLS;
  END IF;
EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN NULL;
END $$"""  # noqa: S608 - a constant, as below

_JOIN_ROLE = f"""
DO $$ BEGIN
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    EXECUTE format('GRANT {APPLICATION_ROLE} TO %I', current_user);
  END IF;
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO {APPLICATION_ROLE}', current_schema());
EXCEPTION WHEN insufficient_privilege OR undefined_object THEN NULL;
END $$"""  # noqa: S608

_MAKE_VECTOR = """
DO $$ BEGIN
  IF EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'vector') THEN
    IF EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = 'extensions') THEN
      CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA extensions;
    ELSE
      CREATE EXTENSION IF NOT EXISTS vector;
    END IF;
  END IF;
EXCEPTION WHEN insufficient_privilege THEN NULL;
END $$"""

_HAS_ROLE = "SELECT 1 FROM pg_roles WHERE rolname = ?"

_HAS_HISTORY = "SELECT to_regclass('schema_migrations') IS NOT NULL"

_VERSION = "SELECT coalesce(max(version), 0) FROM schema_migrations"


def version_of(db: PgConnection) -> int:
    """The version of the schema; 0 where there is none."""
    if not db.execute(_HAS_HISTORY).fetchone()[0]:
        return 0
    return int(db.execute(_VERSION).fetchone()[0])


def migrate(db: PgConnection, address: Address, steps: Sequence[Step] = STEPS, *, target: int | None = None) -> None:
    """Bring the schema to a version, in one transaction; to the newest if none is named.

    Raises:
        UsageError: There is no such version, or no way back to it.
        StorageError: The schema is newer, has tables with our names, or may not be changed by this user.
    """
    try:
        # In a transaction, as everything: behind a pooler two statements may meet two connections.
        db.script("BEGIN")
        if target is None and _checked(version_of(db), address, len(steps)) == len(steps):
            return
        db.execute("SELECT pg_advisory_xact_lock(?)", (_LOCK,))
        _migrate(db, steps, _checked(version_of(db), address, len(steps)), len(steps) if target is None else target)
        db.script("COMMIT")
    except Exception as error:
        if is_own(error):
            raise StorageError(_explain(error, address)) from error
        raise
    finally:
        undo(db)


def _checked(found: int, address: Address, latest: int) -> int:
    if found > latest:
        raise StorageError(
            f"database {address.name}: its schema has version {found}, written by a newer lumeflow; this one knows"
            f" versions up to {latest}: upgrade lumeflow, or name another database"
        )
    return found


def _explain(error: BaseException, address: Address) -> str:
    if isinstance(error, asyncpg.PostgresError) and error.sqlstate in {"42P07", "42710"}:
        return (
            f"database {address.name}: it has a table or index of its own where one of lumeflow's must go ({error}):"
            " rename it, or name another database"
        )
    told = explain(error, address.name)
    if isinstance(error, asyncpg.PostgresError) and error.sqlstate == "42501":
        return f"{told}; the schema must be upgraded: `lumeflow db upgrade --db URL` with its owner's URL"
    return told


def _migrate(db: PgConnection, steps: Sequence[Step], found: int, target: int) -> None:
    legs = path(steps, Kind.POSTGRES, found, target)
    if not legs:
        return
    db.script(_MAKE_ROLE)
    db.script(_JOIN_ROLE)
    has_role = db.execute(_HAS_ROLE, (APPLICATION_ROLE,)).fetchone() is not None
    if found == 0:
        _make_history(db, has_role=has_role)
    for leg in legs:
        for statement in leg.statements:
            db.script(statement)
        if leg.made is not None:
            _secure(db, leg.made, has_role=has_role)
    db.execute("DELETE FROM schema_migrations WHERE version > ?", (target,))
    now = datetime.now(UTC)
    for number, step in enumerate(steps[found:target], start=found + 1):
        values = (number, step.name, now)
        db.execute("INSERT INTO schema_migrations (version, name, applied_at) VALUES (?, ?, ?)", values)


def _make_history(db: PgConnection, *, has_role: bool) -> None:
    db.script(HISTORY[Kind.POSTGRES])
    db.script("ALTER TABLE schema_migrations ENABLE ROW LEVEL SECURITY")
    db.script("ALTER TABLE schema_migrations FORCE ROW LEVEL SECURITY")
    db.script("CREATE POLICY all_may_read ON schema_migrations FOR SELECT USING (true)")
    db.script("CREATE POLICY owner_may_write ON schema_migrations TO CURRENT_USER USING (true) WITH CHECK (true)")
    if has_role:
        db.script(f"GRANT SELECT ON schema_migrations TO {APPLICATION_ROLE}")


def _secure(db: PgConnection, step: Step, *, has_role: bool) -> None:
    for table in step.tables:
        for statement in securing(table, step.sight.get(table, Sight.OWN), has_role=has_role):
            db.script(statement)
    if step.vectors:
        _add_vectors(db, step)


def _add_vectors(db: PgConnection, step: Step) -> None:
    db.script(_MAKE_VECTOR)
    found = db.execute(VECTOR_TYPE).fetchone()
    for table, column, size in step.vectors:
        if found is None:
            db.script(f"COMMENT ON COLUMN {table}.{column} IS '{FLOATS}'")
        else:
            db.script(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {found[0]}({size}) USING NULL")


__all__ = ["LATEST", "migrate", "version_of"]
