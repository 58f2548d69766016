"""What kind of values a column holds, found out value by value or declared."""

import re
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

_EXACT = range(-(2**53), 2**53 + 1)
_INT64 = range(-(2**63), 2**63)
_UINT64 = range(2**64)
_MOST_PROPERTIES = 256
_DEEPEST = 16
_VECTOR = re.compile(r"vector\((\d{1,5})\)")


class Scalar(Enum):
    """A kind of single values."""

    NOTHING = "nothing"
    """Nothing but null."""
    BOOLEAN = "boolean"
    INTEGER = "integer"
    """Whole numbers that a 64-bit float holds exactly."""
    LONG = "long"
    """Whole numbers of 64 bits with a sign."""
    UNSIGNED = "unsigned"
    """Whole numbers of 64 bits, the largest beyond those with a sign."""
    NUMBER = "number"
    TEXT = "text"
    MIXED = "mixed"
    """Anything: texts as they are, other values as JSON text."""
    DATE = "date"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True, slots=True)
class ListOf:
    """Lists of one kind of values."""

    item: "Kind"


@dataclass(frozen=True, slots=True)
class Properties:
    """Objects; each property has its kind."""

    kinds: Mapping[str, "Kind"]


@dataclass(frozen=True, slots=True)
class Vector:
    """Vectors of 32-bit floats, all of one size; of any size if it is None."""

    size: int | None


Kind = Scalar | ListOf | Properties | Vector

DECLARABLE = ("text", "integer", "number", "boolean", "date", "timestamp", "json", "vector(1024)")
"""What a user may call a column's type; a vector has any size."""

_DECLARED: Mapping[str, Kind] = {
    "text": Scalar.TEXT,
    "integer": Scalar.LONG,
    "number": Scalar.NUMBER,
    "boolean": Scalar.BOOLEAN,
    "date": Scalar.DATE,
    "timestamp": Scalar.TIMESTAMP,
    "json": Scalar.MIXED,
}

_JOINED: Mapping[frozenset[Scalar], Scalar] = {
    frozenset({Scalar.INTEGER, Scalar.LONG}): Scalar.LONG,
    frozenset({Scalar.INTEGER, Scalar.NUMBER}): Scalar.NUMBER,
}


def declared_kind(name: str) -> Kind:
    """The kind that a user calls `name`.

    Raises:
        ValueError: There is none; the message names those there are.
    """
    vector = _VECTOR.fullmatch(name)
    if vector and int(vector[1]) > 0:
        return Vector(int(vector[1]))
    if name not in _DECLARED:
        raise ValueError(f"'{name}' is no type of a column; known: {', '.join(DECLARABLE)}")
    return _DECLARED[name]


def kind_of_all(values: Sequence[Any]) -> Kind:
    """The kind that all of some values are of.

    Raises:
        TypeError: One of them has no JSON form.
    """
    types = set(map(type, values))
    types.discard(type(None))
    if len(types) == 1:
        (only,) = types
        if only in _PLAIN:
            return _PLAIN[only]
        if only is int:
            numbers = [value for value in values if value is not None]
            return join(_integer(min(numbers)), _integer(max(numbers)))
    kind: Kind = Scalar.NOTHING
    for value in values:
        kind = join(kind, kind_of(value))
    return kind


def kind_of(value: Any, depth: int = 0) -> Kind:
    """The kind that one value is of.

    Raises:
        TypeError: It has no JSON form.
    """
    if value is None:
        return Scalar.NOTHING
    plain = _PLAIN.get(type(value))
    if plain is not None:
        return plain
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, array) and value.typecode == "f":
        return Vector(len(value))
    if depth > _DEEPEST:
        return Scalar.MIXED
    if isinstance(value, Mapping):
        return _properties({name: kind_of(inner, depth + 1) for name, inner in value.items()})
    if isinstance(value, list | tuple):
        item: Kind = Scalar.NOTHING
        for element in value:
            item = join(item, kind_of(element, depth + 1))
        return ListOf(item)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def join(one: Kind, other: Kind) -> Kind:
    """The narrowest kind that holds the values of both, in whichever order they came."""
    if one == other or other is Scalar.NOTHING:
        return one
    if one is Scalar.NOTHING:
        return other
    if isinstance(one, Scalar) and isinstance(other, Scalar):
        return _JOINED.get(frozenset({one, other}), Scalar.MIXED)
    if isinstance(one, Vector) and isinstance(other, Vector):
        return Vector(None)
    if isinstance(one, Properties) and isinstance(other, Properties):
        names = {**one.kinds, **other.kinds}
        nothing = Scalar.NOTHING
        return _properties({name: join(one.kinds.get(name, nothing), other.kinds.get(name, nothing)) for name in names})
    if isinstance(one, ListOf | Vector) and isinstance(other, ListOf | Vector):
        return ListOf(join(_item(one), _item(other)))
    return Scalar.MIXED


def _item(kind: ListOf | Vector) -> Kind:
    return kind.item if isinstance(kind, ListOf) else Scalar.NUMBER


def _properties(kinds: Mapping[str, Kind]) -> Kind:
    return Properties(kinds) if len(kinds) <= _MOST_PROPERTIES else Scalar.MIXED


def _integer(value: int) -> Scalar:
    if value in _EXACT:
        return Scalar.INTEGER
    if value in _INT64:
        return Scalar.LONG
    if value in _UINT64:
        return Scalar.UNSIGNED
    raise TypeError("an integer beyond 64 bits has no JSON form")


_PLAIN: Mapping[type, Scalar] = {str: Scalar.TEXT, bool: Scalar.BOOLEAN, float: Scalar.NUMBER}
