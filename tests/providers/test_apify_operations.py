"""Apify: what its answers mean, what runs cost, and how a lost start is found again."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import orjson
import pytest

from lumeflow.plugin import Answer, Basis, CallError, ErrorClass, Failure
from lumeflow.simulator import Simulator, SimulatorSettings
from tests.providers.desk import OPERATIONS, account, judged, reply

ACTOR = "apify~facebook-comments-scraper"
INPUT = {"startUrls": [{"url": "https://www.facebook.com/examplebakery/posts/1"}], "resultsLimit": 200}
START = {"actor": ACTOR, "input": INPUT}
COST = {"run": "r1", "actor": ACTOR, "items": 187}
STARTED = {"data": {"id": "r1", "status": "READY", "defaultDatasetId": "d1", "usageTotalUsd": 0}}
NOON = datetime(2026, 3, 6, 12, tzinfo=UTC)


def error(kind, status):
    return reply({"error": {"type": kind, "message": "no"}}, status)


def test_a_start_sends_the_input_as_body_and_options_in_the_query():
    params = {**START, "maxTotalChargeUsd": "2.50", "timeout": 900}

    request = OPERATIONS["apify/start-run"].build(params, account("apify"))

    assert request.method == "POST"
    assert request.url == (f"https://api.apify.com/v2/actors/{ACTOR}/runs?timeout=900&maxTotalChargeUsd=2.50")
    assert orjson.loads(request.body) == INPUT


def test_a_start_gives_run_and_dataset_and_is_free():
    verdict = judged("apify/start-run", reply(STARTED, 201), START)

    assert verdict == Answer({"run": "r1", "dataset": "d1"})


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize(
    "body", [{}, {"data": None}, {"data": {"id": "r1"}}, {"data": {"id": 1, "defaultDatasetId": ""}}]
)
def test_a_start_without_ids_is_unreadable(status, body):
    verdict = judged("apify/start-run", reply(body, status), START)

    assert verdict.error_class is ErrorClass.INVALID_RESPONSE


@pytest.mark.parametrize(
    ("status", "kind", "error_class", "told"),
    [
        (400, "invalid-input", ErrorClass.VALIDATION, "refused its input"),
        (400, "run-input-body-not-valid-json", ErrorClass.VALIDATION, "could not read the actor's input"),
        (400, "max-total-charge-usd-below-minimum", ErrorClass.VALIDATION, "maxTotalChargeUsd"),
        (400, "unknown-build-tag", ErrorClass.VALIDATION, "unknown-build-tag"),
        (401, "token-not-provided", ErrorClass.AUTH, "APIFY_TOKEN"),
        (401, "user-or-token-not-found", ErrorClass.AUTH, "APIFY_TOKEN"),
        (402, "not-enough-usage-to-run-paid-actor", ErrorClass.QUOTA, "no money left"),
        (402, "x402-payment-required", ErrorClass.QUOTA, "APIFY_TOKEN"),
        (402, "concurrent-runs-limit-exceeded", ErrorClass.RATE_LIMIT, "has to wait"),
        (429, "concurrent-runs-limit-exceeded", ErrorClass.RATE_LIMIT, "has to wait"),
        (402, "actor-memory-limit-exceeded", ErrorClass.RATE_LIMIT, "has to wait"),
        (403, "actor-is-not-rented", ErrorClass.AUTH, "rented"),
        (403, "insufficient-permissions", ErrorClass.AUTH, "insufficient-permissions"),
        (404, "actor-not-found", ErrorClass.NOT_FOUND, "config.actor"),
        (404, "record-not-found", ErrorClass.NOT_FOUND, "record-not-found"),
        (408, "run-timeout-exceeded", ErrorClass.TIMEOUT, "ran out of time"),
        (413, "request-too-large", ErrorClass.VALIDATION, "request-too-large"),
        (429, "rate-limit-exceeded", ErrorClass.RATE_LIMIT, "rate limit"),
        (500, "internal-server-error", ErrorClass.SERVER_ERROR, "own side"),
    ],
)
def test_errors(status, kind, error_class, told):
    for operation in ("apify/start-run", "apify/get-run", "apify/dataset-items"):
        params = START if operation == "apify/start-run" else {"run": "r", "dataset": "d", "offset": 0, "limit": 9}
        verdict = judged(operation, error(kind, status), params)

        assert isinstance(verdict, Failure)
        assert verdict.error_class is error_class
        assert told in verdict.message


@pytest.mark.parametrize(
    ("more", "most"),
    [
        ({}, "0.46"),
        ({"maxTotalChargeUsd": "0.10"}, "0.10"),
        ({"maxTotalChargeUsd": "7"}, "0.46"),
        (
            {"input": {"directUrls": ["a", "b"], "resultsLimit": 1000}, "actor": "apify~instagram-comment-scraper"},
            "3.8",
        ),
        ({"input": {"directUrls": ["a"]}, "actor": "somebody~else"}, "0.115"),
        ({"input": {"startUrls": "a", "resultsLimit": "ten"}, "actor": "somebody~else"}, "0.115"),
        ({"input": {"queries": ["a"]}, "actor": "somebody~else", "maxItems": 10}, "0.023"),
    ],
)
def test_the_most_that_a_run_can_cost(more, most):
    assert OPERATIONS["apify/start-run"].expected({**START, **more}, account("apify")) == Decimal(most)


# --- the run


@pytest.mark.parametrize(
    ("status", "over"),
    [
        ("READY", False),
        ("RUNNING", False),
        ("TIMING-OUT", False),
        ("ABORTING", False),
        ("SUCCEEDED", True),
        ("FAILED", True),
        ("TIMED-OUT", True),
        ("ABORTED", True),
    ],
)
def test_a_run_is_remembered_once_it_is_over(status, over):
    verdict = judged("apify/get-run", reply({"data": {"id": "r1", "status": status}}), {"run": "r1"})

    assert verdict == Answer({"status": status, "over": over}, settled=over)


def test_a_poll_lets_apify_hold_the_line():
    request = OPERATIONS["apify/get-run"].build({"run": "r1"}, account("apify"))

    assert request.url == "https://api.apify.com/v2/actor-runs/r1?waitForFinish=1"


def test_a_run_without_status_is_unreadable():
    assert (
        judged("apify/get-run", reply({"data": {"id": "r1"}}), {"run": "r1"}).error_class is ErrorClass.INVALID_RESPONSE
    )


def events(**prices):
    return {
        "pricingPerEvent": {"actorChargeEvents": {name: {"eventPriceUsd": price} for name, price in prices.items()}}
    }


@pytest.mark.parametrize(
    ("run", "amount", "basis"),
    [
        ({"usageTotalUsd": 0.4301}, "0.4301", Basis.REPORTED),
        ({"usageTotalUsd": 0}, "0", Basis.REPORTED),
        (
            {
                "usageTotalUsd": None,
                "chargedEventCounts": {"start": 1, "comment": 187},
                "pricingInfo": events(start=0.001, comment=0.0023),
            },
            "0.4311",
            Basis.COMPUTED,
        ),
        ({"usageTotalUsd": None}, "0.4301", Basis.COMPUTED),
        ({"usageTotalUsd": None, "chargedEventCounts": {}}, "0.4301", Basis.COMPUTED),
        (
            {"chargedEventCounts": {"start": 0, "comment": 10}, "pricingInfo": events(comment=0.0023)},
            "0.023",
            Basis.COMPUTED,
        ),
        (
            {
                "chargedEventCounts": {"comment": 187},
                "pricingInfo": {"pricingPerEvent": {"actorChargeEvents": {"comment": {"eventTieredPricingUsd": {}}}}},
            },
            "0.4301",
            Basis.COMPUTED,
        ),
        ({"chargedEventCounts": {"comment": "many"}, "pricingInfo": events(comment=1)}, "0.4301", Basis.COMPUTED),
    ],
)
def test_what_a_run_cost(run, amount, basis):
    verdict = judged("apify/run-cost", reply({"data": {"status": "SUCCEEDED", **run}}), COST)

    assert verdict.settled
    assert verdict.charge.amount == Decimal(amount)
    assert verdict.charge.basis is basis


def test_an_actor_without_price_is_not_free():
    params = {**COST, "actor": "somebody~else"}

    verdict = judged("apify/run-cost", reply({"data": {"status": "SUCCEEDED"}}), params)

    assert verdict.charge.amount == Decimal("0.4301")


def test_a_configured_price_counts():
    verdict = judged("apify/run-cost", reply({"data": {"status": "FAILED"}}), COST, prices={ACTOR: Decimal("0.001")})

    assert verdict.charge.amount == Decimal("0.187")


def test_the_cost_of_a_run_that_goes_on_is_not_booked():
    verdict = judged("apify/run-cost", reply({"data": {"status": "RUNNING", "usageTotalUsd": 0.2}}), COST)

    assert not verdict.settled
    assert verdict.charge.amount == 0


# --- the dataset

PAGE = {"dataset": "d1", "offset": 100, "limit": 100}


@pytest.mark.parametrize(
    ("items", "headers", "value", "settled"),
    [
        ([{"id": "1"}], {"x-apify-pagination-total": "187"}, {"items": [{"id": "1"}], "total": 187}, True),
        ([{"id": "1"}], {}, {"items": [{"id": "1"}], "total": 101}, True),
        ([{"id": "1"}], {"x-apify-pagination-total": "-1"}, {"items": [{"id": "1"}], "total": 101}, True),
        ([], {"x-apify-pagination-total": "100"}, {"items": [], "total": 100}, False),
        ([], {}, {"items": [], "total": 100}, False),
    ],
)
def test_a_page_with_items_is_remembered(items, headers, value, settled):
    assert judged("apify/dataset-items", reply(items, 200, headers), PAGE) == Answer(value, settled=settled)


def test_a_page_that_is_no_array_is_unreadable():
    assert judged("apify/dataset-items", reply({"data": []}), PAGE).error_class is ErrorClass.INVALID_RESPONSE


def test_the_total_stands_in_a_header():
    headers = {"x-apify-pagination-total": "187"}

    assert judged("apify/dataset-total", reply([], 200, headers), {"dataset": "d1"}) == Answer(187)
    assert judged("apify/dataset-total", reply([]), {"dataset": "d1"}).error_class is ErrorClass.INVALID_RESPONSE


def test_an_abort_is_graceful():
    request = OPERATIONS["apify/abort-run"].build({"run": "r1"}, account("apify"))

    assert (request.method, request.url) == ("POST", "https://api.apify.com/v2/actor-runs/r1/abort?gracefully=true")
    assert judged("apify/abort-run", reply({"data": {"status": "ABORTING"}}), {"run": "r1"}) == Answer("ABORTING")


# --- a lost start


class Console:
    """Answers the questions of a recovery."""

    def __init__(self, *runs, inputs=None, status=200):
        self.runs, self.inputs, self.status = runs, inputs or {}, status
        self.asked = []

    async def send(self, request):
        self.asked.append(request.url.removeprefix("https://api.apify.com/v2/"))
        if "/key-value-stores/" in request.url:
            store = request.url.split("/")[5]
            return reply(self.inputs[store]) if store in self.inputs else reply({"error": {}}, 404)
        if "/actor-runs/" in request.url:
            return reply(
                {"data": {"id": request.url.rpartition("/")[2], "status": "RUNNING", "defaultDatasetId": "d9"}}
            )
        return reply({"data": {"items": list(self.runs)}}, self.status)

    async def recover(self, claimed_at=NOON):
        operation = OPERATIONS["apify/start-run"]
        return await operation.recover(START, account("apify"), claimed_at, self.send)


def run(name, began):
    return {
        "id": name,
        "startedAt": began.isoformat().replace("+00:00", "Z"),
        "defaultKeyValueStoreId": f"store-{name}",
    }


SECOND = timedelta(seconds=1)


async def test_the_run_of_a_lost_start_is_found_by_its_input():
    console = Console(
        run("other", NOON + 2 * SECOND),
        run("mine", NOON + SECOND),
        inputs={"store-other": {**INPUT, "resultsLimit": 7}, "store-mine": dict(reversed(INPUT.items()))},
    )

    response = await console.recover()

    assert judged("apify/start-run", response, START) == Answer({"run": "mine", "dataset": "d9"})
    assert console.asked[0] == f"actors/{ACTOR}/runs?desc=1&limit=100"


async def test_of_two_runs_with_the_same_input_the_nearer_in_time_is_taken():
    console = Console(
        run("near", NOON + SECOND),
        run("earlier", NOON - 90 * SECOND),
        inputs={"store-near": INPUT, "store-earlier": INPUT},
    )

    response = await console.recover()

    assert judged("apify/start-run", response, START).value["run"] == "near"


@pytest.mark.parametrize(
    "runs",
    [
        [],
        [run("old", NOON - timedelta(hours=1))],
        [{"id": "odd", "startedAt": None}, {"startedAt": "2026-03-06T12:00:01Z"}, "odd", None],
    ],
)
async def test_without_such_a_run_the_start_never_happened(runs):
    assert await Console(*runs).recover() is None


async def test_a_run_with_another_input_is_somebody_elses():
    console = Console(run("other", NOON), inputs={"store-other": {"startUrls": []}})

    assert await console.recover() is None


async def test_a_clock_that_lags_behind_does_not_hide_the_run():
    console = Console(run("mine", NOON - 30 * SECOND), inputs={"store-mine": INPUT})

    assert await console.recover() is not None


@pytest.mark.parametrize("console", [Console(status=503), Console(run("mine", NOON))])
async def test_where_apify_does_not_tell_nothing_is_started(console):
    with pytest.raises(CallError, match="look in the Apify console"):
        await console.recover()


async def test_a_lost_start_is_found_at_the_simulator():
    simulator = Simulator(SimulatorSettings(latency_scale=0))
    operation, owner = OPERATIONS["apify/start-run"], account("apify")
    before = datetime.now(UTC)
    answer = await simulator.handle(operation.build(START, owner))

    found = await operation.recover(START, owner, before, simulator.handle)

    assert operation.judge(START, found, owner) == operation.judge(START, answer, owner)
    assert await operation.recover({**START, "input": {}}, owner, before, simulator.handle) is None


@pytest.mark.parametrize(
    ("pricing", "cost"),
    [
        ({"pricingModel": "PRICE_PER_DATASET_ITEM", "pricePerUnitUsd": 0.0005}, "0.0015"),
        ({"pricingModel": "PRICE_PER_DATASET_ITEM"}, "0.0069"),
        ({"pricingModel": "FREE"}, "0.0069"),
    ],
)
def test_a_run_without_reported_cost_costs_its_items_at_the_price_that_it_names(pricing, cost):
    run = {"data": {"status": "SUCCEEDED", "usageTotalUsd": None, "pricingInfo": pricing}}

    verdict = judged("apify/run-cost", reply(run), {"run": "r1", "actor": "somebody~else", "items": 3})

    assert verdict.charge.amount == Decimal(cost)


def test_run_options_go_into_the_query():
    params = {"actor": "a~b", "input": {}, "memory": 512, "build": "beta", "maxItems": 7, "timeout": 60}

    request = OPERATIONS["apify/start-run"].build(params, account("apify"))

    assert request.url.endswith("/v2/actors/a~b/runs?timeout=60&memory=512&build=beta&maxItems=7")
