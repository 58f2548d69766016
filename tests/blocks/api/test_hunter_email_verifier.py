"""Addresses are verified to the end: what is unfinished is asked for again, what is odd becomes `unknown`."""

import asyncio
from collections import Counter
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from lumeflow import ExecutionContext
from lumeflow.blocks.api.hunter_email_verifier import HunterEmailVerifier
from lumeflow.plugin import CallError, ErrorClass, RecordError
from lumeflow.simulator import Simulator, SimulatorSettings
from lumeflow.testing import run_block
from tests.providers.desk import Desk, context, reply

CONFIG = {"provider": "hunter", "endpoint": "/v2/email-verifier", "recheckAfter": 0}
LENA = {"firstName": "Lena", "email": "lena.okafor@example.com"}
VALID = reply({"data": {"status": "valid", "score": 95, "mx_records": True, "email": LENA["email"]}})
PENDING, ODD = reply(b"", 202), reply(b"{}", 222)


async def verify(records, script, config=CONFIG, **more):
    ctx = context(script, **more)
    payload = {"contacts": records if isinstance(records, list) else [records]}
    return await run_block(HunterEmailVerifier, config, payload, context=ctx, collection="contacts"), ctx


async def test_a_valid_address():
    run, ctx = await verify(LENA, [VALID])

    assert run.records == [{**LENA, "emailStatus": "valid", "emailScore": 95}]
    assert ctx.desk.charged == Decimal("0.01225")


async def test_a_verdict_replaces_that_of_an_earlier_step_and_takes_along_what_is_wanted():
    record = {**LENA, "emailStatus": "unknown", "emailScore": 20, "mx": None, "domainOk": "kept"}
    config = {**CONFIG, "fieldMapping": {"mx": "mx_records", "domainOk": "mx_records", "gone": "nothing.here"}}

    run, _ = await verify(record, [VALID], config)

    assert run.records == [{**record, "emailStatus": "valid", "emailScore": 95, "mx": True}]


async def test_what_is_pending_is_the_same_call_again_later():
    run, ctx = await verify(LENA, [PENDING, reply("{}", 202), reply({"data": {"status": None}}, 202), VALID])

    assert run.records[0]["emailStatus"] == "valid"
    assert [params for _, params in ctx.calls] == [{"email": LENA["email"]}] * 4
    assert len({request.url for request in ctx.desk.sent}) == 1
    assert ctx.desk.charged == Decimal("0.01225")


async def test_what_never_ends_fails_its_record():
    run, ctx = await verify(LENA, [PENDING] * 3, {**CONFIG, "recheckPending": 2})

    (failed,) = run.failed
    assert isinstance(failed.error, RecordError)
    assert failed.error.error_class is ErrorClass.TIMEOUT
    assert (len(ctx.desk.sent), ctx.desk.charged) == (3, 0)


@pytest.mark.parametrize(
    ("answers", "status", "calls"),
    [([ODD, ODD, ODD], "unknown", 3), ([ODD, VALID], "valid", 2), ([ODD, PENDING, ODD, VALID], "valid", 4)],
)
async def test_an_odd_mail_server_is_asked_a_few_times(answers, status, calls):
    run, ctx = await verify(LENA, answers)

    assert run.records[0]["emailStatus"] == status
    assert len(ctx.desk.sent) == calls
    assert len({request.url for request in ctx.desk.sent}) == 1


async def test_a_resume_finds_every_answer_and_does_not_wait():
    _, ctx = await verify(LENA, [ODD, ODD, ODD])
    ctx.desk.script = None

    again = await asyncio.wait_for(
        run_block(HunterEmailVerifier, {**CONFIG, "recheckAfter": 60}, {"contacts": [LENA]}, context=ctx), 5
    )

    assert again.records == [{**LENA, "emailStatus": "unknown"}]
    assert len(ctx.desk.sent) == 3


async def test_demo_answers_need_no_time():
    answers = [PENDING, VALID]

    run, _ = await asyncio.wait_for(verify(LENA, answers, {**CONFIG, "recheckAfter": 60}, demo=True), 5)

    assert run.records[0]["emailStatus"] == "valid"


