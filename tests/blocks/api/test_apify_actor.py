"""Any actor is run once for a payload; its items are records, as they are or as they are wanted."""

import orjson
import pytest
from pydantic import ValidationError

from lumeflow.blocks.api.apify_actor import ApifyActor
from lumeflow.plugin import ErrorClass, NodeError
from lumeflow.simulator import Simulator, SimulatorSettings
from lumeflow.testing import run_block
from tests.blocks.api.test_apify_scraper import Vendor
from tests.providers.desk import Desk, context, reply

CONFIG = {
    "provider": "apify",
    "operation": "run-actor",
    "actor": "example/business-directory",
    "input": {"queries": "{{input.trades}}", "language": "en"},
}
PAYLOAD = {"trades": ["bakery"], "campaign": "Spring"}


def entries(count):
    return [{"title": f"Company {number}", "owner": {"name": "Mira Holt"}, "rank": number} for number in range(count)]


async def scrape(script, config=CONFIG, payload=PAYLOAD):
    ctx = context(script)
    return await run_block(ApifyActor, config, payload, context=ctx), ctx


async def test_items_are_records_as_they_are():
    run, ctx = await scrape(Vendor(entries(3)))

    assert run.output == {
        **PAYLOAD,
        "items": entries(3),
        "metadata": {"actor": "example/business-directory", "totalItems": 3},
    }
    assert ctx.desk.sent[0].url == "https://api.apify.com/v2/actors/example~business-directory/runs"
    assert orjson.loads(ctx.desk.sent[0].body) == {"queries": ["bakery"], "language": "en"}
    assert str(ctx.desk.charged) == "0.25"


async def test_items_with_the_fields_that_are_wanted():
    config = {**CONFIG, "collection": "leads", "fieldMapping": {"company": "title", "contact": "owner.name", "no": "x"}}

    run, _ = await scrape(Vendor(entries(1)), config)

    assert run.output["leads"] == [{"company": "Company 0", "contact": "Mira Holt"}]


async def test_the_whole_input_may_be_one_expression():
    config = {**CONFIG, "input": "{{input.actorInput}}"}

    _, ctx = await scrape(Vendor([]), config, {"actorInput": {"deep": [1, {"x": None}]}})

    assert orjson.loads(ctx.desk.sent[0].body) == {"deep": [1, {"x": None}]}


async def test_a_run_can_be_capped_in_every_way():
    config = {**CONFIG, "maxItems": 9, "maxTotalChargeUsd": "0.50", "timeout": 60, "memory": 512, "build": "beta"}

    _, ctx = await scrape(Vendor([]), config)

    query = ctx.desk.sent[0].url.partition("?")[2]
    assert query == "timeout=60&memory=512&build=beta&maxItems=9&maxTotalChargeUsd=0.50"


@pytest.mark.parametrize("there", [[], [0, 0, 3], [1, 1, 2, 2, 2000], [1200, 1300]])
@pytest.mark.parametrize("limit", [1, 1000, 1500, 2500, 9000])
async def test_no_more_is_handed_on_than_wanted_and_all_is_paid(limit, there):
    run, ctx = await scrape(
        Vendor(entries(2500), list(there), run={"usageTotalUsd": None}), {**CONFIG, "limits": limit}
    )

    assert [record["rank"] for record in run.records] == list(range(min(limit, 2500)))
    assert str(ctx.desk.charged) == "5.7500"


@pytest.mark.parametrize(
    ("platform", "actor"), [("maps", "example~maps"), ("MAPS", "example~maps"), ("news", "example~news")]
)
async def test_the_actor_may_depend_on_the_payload(platform, actor):
    actors = {"maps": "example/maps", "news": "example/news"}
    config = {**CONFIG, "actor": actors, "mapping": {"platform": "{{input.kind}}"}}

    _, ctx = await scrape(Vendor([]), config, {"kind": platform})

    assert f"/actors/{actor}/runs" in ctx.desk.sent[0].url


@pytest.mark.parametrize(
    ("item", "error_class", "told"),
    [
        ({"error": "no_items", "url": "https://example.com"}, ErrorClass.NOT_FOUND, "in place of an item: no_items"),
        ({"error": "Mira Holt was not found"}, ErrorClass.NOT_FOUND, "in place of an item: an error"),
        ({"error": {"code": 7}}, ErrorClass.NOT_FOUND, "an error"),
        (["x"], ErrorClass.INVALID_RESPONSE, "a list in place of an item"),
    ],
)
async def test_one_bad_item_is_one_failed_record(item, error_class, told):
    run, _ = await scrape(Vendor([*entries(1), item, *entries(1)]))

    (failed,) = run.failed
    assert (failed.position, failed.error.error_class) == (1, error_class)
    assert told in str(failed.error)
    assert "Mira" not in str(failed.error)
    assert run.output["metadata"]["totalItems"] == 2


