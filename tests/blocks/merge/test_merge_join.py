from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from merge_samples import whole
from pydantic import ValidationError

from lumeflow.blocks.merge.join import JoinMerge
from lumeflow.kit.join_index import JoinIndex
from lumeflow.plugin import Record
from lumeflow.testing import MemoryContext, run_block

CONTACTS = [
    {"name": "Mira", "domain": "freight.example.com"},
    {"name": "Tomás", "domain": " Foods.example.com"},
    {"name": "Aiko", "domain": ""},
    {"name": "Zoë", "domain": "films.example.com"},
]
COMPANIES = [
    {"domain": "foods.example.com", "size": 40},
    {"domain": "freight.example.com", "size": 7},
    {"domain": "freight.example.com", "size": 8},
    {"domain": "nobody.example.com", "size": 1},
    {"size": 2},
]


async def joined(left=CONTACTS, right=COMPANIES, **config):
    config = {"strategy": "join", "sources": ["a", "b"], "keys": ["domain"], **config}
    payload = {"a": {"people": left}} | ({"b": {"people": right}} if right is not None else {})
    return await run_block(JoinMerge, config, payload, collection="people")


def pairs(records):
    return [(record.get("name"), record.get("size")) for record in records]


MATCHED = [("Mira", 7), ("Mira", 8), ("Tomás", 40)]
ALL_LEFT = [*MATCHED, ("Aiko", None), ("Zoë", None)]


@pytest.mark.parametrize(
    ("how", "expected"),
    [("inner", MATCHED), ("left", ALL_LEFT), ("outer", [*ALL_LEFT, (None, 1), (None, 2)])],
)
async def test_the_kinds_of_join_in_the_order_of_the_first_source(how, expected):
    assert pairs((await joined(how=how)).records) == expected


async def test_an_inner_join_lists_what_it_leaves_out():
    assert [(left.position, left.reason) for left in (await joined(how="inner")).skipped] == [
        (2, "it has no counterpart"),
        (3, "it has no counterpart"),
    ]
    assert (await joined(how="left")).skipped == []


async def test_the_first_of_several_counterparts_is_enough_if_wanted():
    run = await joined(how="outer", several="first")
    assert pairs(run.records) == [("Mira", 7), *ALL_LEFT[2:], (None, 8), (None, 1), (None, 2)]


@pytest.mark.parametrize(
    ("options", "made"),
    [
        ({}, {"name": "Tomás", "domain": "foods.example.com", "size": 40}),
        ({"prefer": "first"}, {"domain": " Foods.example.com", "size": 40, "name": "Tomás"}),
        (
            {"prefix": "company_"},
            {
                "name": "Tomás",
                "domain": " Foods.example.com",
                "company_domain": "foods.example.com",
                "company_size": 40,
            },
        ),
        ({"as": "object"}, {"a": CONTACTS[1], "b": COMPANIES[0]}),
    ],
)
async def test_fields_of_one_name(options, made):
    assert (await joined(how="inner", **options)).records[2] == made


async def test_as_object_leaves_out_who_is_not_there():
    run = await joined(how="outer", **{"as": "object"})
    assert run.records[3] == {"a": CONTACTS[2]}
    assert run.records[-1] == {"b": COMPANIES[-1]}


async def test_keys_are_expressions_of_each_side():
    left = [{"email": "mira@Example.com", "id": 7}, {"email": "tomas@example.org", "id": 8}]
    right = [{"site": "https://www.example.com/x", "ref": "7", "ok": True}, {"site": "example.org", "ref": "9"}]
    keys = [
        {"left": "{{emailDomain(input.email)}}", "right": "{{domain(input.site)}}"},
        {"left": "{{input.id}}", "right": "{{input.ref}}"},
    ]
    run = await joined(left, right, keys=keys, how="inner")
    assert [record["ok"] for record in run.records] == [True]


async def test_capitals_count_if_wanted():
    assert pairs((await joined(how="inner", matchCase=True)).records) == MATCHED[:2]


