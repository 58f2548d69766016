import copy
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lumeflow.blocks.transform.fields import FieldsTransform
from lumeflow.core.registry import Registry
from lumeflow.plugin import BlockType, ErrorClass
from lumeflow.testing import MemoryContext, run_block

RELAXED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
MIRA = {
    "firstName": "Mira",
    "lastName": "Holt",
    "email": "Mira.Holt@Example.com",
    "company": {"name": "Example Freight", "phones": [{"raw": "+1 555 0100"}]},
    "age": 41,
}


def mapped(field, transformation):
    return {"type": "map", "field": field, "transformation": transformation}


def renamed(old, new, key="from"):
    return {"type": "rename", key: old, "to": new}


async def transform(*operations, record=MIRA, **options):
    run = await run_block(FieldsTransform, {"operations": list(operations)}, {"contacts": [record]}, **options)
    assert run.failed == []
    return run.records[0]


@pytest.mark.parametrize(
    ("operation", "field", "value"),
    [
        (mapped("name", "{{input.firstName}} {{input.lastName}}"), "name", "Mira Holt"),
        (mapped("email", "{{lowercase(input.email)}}"), "email", "mira.holt@example.com"),
        (mapped("years", "{{input.age}}"), "years", 41),
        (mapped("age", 42), "age", 42),
        (mapped("source", "import"), "source", "import"),
        (mapped("code", "007"), "code", "007"),
        (mapped("tags", ["a", "{{input.age}}"]), "tags", ["a", 41]),
        (
            mapped("company.name", "{{uppercase(input.company.name)}}"),
            "company",
            {**MIRA["company"], "name": "EXAMPLE FREIGHT"},
        ),
        (mapped("address.city", "Turin"), "address", {"city": "Turin"}),
        (mapped("phone", "{{input.company.phones[0].raw}}"), "phone", "+1 555 0100"),
    ],
)
async def test_map_sets_a_field(operation, field, value):
    assert await transform(operation) == {**MIRA, field: value}


@pytest.mark.parametrize("transformation", ["{{input.nothing}}", None, "{{if(input.age > 99, 'old', null)}}"])
async def test_a_map_to_null_takes_the_field_out(transformation):
    assert await transform(mapped("email", transformation)) == {k: v for k, v in MIRA.items() if k != "email"}
    assert await transform(mapped("never.there", transformation)) == MIRA


@pytest.mark.parametrize("key", ["from", "field"])
async def test_rename_moves_a_field(key):
    changed = await transform(renamed("lastName", "surname", key))
    assert changed == {**{k: v for k, v in MIRA.items() if k != "lastName"}, "surname": "Holt"}


@pytest.mark.parametrize(
    ("operation", "changes", "gone"),
    [
        (
            renamed("company.name", "employer"),
            {"company": {"phones": MIRA["company"]["phones"]}, "employer": "Example Freight"},
            [],
        ),
        (renamed("age", "company.size"), {"company": {**MIRA["company"], "size": 41}}, ["age"]),
        (renamed("age", "email"), {"email": 41}, ["age"]),
        (renamed("nothing", "something"), {}, []),
        (renamed("age", "age"), {}, []),
    ],
    ids=["out of an object", "into an object", "onto another field", "a missing field", "onto itself"],
)
async def test_renames_of_other_kinds(operation, changes, gone):
    assert await transform(operation) == {k: v for k, v in {**MIRA, **changes}.items() if k not in gone}


async def test_operations_are_applied_in_order():
    record = await transform(
        mapped("a", "{{input.age + 1}}"), mapped("b", "{{input.a * 2}}"), renamed("b", "a"), record={"age": 1}
    )
    assert record == {"age": 1, "a": 4}
    other_way = await transform(
        renamed("b", "a"), mapped("b", "{{input.a * 2}}"), mapped("a", "{{input.age + 1}}"), record={"age": 1}
    )
    assert other_way == {"age": 1, "a": 2}


async def test_expressions_see_more_than_the_record():
    ctx = MemoryContext(variables={"market": "IT"}, workflow_input={"id": "aud-1"}, nodes={"llm": {"model": "m"}})
    operation = mapped("from", ["{{variables.market}}", "{{workflow.input.id}}", "{{nodes['llm'].output.model}}"])
    assert (await transform(operation, record={}, context=ctx)) == {"from": ["IT", "aud-1", "m"]}


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        (mapped("age.years", 1), r"config\.operations\[1\] \(map\): can't set age.years: age isn't an object"),
        (renamed("age", "email.work"), r"config\.operations\[1\] \(rename\): can't set email.work"),
        (mapped("n", "{{input.email - 1}}"), r"config\.operations\[1\] \(map\): .*number"),
    ],
)
async def test_a_record_that_an_operation_cannot_be_applied_to_fails_alone(operation, reason):
    config = {"operations": [mapped("done", True), operation]}
    run = await run_block(FieldsTransform, config, {"contacts": [MIRA, {"age": {}, "email": {}}]})
    assert run.failed[0].position == 0
    assert run.failed[0].error.error_class is ErrorClass.VALIDATION
    assert "Mira" not in str(run.failed[0].error)
    assert re.search(reason, str(run.failed[0].error))


@pytest.mark.parametrize(
    "operations",
    [
        [],
        [{"type": "mop", "field": "a", "transformation": 1}],
        [{"type": "map", "field": "a"}],
        [{"type": "map", "field": "a[", "transformation": 1}],
        [{"type": "map", "field": "a", "transformation": "{{uppercas(input.a)}}"}],
        [{"type": "rename", "from": "a"}],
        [{"type": "rename", "from": "a", "to": "b", "too": "c"}],
        [{"field": "a", "transformation": 1}],
    ],
)
def test_the_configuration_is_checked(operations):
    with pytest.raises(ValidationError):
        FieldsTransform.Config.model_validate({"operations": operations})


def test_it_is_what_a_transform_means_by_default():
    registry = Registry()
    registry.add_block(FieldsTransform)
    assert registry.resolve(BlockType.TRANSFORM, {"operations": []}) is FieldsTransform


NAMES = st.sampled_from(["a", "b", "c", "a.b", "b.c", "a[0]", "c[0].a"])
VALUES = st.recursive(
    st.none() | st.integers(0, 9) | st.text("xyz", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)
OPERATIONS = st.builds(
    mapped, NAMES, st.sampled_from(["{{input.a}}", "{{input.b.c}}", 1, None, {"x": "{{input.c}}"}])
) | (st.builds(renamed, NAMES, NAMES))


@RELAXED
@given(st.lists(OPERATIONS, min_size=1, max_size=4), RECORDS)
async def test_a_record_is_never_changed_in_place(operations, record):
    before = copy.deepcopy(record)
    await run_block(FieldsTransform, {"operations": operations}, {"rows": [record]}, collection="rows")
    assert record == before


@RELAXED
@given(st.sampled_from("abc"), st.sampled_from("xyz"), RECORDS)
async def test_renaming_to_a_new_name_and_back_gives_the_same_record(old, new, record):
    config = {"operations": [renamed(old, new), renamed(new, old)]}
    run = await run_block(FieldsTransform, config, {"rows": [record]}, collection="rows")
    assert run.records == [record]
