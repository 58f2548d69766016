import pytest
from pydantic import ValidationError

from lumeflow.blocks.input.static import StaticInput
from lumeflow.plugin import ErrorClass, NodeError
from lumeflow.testing import MemoryContext, run_block

PEOPLE = [{"name": "Mira"}, {"name": "Tomás"}]


@pytest.mark.parametrize(
    ("config", "fields", "collection"),
    [
        ({"data": {"campaign": "spring", "people": PEOPLE}}, {"campaign": "spring"}, "people"),
        ({"data": PEOPLE}, {}, "records"),
        ({"data": PEOPLE, "collection": "contacts"}, {}, "contacts"),
        ({"data": {"a": PEOPLE, "b": PEOPLE}, "collection": "b"}, {"a": PEOPLE}, "b"),
    ],
    ids=["an object", "a bare list", "a named list", "the named one of two"],
)
async def test_the_data_become_the_payload(config, fields, collection):
    run = await run_block(StaticInput, {"source": "static", **config})
    assert run.output == {**fields, collection: PEOPLE}
    assert (run.fields, run.records) == (fields, PEOPLE)


async def test_an_object_without_records_is_only_fields():
    run = await run_block(StaticInput, {"source": "static", "data": {"id": "aud-1", "urls": ["https://example.com"]}})
    assert run.output == {"id": "aud-1", "urls": ["https://example.com"]}
    assert run.records == []


async def test_an_empty_list_is_an_empty_collection():
    assert (await run_block(StaticInput, {"source": "static", "data": []})).output == {"records": []}


async def test_the_output_schema_may_name_the_records():
    run = await run_block(StaticInput, {"source": "static", "data": PEOPLE}, collection="contacts")
    assert run.output == {"contacts": PEOPLE}


async def test_expressions_see_the_executions_input_and_variables():
    config = {"source": "static", "data": {"id": "{{trigger.id}}", "top": "{{variables.top}}"}}
    run = await run_block(StaticInput, config, {"id": 7}, context=MemoryContext(variables={"top": [1, 2]}))
    assert run.output == {"id": 7, "top": [1, 2]}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            "{{trigger.nothing}}",
            "config.data cannot be the payload: it must be an object or a list of objects; found null",
        ),
        ("text", "found a string"),
        ([1], "'data' must be a list of objects; element 0 is a number"),
    ],
)
async def test_other_data_are_refused(data, message):
    with pytest.raises(NodeError, match=message) as caught:
        await run_block(StaticInput, {"source": "static", "data": data})
    assert (caught.value.error_class, caught.value.field) == (ErrorClass.VALIDATION, "data")


@pytest.mark.parametrize("config", [{"source": "static"}, {"source": "static", "data": "{{nope(1)}}"}, {"data": {}}])
def test_the_configuration_is_checked(config):
    with pytest.raises(ValidationError):
        StaticInput.Config.model_validate(config)
