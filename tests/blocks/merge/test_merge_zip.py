import pytest
from hypothesis import HealthCheck, given, settings
from merge_samples import arms, whole
from pydantic import ValidationError

from lumeflow.blocks.merge.zip import ZipMerge
from lumeflow.plugin import ErrorClass, NodeError, Record
from lumeflow.testing import MemoryContext

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def stream(name, *lineages, fields=None):
    records = [Record({name: number, "by": name}, (lineage,)) for number, lineage in enumerate(lineages)]
    return whole(records, fields)


async def merge(payloads, **config):
    block = ZipMerge(ZipMerge.Config.model_validate({"strategy": "zip", **config}))
    return await block.run(payloads, MemoryContext())


async def rows(payloads, **config):
    return [record.data for record in (await merge(payloads, **config)).records]


TWO = {"x": stream("x", 4, 7), "y": stream("y", 0, 1)}
UNEQUAL = {"x": stream("x", 0, 1), "y": stream("y", 5), "z": stream("z", 0, 1, 2)}


async def test_records_at_one_position_become_one_and_later_sources_win():
    assert await rows(TWO) == [{"x": 0, "by": "y", "y": 0}, {"x": 1, "by": "y", "y": 1}]


async def test_as_object_keeps_them_apart_under_their_sources():
    assert await rows(TWO, **{"as": "object"}) == [
        {"x": {"x": 0, "by": "x"}, "y": {"y": 0, "by": "y"}},
        {"x": {"x": 1, "by": "x"}, "y": {"y": 1, "by": "y"}},
    ]


async def test_a_merged_record_has_the_lineage_of_the_first_source():
    assert [record.lineage for record in (await merge(TWO)).records] == [(4,), (7,)]


@pytest.mark.parametrize(
    ("unequal", "expected"),
    [
        ("keep", [{"x": 0, "y": 0, "z": 0, "by": "z"}, {"x": 1, "z": 1, "by": "z"}, {"z": 2, "by": "z"}]),
        ("drop", [{"x": 0, "y": 0, "z": 0, "by": "z"}]),
    ],
)
async def test_sources_of_unequal_length(unequal, expected):
    assert await rows(UNEQUAL, unequal=unequal) == expected


@pytest.mark.parametrize(("unequal", "left_out"), [("keep", []), ("drop", [(1, "x", 1), (1, "z", 1), (2, "z", 2)])])
async def test_records_that_are_dropped_are_listed(unequal, left_out):
    made = await merge(UNEQUAL, unequal=unequal)
    assert list(made.records)
    found = [(left.position, left.record.data["by"], left.record.data[left.record.data["by"]]) for left in made.skipped]
    assert found == left_out
    assert {left.skip.reason for left in made.skipped} <= {"it has no counterpart"}


async def test_sources_of_unequal_length_can_be_refused_before_anything_is_sent():
    with pytest.raises(NodeError, match="equally many records; found 'x' 2, 'y' 1, 'z' 3") as caught:
        await merge(UNEQUAL, unequal="error")
    assert caught.value.error_class is ErrorClass.VALIDATION
    assert len(await rows(TWO, unequal="error")) == 2


@pytest.mark.parametrize(
    ("shape", "with_records", "fields"),
    [
        ("merged", True, {"id": 2, "a": 1, "b": 2}),
        ("object", True, {"id": 2, "a": 1, "b": 2}),
        ("merged", False, {"id": 2, "a": 1, "b": 2}),
        ("object", False, {"x": {"id": 1, "a": 1}, "y": {"id": 2, "b": 2}}),
    ],
)
async def test_fields(shape, with_records, fields):
    name = "rows" if with_records else None
    payloads = {"x": whole([], {"id": 1, "a": 1}, name), "y": whole([], {"id": 2, "b": 2}, name)}
    made = await merge(payloads, **{"as": shape})
    assert (made.fields, made.collection) == (fields, name)


async def test_a_source_without_collection_gives_only_fields():
    made = await merge({"x": stream("x", 0), "y": whole([], {"id": 7}, None)})
    assert (made.fields, [record.data for record in made.records]) == ({"id": 7}, [{"x": 0, "by": "x"}])


@RELAXED
@given(arms())
async def test_nothing_is_lost(payloads):
    made = await merge(payloads, **{"as": "object"})
    zipped = [record.data for record in made.records]
    for name, payload in payloads.items():
        assert [row[name] for row in zipped if name in row] == [record.data for record in payload.records]
    assert len(zipped) == max(len(list(payload.records)) for payload in payloads.values())


@pytest.mark.parametrize("wrong", [{"as": "list"}, {"unequal": "skip"}, {"shape": "list"}])
def test_the_configuration_is_checked(wrong):
    with pytest.raises(ValidationError):
        ZipMerge.Config.model_validate({"strategy": "zip", **wrong})
