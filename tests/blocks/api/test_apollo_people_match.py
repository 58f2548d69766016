"""People are looked up one by one; gaps are filled, nothing is paid for nothing."""

import orjson
import pytest
from pydantic import ValidationError

from lumeflow.blocks.api.apollo_people_match import ApolloPeopleMatch
from lumeflow.plugin import CallError, ErrorClass
from lumeflow.simulator import Simulator, SimulatorSettings
from lumeflow.testing import run_block
from tests.providers.desk import Desk, context, reply

PLAN = {
    "provider": "apollo",
    "endpoint": "/api/v1/people/match",
    "batchMode": False,
    "mapping": {"email": "{{input.email}}", "firstName": "{{input.firstName}}", "lastName": "{{input.lastName}}"},
    "fieldMapping": {
        "title": "title",
        "company": "employment_history[0].organization_name",
        "linkedin": "linkedin_url",
        "phone": "contact.phone_numbers[0].raw_number",
    },
}
LENA = {"firstName": "Lena", "lastName": "Okafor"}
PERSON = {
    "id": "p1",
    "first_name": "Lena",
    "last_name": "Okafor",
    "email": "lena.okafor@example.com",
    "title": "Head of Logistics",
    "linkedin_url": "http://www.linkedin.com/in/lena-okafor-example",
    "organization": {"name": "Example Freight", "primary_phone": {}},
    "employment_history": [{"organization_name": "Example Freight"}],
    "contact": {"phone_numbers": [{"raw_number": "+351 21 000 0000"}]},
}


def script(request):
    known = b"Okafor" in request.body or b"lena" in request.body
    return reply({"person": PERSON if known else None})


async def enrich(record, config=PLAN, **more):
    ctx = more.pop("ctx", None) or context(script, **more)
    run = await run_block(ApolloPeopleMatch, config, {"contacts": [record]}, context=ctx, collection="contacts")
    return run, ctx


async def test_a_person_who_is_known():
    run, ctx = await enrich(LENA)

    assert run.records == [
        {
            **LENA,
            "title": "Head of Logistics",
            "company": "Example Freight",
            "linkedin": "http://www.linkedin.com/in/lena-okafor-example",
            "phone": "+351 21 000 0000",
            "enriched": True,
            "enrichedAt": "2026-01-09T12:00:00.000Z",
        }
    ]
    assert run.fields["enrichmentStats"] == {
        "totalEnriched": 1,
        "successfulEnrichments": 1,
        "failedEnrichments": 0,
        "cost": 0.025,
    }
    assert orjson.loads(ctx.desk.sent[0].body) == {"first_name": "Lena", "last_name": "Okafor"}


async def test_a_person_who_is_not_known():
    run, ctx = await enrich({"firstName": "Tomas", "lastName": "Lindqvist"})

    assert run.records == [{"firstName": "Tomas", "lastName": "Lindqvist", "enriched": False}]
    assert run.fields["enrichmentStats"]["failedEnrichments"] == 1
    assert ctx.desk.charged == 0


@pytest.mark.parametrize("record", [{}, {"email": ""}, {"email": None, "firstName": " "}, {"id": "7", "name": 3}])
async def test_a_record_with_nothing_to_ask_by_is_not_paid_for(record):
    run, ctx = await enrich(record)

    assert run.records == [{**record, "enriched": False}]
    assert ctx.desk.sent == []
    assert run.fields["enrichmentStats"]["totalEnriched"] == 0


@pytest.mark.parametrize(
    ("record", "overwrite", "company", "title"),
    [
        ({}, False, "Example Freight", "Head of Logistics"),
        ({"company": "Example Rail", "title": ""}, False, "Example Rail", "Head of Logistics"),
        ({"company": None, "title": "Boss"}, False, "Example Freight", "Boss"),
        ({"company": "Example Rail", "title": "Boss"}, True, "Example Freight", "Head of Logistics"),
    ],
)
async def test_only_gaps_are_filled_unless_told_otherwise(record, overwrite, company, title):
    run, _ = await enrich({**LENA, **record}, {**PLAN, "overwrite": overwrite})

    assert (run.records[0]["company"], run.records[0]["title"]) == (company, title)


async def test_what_apollo_leaves_out_is_left_out():
    ctx = context(
        lambda request: reply({"person": {"id": "p1", "title": None, "employment_history": None, "contact": {}}})
    )

    run, _ = await enrich(LENA, ctx=ctx)

    assert run.records == [{**LENA, "enriched": True, "enrichedAt": "2026-01-09T12:00:00.000Z"}]