@pytest.mark.parametrize("record", [{}, {"email": ""}, {"email": None}, {"email": " "}, {"email": ["x@example.com"]}])
async def test_a_record_without_address_passes_untouched(record):
    run, ctx = await verify(record, [])

    assert run.records == [record]
    assert ctx.calls == []


async def test_what_is_no_address_needs_no_call():
    run, ctx = await verify({"email": "none", "emailScore": 3}, [])

    assert run.records == [{"email": "none", "emailStatus": "invalid"}]
    assert ctx.calls == []


async def test_the_address_may_be_elsewhere():
    config = {**CONFIG, "mapping": {"email": "{{input.work.email}}"}}

    run, ctx = await verify({"work": {"email": LENA["email"]}}, [VALID], config)

    assert run.records[0]["emailStatus"] == "valid"
    assert parse_qs(urlsplit(ctx.desk.sent[0].url).query) == {"email": [LENA["email"]]}


async def test_a_person_who_opted_out_is_forgotten():
    run, _ = await verify(LENA, [reply({"errors": [{"id": "claimed_email", "code": 451}]}, 451)])

    assert run.records == []
    assert "asked not to have their data processed" in run.skipped[0].reason


async def test_conditions_and_limits_save_money():
    condition = {"field": "emailStatus", "operator": "notEquals", "value": "valid"}
    records = [{**LENA, "emailStatus": "valid"}, LENA, LENA]

    run, ctx = await verify(records, [VALID], {**CONFIG, "condition": condition, "limits": 2})

    assert [record.get("emailScore") for record in run.records] == [None, 95, None]
    assert len(ctx.calls) == 1


async def test_a_used_up_plan_stops_the_node():
    with pytest.raises(CallError) as caught:
        await verify(LENA, [reply({"errors": [{"id": "too_many_requests", "code": 429}]}, 429)])
    assert caught.value.error_class is ErrorClass.QUOTA


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"endpoint": "/v2/email-finder"}, "expected '/v2/email-verifier'"),
        ({"mapping": {"mail": "x"}}, "unknown key 'mail'. Did you mean 'email'?"),
        ({"batchMode": True}, "one record at a time"),
        ({"recheckAfter": -1}, "greater than or equal to 0"),
        ({"recheckFailed": -1}, "greater than or equal to 0"),
    ],
)
def test_configuration_is_checked(config, told):
    with pytest.raises(ValidationError) as caught:
        HunterEmailVerifier.Config.model_validate({**CONFIG, **config})
    assert told in str(caught.value)


async def test_the_bill_agrees():
    simulator = Simulator(SimulatorSettings(latency_scale=0, limits={"hunter": []}))
    ctx = context(desk=Desk(simulator=simulator))
    contacts = [{"email": f"lena.okafor{number}@example.com"} for number in range(300)]
    contacts += [{"email": f"tomas{number}@webmail.example.com"} for number in range(20)]

    run = await run_block(HunterEmailVerifier, CONFIG, {"contacts": contacts}, context=ctx)

    statuses = Counter(record["emailStatus"] for record in run.records)
    assert statuses.keys() == {"valid", "invalid", "accept_all", "webmail", "unknown"}
    assert not run.failed
    bill = simulator.bill()["totals"]
    assert bill["repeats"] == 0
    assert bill["calls"] > len(contacts)
    assert (
        Decimal(bill["charges"]["USD"])
        == ctx.desk.charged
        == Decimal("0.01225") * sum(statuses[status] for status in ("valid", "invalid", "accept_all"))
    )


async def test_in_the_engine_nobody_waits_for_the_others():
    contacts = [{"email": f"lena.okafor{number}@example.com"} for number in range(100)]

    result = await HunterEmailVerifier.execute(CONFIG, {"contacts": contacts}, ExecutionContext(mode="demo"))

    assert result.status == "success"
    assert len(result.output["contacts"]) + len(result.skipped) == 100
    assert result.cost % Decimal("0.01225") == 0
