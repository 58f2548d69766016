import copy

import pytest
from hypothesis import HealthCheck, given, settings
from merge_samples import arms, whole
from pydantic import ValidationError

from lumeflow.blocks.merge.deep import DeepMerge
from lumeflow.plugin import Record
from lumeflow.testing import MemoryContext, run_block

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


async def merge(payloads, **config):
    block = DeepMerge(DeepMerge.Config.model_validate({"strategy": "deepMerge", **config}))
    ctx = MemoryContext()
    return await block.run(payloads, ctx), ctx


async def test_records_of_one_origin_become_one_and_later_sources_win():
    enrich = [
        Record({"name": "Mira", "company": {"name": "Example Freight", "tags": [1, 2]}}, (0,)),
        Record({"name": "Tomás", "email": "t@example.org"}, (1,)),
    ]
    score = [
        Record({"name": "Mira H.", "company": {"size": 40, "tags": [3]}, "score": 0.8}, (0,)),
        Record({"score": 0.1, "email": None}, (1,)),
    ]
    made, _ = await merge({"enrich": whole(enrich), "score": whole(score)})
    assert [record.data for record in made.records] == [
        {"name": "Mira H.", "company": {"name": "Example Freight", "tags": [3], "size": 40}, "score": 0.8},
        {"name": "Tomás", "email": None, "score": 0.1},
    ]


async def test_a_record_without_counterpart_is_kept_in_its_place():
    left = [Record({"l": number}, (number,)) for number in (0, 2, 5)]
    right = [Record({"r": number}, (number,)) for number in (1, 2, 3)]
    made, _ = await merge({"left": whole(left), "right": whole(right)})
    assert [(record.lineage, record.data) for record in made.records] == [
        ((0,), {"l": 0}),
        ((1,), {"r": 1}),
        ((2,), {"l": 2, "r": 2}),
        ((3,), {"r": 3}),
        ((5,), {"l": 5}),
    ]


async def test_records_made_from_one_record_are_told_apart():
    left = [Record({"l": "0.0"}, (0, 0)), Record({"l": "0.1"}, (0, 1)), Record({"l": "1.0"}, (1, 0))]
    right = [Record({"r": "0.1"}, (0, 1)), Record({"r": "1.0"}, (1, 0))]
    made, _ = await merge({"left": whole(left), "right": whole(right)})
    assert [record.data for record in made.records] == [
        {"l": "0.0"},
        {"l": "0.1", "r": "0.1"},
        {"l": "1.0", "r": "1.0"},
    ]


@pytest.mark.parametrize("lineages", [[(5,), (3,), (9,)], [(1,), (1,), (2,)]], ids=["unordered", "doubled"])
async def test_where_origins_are_not_in_order_positions_pair(lineages):
    left = [Record({"l": ordinal}, lineage) for ordinal, lineage in enumerate(lineages)]
    right = [Record({"r": ordinal}, (ordinal,)) for ordinal in range(2)]
    made, _ = await merge({"left": whole(left), "right": whole(right)})
    assert [record.data for record in made.records] == [{"l": 0, "r": 0}, {"l": 1, "r": 1}, {"l": 2}]
    assert [record.lineage for record in made.records] == lineages


async def test_fields_are_merged_as_records_are():
    made, _ = await merge(
        {
            "a": whole([], {"metadata": {"model": "m", "cost": 1}, "id": 1}),
            "b": whole([], {"metadata": {"cost": 2}}),
            "c": whole([], {"only": True}, collection=None),
        }
    )
    assert made.fields == {"metadata": {"model": "m", "cost": 2}, "id": 1, "only": True}


@pytest.mark.parametrize(
    ("collections", "config", "name"),
    [
        (["contacts", "people"], {}, "contacts"),
        ([None, "people"], {}, "people"),
        (["contacts", "people"], {"collection": "all"}, "all"),
        ([None, None], {}, None),
        ([None, None], {"collection": "all"}, None),
    ],
)
async def test_the_name_of_the_merged_collection(collections, config, name):
    payloads = {str(number): whole([], {}, collection) for number, collection in enumerate(collections)}
    assert (await merge(payloads, **config))[0].collection == name


async def test_a_source_that_sent_no_records_does_not_put_an_empty_list_beside_them():
    made, ctx = await merge({"a": whole([Record({"n": 1}, (0,))]), "b": whole([], {"rows": []}, None)})
    assert made.fields == {}
    assert ctx.warnings == []
    made, ctx = await merge({"a": whole([Record({"n": 1}, (0,))]), "b": whole([], {"rows": [1]}, None)})
    assert made.fields == {}
    assert "'rows'" in ctx.warnings[0]


async def test_payloads_of_skipped_nodes_are_simply_not_there():
    made, _ = await merge({"b": whole([Record({"n": 1}, (0,))], {"f": 1})}, sources=["a", "b"])
    assert (made.fields, [record.data for record in made.records]) == ({"f": 1}, [{"n": 1}])
    made, _ = await merge({})
    assert (made.fields, made.collection, list(made.records)) == ({}, None, [])


@RELAXED
@given(arms())
async def test_nothing_is_lost_nothing_is_doubled_and_the_order_is_that_of_the_origin(payloads):
    made, _ = await merge(payloads)
    merged = list(made.records)
    given = {(name, record.data["origin"]) for name, payload in payloads.items() for record in payload.records}
    found = {(name, record.data["origin"]) for record in merged for name in payloads if name in record.data}
    assert found == given
    assert {(name, record.data["origin"]) for record in merged for name in record.data["nest"]} == given
    origins = [record.data["origin"] for record in merged]
    assert origins == sorted(set(origins))
    assert [record.lineage for record in merged] == [(origin,) for origin in origins]


@RELAXED
@given(arms())
async def test_the_last_source_that_has_a_record_wins(payloads):
    made, _ = await merge(payloads)
    for record in made.records:
        assert record.data["last"] == [name for name in payloads if name in record.data][-1]


@RELAXED
@given(arms())
async def test_sources_are_not_changed_and_can_be_read_again(payloads):
    before = {name: copy.deepcopy(list(payload.records)) for name, payload in payloads.items()}
    made, _ = await merge(payloads)
    assert list(made.records) == list(made.records)
    assert {name: list(payload.records) for name, payload in payloads.items()} == before


async def test_sources_are_merged_in_the_order_that_the_configuration_gives():
    payloads = {"a": {"rows": [{"by": "a"}]}, "b": {"rows": [{"by": "b"}]}}
    for sources, winner in ((["a", "b"], "b"), (["b", "a"], "a"), ([], "b")):
        run = await run_block(DeepMerge, {"strategy": "deepMerge", "sources": sources}, payloads)
        assert run.output == {"rows": [{"by": winner}]}


def test_the_configuration_is_checked():
    with pytest.raises(ValidationError):
        DeepMerge.Config.model_validate({"strategy": "deepMerge", "unequal": "keep"})
