"""Values between rows as blocks see them and columns as the database has them."""

from array import array
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from lumeflow.core.errors import UsageError
from lumeflow.core.money import plain
from lumeflow.storage.catalog import Column
from lumeflow.storage.codec import decode_json, encode_json, float32_array, float32_bytes, stamp

_INT64 = 1 << 63


def to_cell(column: Column, value: Any) -> Any:
    """The value to bind.

    Raises:
        UsageError: It cannot be stored; the message names the column and the type found.
    """
    if value is None:
        return None
    try:
        return _cell(column, value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"column '{column.name}': {error}") from error


def _cell(column: Column, value: Any) -> Any:
    if column.is_json:
        return encode_json(value)
    if isinstance(value, array):
        return float32_bytes(value)
    if isinstance(value, Mapping | list | tuple):
        return encode_json(value)
    if isinstance(value, str):
        value.encode()  # a lone surrogate is refused here, by name, rather than by the driver
        return str(value)
    if isinstance(value, int):
        return _integer(value)
    return _other(value)


def _integer(value: int) -> int:
    if not -_INT64 <= value < _INT64:
        raise ValueError("a whole number of more than 64 bits cannot be stored")
    return int(value)


def _other(value: Any) -> Any:
    if isinstance(value, float | bytes):
        return value
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return stamp(value)
    raise TypeError(f"a value of type {type(value).__name__} cannot be stored")


def from_cell(column: Column, cell: Any) -> Any:
    """The value of a cell: JSON decoded, 0 and 1 of booleans as such, float arrays as `array('f')`.

    A cell that does not hold what its column's type says, in a table made by somebody else, comes back as it is.
    """
    if cell is None:
        return None
    if column.is_json and isinstance(cell, str | bytes):
        try:
            return decode_json(cell)
        except ValueError:
            return cell
    if column.is_boolean and cell in {0, 1}:
        return bool(cell)
    if column.is_floats and isinstance(cell, bytes):
        return float32_array(cell)
    return cell
