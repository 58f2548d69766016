import pytest
from pydantic import ValidationError

from lumeflow.blocks.filter.fields import FieldFilter
from lumeflow.core.registry import Registry
from lumeflow.plugin import BlockType, ErrorClass
from lumeflow.testing import MemoryContext, run_block

MIRA = {"firstName": "Mira", "lastName": "Holt", "email": "mira.holt@example.com", "score": 9}
TOMAS = {"lastName": "Quiroga", "email": "tomas.quiroga@example.org", "score": 2}
NOBODY = {"email": "x@example.net"}
SILENT = {"firstName": "Aiko", "email": ""}
EVERYBODY = [MIRA, TOMAS, NOBODY, SILENT]

HAS_EMAIL = {"field": "email", "operator": "exists"}
HAS_NAME = {
    "operator": "or",
    "conditions": [{"field": "firstName", "operator": "exists"}, {"field": "lastName", "operator": "exists"}],
}


async def kept(conditions, **options):
    return await run_block(FieldFilter, {"conditions": conditions}, {"contacts": EVERYBODY}, **options)


@pytest.mark.parametrize(
    ("conditions", "passed"),
    [
        ([HAS_EMAIL, HAS_NAME], [MIRA, TOMAS]),
        (HAS_EMAIL, [MIRA, TOMAS, NOBODY]),
        ([], EVERYBODY),
        ({"operator": "not", "conditions": [HAS_NAME]}, [NOBODY]),
        ({"field": "score", "operator": "gte", "value": "{{variables.least}}"}, [MIRA]),
        ({"field": "score", "operator": "in", "value": ["{{variables.least}}", 2]}, [TOMAS]),
        ({"field": "email", "operator": "startsWith", "value": "{{lowercase(input.firstName)}}."}, [MIRA]),
    ],
    ids=["the plan's", "one", "none", "not", "a variable", "a variable in a list", "another field"],
)
async def test_records_that_meet_the_conditions_pass_in_order(conditions, passed):
    run = await kept(conditions, context=MemoryContext(variables={"least": 5}))
    assert run.records == passed
    assert len(run.skipped) == len(EVERYBODY) - len(passed)
    assert run.failed == []


async def test_a_record_that_is_left_out_has_a_reason_without_its_data():
    run = await kept([HAS_EMAIL, HAS_NAME])
    assert [left.position for left in run.skipped] == [2, 3]
    assert "firstName" in run.skipped[0].reason
    assert "email" in run.skipped[1].reason
    assert not any("example.net" in left.reason or "Aiko" in left.reason for left in run.skipped)


async def test_on_fail_error_makes_them_fail():
    run = await run_block(FieldFilter, {"conditions": HAS_EMAIL, "onFail": "error"}, {"contacts": EVERYBODY})
    assert run.skipped == []
    (failed,) = run.failed
    assert (failed.position, failed.error.error_class) == (3, ErrorClass.VALIDATION)
    assert "email" in str(failed.error)


async def test_a_condition_that_cannot_be_computed_fails_the_record():
    run = await kept({"field": "score", "operator": "gt", "value": "{{input.score + 'x'}}"})
    assert {failed.error.error_class for failed in run.failed} == {ErrorClass.VALIDATION}


async def test_a_payload_without_collection_is_one_record():
    assert (await run_block(FieldFilter, {"conditions": HAS_EMAIL}, MIRA)).output == MIRA
    assert (await run_block(FieldFilter, {"conditions": HAS_EMAIL}, SILENT)).output == {}


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"conditions": {"field": "email", "operator": "exits"}},
        {"conditions": HAS_EMAIL, "onFail": "drop"},
        {"conditions": HAS_EMAIL, "onfail": "skip"},
    ],
)
def test_the_configuration_is_checked(config):
    with pytest.raises(ValidationError):
        FieldFilter.Config.model_validate(config)


def test_it_is_what_a_filter_means_by_default():
    registry = Registry()
    registry.add_block(FieldFilter)
    assert registry.resolve(BlockType.FILTER, {"conditions": []}) is FieldFilter
