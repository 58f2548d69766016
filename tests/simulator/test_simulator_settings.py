"""Settings: ranges, names, JSON, and what a client can learn from them."""

from decimal import Decimal

import pytest

from lumeflow.core.errors import UsageError
from lumeflow.simulator import Simulator, SimulatorSettings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fault_rate": 1.1}, "faultRate: found 1.1, expected a share from 0 to 1"),
        ({"match_rate": -0.1}, "matchRate"),
        ({"rate_scale": 0}, "rateScale: found 0, expected a number above 0"),
        ({"comments_per_url": -1}, "commentsPerUrl"),
        ({"fault_kinds": ("hangs",)}, "unknown fault kind 'hangs': did you mean hang?"),
        ({"prices": {"apollo/credits": Decimal(1)}}, "did you mean apollo/credit?"),
        ({"limits": {"apolo": []}}, "did you mean apollo"),
        ({"limits": {"hunter": [(0, 1.0)]}}, "hunter: a limit is at least 1 call"),
        ({"latencies": {"apollo/people-mach": 1.0}}, "did you mean apollo/people-match?"),
        ({"budgets": {"apollo/people-match": Decimal(1)}}, "unknown provider in budgets"),
        ({"concurrency": {"huntr": 1}}, "did you mean hunter?"),
    ],
)
def test_unusable_settings_say_what_would_be_right(settings, message):
    with pytest.raises(UsageError) as error:
        Simulator(SimulatorSettings(**settings))
    assert message in str(error.value)


def test_settings_from_json():
    changed = SimulatorSettings().changed(
        {
            "seed": 3,
            "faultRate": 0.2,
            "faultHang": 5,
            "limits": {"apollo": [{"calls": 150, "seconds": 1}], "hunter": [[7, 1.0]]},
            "budgets": {"hunter": "12.5"},
            "prices": {"apollo/credit": 0.03},
            "modelPrices": {"a/b": ["1", "2"]},
            "faultKinds": ["hang", "hang", "malformed"],
            "concurrency": {"apollo": 4},
            "latencies": {"apollo": 0},
            "modelsDown": ["a/b"],
        }
    )
    assert (changed.seed, changed.fault_rate, changed.fault_hang) == (3, 0.2, 5.0)
    assert changed.limits == {"apollo": ((150, 1.0),), "hunter": ((7, 1.0),)}
    assert changed.budgets == {"hunter": Decimal("12.5")}
    assert changed.price("apollo/credit") == Decimal("0.03")
    assert changed.model_price("a/b") == (Decimal(1), Decimal(2))
    assert changed.fault_kinds == ("hang", "hang", "malformed")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"faultrate": 0.2}, "did you mean faultRate?"),
        ({"faultRate": "much"}, "faultRate"),
        ({"faultRate": True}, "faultRate"),
        ({"seed": 1.5}, "seed"),
        ({"limits": [1]}, "limits"),
        ({"limits": {"apollo": [[1]]}}, "limits"),
        ({"limits": {"nobody": []}}, "unknown provider"),
        ({"budgets": {"hunter": "much"}}, "budgets"),
        ([1], "JSON object"),
    ],
)
async def test_an_unusable_reset_changes_nothing(sim, body, message):
    await sim.get("/v2/usage")
    answer = await sim.post("/_simulator/reset", body)
    assert answer.status == 400
    assert message in answer.json["error"]
    assert sim.bill("hunter")["calls"] == 1


async def test_a_client_can_learn_the_account(make):
    sim = make(
        rate_scale=2.0, latency_scale=0.5, limits={"mixedbread": [(10, 1.0)]}, budgets={"hunter": Decimal("2.50")}
    )
    shown = (await sim.get("/_simulator/settings", headers={})).json
    match = {"calls": 2000, "seconds": 60.0, "window": "fixed", "scope": "account"}
    assert shown["limits"]["apollo"]["apollo/people-match"] == [match]
    assert shown["limits"]["mixedbread"]["mixedbread/embeddings"][0]["calls"] == 20
    assert shown["limits"]["apify"]["apify/run-get"][0]["scope"] == "resource"
    assert shown["limits"]["openrouter"]["openrouter/chat"] == []
    assert shown["latencies"]["apollo/people-match"] == 0.075
    assert shown["prices"]["hunter/credit"] == "0.0245"
    assert shown["budgets"] == {"hunter": "2.5"}


async def test_unknown_own_paths_name_the_known_ones(sim):
    answer = await sim.get("/_simulator/bills")
    assert answer.status == 404
    assert "GET /_simulator/bill" in answer.json["error"]


@pytest.mark.parametrize(
    ("settings", "seconds"),
    [
        ({}, 0.25),
        ({"latency_scale": 0.1}, 0.025),
        ({"latencies": {"hunter": 1.0}}, 1.0),
        ({"latencies": {"hunter/email-finder": 2.0}}, 2.0),
    ],
)
async def test_latency_is_spread_by_thirty_percent_and_follows_from_the_request(make, clock, settings, seconds):
    sim = make(**{"latency_scale": 1, "limits": {"hunter": []}, **settings})
    paths = [f"/v2/email-finder?domain=example.com&first_name=Mira&last_name=Holt{number}" for number in range(200)]
    for path in paths + paths:
        await sim.get(path)
    waits = clock.slept
    assert waits[:200] == waits[200:]
    assert 0.7 * seconds <= min(waits) < 0.75 * seconds
    assert 1.25 * seconds < max(waits) <= 1.3 * seconds + 1e-9
