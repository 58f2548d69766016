import io
from array import array
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from file_outputs import read_back, write, write_in_batches
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lumeflow.blocks.output.parquet import ParquetOutput
from lumeflow.kit import parquet_file
from lumeflow.plugin import ErrorClass, NodeError, UsageError
from lumeflow.testing import MemoryContext, MemoryFiles

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
CONTACTS = [
    {"name": "Mira", "company": {"name": "Freight Ltd", "size": 40}, "embedding": array("f", [0.5, 0.25])},
    {"name": "Tomás", "tags": ["a"], "embedding": None, "age": 30},
]
TYPED = {
    "mapping": {"name": "{{input.name}}", "embedding": "{{input.embedding}}"},
    "types": {"name": "text", "embedding": "vector(2)"},
}


def config(**changes):
    return {"destination": "parquet", **changes}


def table_of(data):
    return pq.read_table(io.BytesIO(data))


async def types_of(values, **changes):
    """The types of the columns that come of records."""
    _, data = await write(ParquetOutput, config(**changes), {"rows": values}, collection="rows")
    return {field.name: str(field.type).replace("element: ", "") for field in table_of(data).schema}


async def test_records_become_typed_columns():
    run, data = await write(ParquetOutput, config(), {"contacts": CONTACTS})
    assert run.output == {"path": "workflow-1-node-1.parquet", "recordsCount": 2}
    table = table_of(data)
    assert table.schema == pa.schema(
        {
            "name": pa.string(),
            "company": pa.struct({"name": pa.string(), "size": pa.int64()}),
            "embedding": pa.list_(pa.float32(), 2),
            "tags": pa.list_(pa.string()),
            "age": pa.int64(),
        }
    )
    assert table.to_pylist() == [
        {
            "name": "Mira",
            "company": {"name": "Freight Ltd", "size": 40},
            "embedding": [0.5, 0.25],
            "tags": None,
            "age": None,
        },
        {"name": "Tomás", "company": None, "embedding": None, "tags": ["a"], "age": 30},
    ]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([True, None], "bool"),
        ([1, -5, None], "int64"),
        ([1, 2**60], "int64"),
        ([2**64 - 1], "uint64"),
        ([1, 2.5], "double"),
        ([2**60, 2.5], "string"),
        ([2**64 - 1, 1], "string"),
        (["a", None], "string"),
        (["a", 1], "string"),
        ([1, True], "string"),
        ([None], "string"),
        ([[1], [2.5], []], "list<double>"),
        ([[1], ["a"]], "list<string>"),
        ([[], None], "list<string>"),
        ([{"a": 1}, {"b": "x"}], "struct<a: int64, b: string>"),
        ([{"a": [{"b": 1}]}], "struct<a: list<struct<b: int64>>>"),
        ([{}], "string"),
        ([{"a": {}}], "struct<a: string>"),
        ([{"a": 1}, "x"], "string"),
        ([{f"k{number}": 1 for number in range(300)}], "string"),
        ([array("f", [1.0]), None, array("f", [2.0])], "fixed_size_list<float>[1]"),
        ([array("f", [1.0]), array("f", [1.0, 2.0])], "list<float>"),
        ([array("f", [1.0]), [1, 2.5]], "list<double>"),
        ([{"v": array("f", [1.0])}], "struct<v: fixed_size_list<float>[1]>"),
    ],
)
async def test_a_column_gets_the_narrowest_type_that_holds_all_its_values(values, found):
    assert await types_of([{"x": value} for value in values]) == {"x": found}
    assert await types_of([{"x": value} for value in reversed(values)]) == {"x": _sorted_struct(found, values)}


def _sorted_struct(found, values):
    return "struct<b: string, a: int64>" if values == [{"a": 1}, {"b": "x"}] else found


async def test_other_values_among_texts_are_json():
    _, data = await write(ParquetOutput, config(), {"rows": [{"x": "a"}, {"x": 1}, {"x": {"b": [None]}}, {"x": None}]})
    assert table_of(data).column("x").to_pylist() == ["a", "1", '{"b":[null]}', None]


