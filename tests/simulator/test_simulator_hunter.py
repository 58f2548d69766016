"""Hunter by its contract: found, not found, claimed, pending; 403 is a rate limit and 429 an exhausted plan."""

from decimal import Decimal
from urllib.parse import urlencode

import pytest


def finder(**params):
    return f"/v2/email-finder?{urlencode(params)}"


def holt(number, **more):
    return finder(**{"company": "Example Rail", "first_name": "Mira", "last_name": f"Holt{number}", **more})


@pytest.fixture
def sim(make):
    return make(limits={"hunter": []})


class TestFinder:
    async def test_share_of_found_addresses_and_the_ways_to_miss(self, sim):
        answers = [await sim.get(holt(number)) for number in range(1500)]
        by_status = {status: [a for a in answers if a.status == status] for status in (200, 404, 451)}
        found = [a.json["data"] for a in by_status[200] if a.json["data"]["email"]]
        missed = [a.json["data"] for a in by_status[200] if not a.json["data"]["email"]]
        assert len(found) / 1500 == pytest.approx(0.70, abs=0.05)
        assert sum(map(len, by_status.values())) == 1500
        assert 1 <= len(by_status[404]) <= 40
        assert 1 <= len(by_status[451]) <= 40
        assert {data["score"] for data in missed} == {None, 0}
        assert any("verification" not in data for data in missed)
        assert {data["verification"]["status"] for data in found} == {"valid", "accept_all"}

    async def test_a_found_address_has_the_documented_shape(self, make):
        sim = make(find_rate=1.0)
        answer = (await sim.get(finder(domain="example.org", full_name="Zoë Đặng", max_duration=5))).json
        assert answer["data"]["email"] == "zoe.dang@example.org"
        assert answer["data"]["domain"] == "example.org"
        assert answer["meta"]["params"]["max_duration"] == 5
        assert len(answer["data"]["sources"]) <= 20

    @pytest.mark.parametrize(
        ("params", "email"),
        [
            ({"company": "Example Rail"}, "mira.holt@example-rail.example.com"),
            ({"domain": "example-rail.example.com"}, "mira.holt@example-rail.example.com"),
            ({"domain": "real-company.test"}, "mira.holt@real-company-test.example.com"),
            ({"company": "Example Rail", "domain": "example.net"}, "mira.holt@example.net"),
        ],
    )
    async def test_addresses_are_at_example_domains_only(self, make, params, email):
        sim = make(find_rate=1.0)
        answer = await sim.get(finder(first_name="Mira", last_name="Holt", **params))
        assert answer.json["data"]["email"] == email

    async def test_by_profile(self, make):
        answer = await make(find_rate=1.0).get(finder(linkedin_handle="mira-holt-example"))
        assert answer.json["data"]["email"].endswith(".example.com")

    async def test_the_same_request_is_charged_once(self, make):
        sim = make(find_rate=1.0)
        for _ in range(3):
            await sim.get(holt(1))
        bill = sim.bill("hunter")
        assert bill["charges"] == {"USD": "0.0245", "credits": "1"}
        assert (bill["distinct"], bill["repeats"]) == (1, 2)

    async def test_nothing_is_charged_for_a_miss(self, make):
        sim = make(find_rate=0.0)
        await sim.get(holt(1))
        assert sim.bill("hunter")["charges"] == {"USD": "0", "credits": "0"}

    @pytest.mark.parametrize(
        ("params", "name"),
        [
            ({"first_name": "Mira", "last_name": "Holt"}, "wrong_params"),
            ({"company": "Example Rail", "first_name": "Mira"}, "wrong_params"),
            ({"company": "Example Rail", "first_name": "", "last_name": "Holt"}, "wrong_params"),
            ({"company": "Example Rail", "first_name": "123", "last_name": "Holt"}, "invalid_first_name"),
            ({"company": "Example Rail", "full_name": "42"}, "invalid_full_name"),
            ({"domain": "nodot", "full_name": "Mira Holt"}, "invalid_domain"),
            ({"domain": "example.com", "full_name": "Mira Holt", "max_duration": "60"}, "invalid_max_duration"),
        ],
    )
    async def test_refusals(self, make, params, name):
        answer = await make(find_rate=1.0).get(finder(**params))
        assert answer.status == 400
        assert answer.json["errors"][0]["id"] == name


