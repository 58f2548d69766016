"""How commands write values that JSON has no word for."""

from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def json_default(value: object) -> Any:
    """Write what JSON has no word for: float arrays as lists, paths as text.

    Raises:
        TypeError: The value is of another type.
    """
    if isinstance(value, array):
        import orjson

        from lumeflow.kit.json_text import float32_json

        return orjson.Fragment(float32_json(value))
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
