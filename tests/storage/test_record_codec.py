"""Kept records survive storage unchanged, whatever they hold."""

from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumeflow.core.errors import StorageError
from lumeflow.core.journal import KeptRecord, RecordKind
from lumeflow.storage.record_codec import RUN_BYTES, RUN_RECORDS, decode_run, encode_runs, estimated_bytes
from tests.storage.build import record

TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ["float32.0:", "float32.0:0+1", '"float32.0:', "float32.1:0+2", "\\", "\0"]
)
FLOATS = st.lists(st.floats(width=32), max_size=5).map(lambda numbers: array("f", numbers))
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS | TEXT | FLOATS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
RECORDS = st.builds(
    KeptRecord,
    node_id=st.just("n"),
    kind=st.just(RecordKind.FAILED),
    position=st.integers(0, 2**40),
    lineage=st.lists(st.integers(0, 2**40), max_size=4).map(tuple),
    data=st.dictionaries(TEXT, VALUES, max_size=5),
    error_class=st.none() | st.just("TIMEOUT"),
    reason=st.none() | TEXT,
)


def comparable(value):
    """Equal only if type and bits are: arrays by their bytes, floats by their text, keys in their order."""
    if isinstance(value, array):
        return ("array", value.typecode, value.tobytes())
    if isinstance(value, dict):
        return [(name, comparable(item)) for name, item in value.items()]
    if isinstance(value, list):
        return ["list", *map(comparable, value)]
    return (type(value), repr(value))


def stored(records):
    return [
        one
        for run in encode_runs(records)
        for one in decode_run(run.text, run.mark, run.floats, records[0].node_id, records[0].kind)
    ]


@settings(max_examples=300, deadline=None)
@given(st.lists(RECORDS, min_size=1, max_size=6))
def test_records_come_back_unchanged_in_order(records):
    expected = sorted(records, key=lambda one: (one.position, one.lineage))
    found = stored(records)
    assert [(one.position, one.lineage, one.error_class, one.reason) for one in found] == [
        (one.position, one.lineage, one.error_class, one.reason) for one in expected
    ]
    assert [comparable(one.data) for one in found] == [comparable(one.data) for one in expected]


def test_runs_say_what_they_span():
    runs = list(encode_runs([record(n) for n in (5, 3, 900, 4)]))
    assert [(run.first, run.last, run.count, run.mark, run.floats) for run in runs] == [(3, 900, 4, None, None)]


def test_long_runs_are_split():
    many = list(encode_runs([record(n) for n in range(RUN_RECORDS * 2 + 1)]))
    assert [run.count for run in many] == [RUN_RECORDS, RUN_RECORDS, 1]


def test_heavy_runs_are_split_until_they_are_light_or_single():
    heavy = [record(n, text="x" * 300_000) for n in range(8)] + [record(9, text="x" * (2 * RUN_BYTES))]
    runs = list(encode_runs(heavy))
    assert sum(run.count for run in runs) == 9
    assert all(len(run.text) <= RUN_BYTES or run.count == 1 for run in runs)


@pytest.mark.parametrize("bad", [{1, 2}, array("d", [1.0]), 2**70, "\ud800", {1: 2}])
def test_what_is_not_json_is_named_by_node_and_position(bad):
    records = [record(n) for n in range(300)]
    records[123] = record(123, value=bad)
    with pytest.raises(
        StorageError, match="node 'alpha': the output record at position 123 cannot be stored: "
    ) as caught:
        list(encode_runs(records))
    if isinstance(bad, array):
        assert "use array('f')" in str(caught.value)


def test_the_estimate_follows_the_size():
    small, large = [record(1)], [record(1, embedding=array("f", bytes(4096)))]
    assert estimated_bytes(large) - estimated_bytes(small) > 4000
    assert estimated_bytes(large * 10) == 10 * estimated_bytes(large)
    assert estimated_bytes([]) == 0
