"""Columns of Parquet from JSON values, by the kind of a column."""

from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lumeflow.kit.arrow import load_arrow
from lumeflow.kit.json_text import dump_json
from lumeflow.kit.kinds import Kind, ListOf, Properties, Scalar, Vector

Convert = Callable[[Any], Any]


def arrow_type(kind: Kind) -> Any:
    """The type of a column."""
    arrow, _ = load_arrow()
    if isinstance(kind, ListOf):
        return arrow.list_(arrow_type(kind.item))
    if isinstance(kind, Vector):
        return arrow.list_(arrow.float32(), kind.size) if kind.size else arrow.list_(arrow.float32())
    if isinstance(kind, Properties):
        if not kind.kinds:  # Parquet has no objects without properties: they are written as text
            return arrow.string()
        return arrow.struct([(name, arrow_type(inner)) for name, inner in kind.kinds.items()])
    types = {
        Scalar.BOOLEAN: arrow.bool_,
        Scalar.INTEGER: arrow.int64,
        Scalar.LONG: arrow.int64,
        Scalar.UNSIGNED: arrow.uint64,
        Scalar.NUMBER: arrow.float64,
        Scalar.DATE: arrow.date32,
    }
    if kind is Scalar.TIMESTAMP:
        return arrow.timestamp("us", tz="UTC")
    return types[kind]() if kind in types else arrow.string()


def arrow_column(kind: Kind, values: Sequence[Any]) -> Any:
    """A column of values; vectors of one size are copied as they lie in memory."""
    arrow, _ = load_arrow()
    if isinstance(kind, Vector) and kind.size:
        return _vectors(arrow, kind.size, values)
    convert = _converter(kind)
    if convert is not None:
        values = [None if value is None else convert(value) for value in values]
    return arrow.array(values, arrow_type(kind))


def _vectors(arrow: Any, size: int, values: Sequence[Any]) -> Any:
    nothing = bytes(4 * size)
    packed = b"".join(nothing if value is None else value.tobytes() for value in values)
    numbers = arrow.Array.from_buffers(arrow.float32(), size * len(values), [None, arrow.py_buffer(packed)])
    missing = arrow.array([value is None for value in values], arrow.bool_())
    return arrow.FixedSizeListArray.from_arrays(numbers, size, mask=missing)


def _converter(kind: Kind) -> Convert | None:
    """What has to be done to a value, never null, before it fits its column; None for nothing."""
    if kind is Scalar.MIXED or (isinstance(kind, Properties) and not kind.kinds):
        return _as_text
    if isinstance(kind, Vector):
        return _as_list
    if isinstance(kind, ListOf):
        return _list_converter(_converter(kind.item))
    if isinstance(kind, Properties):
        converters = {name: _converter(inner) for name, inner in kind.kinds.items()}
        wanted = {name: convert for name, convert in converters.items() if convert is not None}
        return _properties_converter(wanted) if wanted else None
    return None


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else dump_json(value).decode()


def _as_list(value: Any) -> list[Any]:
    return value.tolist() if isinstance(value, array) else list(value)


def _list_converter(convert: Convert | None) -> Convert:
    if convert is None:
        return _as_list
    return lambda values: [None if value is None else convert(value) for value in _as_list(values)]


def _properties_converter(converters: Mapping[str, Convert]) -> Convert:
    def convert(value: Mapping[str, Any]) -> dict[str, Any]:
        changed = {name: make(value[name]) for name, make in converters.items() if value.get(name) is not None}
        return {**value, **changed}

    return convert
