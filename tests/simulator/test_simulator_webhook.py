"""The receiver of webhooks: signatures, times, and deliveries that come again."""

from datetime import timedelta

import pytest

from lumeflow.kit.webhooks import Rules, signing_headers
from lumeflow.plugin import Secret

PATH = "/webhooks/leads"
BODY = b'{"records": [{"name": "Mira"}]}'


def headers(sim, body=BODY, *, delivery="d-1", age=0, secret="sim-key"):
    at = sim.clock.date() - timedelta(seconds=age)
    made = signing_headers(Rules(), Secret(secret), body, at=at, delivery=delivery)
    return {**made, "Idempotency-Key": delivery}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_a_signed_delivery_is_taken(sim, method):
    answer = await sim.ask(method, PATH, BODY, headers(sim))

    assert (answer.status, answer.json) == (202, {"received": True, "repeated": False})


async def test_the_same_delivery_again_is_acknowledged_and_counted(sim):
    await sim.post(PATH, BODY, headers=headers(sim))
    sim.clock.now += 60

    again = await sim.post(PATH, BODY, headers=headers(sim))

    assert (again.status, again.json["repeated"]) == (200, True)
    line = sim.bill("webhook")["operations"]["webhook/deliver"]
    assert (line["answered"], line["distinct"], line["repeats"]) == (2, 1, 1)


async def test_the_same_body_under_another_key_is_another_delivery(sim):
    for name in ("d-1", "d-2"):
        assert (await sim.post(PATH, BODY, headers=headers(sim, delivery=name))).status == 202

    assert sim.bill("webhook")["repeats"] == 0


async def test_another_body_under_the_same_key_is_refused(sim):
    await sim.post(PATH, BODY, headers=headers(sim))

    assert (await sim.post(PATH, b"{}", headers=headers(sim, b"{}"))).status == 422


@pytest.mark.parametrize(("age", "status"), [(300, 202), (301, 401), (-300, 202), (-301, 401)])
async def test_times(sim, age, status):
    assert (await sim.post(PATH, BODY, headers=headers(sim, age=age))).status == status


@pytest.mark.parametrize(
    "change",
    [
        {"X-Lumeflow-Signature": ""},
        {"X-Lumeflow-Signature": "sha256=00"},
        {"X-Lumeflow-Timestamp": "soon"},
        {"X-Lumeflow-Timestamp": "9" * 400},
        {"Idempotency-Key": "other"},
    ],
)
async def test_what_is_not_signed_is_refused(sim, change):
    assert (await sim.post(PATH, BODY, headers=headers(sim) | change)).status == 401
    assert (await sim.post(PATH, b"{}", headers=headers(sim))).status == 401
    assert (await sim.post(PATH, BODY, headers=headers(sim, secret="sim-other"))).status == 401
    assert sim.bill("webhook")["rejected"] == 3


async def test_the_open_door_takes_everything(sim):
    assert (await sim.post("/open-webhooks/leads", b"anything", headers={})).status == 202


@pytest.mark.parametrize(("method", "path"), [("GET", PATH), ("POST", "/webhooks"), ("POST", "/webhooks/")])
async def test_other_paths_are_unknown(sim, method, path):
    assert (await sim.ask(method, path, BODY)).status == 404
