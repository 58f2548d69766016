"""What the output blocks have in common."""

from collections.abc import Iterator
from contextlib import contextmanager

from lumeflow.core.context import FileSink
from lumeflow.plugin import ErrorClass, NodeError, UsageError

__all__ = ["FileSink", "refusals"]


@contextmanager
def refusals(field: str) -> Iterator[None]:
    """Turn what the database or the files refuse into the node's error, which names the config field concerned."""
    try:
        yield
    except UsageError as error:
        raise NodeError(ErrorClass.VALIDATION, f"config.{field}: {error}", field=field) from error