@pytest.mark.parametrize(
    ("item", "error_field"), [({"error": ""}, "error"), ({"error": "x"}, None), ({"error": "x"}, "failure")]
)
async def test_what_counts_as_an_error_can_be_said(item, error_field):
    run, _ = await scrape(Vendor([item]), {**CONFIG, "errorField": error_field})

    assert run.records == [item]


@pytest.mark.parametrize(
    ("config", "payload", "told"),
    [
        ({"input": "{{input.trades}}"}, PAYLOAD, "must give an object, the actor's input; it gives a list"),
        ({"input": "{{input.none}}"}, PAYLOAD, "it gives null"),
        ({"actor": {"maps": "a/b"}}, PAYLOAD, "'mapping.platform' must say which"),
        (
            {"actor": {"maps": "a/b"}, "mapping": {"platform": "{{input.kind}}"}},
            {"kind": "map"},
            "gives 'map', for which 'actor' has no actor. Did you mean 'maps'?",
        ),
        ({"actor": {"maps": "a/b"}, "mapping": {"platform": "{{input.kind}}"}}, {}, "gives no platform"),
    ],
)
async def test_a_payload_that_cannot_be_used_stops_the_node_before_anything_is_paid(config, payload, told):
    ctx = context(Vendor([]))

    with pytest.raises(NodeError, match=told) as caught:
        await run_block(ApifyActor, {**CONFIG, **config}, payload, context=ctx)

    assert caught.value.error_class is ErrorClass.VALIDATION
    assert ctx.desk.sent == []


async def test_a_run_that_ends_badly_fails_the_node_after_its_items():
    ctx = context(Vendor(entries(2), status="TIMED-OUT"))
    block = ApifyActor(ApifyActor.Config.model_validate(CONFIG))
    outcomes = block.produce(ctx.at(PAYLOAD, 0, PAYLOAD, None))

    assert [await anext(outcomes) for _ in range(2)] == entries(2)
    with pytest.raises(NodeError, match="ended as TIMED-OUT after 2 items"):
        await anext(outcomes)
    assert str(ctx.desk.charged) == "0.25"


async def test_a_payload_that_does_not_meet_the_condition_is_not_paid_for():
    condition = {"field": "trades", "operator": "empty"}

    run, ctx = await scrape(Vendor(entries(1)), {**CONFIG, "condition": condition})

    assert (run.records, ctx.desk.sent) == ([], [])


async def test_a_resume_asks_apify_for_nothing():
    before, first = await scrape(Vendor(entries(2500), [0, 7, 7, 1100]))
    gone = context(lambda request: reply({"error": {"type": "record-not-found"}}, 404))
    gone.desk.stored = first.desk.stored

    after = await run_block(ApifyActor, CONFIG, PAYLOAD, context=gone)

    assert (after.output, gone.desk.sent) == (before.output, [])


async def test_a_mock_stands_for_a_whole_run():
    run, ctx = await scrape(lambda request: reply({"items": entries(2)}))

    assert (run.records, ctx.desk.charged) == (entries(2), 0)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"actor": ""}, "at least 1"),
        ({"memory": 1000}, "power of two"),
        ({"memory": 64}, "greater than or equal to 128"),
        ({"limits": 0}, "greater than or equal to 1"),
        ({"maxTotalChargeUsd": 0}, "greater than 0"),
        ({"mapping": {"url": "x"}}, "unknown key 'url'"),
        ({"fieldMapping": {"a": 1}}, "path"),
        ({"batchMode": True}, "one record at a time"),
    ],
)
def test_configuration_is_checked(config, told):
    with pytest.raises(ValidationError) as caught:
        ApifyActor.Config.model_validate({**CONFIG, **config})
    assert told in str(caught.value)


async def test_the_bill_agrees():
    simulator = Simulator(SimulatorSettings(latency_scale=0.01))
    ctx = context(desk=Desk(simulator=simulator))
    payload = {"trades": ["bakery", "freight", "https://example.com/gone"]}

    run = await run_block(ApifyActor, CONFIG, payload, context=ctx)

    assert (len(run.records), len(run.failed)) == (40, 1)
    assert f"{ctx.desk.charged.normalize():f}" == "0.0943" == simulator.bill()["totals"]["charges"]["USD"]