async def test_without_mappings_the_usual_fields_are_used():
    record = {
        "email": "lena@example.net",
        "company": "Example Freight",
        "id": "contact-7",
        "domain": "www.Example.com/x",
    }

    run, ctx = await enrich(record, {"provider": "apollo"})

    assert orjson.loads(ctx.desk.sent[0].body) == {
        "domain": "example.com",
        "email": "lena@example.net",
        "organization_name": "Example Freight",
    }
    assert {name: run.records[0][name] for name in ("title", "linkedinUrl", "phone", "email")} == {
        "title": "Head of Logistics",
        "linkedinUrl": "http://www.linkedin.com/in/lena-okafor-example",
        "phone": "+351 21 000 0000",
        "email": "lena@example.net",
    }


async def test_every_way_to_name_a_person_reaches_apollo_under_its_own_name():
    mapping = {
        "email": "a",
        "firstName": "b",
        "lastName": "c",
        "name": "{{input.firstName}} {{input.lastName}}",
        "organizationName": "e",
        "domain": "e.com",
        "linkedinUrl": "f",
        "id": "g",
    }

    _, ctx = await enrich(LENA, {"provider": "apollo", "mapping": mapping})

    assert orjson.loads(ctx.desk.sent[0].body) == {
        "email": "a",
        "first_name": "b",
        "last_name": "c",
        "name": "Lena Okafor",
        "organization_name": "e",
        "domain": "e.com",
        "linkedin_url": "f",
        "id": "g",
    }


async def test_a_condition_saves_money():
    contacts = [{**LENA, "email": "lena@example.com"}, LENA]
    ctx = context(script)
    config = {**PLAN, "condition": {"field": "email", "operator": "exists"}}

    run = await run_block(ApolloPeopleMatch, config, {"contacts": contacts}, context=ctx)

    assert len(ctx.desk.sent) == 1
    assert run.records[1] == LENA


async def test_a_limit_lets_the_rest_pass():
    ctx = context(script)

    run = await run_block(ApolloPeopleMatch, {**PLAN, "limits": 1}, {"contacts": [LENA, LENA, LENA]}, context=ctx)

    assert [record.get("enriched") for record in run.records] == [True, None, None]


async def test_a_call_that_fails_is_counted_and_fails_the_record():
    ctx = context(lambda request: reply({"error": "bad"}, 422))

    run, _ = await enrich(LENA, ctx=ctx)

    assert isinstance(run.failed[0].error, CallError)
    assert run.fields["enrichmentStats"] == {
        "totalEnriched": 1,
        "successfulEnrichments": 0,
        "failedEnrichments": 1,
        "cost": 0.0,
    }


async def test_a_bad_key_stops_the_node():
    with pytest.raises(CallError) as caught:
        await enrich(LENA, ctx=context(lambda request: reply("Invalid access credentials.", 401)))
    assert caught.value.error_class is ErrorClass.AUTH


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"mapping": {"mail": "x"}}, "unknown key 'mail'. Did you mean 'email'?"),
        ({"endpoint": "/api/v1/people/bulk_match"}, "expected '/api/v1/people/match'"),
        ({"method": "GET"}, "expected 'POST'"),
        ({"batchMode": True}, "one record at a time"),
        ({"fieldMapping": {"title": 7}}, "path"),
        ({"limits": -1}, "greater than or equal to 0"),
        ({"provider": "hunter"}, "apollo"),
    ],
)
def test_configuration_is_checked(config, told):
    with pytest.raises(ValidationError) as caught:
        ApolloPeopleMatch.Config.model_validate({**PLAN, **config})
    assert told in str(caught.value)


async def test_the_bill_agrees():
    simulator = Simulator(SimulatorSettings(latency_scale=0))
    ctx = context(desk=Desk(simulator=simulator))
    contacts = [
        {"firstName": f"Lena{number}", "lastName": "Okafor", "company": "Example Freight"} for number in range(40)
    ]
    config = {"provider": "apollo"}

    run = await run_block(ApolloPeopleMatch, config, {"contacts": contacts}, context=ctx)

    stats = run.fields["enrichmentStats"]
    assert 0 < stats["successfulEnrichments"] < stats["totalEnriched"] == 40
    assert f"{ctx.desk.charged.normalize():f}" == simulator.bill()["totals"]["charges"]["USD"]