@pytest.mark.parametrize(
    ("kind", "values", "stored"),
    [
        ("text", ["a", 1, {"b": 1}], ["a", "1", '{"b":1}']),
        ("integer", [1, "42", " -7", 3.0, 2**60], [1, 42, -7, 3, 2**60]),
        ("number", [1, "2.5", 0.5], [1.0, 2.5, 0.5]),
        ("boolean", [True, "false", " TRUE"], [True, False, True]),
        ("date", ["2026-01-09"], [date(2026, 1, 9)]),
        (
            "timestamp",
            ["2026-01-09T10:00:00Z", "2026-01-09T12:00:00+02:00", "2026-01-09 10:00:00"],
            [datetime(2026, 1, 9, 10, tzinfo=UTC)] * 3,
        ),
        ("json", [{"a": 1}, "x", 1], ['{"a":1}', "x", "1"]),
        ("vector(2)", [[1, 2.5], array("f", [0.5, 0.25])], [[1.0, 2.5], [0.5, 0.25]]),
    ],
)
@pytest.mark.parametrize("mapping", [None, {"x": "{{input.x}}"}], ids=["all", "mapping"])
async def test_a_declared_type_is_kept_to(kind, values, stored, mapping):
    rows = [{"x": value} for value in [*values, None]]
    run, data = await write(ParquetOutput, config(types={"x": kind}, mapping=mapping), {"rows": rows})
    assert run.failed == []
    assert table_of(data).column("x").to_pylist() == [*stored, None]


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("integer", "4.2", "column 'x' must be an integer of 64 bits; found a string"),
        ("integer", 2**63, "must be an integer of 64 bits; found a number"),
        ("integer", True, "found a boolean"),
        ("number", "many", "must be a number; found a string"),
        ("number", 2**60 + 1, "must be a number; found a number"),
        ("boolean", 1, "must be true or false; found a number"),
        ("date", "9.1.2026", "must be a date such as '2026-01-09'; found a string"),
        ("timestamp", 5, "must be a time such as '2026-01-09T10:00:00Z'; found a number"),
        ("vector(2)", [1], "must be a vector of 2 numbers; found one of 1"),
        ("vector(2)", ["a", 1], "must be a vector of 2 numbers; found a list"),
    ],
)
async def test_a_value_that_does_not_fit_fails_its_record_alone(kind, value, message):
    rows = [{"n": 1}, {"n": 2, "x": value}, {"n": 3}]
    run, data = await write(ParquetOutput, config(types={"x": kind}), {"rows": rows})
    (failed,) = run.failed
    assert (failed.position, failed.error.field, failed.error.error_class) == (1, "x", ErrorClass.VALIDATION)
    assert message in str(failed.error)
    assert str(failed.error).endswith("correct it, or its type in config.types")
    assert table_of(data).column("n").to_pylist() == [1, 3]


@pytest.mark.parametrize(
    "value", [2**70, "\ud83d", {"x": "\ud83d"}, [object()]], ids=["integer", "text", "nested", "object"]
)
async def test_a_record_that_cannot_be_written_fails_alone(value):
    run, data = await write(ParquetOutput, config(), {"rows": [{"n": 1}, {"n": value}, {"n": 3}]})
    assert [failed.position for failed in run.failed] == [1]
    assert (table_of(data).column("n").to_pylist(), run.output["recordsCount"]) == ([1, 3], 2)


@pytest.mark.parametrize("compression", ["snappy", "zstd", "gzip", "none"])
async def test_columns_are_packed_as_wanted(compression):
    _, data = await write(ParquetOutput, config(compression=compression), {"contacts": CONTACTS})
    packed = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0).column(0).compression
    assert packed == {"none": "UNCOMPRESSED"}.get(compression, compression.upper())


