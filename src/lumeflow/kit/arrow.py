"""PyArrow, which reads and writes Parquet: loaded where it is used, because it is large and not always there."""

from importlib import import_module
from typing import Any

from lumeflow.plugin import ErrorClass, NodeError

BATCH_ROWS = 1_000


def load_arrow() -> tuple[Any, Any]:
    """The modules `pyarrow` and `pyarrow.parquet`.

    Raises:
        NodeError: It is not installed.
    """
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as error:
        message = "Parquet needs PyArrow, which is not installed: pip install 'lumeflow[parquet]'"
        raise NodeError(ErrorClass.VALIDATION, message) from error
