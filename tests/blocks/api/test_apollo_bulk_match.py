"""People are looked up ten at a time, and told apart by who they are."""

from decimal import Decimal

import orjson
import pytest
from pydantic import ValidationError

from lumeflow.blocks.api.apollo_bulk_match import ApolloBulkMatch
from lumeflow.blocks.api.apollo_people_match import ApolloPeopleMatch
from lumeflow.core.block import BlockType
from lumeflow.plugin import CallError, ErrorClass
from lumeflow.plugins import load_registry
from lumeflow.simulator import Simulator, SimulatorSettings
from lumeflow.simulator.faults import FaultKind
from lumeflow.testing import run_block
from tests.providers.desk import Desk, context, reply

CONFIG = {
    "provider": "apollo",
    "batchMode": True,
    "mapping": {"email": "{{input.email}}", "firstName": "{{input.firstName}}", "lastName": "{{input.lastName}}"},
    "fieldMapping": {"title": "title", "apolloId": "id"},
}
ENRICHED = {"enriched": True, "enrichedAt": "2026-01-09T12:00:00.000Z"}


def contact(number):
    return {"email": f"lena{number}@example.com"}


def known(request):
    """Answers in reverse order, leaves out people with an odd number and charges a credit for each of the others."""
    details = orjson.loads(request.body)["details"]
    emails = [detail["email"] for detail in details]
    found = [email for email in emails if int(email[4:-12]) % 2 == 0]
    matches = [{"id": f"p-{email}", "email": email, "title": "Buyer"} for email in reversed(found)]
    return reply({"status": "success", "matches": matches, "credits_consumed": len(matches)})


async def enrich(contacts, script=known, config=CONFIG, **more):
    ctx = more.pop("ctx", None) or context(script, **more)
    run = await run_block(ApolloBulkMatch, config, {"contacts": contacts}, context=ctx, collection="contacts")
    return run, ctx


async def test_each_record_gets_its_own_person():
    run, ctx = await enrich([contact(number) for number in range(25)])

    assert [record.get("apolloId") for record in run.records] == [
        None if number % 2 else f"p-lena{number}@example.com" for number in range(25)
    ]
    assert run.records[0] == {**contact(0), "title": "Buyer", "apolloId": "p-lena0@example.com", **ENRICHED}
    assert run.records[1] == {**contact(1), "enriched": False}
    assert [len(orjson.loads(request.body)["details"]) for request in ctx.desk.sent] == [10, 10, 5]
    assert run.fields["enrichmentStats"] == {
        "totalEnriched": 25,
        "successfulEnrichments": 13,
        "failedEnrichments": 12,
        "cost": 0.325,
    }
    assert ctx.desk.charged == Decimal("0.325")


async def test_a_person_is_asked_for_once_in_a_call():
    run, ctx = await enrich([contact(2), {}, contact(2), contact(4)])

    assert orjson.loads(ctx.desk.sent[0].body) == {"details": [contact(2), contact(4)]}
    assert [record["enriched"] for record in run.records] == [True, False, True, True]
    assert run.fields["enrichmentStats"]["totalEnriched"] == 3


async def test_records_with_nothing_to_ask_by_make_no_call():
    run, ctx = await enrich([{}, {"email": " "}])

    assert run.records == [{"enriched": False}, {"email": " ", "enriched": False}]
    assert ctx.calls == []


async def test_a_person_who_fits_nobody_is_left_out_and_told():
    stranger = {"id": "p9", "email": "somebody@example.org", "title": "Boss"}

    run, ctx = await enrich([contact(2)], lambda request: reply({"matches": [stranger], "credits_consumed": 1}))

    assert run.records == [{**contact(2), "enriched": False}]
    assert ctx.warnings == ["Apollo sent 1 people who fit none of those that were asked for"]
    assert ctx.desk.charged == Decimal("0.025")


