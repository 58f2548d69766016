"""The custom audience: what is sent, how calls are cut, and what is reported."""

import hashlib

import pytest
from pydantic import ValidationError
from tests.providers.desk import context

from lumeflow.blocks.output.meta_ads import MetaAdsOutput
from lumeflow.plugin import CallError, ErrorClass, NodeError
from lumeflow.testing import MemoryContext, run_block

EXISTING = {"destination": "meta-ads", "audienceId": "23850000000000001"}
NEW = {"name": "Leads", "customerFileSource": "USER_PROVIDED_ONLY"}
ADD, CREATE = "meta/add-users", "meta/create-audience"


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def people(count):
    return [{"email": f"person{number}@example.com"} for number in range(count)]


def counting(params):
    return {"received": len(params["data"]), "invalid": 0}


def scripted(**answers):
    return MemoryContext(answers={ADD: counting, CREATE: "2385", **answers})


async def upload(records, config=None, *, ctx=None):
    ctx = ctx or scripted()
    run = await run_block(
        MetaAdsOutput, {**EXISTING, **(config or {})}, {"contacts": records}, context=ctx, collection="contacts"
    )
    return run, [params for operation, params in ctx.calls if operation == ADD]


async def test_rows_are_normalised_and_hashed_in_the_order_of_the_schema():
    mapping = {
        "COUNTRY": "{{input.land}}",
        "PHONE": "{{input.phone}}",
        "EMAIL": "{{input.mail}}",
        "LN": "{{input.last}}",
    }
    records = [
        {"mail": " Jane.Doe@Example.com ", "phone": "+49 (0)1511 2345678", "last": "Doe", "land": "DE"},
        {"mail": "jane.doe@example.com", "last": ""},
    ]

    run, (call,) = await upload(records, {"mapping": mapping})

    assert call["schema"] == ["EMAIL", "PHONE", "LN", "COUNTRY"]
    assert call["data"] == [
        [digest("jane.doe@example.com"), digest("4915112345678"), digest("doe"), digest("de")],
        [digest("jane.doe@example.com"), "", "", ""],
    ]
    assert run.records == records


async def test_numbers_without_calling_code_need_a_country():
    mapping = {"PHONE": "{{input.phone}}"}
    records = [{"phone": "(415) 555-0132"}]

    with_country, (call,) = await upload(records, {"mapping": mapping, "country": "United States"})
    without, calls = await upload(records, {"mapping": mapping})

    assert call["data"] == [[digest("14155550132")]]
    assert (with_country.output["recordsCount"], calls) == (1, [])
    assert [left.reason for left in without.skipped] == ["nothing that config.mapping names tells who this is"]


async def test_nothing_personal_stands_in_the_parameters():
    records = [{"email": "mira.holt@example.com", "firstName": "Mira", "lastName": "Holt", "phone": "+390255501234"}]

    _, (call,) = await upload(records)

    assert not [word for word in ("mira", "holt", "@", "3902555") if word in str(call).lower()]


@pytest.mark.parametrize(
    ("count", "size", "sent"),
    [
        (0, 3, []),
        (1, 3, [(1, True)]),
        (3, 3, [(3, True)]),
        (4, 3, [(3, False), (1, True)]),
        (6, 3, [(3, False), (3, True)]),
        (7, 3, [(3, False), (3, False), (1, True)]),
        (2, 1, [(1, False), (1, True)]),
        (10_000, 10_000, [(10_000, True)]),
        (10_001, 10_000, [(10_000, False), (1, True)]),
    ],
)
async def test_calls_are_cut_exactly_and_the_last_is_marked(count, size, sent):
    run, calls = await upload(people(count), {"batchSize": size})

    assert [(len(call["data"]), call["session"]["last_batch_flag"]) for call in calls] == sent
    assert [call["session"]["batch_seq"] for call in calls] == [number + 1 for number in range(len(sent))]
    assert len({call["session"]["session_id"] for call in calls}) <= 1
    assert (run.output["recordsCount"], run.output["batchesCount"]) == (count, len(sent))


@pytest.mark.parametrize("piece", [1, 2, 5, 100])
async def test_how_records_arrive_does_not_show_in_the_calls(piece):
    ctx = scripted()
    block = MetaAdsOutput(MetaAdsOutput.Config.model_validate({**EXISTING, "batchSize": 4}))
    records = [{"email": "x"} if number % 3 == 0 else record for number, record in enumerate(people(20))]
    await block.open(ctx)
    for start in range(0, 20, piece):
        await block.process_batch(records[start : start + piece], ctx)
    result = await block.close(ctx)

    assert [len(params["data"]) for _, params in ctx.calls] == [4, 4, 4, 1]
    assert (result["recordsCount"], result["skippedCount"]) == (13, 7)


async def test_the_session_follows_from_execution_and_node():
    ids = set()
    for execution_id, node_id in [("e1", "n1"), ("e1", "n1"), ("e1", "n2"), ("e2", "n1")]:
        ctx = MemoryContext(execution_id=execution_id, node_id=node_id, answers={ADD: counting})
        run, (call,) = await upload(people(1), ctx=ctx)
        assert 0 < call["session"]["session_id"] < 2**53
        assert run.output["sessionId"] == str(call["session"]["session_id"])
        ids.add(call["session"]["session_id"])

    assert len(ids) == 3