async def test_a_key_that_cannot_be_computed_is_none_and_counted():
    ctx = MemoryContext()
    block = JoinMerge(
        JoinMerge.Config.model_validate(
            {"strategy": "join", "sources": ["a", "b"], "keys": [{"left": "{{input.n - 1}}", "right": "{{input.n}}"}]}
        )
    )
    left = whole([Record({"n": "x", "l": 1}, (0,)), Record({"n": 3, "l": 2}, (1,))])
    right = whole([Record({"n": 2, "r": 1}, (0,))])
    made = await block.run({"a": left, "b": right}, ctx)
    assert [record.data for record in made.records] == [{"n": "x", "l": 1}, {"n": 2, "l": 2, "r": 1}]
    await block.close(ctx)
    assert ctx.warnings == ["keys: those of 1 records could not be computed"]


@pytest.mark.parametrize(("how", "count"), [("inner", 0), ("left", 4), ("outer", 4)])
async def test_a_skipped_source_has_no_counterparts(how, count):
    assert len((await joined(right=None, how=how)).records) == count


async def test_fields_beside_the_records_are_merged():
    payload = {"a": {"people": CONTACTS, "metadata": {"x": 1}}, "b": {"people": COMPANIES, "metadata": {"y": 2}}}
    config = {"strategy": "join", "sources": ["b", "a"], "keys": ["domain"]}
    run = await run_block(JoinMerge, config, payload, collection="people")
    assert run.output["metadata"] == {"x": 1, "y": 2}
    assert pairs(run.records)[0] == ("Tomás", 40)


async def test_records_keep_a_lineage_of_their_own():
    config = {"strategy": "join", "sources": ["a", "b"], "keys": ["k"], "how": "outer"}
    block = JoinMerge(JoinMerge.Config.model_validate(config))
    left = whole([Record({"k": 1}, (0, 0)), Record({"k": 2}, (0, 1))])
    right = whole([Record({"k": 1}, (1, 0)), Record({"k": 1}, (1, 1)), Record({"k": 3}, (1, 2))])
    made = await block.run({"a": left, "b": right}, MemoryContext())
    assert [record.lineage for record in made.records] == [(0, 0, 0), (0, 0, 1), (0, 1), (1, 2)]


KEYED = st.lists(st.tuples(st.sampled_from([None, "", "a", "b", "c"]), st.integers(0, 9)), max_size=12)


@settings(deadline=None, max_examples=80)
@given(KEYED, KEYED, st.sampled_from([0, 3, 100]))
def test_on_disk_as_in_memory_every_pair_is_found(left, right, in_memory):
    index = JoinIndex(in_memory)
    for ordinal, (key, value) in enumerate(right):
        index.add(key.encode() if key else None, Record({"value": value}, (ordinal,)))
    for _ in range(2):
        index.forget_matches()
        found = [
            (place, record.lineage[0])
            for place, (key, _) in enumerate(left)
            if key
            for record in index.matches(key.encode())
        ]
        expected = [
            (a, b) for a, b in product(range(len(left)), range(len(right))) if left[a][0] and left[a][0] == right[b][0]
        ]
        assert found == expected
        rest = [record.lineage[0] for record in index.unmatched()]
        assert rest == sorted(set(range(len(right))) - {r for _, r in expected})
    index.close()


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"sources": ["a"]}, "two different sources"),
        ({"sources": ["a", "a"]}, "two different sources"),
        ({"sources": ["a", "b", "c"]}, "two different sources"),
        ({"keys": []}, "at least 1"),
        ({"keys": [{"field": "x", "left": "{{input.y}}"}]}, "'field', or 'left' and 'right'"),
        ({"keys": [{"left": "{{input.y}}"}]}, "'field', or 'left' and 'right'"),
        ({"keys": [{"left": "y", "right": "{{input.y}}"}]}, "is an expression"),
        ({"how": "right"}, "inner"),
        ({"as": "object", "prefix": "x_"}, "for 'as' 'merged'"),
    ],
)
def test_the_configuration_is_checked(wrong, reason):
    with pytest.raises(ValidationError, match=reason):
        JoinMerge.Config.model_validate({"strategy": "join", "sources": ["a", "b"], "keys": ["k"], **wrong})
