"""Writing JSON, with embeddings in few digits."""

from array import array
from typing import Any

import orjson


def dump_json(value: Any) -> bytes:
    """`value` as compact JSON in UTF-8; `array('f')` anywhere inside is written as `float32_json`.

    Raises:
        TypeError: Something in it has no JSON form: a key that is not a string, an integer beyond 64 bits.
    """
    return orjson.dumps(value, default=_array_json)


def float32_json(values: "array[float]") -> bytes:
    """A list of numbers, each with the fewest digits from which the same 32-bit float is read back.

    Python writes 0.1 stored in 32 bits as 0.10000000149011612: twice the bytes, and none of the added digits mean
    anything. NaN and infinities, which JSON does not have, become null.
    """
    numbers = _texts(values, 7)
    if any("n" in number for number in numbers):
        return orjson.dumps(values.tolist())
    pending = _misread(range(len(values)), numbers, values)
    for digits in (8, 9):
        if not pending:
            break
        better = _texts([values[index] for index in pending], digits)
        for index, number in zip(pending, better, strict=True):
            numbers[index] = number
        pending = _misread(pending, better, values)
    return f"[{','.join(numbers)}]".encode()


def _texts(values: "array[float] | list[float]", digits: int) -> list[str]:
    # One format string for all values: four times as fast as one call for each.
    return (f"%.{digits}g " * len(values) % tuple(values)).split()


def _misread(indexes: "range | list[int]", numbers: list[str], values: "array[float]") -> list[int]:
    """Those of `indexes` whose number, given in the same order, is not read back as the value."""
    read = array("f", orjson.loads(f"[{','.join(numbers)}]"))
    return [index for index, number in zip(indexes, read, strict=True) if number != values[index]]


def _array_json(value: Any) -> orjson.Fragment:
    if isinstance(value, array) and value.typecode == "f":
        return orjson.Fragment(float32_json(value))
    raise TypeError(f"{type(value).__name__} has no JSON form")
