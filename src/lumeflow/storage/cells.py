"""Values between rows as blocks see them and columns as the database has them."""

from array import array
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

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
    if column.is_time and isinstance(value, str):
        return _time(value)
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


def _time(text: str) -> str:
    """One spelling for one instant, whichever database it goes to; in a user's table, what is no time is left."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return stamp(at if at.tzinfo else at.replace(tzinfo=UTC))


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


def to_text(column: Column, value: Any) -> Any:
    """The value to bind on PostgreSQL: text, which the server casts to the column's type, or bytes.

    Raises:
        UsageError: It cannot be stored; the message names the column and the type found.
    """
    if column.is_vector and isinstance(value, array):
        return "[" + ",".join(map(repr, value)) + "]"
    cell = to_cell(column, value)
    if isinstance(cell, bytes) and column.cast != "bytea":
        raise UsageError(f"column '{column.name}': bytes cannot be stored in a column of type {column.cast}")
    if cell is None or isinstance(cell, bytes):
        return cell
    if isinstance(cell, float) and column.is_whole and cell.is_integer():
        cell = int(cell)
    text = str(cell)
    if column.cast == "bytea":
        return text.encode()
    if "\0" in text:
        raise UsageError(f"column '{column.name}': PostgreSQL cannot store the character U+0000")
    return text


def from_cell(column: Column, cell: Any) -> Any:
    """The value of a cell: JSON decoded, 0 and 1 of booleans as such, float arrays as `array('f')`, times in ISO 8601.

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
    if column.is_floats:
        return _floats(cell)
    if column.is_time and isinstance(cell, str):
        return cell.removesuffix(_WHOLE_SECOND) + "Z" if cell.endswith(_WHOLE_SECOND) else cell
    return cell if isinstance(cell, str | int | float | bytes) else _plain(cell)


_WHOLE_SECOND = ".000000Z"


def _floats(cell: Any) -> Any:
    if isinstance(cell, bytes):
        return float32_array(cell)
    return array("f", decode_json(cell)) if isinstance(cell, str) else cell


def _plain(cell: Any) -> Any:
    """What PostgreSQL gives, as JSON has it and as SQLite gives it."""
    if isinstance(cell, datetime):
        text = stamp(cell if cell.tzinfo else cell.replace(tzinfo=UTC))
        return text.removesuffix(_WHOLE_SECOND) + "Z" if text.endswith(_WHOLE_SECOND) else text
    if isinstance(cell, Decimal):
        return int(cell) if cell == cell.to_integral_value() else float(cell)
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, list | tuple):
        return [_plain(item) if not isinstance(item, str | int | float | bytes) else item for item in cell]
    return str(cell) if isinstance(cell, UUID) else cell
