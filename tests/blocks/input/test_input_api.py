import pytest

from lumeflow.blocks.input.api import ApiInput
from lumeflow.plugin import ErrorClass, NodeError
from lumeflow.testing import run_block

PEOPLE = [{"name": "Mira"}, {"name": "Tomás"}]


@pytest.mark.parametrize(
    ("config", "body", "fields", "records"),
    [
        ({}, {}, {}, []),
        ({}, {"id": 7}, {"id": 7}, []),
        ({}, {"id": 7, "people": PEOPLE}, {"id": 7}, PEOPLE),
        ({}, {"a": PEOPLE, "b": PEOPLE}, {"a": PEOPLE, "b": PEOPLE}, []),
        ({"collection": "a"}, {"a": PEOPLE, "b": PEOPLE}, {"b": PEOPLE}, PEOPLE),
        ({"collection": "people"}, {"people": []}, {}, []),
    ],
)
async def test_what_the_caller_sent_is_the_payload(config, body, fields, records):
    run = await run_block(ApiInput, {"source": "api", **config}, body)
    assert (run.fields, run.records, run.output) == (fields, records, body)


async def test_the_output_schema_may_name_the_records():
    run = await run_block(ApiInput, {"source": "api"}, {"a": PEOPLE, "b": PEOPLE}, collection="b")
    assert (run.fields, run.records) == ({"a": PEOPLE}, PEOPLE)


async def test_a_named_collection_must_be_a_list_of_objects():
    with pytest.raises(NodeError, match="the input of the execution cannot be the payload: 'people' must be") as caught:
        await run_block(ApiInput, {"source": "api", "collection": "people"}, {"people": "Mira"})
    assert (caught.value.error_class, caught.value.field) == (ErrorClass.VALIDATION, "people")
    assert "Mira" not in str(caught.value)