async def test_conditions_and_limits_save_money_and_fill_batches():
    contacts = [{**contact(number), "skip": number < 5} for number in range(20)]
    condition = {"field": "skip", "operator": "equals", "value": False}

    run, ctx = await enrich(contacts, config={**CONFIG, "condition": condition, "limits": 17})

    assert [len(orjson.loads(request.body)["details"]) for request in ctx.desk.sent] == [10, 2]
    assert [number for number, record in enumerate(run.records) if "enriched" in record] == list(range(5, 17))


async def test_a_refused_call_fails_its_records_alone():
    def script(request):
        refused = b"lena3@" in request.body
        return reply({"status": "failed", "error_code": "RECORD_LIMIT_EXCEEDED"}, 400) if refused else known(request)

    run, _ = await enrich([contact(number) for number in range(20)], script)

    assert [failed.position for failed in run.failed] == list(range(10))
    assert all(isinstance(failed.error, CallError) for failed in run.failed)
    assert len(run.records) == 10


async def test_used_up_credits_stop_the_node():
    with pytest.raises(CallError) as caught:
        await enrich([contact(1)], lambda request: reply({"error": "You have insufficient credits"}, 422))
    assert caught.value.error_class is ErrorClass.QUOTA


@pytest.mark.parametrize(
    ("config", "block"),
    [
        ({"batchMode": True}, ApolloBulkMatch),
        ({"endpoint": "/api/v1/people/bulk_match"}, ApolloBulkMatch),
        ({"endpoint": "/people/bulk_match", "batchMode": True}, ApolloBulkMatch),
        ({"batchMode": False}, ApolloPeopleMatch),
        ({"endpoint": "/api/v1/people/match", "batchMode": False}, ApolloPeopleMatch),
        ({}, ApolloPeopleMatch),
    ],
)
def test_which_block_is_meant(config, block):
    registry, _ = load_registry()

    assert registry.resolve(BlockType.API, {"provider": "apollo", **config}) is block


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"mapping": {"mail": "x"}}, "unknown key 'mail'. Did you mean 'email'?"),
        ({"endpoint": "/api/v1/people/match"}, "expected '/api/v1/people/bulk_match'"),
        ({"batchSize": 11}, "less than or equal to 10"),
        ({"batchMode": False}, "people one by one"),
    ],
)
def test_configuration_is_checked(config, told):
    with pytest.raises(ValidationError) as caught:
        ApolloBulkMatch.Config.model_validate({**CONFIG, **config})
    assert told in str(caught.value)


@pytest.mark.parametrize("fault_rate", [0.0, 1.0])
async def test_the_bill_agrees_in_any_order_of_the_answers(fault_rate):
    settings = SimulatorSettings(latency_scale=0, fault_rate=fault_rate, fault_kinds=(FaultKind.ODD_SHAPE,))
    simulator = Simulator(settings)
    contacts = [
        {"firstName": "Lena", "lastName": f"Okafor{number}", "company": "Example Freight"} for number in range(40)
    ]
    contacts += [{"email": f"tomas.lindqvist{number}@example.org"} for number in range(20)]
    contacts += [{"linkedinUrl": f"https://www.linkedin.com/in/aiko-{number}/"} for number in range(20)]
    contacts += [{"firstName": "Mira", "lastName": f"Holt{number}", "domain": "example.com"} for number in range(20)]
    config = {"provider": "apollo", "batchMode": True}

    run, ctx = await enrich(contacts, config=config, ctx=context(desk=Desk(simulator=simulator)))

    single = await run_block(
        ApolloPeopleMatch, {"provider": "apollo"}, {"contacts": contacts}, context=context(desk=Desk())
    )
    assert run.records == single.records
    bill = simulator.bill()
    assert f"{ctx.desk.charged.normalize():f}" == bill["totals"]["charges"]["USD"]
    assert bill["providers"]["apollo"]["operations"]["apollo/people-bulk-match"]["calls"] == 10
    odd = {name.rpartition(".")[2] for name in bill["totals"]["faults"]}
    assert odd == ({"reordered", "misses_dropped", "reordered_and_dropped"} if fault_rate else set())
