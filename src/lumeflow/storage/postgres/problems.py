"""What PostgreSQL's errors mean to the person who must mend them, and which of them go away by themselves."""

import asyncio
from collections.abc import Mapping

import asyncpg

from lumeflow.storage.dialect import NoSuchKey, RowRefused, StatementRefused
from lumeflow.storage.row_security import APPLICATION_ROLE
from lumeflow.storage.session import CommitFailed, Scope

_TRANSIENT = frozenset(
    {"40001", "40P01", "08000", "08001", "08003", "08004", "08006", "57P01", "57P02", "57P03", "53300"}
)
_POOLER_FULL = ("EMAXCONNSESSION", "Max client connections", "MaxClientsInSessionMode")

_REMEDIES: Mapping[str, str] = {
    "28P01": "the user or the password is wrong: check the URL, and write special characters of the password as %XX",
    "28000": "this user may not connect: check the URL and the server's rules",
    "3D000": "there is no such database on that server: make it, or name another",
    "53100": "its disk is full: free space there",
    "53300": "it has no connection left: end some, or raise its limit",
    "25006": "it takes no writes: name the primary server",
    "42501": f"permission is denied: a role that owns the tables must grant it to this user, or to {APPLICATION_ROLE}",
    "57P03": "it is starting up or shutting down: try again in a moment",
}


def is_lost(error: BaseException) -> bool:
    """True if the connection is gone, and what it was doing with it."""
    if isinstance(error, asyncpg.PostgresError):
        return str(error.sqlstate or "").startswith("08") or error.sqlstate in {"57P01", "57P02", "57P03"}
    if isinstance(error, asyncpg.DataError):
        return False
    return isinstance(error, OSError | TimeoutError | asyncio.TimeoutError | asyncpg.InterfaceError)


def is_own(error: BaseException) -> bool:
    """True if the error comes from the driver or the server."""
    return isinstance(
        error, asyncpg.PostgresError | asyncpg.InterfaceError | OSError | TimeoutError | RowRefused | NoSuchKey
    )


def scope(error: BaseException) -> Scope:
    """How far `error`, raised inside a transaction or on the way there, reaches."""
    if isinstance(error, CommitFailed):
        return Scope.DATABASE
    if is_lost(error):
        return Scope.AGAIN
    if isinstance(error, asyncpg.PostgresError):
        if error.sqlstate in _TRANSIENT or _is_pooler_full(error):
            return Scope.AGAIN
        if error.sqlstate in {"53100", "25006"}:
            return Scope.BATCH
    return Scope.JOB


def _is_pooler_full(error: asyncpg.PostgresError) -> bool:
    return any(word in str(error) for word in _POOLER_FULL)


def translated(error: BaseException) -> BaseException:
    """Errors about a row, in words that hold nothing of it; others as they are."""
    if isinstance(error, asyncpg.DataError):
        if isinstance(error, asyncpg.PostgresError) and error.sqlstate:
            return RowRefused(_about_row(error))
        return RowRefused("a value does not have the type of its column")
    if isinstance(error, asyncpg.PostgresError):
        state = str(error.sqlstate or "")
        if state == "42P10":
            return NoSuchKey("ON CONFLICT names no key")
        if state[:2] in {"22", "23"}:
            return RowRefused(_about_row(error))
        if state[:2] in {"42", "0A"} and state not in {"42501", "42P05"}:
            return StatementRefused(str(error.args[0] if error.args else type(error).__name__))
    return error


def _about_row(error: asyncpg.PostgresError) -> str:
    """The server's own words may hold values: only names are taken from them."""
    column, constraint = getattr(error, "column_name", None), getattr(error, "constraint_name", None)
    if error.sqlstate == "23502":
        return f"column '{column}' takes no null"
    if constraint:
        return f"the constraint '{constraint}' does not hold"
    return f"a value does not fit its column ({type(error).__name__}, SQLSTATE {error.sqlstate})"


def explain(error: BaseException, name: str) -> str:
    """One sentence that names the database, what is wrong with it, and what to do."""
    if isinstance(error, RowRefused | NoSuchKey):
        return f"database {name}: {error}"
    if isinstance(error, asyncpg.PostgresError):
        if "Tenant or user not found" in str(error):
            remedy = "the pooler knows no such user: it must read postgres.PROJECT, as the dashboard shows it"
        elif _is_pooler_full(error):
            remedy = "its pooler has no connection left: run fewer processes, or raise the pool size"
        else:
            remedy = _REMEDIES.get(str(error.sqlstate), "")
        words = f"{type(error).__name__}: {error.args[0] if error.args else ''}"
        return f"database {name}: {remedy} ({words})" if remedy else f"database {name}: {words}"
    if is_lost(error):
        return (
            f"database {name}: it cannot be reached: check host and port, and that the server, or the project, is"
            f" running ({type(error).__name__}: {error})"
        )
    return f"database {name}: {error}"
