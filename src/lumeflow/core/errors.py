"""Every error that lumeflow raises on purpose, in one tree.

Messages name the place (node, field, record position), what was found and what would be right. They never hold a
secret, a whole record or the context.
"""

from enum import StrEnum


class ErrorClass(StrEnum):
    """Why something failed, in the terms that `retryableErrors` uses."""

    TIMEOUT = "TIMEOUT"
    RATE_LIMIT = "RATE_LIMIT"
    SERVER_ERROR = "SERVER_ERROR"
    NETWORK = "NETWORK"
    INVALID_RESPONSE = "INVALID_RESPONSE"
    AUTH = "AUTH"
    NOT_FOUND = "NOT_FOUND"
    VALIDATION = "VALIDATION"
    QUOTA = "QUOTA"
    LIMIT = "LIMIT"
    """A limit of the execution itself (records, calls, cost, time, memory) was reached."""
    INTERNAL = "INTERNAL"
    """A bug in a block or in the engine."""


STOPS_NODE = frozenset({ErrorClass.AUTH, ErrorClass.QUOTA, ErrorClass.LIMIT})
"""Errors after which every further call of the node would fail the same way."""


class LumeflowError(Exception):
    """Root of all errors; `str()` of any of them may be shown to a user as it is."""


class UsageError(LumeflowError):
    """The caller asked for something that cannot be done: an unknown id, a bad option, unusable input."""


class StorageError(LumeflowError):
    """The database or the artifact store could not be read or written; nothing paid was started because of it."""


class RunError(LumeflowError):
    """Something failed while a workflow ran.

    Attributes:
        error_class: What kind of failure it was.
        field: Path of the field concerned, if one is.
    """

    def __init__(self, error_class: ErrorClass, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.error_class = error_class
        self.field = field


class RecordError(RunError):
    """One record cannot be processed; the others go on. A block raises it, or returns it as a record's outcome."""


class NodeError(RunError):
    """The node cannot go on at all; records not yet processed are kept as failed."""


class CallError(RunError):
    """A call failed for good: after its retries, or at once where a retry cannot help.

    Attributes:
        operation: Operation id such as `apollo/people-match`.
        status: HTTP status of the last answer; None if there was none.
    """

    def __init__(self, error_class: ErrorClass, message: str, *, operation: str, status: int | None = None) -> None:
        super().__init__(error_class, message)
        self.operation = operation
        self.status = status


class NotSent(LumeflowError):
    """The request certainly never reached the vendor (DNS, connect, TLS): not an effect, free to try again."""


class ForbiddenAddress(NotSent):
    """The request's address must not be called: it is none, or leads to a network that is not public."""


class AnswerLost(LumeflowError):
    """The request may have reached the vendor, but its answer did not arrive.

    Attributes:
        timed_out: True if the time ran out, False if the connection was cut.
    """

    def __init__(self, message: str, *, timed_out: bool) -> None:
        super().__init__(message)
        self.timed_out = timed_out


class AnswerTooLarge(AnswerLost):
    """The answer is larger than allowed; asked again it would be as large."""

    def __init__(self, message: str) -> None:
        super().__init__(message, timed_out=False)
