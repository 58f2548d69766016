import gzip
import io
from array import array
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reading import drain, read, rows_of

from lumeflow.kit import arrow
from lumeflow.kit.readers.parquet_rows import ParquetRows
from lumeflow.kit.readers.rows import BadRow
from lumeflow.plugin import NodeError


def parquet(**columns):
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, row_group_size=2)
    return file.getvalue()


def one(values, kind=None):
    """What becomes of one column of values."""
    return [row.get("x") for row in rows_of(parquet(x=pa.array(values, kind), n=[1] * len(values)), "x.parquet")]


def test_rows_in_order_without_nulls():
    data = parquet(name=["Mira", None, "Tomás"], age=[30, 40, None], ok=[True, None, False])
    for piece in (None, 100):
        assert rows_of(data, "x.parquet", piece=piece) == [
            {"name": "Mira", "age": 30, "ok": True},
            {"age": 40},
            {"name": "Tomás", "ok": False},
        ]


def test_a_packed_file():
    assert rows_of(gzip.compress(parquet(a=[1])), "x.parquet.gz") == [{"a": 1}]


@pytest.mark.parametrize(
    ("values", "kind", "found"),
    [
        ([date(2026, 1, 9)], None, ["2026-01-09"]),
        ([1_767_952_800], pa.timestamp("s"), ["2026-01-09T10:00:00"]),
        ([datetime(2026, 1, 9, 10, 0, tzinfo=UTC)], None, ["2026-01-09T10:00:00Z"]),
        (
            [datetime(2026, 1, 9, 12, 0, tzinfo=timezone(timedelta(hours=2)))],
            pa.timestamp("us", tz="+02:00"),
            ["2026-01-09T10:00:00Z"],
        ),
        ([1_767_952_800_000_000_123], pa.timestamp("ns"), ["2026-01-09T10:00:00"]),
        ([[1_767_952_800_000_000_123]], pa.list_(pa.timestamp("ns")), [["2026-01-09T10:00:00"]]),
        ([{"t": 1_767_952_800_000_000_123}], pa.struct([("t", pa.timestamp("ns"))]), [{"t": "2026-01-09T10:00:00"}]),
        ([time(10, 30)], None, ["10:30:00"]),
        ([timedelta(minutes=2)], None, [120.0]),
        ([Decimal("12.50")], None, [12.5]),
        ([Decimal("3.00")], None, [3]),
        ([Decimal("0.1234567890123456789")], None, ["0.1234567890123456789"]),
        ([b"text"], None, ["text"]),
        ([1.5, float("nan")], None, [1.5, None]),
        (["a", "b"], pa.dictionary(pa.int8(), pa.string()), ["a", "b"]),
        ([[1, 2], []], None, [[1, 2], []]),
        ([{"a": 1, "b": [b"x"]}], None, [{"a": 1, "b": ["x"]}]),
        ([[("k", 1)]], pa.map_(pa.string(), pa.int64()), [{"k": 1}]),
        ([[0.5, 0.25]], pa.list_(pa.float32()), [[0.5, 0.25]]),
    ],
)
def test_values_have_the_form_of_json(values, kind, found):
    assert one(values, kind) == found


def test_fixed_size_lists_of_floats_are_vectors():
    vectors = [[0.5, 0.25], None, [1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    found = one(vectors, pa.list_(pa.float32(), 2))
    assert found == [array("f", vector) if vector else None for vector in vectors]
    assert one([[0.5, None]], pa.list_(pa.float32(), 2)) == [[0.5, None]]


@pytest.mark.parametrize(
    ("values", "kind", "reason"),
    [
        ([b"\xff\xfe"], None, "a run of bytes in it has no JSON form"),
        ([float("inf")], None, "an infinite number in it has no JSON form"),
        ([2**62], pa.timestamp("us"), "a time out of all range in it has no JSON form"),
    ],
)
def test_a_value_without_json_form_spoils_its_row_alone(values, kind, reason):
    data = parquet(x=pa.array([*values, None], kind), n=[1, 2])
    assert rows_of(data, "x.parquet") == [BadRow(None, reason), {"n": 2}]


def test_columns_of_one_name_are_told_apart():
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    file = io.BytesIO()
    pq.write_table(table, file)
    rows, _, notes = read(file.getvalue(), "x.parquet")
    assert rows == [{"a": 1, "a_2": 2}]
    assert notes == ["column 2 has the name 'a' of an earlier one: it is called 'a_2'"]


def test_a_damaged_file_is_refused():
    data = parquet(a=list(range(1000)))
    _, error, _ = read(data[:-20], "x.parquet")
    assert error.startswith("it is not Parquet, or damaged (")


def test_without_pyarrow_the_remedy_is_told(monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(arrow, "import_module", absent)
    with pytest.raises(NodeError, match=r"pip install 'lumeflow\[parquet\]'"):
        drain(ParquetRows(packed=False), b"PAR1")
