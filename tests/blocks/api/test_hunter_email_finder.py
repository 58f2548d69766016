"""Addresses are looked for where there is none and where there is something to look by."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from pydantic import ValidationError

from lumeflow.blocks.api.hunter_email_finder import HunterEmailFinder
from lumeflow.plugin import CallError, ErrorClass, Skip
from lumeflow.simulator import Simulator, SimulatorSettings
from lumeflow.testing import run_block
from tests.providers.desk import Desk, context, reply

PLAN = {
    "provider": "hunter",
    "endpoint": "/v2/email-finder",
    "condition": {"field": "email", "operator": "empty"},
    "mapping": {"firstName": "{{input.firstName}}", "lastName": "{{input.lastName}}", "company": "{{input.company}}"},
}
LENA = {"firstName": "Lena", "lastName": "Okafor", "company": "Example Freight"}
FOUND = {
    "email": "lena.okafor@example.com",
    "score": 93,
    "position": "Head of Logistics",
    "verification": {"date": "2026-02-03", "status": "valid"},
}


def finding(**changes):
    return lambda request: reply({"data": {**FOUND, **changes}})


async def find(record, script=None, config=PLAN):
    ctx = context(script or finding())
    run = await run_block(HunterEmailFinder, config, {"contacts": [record]}, context=ctx, collection="contacts")
    return run, ctx


def asked(ctx):
    return dict(parse_qsl(urlsplit(ctx.desk.sent[0].url).query))


async def test_an_address_that_is_found():
    run, ctx = await find(LENA)

    assert run.records == [{**LENA, "email": "lena.okafor@example.com", "emailScore": 93, "emailStatus": "valid"}]
    assert asked(ctx) == {"first_name": "Lena", "last_name": "Okafor", "company": "Example Freight"}
    assert str(ctx.desk.charged) == "0.0245"


@pytest.mark.parametrize(
    "script", [finding(email=None), lambda request: reply("{}", 404), lambda request: reply({"data": {"email": None}})]
)
async def test_an_address_that_is_not_found(script):
    run, ctx = await find(LENA, script)

    assert run.records == [LENA]
    assert ctx.desk.charged == 0


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"score": None}, {"emailStatus": "valid"}),
        ({"score": 0}, {"emailScore": 0, "emailStatus": "valid"}),
        ({"verification": None}, {"emailScore": 93}),
        ({"verification": {"status": None}}, {"emailScore": 93}),
        ({"verification": {"status": ""}}, {"emailScore": 93}),
    ],
)
async def test_what_hunter_does_not_say_is_left_out(changes, fields):
    run, _ = await find(LENA, finding(**changes))

    assert run.records == [{**LENA, "email": "lena.okafor@example.com", **fields}]


@pytest.mark.parametrize(
    "record",
    [
        {"firstName": "Lena", "company": "Example Freight"},
        {"firstName": "Lena", "lastName": "Okafor"},
        {"firstName": "Lena", "lastName": " ", "company": "Example Freight"},
        {"company": "Example Freight"},
        {},
    ],
)
async def test_a_record_that_cannot_be_looked_up_passes_unpaid(record):
    run, ctx = await find(record)

    assert run.records == [record]
    assert ctx.desk.sent == []


@pytest.mark.parametrize(
    ("record", "query"),
    [
        (
            {**LENA, "domain": "https://www.example.com/"},
            {"first_name": "Lena", "last_name": "Okafor", "domain": "example.com"},
        ),
        (
            {"fullName": "Lena Okafor", "company": "Example Freight"},
            {"full_name": "Lena Okafor", "company": "Example Freight"},
        ),
        (
            {"linkedinHandle": "http://www.linkedin.com/in/lena-okafor-example"},
            {"linkedin_handle": "lena-okafor-example"},
        ),
        (
            {"linkedinHandle": "lena", "firstName": "Lena", "lastName": "Okafor"},
            {"linkedin_handle": "lena", "first_name": "Lena", "last_name": "Okafor"},
        ),
        (
            {**LENA, "linkedinHandle": "lena"},
            {"first_name": "Lena", "last_name": "Okafor", "company": "Example Freight"},
        ),
    ],
)
async def test_the_best_of_what_is_known_is_asked_by(record, query):
    _, ctx = await find(record, config={"provider": "hunter"})

    assert asked(ctx) == query


async def test_an_address_that_is_there_is_not_paid_for_again():
    record = {**LENA, "email": "lena@example.net"}

    _, unpaid = await find(record, config={"provider": "hunter"})
    run, paid = await find(record, config={"provider": "hunter", "overwrite": True})

    assert unpaid.desk.sent == []
    assert len(paid.desk.sent) == 1
    assert run.records[0]["email"] == "lena.okafor@example.com"


async def test_more_can_be_taken_from_the_answer():
    run, _ = await find(LENA, config={**PLAN, "fieldMapping": {"title": "position", "company": "company"}})

    assert run.records[0]["title"] == "Head of Logistics"
    assert run.records[0]["company"] == "Example Freight"


async def test_a_person_who_opted_out_is_left_out_and_forgotten():
    ctx = context(lambda request: reply({"errors": [{"id": "claimed_email", "code": 451}]}, 451))
    block = HunterEmailFinder(HunterEmailFinder.Config.model_validate(PLAN))

    outcome = await block.process(LENA, ctx.at(LENA, 0, {}, "contacts"))

    assert outcome == Skip("the person has asked not to have their data processed", forget=True)
    assert ctx.desk.charged == 0


async def test_a_used_up_plan_stops_the_node():
    with pytest.raises(CallError) as caught:
        await find(LENA, lambda request: reply({"errors": [{"id": "too_many_requests", "code": 429}]}, 429))
    assert caught.value.error_class is ErrorClass.QUOTA


async def test_a_limit_lets_the_rest_pass():
    ctx = context(finding())

    run = await run_block(HunterEmailFinder, {**PLAN, "limits": 1}, {"contacts": [LENA, LENA]}, context=ctx)

    assert ["email" in record for record in run.records] == [True, False]


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"mapping": {"organisation": "x"}}, "mapping has the unknown key 'organisation'"),
        ({"endpoint": "/v2/email-verifier"}, "expected '/v2/email-finder'"),
        ({"method": "post"}, "expected 'GET'"),
    ],
)
def test_configuration_is_checked(config, told):
    with pytest.raises(ValidationError) as caught:
        HunterEmailFinder.Config.model_validate({**PLAN, **config})
    assert told in str(caught.value)


async def test_the_bill_agrees():
    simulator = Simulator(SimulatorSettings(latency_scale=0, limits={"hunter": []}))
    ctx = context(desk=Desk(simulator=simulator))
    contacts = [{**LENA, "firstName": f"Lena{number}"} for number in range(60)]

    run = await run_block(HunterEmailFinder, PLAN, {"contacts": contacts}, context=ctx)

    found = [record for record in run.records if "email" in record]
    assert 0 < len(found) < 60
    assert f"{ctx.desk.charged.normalize():f}" == simulator.bill()["totals"]["charges"]["USD"]
