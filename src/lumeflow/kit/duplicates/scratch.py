"""A database for what has no room in memory: without a name, and gone with the process that opened it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

_CACHE_KB = 16_000


def scratch_database(schema: str) -> "sqlite3.Connection":
    """Open one and make its tables. Up to 16 MB stay in memory, the rest lies in a temporary file.

    It may be used from several threads, one at a time.
    """
    import sqlite3

    database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode = OFF")
    database.execute("PRAGMA synchronous = OFF")
    database.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
    database.execute(schema)
    database.execute("BEGIN")
    return database