async def test_an_audience_is_created_when_the_first_person_is_there():
    config = {"destination": "meta-ads", "audience": NEW, "adAccountId": "1234567890"}
    ctx = scripted()

    run = await run_block(MetaAdsOutput, config, {"contacts": people(2)}, context=ctx)

    (operation, params), (_, added) = ctx.calls
    assert (operation, params["ad_account"], params["name"], params["source"]) == (
        CREATE,
        "act_1234567890",
        "Leads",
        "USER_PROVIDED_ONLY",
    )
    assert params["mark"] in params["description"]
    assert (added["audience"], run.output["audienceId"]) == ("2385", "2385")


async def test_no_audience_is_created_for_nobody():
    config = {"destination": "meta-ads", "audience": NEW, "adAccountId": "act_1"}
    ctx = scripted()

    run = await run_block(MetaAdsOutput, config, {"contacts": [{"email": ""}]}, context=ctx)

    assert (ctx.calls, run.output["audienceId"], run.output["skippedCount"]) == ([], None, 1)


async def test_what_meta_could_not_use_is_reported():
    ctx = scripted(**{ADD: {"received": 2, "invalid": 1}})

    run, _ = await upload(people(4), {"batchSize": 2}, ctx=ctx)

    assert (run.output["receivedCount"], run.output["invalidCount"]) == (4, 2)
    assert ctx.warnings == ["Meta could not use 2 of 4 rows"]


async def test_a_dry_run_counts_and_sends_nothing():
    config = {"destination": "meta-ads", "audience": NEW, "adAccountId": "act_1", "dryRun": True, "batchSize": 2}
    ctx = scripted()

    run = await run_block(MetaAdsOutput, config, {"contacts": [*people(3), {}]}, context=ctx)

    assert ctx.calls == []
    assert (run.output["recordsCount"], run.output["skippedCount"], run.output["batchesCount"]) == (3, 1, 2)
    assert (run.output["dryRun"], run.output["audienceId"]) == (True, None)


async def test_a_condition_leaves_people_out():
    records = [{"email": "a@example.com", "verified": True}, {"email": "b@example.com"}]
    condition = {"field": "verified", "operator": "equals", "value": True}

    run, (call,) = await upload(records, {"condition": condition})

    assert (len(call["data"]), run.records) == (1, records)


async def test_a_refused_call_ends_the_upload():
    def refuse(params):
        if params["session"]["batch_seq"] == 2:
            return CallError(ErrorClass.RATE_LIMIT, "meta/add-users failed: limit.", operation=ADD, status=429)
        return counting(params)

    with pytest.raises(NodeError, match=r"limit\. Before it, 2 people were sent; resume") as caught:
        await upload(people(7), {"batchSize": 2}, ctx=scripted(**{ADD: refuse}))
    assert caught.value.error_class is ErrorClass.RATE_LIMIT


async def test_a_payload_without_collection_is_one_person():
    ctx = scripted()

    await run_block(MetaAdsOutput, EXISTING, {"email": "mira.holt@example.com"}, context=ctx)

    assert ctx.calls[0][1]["session"]["last_batch_flag"] is True


async def test_it_works_at_the_simulated_vendor():
    ctx = context()
    config = {"destination": "meta-ads", "audience": NEW, "adAccountId": "act_1", "batchSize": 100}

    run = await run_block(MetaAdsOutput, config, {"contacts": people(250)}, context=ctx)

    assert (run.output["receivedCount"], run.output["invalidCount"]) == (250, 0)
    bill = ctx.desk.simulator.bill()["providers"]["meta"]["operations"]
    assert (bill["meta/create-audience"]["answered"], bill["meta/add-users"]["answered"]) == (1, 3)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"destination": "meta-ads"}, "either 'audienceId'"),
        ({**EXISTING, "audience": NEW, "adAccountId": "1"}, "either 'audienceId'"),
        ({"destination": "meta-ads", "audience": NEW}, "needs 'adAccountId'"),
        ({**EXISTING, "mapping": {"MAIL": "{{input.email}}"}}, "unknown key 'MAIL'. Did you mean 'EMAIL'"),
        ({**EXISTING, "mapping": {}}, "at least 1"),
        ({**EXISTING, "adAccountId": "abc"}, "act_1234567890"),
        ({**EXISTING, "batchSize": 10_001}, "less than or equal to 10000"),
        ({**EXISTING, "country": "Atlantis"}, "expected a country"),
        ({**EXISTING, "apiVersion": "26"}, "match pattern"),
        ({"destination": "meta-ads", "audience": {"name": "x"}, "adAccountId": "1"}, "customerFileSource"),
    ],
)
def test_configurations_that_cannot_work(config, message):
    with pytest.raises(ValidationError, match=message):
        MetaAdsOutput.Config.model_validate(config)
