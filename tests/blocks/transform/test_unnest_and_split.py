import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lumeflow.blocks.transform.split import Split
from lumeflow.blocks.transform.unnest import Unnest
from lumeflow.testing import run_block

PEOPLE = [{"name": "Mira"}, {"name": "Tomás"}]


async def unnested(rows, **config):
    return await run_block(
        Unnest, {"operation": "unnest", "field": "people", **config}, {"rows": rows}, collection="rows"
    )


async def split(rows, **config):
    return await run_block(Split, {"operation": "split", "field": "mails", **config}, {"rows": rows}, collection="rows")


@pytest.mark.parametrize(
    ("config", "made"),
    [
        ({}, [{"id": 1, "people": PEOPLE[0]}, {"id": 1, "people": PEOPLE[1]}]),
        ({"to": "person"}, [{"id": 1, "person": PEOPLE[0]}, {"id": 1, "person": PEOPLE[1]}]),
        ({"to": "who.is"}, [{"id": 1, "who": {"is": PEOPLE[0]}}, {"id": 1, "who": {"is": PEOPLE[1]}}]),
        ({"spread": True}, [{"id": 1, "name": "Mira"}, {"id": 1, "name": "Tomás"}]),
        ({"spread": True, "numberField": "n"}, [{"id": 1, "name": "Mira", "n": 0}, {"id": 1, "name": "Tomás", "n": 1}]),
    ],
)
async def test_a_list_becomes_records(config, made):
    row = {"id": 1, "people": PEOPLE}
    before = copy.deepcopy(row)
    assert (await unnested([row], **config)).records == made
    assert row == before


async def test_items_win_over_the_record_where_they_are_spread():
    assert (await unnested([{"id": 1, "people": [{"id": 2}]}], spread=True)).records == [{"id": 2}]


async def test_one_value_is_a_list_of_one_and_blank_items_do_not_count():
    assert (await unnested([{"people": "Mira"}])).records == [{"people": "Mira"}]
    assert (await unnested([{"people": ["Mira", None, " ", [], {}, 0]}])).records == [{"people": "Mira"}, {"people": 0}]


async def test_a_list_within_an_object_is_found():
    rows = [{"company": {"name": "X", "people": PEOPLE}}]
    run = await run_block(
        Unnest, {"operation": "unnest", "field": "company.people", "to": "person"}, {"rows": rows}, collection="rows"
    )
    assert run.records == [{"company": {"name": "X"}, "person": person} for person in PEOPLE]


@pytest.mark.parametrize("nothing", [{}, {"people": []}, {"people": None}, {"people": [None, ""]}])
async def test_a_record_without_items(nothing):
    row = {"id": 1, **nothing}
    assert (await unnested([row])).records == [{"id": 1}]
    assert [left.reason for left in (await unnested([row], empty="skip")).skipped] == ["there is no value in people"]
    assert [str(failed.error) for failed in (await unnested([row], empty="error")).failed] == [
        "there is no value in people"
    ]


async def test_only_objects_can_be_spread_and_the_record_fails_as_a_whole():
    run = await unnested([{"people": [{"name": "Mira"}, "secret"]}, {"people": PEOPLE}], spread=True)
    assert [str(failed.error) for failed in run.failed] == [
        "people: item 1 must be an object to be spread, found a string"
    ]
    assert run.records == PEOPLE


async def test_a_value_that_has_no_place_fails_the_record():
    run = await unnested([{"who": 5, "people": PEOPLE}], to="who.name")
    assert str(run.failed[0].error).startswith("can't set who.name: who isn't an object")


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("a@example.com; b@example.com", ["a@example.com", "b@example.com"]),
        ("a@example.com,\n b@example.com,", ["a@example.com", "b@example.com"]),
        (["a@example.com; b@example.com", "c@example.com"], ["a@example.com", "b@example.com", "c@example.com"]),
        ("one", ["one"]),
        (5, [5]),
        (False, [False]),
    ],
)
async def test_a_text_becomes_records(value, parts):
    run = await split([{"id": 1, "mails": value}], to="mail", numberField="n")
    assert run.records == [{"id": 1, "mail": part, "n": n} for n, part in enumerate(parts)]


async def test_other_separators():
    assert (await split([{"mails": "a|b, c"}], separators=["|"])).records == [{"mails": "a"}, {"mails": "b, c"}]


async def test_an_object_cannot_be_split():
    run = await split([{"mails": {"a": "secret"}}])
    assert [str(failed.error) for failed in run.failed] == ["mails must be a string, found an object"]


@pytest.mark.parametrize("empty", ["keep", "skip", "error"])
async def test_a_text_without_parts(empty):
    run = await split([{"id": 1, "mails": " ;, "}], empty=empty)
    assert (len(run.records), len(run.skipped), len(run.failed)) == (empty == "keep", empty == "skip", empty == "error")


@pytest.mark.parametrize(("block", "name"), [(Unnest, "unnest"), (Split, "split")])
@pytest.mark.parametrize("wrong", [{}, {"field": "a[0]"}, {"field": "a", "empty": "drop"}, {"field": "a", "into": "b"}])
def test_the_configuration_is_checked(block, name, wrong):
    with pytest.raises(ValidationError):
        block.Config.model_validate({"operation": name, **wrong})


@settings(deadline=None, max_examples=100)
@given(st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=6))
async def test_unnesting_loses_nothing_and_keeps_the_order(lists):
    rows = [{"row": number, "people": items} for number, items in enumerate(lists)]
    run = await unnested(rows, to="item", empty="skip")
    assert [(made["row"], made["item"]) for made in run.records] == [
        (number, item) for number, items in enumerate(lists) for item in items
    ]
    assert len(run.skipped) == sum(not items for items in lists)
