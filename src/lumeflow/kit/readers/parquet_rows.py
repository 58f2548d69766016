"""Rows of a Parquet file."""

import tempfile
from array import array
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from math import isfinite, isnan
from typing import IO, Any

from lumeflow.kit.arrow import BATCH_ROWS, load_arrow
from lumeflow.kit.readers.header import column_names
from lumeflow.kit.readers.inflate import Inflate
from lumeflow.kit.readers.rows import BadRow, FileRefused, Row

_INT64 = range(-(2**63), 2**64)


class ParquetRows:
    """Reads a Parquet file; see `rows.Reader`.

    What it holds is told at its end, so it is laid down on disk first, and read from there row group by row group.
    Times become ISO 8601, exact decimals numbers where a number is as exact and else text, fixed-size lists of 32-bit
    floats vectors (`array('f')`). Null, and what is not a number, is left out.
    """

    def __init__(self, *, packed: bool) -> None:
        self.notes: list[str] = []
        self._inflate = Inflate() if packed else None
        self._file: IO[bytes] | None = None

    def feed(self, data: bytes) -> Iterator[list[Row]]:
        """Take the next piece of the file."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="lumeflow-")  # noqa: SIM115 - lives as long as the reader
        for piece in self._inflate.feed(data) if self._inflate else (data,):
            self._file.write(piece)
            yield []

    def finish(self) -> Iterator[list[Row]]:
        """Give all rows.

        Raises:
            FileRefused: The file is not Parquet, or damaged.
        """
        if self._inflate is not None:
            self._inflate.finish()
        arrow, parquet = load_arrow()
        assert self._file is not None
        self._file.seek(0)
        try:
            file = parquet.ParquetFile(
                self._file, pre_buffer=False, buffer_size=1 << 20, coerce_int96_timestamp_unit="us"
            )
            names, self.notes[:] = column_names(file.schema_arrow.names, 0)
            for batch in file.iter_batches(batch_size=BATCH_ROWS, use_threads=False):
                yield _rows(arrow, names, batch)
        except (arrow.ArrowException, OSError) as error:
            reason = str(error).partition("\n")[0]
            raise FileRefused(f"it is not Parquet, or damaged ({reason}): write or send it again") from None

    def close(self) -> None:
        """Free the disk."""
        if self._file is not None:
            self._file.close()


def _rows(arrow: Any, names: list[str], batch: Any) -> list[Row]:
    """The rows of a batch of columns."""
    columns = [_column(arrow, column) for column in batch.columns]
    rows: list[Row] = []
    for values in zip(*columns, strict=True):
        try:
            row = {name: _json(value) for name, value in zip(names, values, strict=True) if value is not None}
        except _NoJson as error:
            rows.append(BadRow(None, f"{error} in it has no JSON form"))
            continue
        rows.append({name: value for name, value in row.items() if value is not None})
    return rows


def _column(arrow: Any, column: Any) -> list[Any]:
    """The values of a column as Python has them."""
    kind = column.type
    if arrow.types.is_fixed_size_list(kind) and arrow.types.is_float32(kind.value_type):
        return _vectors(column)
    micros = _in_micros(arrow, kind)
    column = column if micros.equals(kind) else column.cast(micros, safe=False)
    try:
        values: list[Any] = column.to_pylist(maps_as_pydicts="lossy")
    except (ValueError, OverflowError):
        return [_or_broken(scalar) for scalar in column]
    return values


def _or_broken(scalar: Any) -> Any:
    try:
        return scalar.as_py(maps_as_pydicts="lossy")
    except (ValueError, OverflowError):
        return _BROKEN


def _in_micros(arrow: Any, kind: Any) -> Any:
    """A type with microseconds, which Python's times have, in place of nanoseconds."""
    types = arrow.types
    if types.is_timestamp(kind) and kind.unit == "ns":
        return arrow.timestamp("us", tz=kind.tz)
    if types.is_time64(kind) and kind.unit == "ns":
        return arrow.time64("us")
    if types.is_duration(kind) and kind.unit == "ns":
        return arrow.duration("us")
    if types.is_struct(kind):
        return arrow.struct([field.with_type(_in_micros(arrow, field.type)) for field in kind])
    if types.is_list(kind) or types.is_large_list(kind):
        return arrow.list_(kind.value_field.with_type(_in_micros(arrow, kind.value_type)))
    return kind


def _vectors(column: Any) -> list[Any]:
    """The lists of a column as arrays, copied as they lie in memory; as lists, if a number in them is null."""
    size = column.type.list_size
    numbers = column.flatten()  # those of the lists that are not null
    if numbers.null_count:
        values: list[Any] = column.to_pylist()
        return values
    packed = array("f")
    packed.frombytes(memoryview(numbers.buffers()[1])[numbers.offset * 4 : (numbers.offset + len(numbers)) * 4])
    starts = count(0, size)
    return [
        packed[(start := next(starts)) : start + size] if known else None for known in column.is_valid().to_pylist()
    ]


class _NoJson(ValueError):
    """A value has no JSON form."""


class _Broken:
    """In the place of a value that Python cannot have, such as a day in the year 50,000."""


_BROKEN = _Broken()


def _json(value: Any) -> Any:
    """A value as JSON has it, or as an array for a vector; None for what is not a number."""
    convert = _CONVERT.get(type(value))
    return value if convert is None else convert(value)


def _number(value: float) -> float | None:
    if isfinite(value):
        return value
    if isnan(value):
        return None
    raise _NoJson("an infinite number")


def _refuse(_value: _Broken) -> None:
    raise _NoJson("a time out of all range")


def _decimal(value: Decimal) -> Any:
    if value == value.to_integral_value() and int(value) in _INT64:
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise _NoJson("a run of bytes") from None


def _moment(value: datetime) -> str:
    if value.tzinfo is None:
        return value.isoformat()
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


_CONVERT: dict[type, Callable[[Any], Any]] = {
    float: _number,
    _Broken: _refuse,
    Decimal: _decimal,
    bytes: _text,
    datetime: _moment,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: timedelta.total_seconds,
    list: lambda value: [_json(item) for item in value],
    dict: lambda value: {key: _json(item) for key, item in value.items()},
}
