"""How values are spelled in the database: times, JSON, compressed bodies, float arrays."""

import sys
import zlib
from array import array
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

PACK_FROM = 1024
"""Bytes from which compression is tried; below it the gain is not worth a call."""
_WORTH = 0.6
"""What must come out of it, as a share: an embedding in base64, which gives three quarters, takes 20 times as long to
compress as the rest of its call does."""
_SAMPLE = 4096
"""Bytes at the beginning of a larger body that tell whether it is worth while."""
# With a window of 8 KiB, 2 KB of JSON take 8 us; with zlib's own 32 KiB they take 56, most of it to set up.
_WINDOW_BITS, _MEMORY_LEVEL = 13, 6


def stamp(at: datetime) -> str:
    """ISO 8601 in UTC with microseconds and `Z`: sorts as text in order of time."""
    in_utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return in_utc.isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"


def unstamp(cell: str | datetime) -> datetime:
    """The time that `stamp` wrote; PostgreSQL gives times as such."""
    return cell if isinstance(cell, datetime) else datetime.fromisoformat(cell)


def optional_unstamp(cell: str | datetime | None) -> datetime | None:
    """`unstamp`, or None."""
    return None if cell is None else unstamp(cell)


def _plain(value: Any) -> Any:
    if isinstance(value, array):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a value of type {type(value).__name__} is not JSON")


def encode_json(value: Any) -> str:
    """JSON text in the value's own key order; mappings and arrays of numbers are written as objects and lists.

    Raises:
        TypeError: The value is not JSON.
    """
    return orjson.dumps(value, default=_plain).decode()


def encode_optional_json(value: Any) -> str | None:
    """`encode_json`, or None for None."""
    return None if value is None else encode_json(value)


def decode_json(text: str | bytes | None) -> Any:
    """The value that `encode_json` wrote; None for NULL."""
    return None if text is None else orjson.loads(text)


def pack(body: bytes) -> tuple[bytes, int]:
    """The bytes as they are stored, and 1 if they are compressed (where that saves two fifths or more), else 0."""
    if len(body) <= PACK_FROM or (len(body) > 2 * _SAMPLE and _deflate(body[:_SAMPLE]) is None):
        return body, 0
    packed = _deflate(body)
    return (body, 0) if packed is None else (packed, 1)


def _deflate(body: bytes) -> bytes | None:
    """The compressed bytes, with zlib's header; None if they are not worth it."""
    deflater = zlib.compressobj(1, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL)
    packed = deflater.compress(body) + deflater.flush()
    return packed if len(packed) <= len(body) * _WORTH else None


def unpack(body: bytes, packed: int) -> bytes:
    """The bytes that were given to `pack`."""
    return zlib.decompress(body) if packed else body


def float32_bytes(numbers: "array[float]") -> bytes:
    """Little-endian float32.

    Raises:
        TypeError: It is not an `array('f')`.
    """
    if numbers.typecode != "f":
        raise TypeError(f"an array of type '{numbers.typecode}' cannot be stored: use array('f')")
    if sys.byteorder == "little":
        return numbers.tobytes()
    swapped = array("f", numbers)
    swapped.byteswap()
    return swapped.tobytes()


def float32_array(blob: bytes) -> "array[float]":
    """The `array('f')` that `float32_bytes` wrote."""
    numbers = array("f")
    numbers.frombytes(blob)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