class TestVerifier:
    async def test_statuses(self, sim):
        answers = [await sim.get(f"/v2/email-verifier?email=p{number}@example.com") for number in range(800)]
        statuses = [answer.json["data"]["status"] for answer in answers if answer.status == 200]
        assert set(statuses) == {"valid", "accept_all", "invalid", "unknown"}
        assert {answer.status for answer in answers} == {200, 202, 222, 451}
        assert any("result" not in answer.json["data"] for answer in answers if answer.status == 200)

    async def test_a_pending_one_is_final_after_some_calls_and_counts_once(self, sim):
        paths = [f"/v2/email-verifier?email=p{number}@example.com" for number in range(400)]
        pending = [path for path in paths if (await sim.get(path)).status == 202]
        assert pending
        for path in pending:
            statuses = [(await sim.get(path)).status for _ in range(3)]
            assert statuses[-1] == 200
        assert sim.bill("hunter")["repeats"] <= 2 * len(pending)

    async def test_unverifiable_ones_stay_so_and_cost_nothing(self, sim):
        paths = [f"/v2/email-verifier?email=p{number}@example.com" for number in range(400)]
        failing = [path for path in paths if (await sim.get(path)).status == 222]
        before = sim.bill("hunter")["charges"]
        assert failing
        for path in failing:
            answer = await sim.get(path)
            assert answer.status == 222
            assert answer.body in (b"", b"{}", b'{"data":{"status":null}}')
        assert sim.bill("hunter")["charges"] == before

    @pytest.mark.parametrize(
        ("domain", "status", "charged"),
        [("webmail.example.com", "webmail", "0"), ("disposable.example.com", "disposable", "0")],
    )
    async def test_what_is_not_charged(self, make, domain, status, charged):
        sim = make()
        answer = await sim.get(f"/v2/email-verifier?email=lena@{domain}")
        assert (answer.json["data"]["status"], answer.json["data"]["score"]) == (status, 50)
        assert sim.bill("hunter")["charges"]["credits"] == charged

    async def test_half_a_credit(self, sim):
        answer = await sim.get("/v2/email-verifier?email=mira.holt@example.com")
        assert answer.json["data"]["status"] == "valid"
        await sim.get("/v2/email-verifier?email=mira.holt@example.com")
        assert sim.bill("hunter")["charges"] == {"USD": "0.01225", "credits": "0.5"}

    @pytest.mark.parametrize(
        ("query", "name"), [("", "wrong_params"), ("?email=nobody", "invalid_email"), ("?email=@x.y", "invalid_email")]
    )
    async def test_refusals(self, sim, query, name):
        answer = await sim.get(f"/v2/email-verifier{query}")
        assert (answer.status, answer.json["errors"][0]["id"]) == (400, name)


class TestAccount:
    @pytest.mark.parametrize(
        ("headers", "query"),
        [({"X-API-KEY": "sim-key"}, ""), ({"Authorization": "Bearer sim-key"}, ""), ({}, "?api_key=sim-key")],
    )
    async def test_three_places_for_the_key(self, sim, headers, query):
        assert (await sim.get(f"/v2/usage{query}", headers=headers)).status == 200

    async def test_a_wrong_key(self, sim):
        answer = await sim.get("/v2/usage", headers={"x-api-key": "wrong"})
        assert (answer.status, answer.json["errors"][0]["id"]) == (401, "authentication_failed")

    async def test_the_test_key_gives_one_answer_for_nothing(self, make):
        sim = make(find_rate=0.0)
        headers = {"x-api-key": "test-api-key"}
        answers = [(await sim.get(holt(number), headers=headers)).json["data"]["email"] for number in range(5)]
        assert answers == ["lena.okafor@example.com"] * 5
        assert sim.bill("hunter")["charges"]["credits"] == "0"
        assert (await sim.get("/v2/usage", headers=headers)).status == 401

    async def test_usage_shows_decimals(self, make):
        sim = make(find_rate=1.0, budgets={"hunter": Decimal(2000)})
        await sim.get(holt(1))
        await sim.get("/v2/email-verifier?email=lena.okafor@example.com")
        usage = (await sim.get("/v2/usage")).json["data"]["requests"]["credits"]
        assert usage == {"used": 1.5, "available": 2000, "remaining": 1998.5}
        assert (await sim.get("/v2/account")).json["data"]["plan_name"]

    async def test_exhausted_plan_is_429(self, make):
        sim = make(find_rate=1.0, budgets={"hunter": Decimal(1)})
        await sim.get(holt(1))
        answer = await sim.get(holt(2))
        assert (answer.status, answer.json["errors"][0]["id"]) == (429, "too_many_requests")

    async def test_rate_limit_is_403_without_a_hint(self, make, clock):
        sim = make()
        answers = [await sim.get(holt(number)) for number in range(60)]
        refused = [answer for answer in answers if answer.status == 403]
        assert len(refused) == 45
        assert {answer.json["errors"][0].get("id") for answer in refused} == {"too_many_requests", None}
        assert not any("retry-after" in answer.headers for answer in refused)
        clock.now += 1
        assert (await sim.get(holt(99))).status != 403
