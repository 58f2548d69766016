"""What SQLite's errors mean to the person who must mend them."""

import sqlite3

from lumeflow.core.errors import StorageError
from lumeflow.storage.session import Scope

_PRIMARY = 0xFF


class FilesLeft(StorageError):
    """What was to be deleted is, but for files that cannot be."""


_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_REMEDIES = {
    sqlite3.SQLITE_FULL: "no room is left for it: free space on its disk",
    sqlite3.SQLITE_READONLY: "it cannot be written: make the file and its folder writable for this user",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: check that its folder exists and is writable for this user",
    sqlite3.SQLITE_PERM: "access is denied: make the file and its folder writable for this user",
    sqlite3.SQLITE_NOTADB: "it is not an SQLite database: name another file, or move this one away",
    sqlite3.SQLITE_CORRUPT: "it is damaged: restore it from a backup, or recover it with `sqlite3 FILE .recover`",
    sqlite3.SQLITE_IOERR: "reading or writing it failed: check its disk and the process's file size limit",
    sqlite3.SQLITE_NOMEM: "memory ran out while it was used: give the process more",
    sqlite3.SQLITE_PROTOCOL: "its lock could not be taken: it must lie on a local disk, not on a network share",
}


def _code(error: BaseException) -> int | None:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & _PRIMARY


def scope(error: BaseException) -> Scope:
    """How far `error`, raised inside a transaction or on opening, reaches."""
    code = _code(error)
    if code in _BUSY:
        return Scope.BATCH
    return Scope.DATABASE if code in _REMEDIES else Scope.JOB


def explain(error: BaseException, path: str) -> str:
    """One sentence that names the file, what is wrong with it, and what to do."""
    code = _code(error)
    if code in _BUSY:
        return f"database {path}: another process keeps it locked: close that program, or wait, and try again ({error})"
    remedy = _REMEDIES.get(code) if code is not None else None
    return f"database {path}: {remedy} ({error})" if remedy else f"database {path}: {error}"


def storage_error(error: BaseException, path: str) -> StorageError:
    """`error` as a `StorageError` with the remedy."""
    return StorageError(explain(error, path))