@pytest.mark.parametrize(
    ("payload", "columns", "rows"),
    [({"id": "aud-1", "n": 1}, ["id", "n"], 1), ({"contacts": []}, [], 0)],
    ids=["no collection", "no records"],
)
async def test_payloads_at_the_edge(payload, columns, rows):
    collection = "contacts" if "contacts" in payload else None
    _, data = await write(ParquetOutput, config(), payload, collection=collection)
    assert (table_of(data).column_names, table_of(data).num_rows) == (columns, rows)


async def test_no_records_have_the_declared_columns():
    _, data = await write(ParquetOutput, config(**TYPED), {"rows": []}, collection="rows")
    assert str(table_of(data).schema.field("embedding").type) == "fixed_size_list<element: float>[2]"


@pytest.mark.parametrize("changes", [{}, TYPED], ids=["found out", "declared"])
@pytest.mark.parametrize(("rows", "size"), [(3, 1 << 30), (1000, 400)], ids=["by rows", "by bytes"])
async def test_row_groups_and_batches_make_no_difference(changes, rows, size, monkeypatch):
    monkeypatch.setattr(parquet_file, "GROUP_ROWS", rows)
    monkeypatch.setattr(parquet_file, "GROUP_BYTES", size)
    records = [{"name": f"Person {number}", "embedding": array("f", [number, 0.5])} for number in range(10)]
    contents = {await write_in_batches(ParquetOutput, config(**changes), records, cut) for cut in (1, 3, 10)}
    (data,) = contents
    assert pq.ParquetFile(io.BytesIO(data)).num_row_groups > 2
    assert await read_back(data, "x.parquet") == records


@pytest.mark.parametrize("changes", [{}, TYPED], ids=["found out", "declared"])
async def test_nothing_appears_before_the_end_and_nothing_stays_after_an_abort(changes):
    ctx = MemoryContext(collection="contacts")
    block = ParquetOutput(ParquetOutput.Config.model_validate(config(**changes)))
    await block.abort()
    await block.open(ctx)
    await block.process_batch(CONTACTS, ctx)
    assert ctx.files.written == {}
    await block.abort()
    assert ctx.files.written == {}


async def test_a_file_that_cannot_be_made_names_the_config_field():
    class Refusing(MemoryFiles):
        async def create(self, name):
            raise UsageError(f"'{name}' leaves the folder")

    with pytest.raises(NodeError, match=r"config\.path: '\.\./x' leaves the folder"):
        await write(ParquetOutput, config(path="../x"), {"a": 1}, ctx=MemoryContext(files=Refusing()))


names = st.text("abcé .", min_size=1, max_size=3)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
one_kind = st.sampled_from(
    [
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        texts,
        st.lists(texts, max_size=3),
        st.lists(st.integers(-(2**53), 2**53), max_size=3).map(list),
        st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=3, max_size=3).map(
            lambda numbers: array("f", numbers)
        ),
        st.fixed_dictionaries({"a": texts, "b": st.integers(-100, 100)}),
    ]
)


@RELAXED
@given(data=st.data(), columns=st.dictionaries(names, one_kind, min_size=1, max_size=4))
async def test_what_is_written_is_read_back(data, columns):
    row = st.fixed_dictionaries({}, optional=columns)
    records = data.draw(st.lists(row, max_size=6).filter(all))
    _, written = await write(ParquetOutput, config(), {"rows": records}, collection="rows")
    found = await read_back(written, "x.parquet")
    if all(name.strip() == name and "  " not in name for name in columns):
        assert [{**row} for row in found] == records


@pytest.mark.parametrize(
    "wrong",
    [
        {"types": {"x": "varchar"}},
        {"types": {"x": "vector(0)"}},
        {"types": {"y": "text"}, "mapping": {"x": "{{input.x}}"}},
        {"compression": "lz4"},
        {"mapping": {}},
    ],
)
def test_the_configuration_is_checked(wrong):
    with pytest.raises(ValidationError):
        ParquetOutput.Config.model_validate(config(**wrong))


def test_an_unknown_type_is_told_with_those_there_are():
    with pytest.raises(ValidationError, match="'varchar' is no type of a column; known: text, integer, number"):
        ParquetOutput.Config.model_validate(config(types={"x": "varchar"}))
