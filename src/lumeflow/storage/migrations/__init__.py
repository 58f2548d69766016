"""The schema's history: each migration is a module with the statements that lead to its version.

`PRAGMA user_version` holds the version of a file. A migration that has been released is never changed.
"""

from collections.abc import Sequence

from lumeflow.storage.migrations import v1, v2

MIGRATIONS: Sequence[Sequence[str]] = (v1.STATEMENTS, v2.STATEMENTS)
"""Statements by version: `MIGRATIONS[n]` leads from version n to n + 1."""

LATEST = len(MIGRATIONS)

APPLICATION_ID = 0x4C754D65
"""`PRAGMA application_id` of our files, so that another program's database is not taken for one: "LuMe"."""
