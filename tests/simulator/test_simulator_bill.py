"""The bill: every request is in exactly one column, and the amounts add up to the last digit."""

import asyncio
from decimal import Decimal

import pytest

from lumeflow.core.http import HttpRequest
from lumeflow.simulator import Simulator, SimulatorSettings

MATCH = "/api/v1/people/match"
COLUMNS = ("answered", "rejected", "rateLimited", "overConcurrency", "failed")


def finder(number):
    return f"/v2/email-finder?domain=example.com&first_name=Mira&last_name=Holt{number}"


async def mixed_traffic(sim, lost_answers):
    for number in range(120):
        await lost_answers(sim, "POST", MATCH, {"email": f"p{number % 50}@example.com"})
        await lost_answers(sim, "GET", finder(number))
        await lost_answers(sim, "GET", "/v2/email-finder")
        await lost_answers(sim, "POST", MATCH, {"email": "p@example.com"}, headers={})
        await lost_answers(
            sim, "POST", "/v1/embeddings", {"model": "mixedbread-ai/mxbai-embed-large-v1", "input": f"{number}"}
        )


@pytest.mark.parametrize("fault_rate", [0.0, 0.3])
async def test_every_call_is_in_exactly_one_column(make, lost_answers, fault_rate):
    sim = make(fault_rate=fault_rate, fault_hang=0.0, limits={"apollo": [(70, 60.0)]})
    await mixed_traffic(sim, lost_answers)
    bill = sim.simulator.bill()
    for tally in (*bill["providers"].values(), bill["totals"]):
        assert tally["calls"] == sum(tally[column] for column in COLUMNS)
        assert tally["inFlight"] == 0
    assert bill["totals"]["calls"] == 600
    assert bill["providers"]["apollo"]["rateLimited"] > 0
    assert (bill["totals"]["failed"] > 0) is (fault_rate > 0)


async def test_providers_are_the_sum_of_operations_and_totals_of_providers(make, lost_answers):
    sim = make(fault_rate=0.3)
    await mixed_traffic(sim, lost_answers)
    bill = sim.simulator.bill()
    for column in ("calls", "distinct", "repeats", "lostAnswers", *COLUMNS):
        assert bill["totals"][column] == sum(tally[column] for tally in bill["providers"].values())
        for tally in bill["providers"].values():
            assert tally[column] == sum(operation[column] for operation in tally["operations"].values())
    for unit in ("USD", "credits"):
        amounts = [Decimal(tally["charges"][unit]) for tally in bill["providers"].values()]
        assert Decimal(bill["totals"]["charges"][unit]) == sum(amounts)


async def test_equal_requests_are_known_by_what_they_ask(make):
    sim = make()
    await sim.post(MATCH, b'{"email": "p@example.com", "first_name": "Mira"}')
    await sim.post(MATCH, b'{"first_name":"Mira","email":"p@example.com"}')
    await sim.get("/v2/email-finder?domain=example.com&full_name=Mira+Holt")
    await sim.get("/v2/email-finder?full_name=Mira%20Holt&domain=example.com&api_key=sim-other")
    for provider in ("apollo", "hunter"):
        bill = sim.bill(provider)
        assert (bill["distinct"], bill["repeats"]) == (1, 1)


async def test_reads_polls_and_refusals_are_no_repetitions(make):
    sim = make(limits={"apollo": [(1, 60.0)]})
    path = "/v2/actors/apify~instagram-comment-scraper/runs"
    run = (await sim.post(path, {"directUrls": ["https://e.example/p/1/"]})).json["data"]
    for _ in range(5):
        await sim.get(path)
        await sim.get(f"/v2/actor-runs/{run['id']}")
        await sim.get(f"/v2/datasets/{run['defaultDatasetId']}/items")
        await sim.post(MATCH, {"email": "p@example.com"})
        await sim.get("/v2/email-finder")
    assert sim.simulator.bill()["totals"]["repeats"] == 0
    assert sim.simulator.bill()["totals"]["distinct"] == 2


async def test_unknown_paths_are_counted_apart(sim):
    answer = await sim.get("/v3/nothing")
    assert (answer.status, "GET /v3/nothing" in answer.json["error"]) == (404, True)
    totals = sim.simulator.bill()["totals"]
    assert (totals["unknownPaths"], totals["calls"]) == (1, 0)


async def test_calls_in_flight_and_their_peak():
    simulator = Simulator(SimulatorSettings(latencies={"hunter": 0.05}))
    headers = {"x-api-key": "sim-key"}
    calls = [
        asyncio.create_task(simulator.handle(HttpRequest("GET", f"http://any{finder(number)}", headers)))
        for number in range(7)
    ]
    await asyncio.sleep(0.01)
    assert simulator.bill()["providers"]["hunter"]["inFlight"] == 7
    await asyncio.gather(*calls)
    hunter = simulator.bill()["providers"]["hunter"]
    assert (hunter["inFlight"], hunter["peakInFlight"]) == (0, 7)


async def test_a_caller_that_hangs_up_has_paid_and_leaves_nothing_in_flight():
    simulator = Simulator(SimulatorSettings(latencies={"hunter": 5.0}, find_rate=1.0))
    request = HttpRequest("GET", f"http://any{finder(1)}", {"x-api-key": "sim-key"})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(simulator.handle(request), 0.01)
    hunter = simulator.bill()["providers"]["hunter"]
    assert (hunter["inFlight"], hunter["answered"], hunter["charges"]["credits"]) == (0, 1, "1")


async def test_a_cap_on_calls_in_flight():
    simulator = Simulator(SimulatorSettings(latencies={"hunter": 0.05}, concurrency={"hunter": 3}))
    headers = {"x-api-key": "sim-key"}
    answers = await asyncio.gather(
        *(simulator.handle(HttpRequest("GET", f"http://any{finder(number)}", headers)) for number in range(8))
    )
    hunter = simulator.bill()["providers"]["hunter"]
    assert [answer.status == 403 for answer in answers].count(True) == 5
    assert (hunter["overConcurrency"], hunter["peakInFlight"]) == (5, 3)


async def test_reset_forgets_everything_and_may_change_settings(make):
    sim = make()
    await sim.post(MATCH, {"email": "p@example.com"})
    answer = await sim.post("/_simulator/reset", {"seed": 3, "faultRate": 0.2})
    assert (answer.json["seed"], answer.json["faultRate"]) == (3, 0.2)
    assert sim.simulator.bill()["providers"] == {}
    assert sim.simulator.settings.latency_scale == 0
    await sim.post("/_simulator/reset")
    assert sim.simulator.settings.seed == 3


async def test_a_call_in_flight_during_a_reset_ends_on_the_old_bill():
    simulator = Simulator(SimulatorSettings(latencies={"hunter": 0.03}))
    request = HttpRequest("GET", f"http://any{finder(1)}", {"x-api-key": "sim-key"})
    call = asyncio.create_task(simulator.handle(request))
    await asyncio.sleep(0.01)
    simulator.reset()
    await call
    assert simulator.bill()["totals"]["inFlight"] == 0
    assert simulator.bill()["totals"]["calls"] == 0
