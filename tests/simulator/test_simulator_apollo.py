"""Apollo by its contract: match and bulk match, credits, fixed windows with their headers, two forms of 401."""

from decimal import Decimal

import pytest

MATCH = "/api/v1/people/match"
BULK = "/api/v1/people/bulk_match"


def person(number):
    return {"first_name": "Lena", "last_name": f"Okafor{number}", "email": f"lena.okafor{number}@example.com"}


async def match(sim, **fields):
    answer = await sim.post(MATCH, fields)
    assert answer.status == 200, answer.body
    return answer.json


def known(answer):
    found = answer.get("person")
    return found if found and found.get("match_confidence") != "none" else None


async def found_people(sim, count=300):
    answers = [await match(sim, **person(number)) for number in range(count)]
    return [known(answer) for answer in answers if known(answer)], answers


class TestMatch:
    async def test_a_person_has_the_documented_shape(self, make):
        people, _ = await found_people(make(limits={"apollo": []}))
        for found in people:
            assert found["name"] == f"{found['first_name']} {found['last_name']}"
            assert found["organization"]["primary_phone"] == {}
            assert found["title"]
            for job in found["employment_history"] or []:
                assert job["_id"] == job["id"] == job["key"]
                assert job["organization_name"]
                assert job["current"] is (job["end_date"] is None)

    async def test_what_may_be_missing_is_missing_now_and_then(self, make):
        people, answers = await found_people(make(limits={"apollo": []}), 600)
        histories = [found["employment_history"] for found in people]
        assert None in histories
        assert [] in histories
        assert any(job["kind"] == "education" for history in histories for job in history or [])
        assert any(sum(job["current"] for job in history or []) > 1 for history in histories)
        assert any("contact" not in found for found in people)
        assert any(found.get("contact", {}).get("phone_numbers") == [] for found in people)
        assert any(found.get("contact", {}).get("phone_numbers") for found in people)
        assert any(found["linkedin_url"] is None for found in people)
        assert all(-(1 << 63) <= answer["request_id"] < 1 << 63 for answer in answers)
        assert any(answer["request_id"] < -(1 << 53) for answer in answers)

    async def test_nobody_is_said_in_three_ways(self, make):
        _, answers = await found_people(make(limits={"apollo": []}), 600)
        missed = [answer for answer in answers if not known(answer)]
        ways = {
            "null" if answer.get("person", 0) is None else "absent" if "person" not in answer else "none"
            for answer in missed
        }
        assert ways == {"null", "absent", "none"}

    @pytest.mark.parametrize(
        ("fields", "share"),
        [
            ({"email": "{n}@example.com"}, 0.75),
            ({"first_name": "Mira", "last_name": "Holt{n}", "organization_name": "Example Rail"}, 0.75),
            ({"name": "Mira Holt{n}", "domain": "example.com"}, 0.75),
            ({"linkedin_url": "http://www.linkedin.com/in/{n}-example"}, 0.75),
            ({"hashed_email": "{n}"}, 0.75),
            ({"first_name": "Mira", "last_name": "Holt{n}"}, 0.55),
            ({"first_name": "Mira{n}"}, 0.0),
            ({}, 0.0),
        ],
    )
    async def test_share_of_known_people(self, make, fields, share):
        sim = make(limits={"apollo": []})
        asked = [{name: text.replace("{n}", f"{n}") for name, text in fields.items()} for n in range(400)]
        hits = sum([known(await match(sim, **fields)) is not None for fields in asked])
        assert hits / 400 == pytest.approx(share, abs=0.08)

    async def test_the_address_asked_by_comes_back_and_others_may_be_locked(self, make):
        sim = make(limits={"apollo": []}, match_rate=1.0, weak_match_rate=1.0)
        assert known(await match(sim, **person(1)))["email"] == "lena.okafor1@example.com"
        emails = [known(await match(sim, first_name="Mira", last_name=f"Holt{n}"))["email"] for n in range(200)]
        assert "email_not_unlocked@domain.com" in emails
        assert None in emails
        assert all(email.endswith("example.com") for email in emails if email and "not_unlocked" not in email)

    async def test_the_company_of_the_address_is_the_employer(self, make):
        sim = make(match_rate=1.0)
        found = known(await match(sim, email="mira.holt@example-alder-rail.example.com"))
        assert (found["first_name"], found["last_name"]) == ("Mira", "Holt")
        assert found["organization"]["name"] == "Example Alder Rail"

    async def test_personal_addresses_only_when_asked_for(self, make):
        sim = make(match_rate=1.0, limits={"apollo": []})
        plain = [known(await match(sim, **person(n))) for n in range(20)]
        asked = [known(await match(sim, **person(n), reveal_personal_emails=True)) for n in range(20)]
        assert not any("personal_emails" in found for found in plain)
        assert any("personal_emails" in found for found in asked)

    async def test_parameters_may_come_in_the_query(self, make):
        sim = make(match_rate=1.0)
        answer = await sim.post(f"{MATCH}?email=mira.holt%40example.com")
        assert known(answer.json)["email"] == "mira.holt@example.com"

    async def test_same_person_same_answer_for_any_spelling_of_the_key(self, sim):
        one = await match(sim, email="Mira.Holt@Example.com")
        other = await match(sim, email="mira.holt@example.com")
        assert known(one) == known(other)


class TestCredits:
    async def test_one_for_a_person_none_for_nobody_and_again_for_a_repetition(self, make):
        sim = make(limits={"apollo": []})
        people, _ = await found_people(sim, 50)
        first = Decimal(sim.bill("apollo")["charges"]["credits"])
        assert first == len(people)
        await found_people(sim, 50)
        bill = sim.bill("apollo")
        assert Decimal(bill["charges"]["credits"]) == 2 * first
        assert Decimal(bill["charges"]["USD"]) == 2 * first * Decimal("0.025")
        assert (bill["distinct"], bill["repeats"]) == (50, 50)

    async def test_no_more_credits(self, make):
        sim = make(match_rate=1.0, budgets={"apollo": Decimal(2)})
        for number in range(2):
            await match(sim, **person(number))
        refused = await sim.post(MATCH, person(3))
        assert refused.status == 422
        assert "credits" in refused.json["error"]
        stats = await sim.post("/api/v1/usage_stats/credit_usage_stats")
        assert stats.json == {"credits": {"used": 2, "remaining": 0}}


class TestBulk:
    async def test_positions_and_counts(self, make):
        sim = make()
        details = [person(number) for number in range(10)]
        answer = (await sim.post(BULK, {"details": details})).json
        matched = [found for found in answer["matches"] if found]
        assert len(answer["matches"]) == answer["total_requested_enrichments"] == 10
        assert all(
            found["email"] == asked["email"] for found, asked in zip(answer["matches"], details, strict=True) if found
        )
        assert answer["unique_enriched_records"] == answer["credits_consumed"] == len(matched)
        assert answer["missing_records"] == 10 - len(matched)
        assert sim.bill("apollo")["charges"]["credits"] == str(len(matched))

    async def test_a_person_in_one_and_in_bulk_is_the_same(self, make):
        sim = make(match_rate=1.0)
        bulk = (await sim.post(BULK, {"details": [person(1)]})).json["matches"][0]
        assert bulk == known(await match(sim, **person(1)))

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({}, "INVALID_REQUEST"),
            ({"details": []}, "INVALID_REQUEST"),
            ({"details": ["Lena"]}, "INVALID_REQUEST"),
            ({"details": [{}] * 11}, "RECORD_LIMIT_EXCEEDED"),
        ],
    )
    async def test_refusals(self, sim, body, code):
        answer = await sim.post(BULK, body)
        assert (answer.status, answer.json["error_code"]) == (400, code)


class TestLimits:
    async def test_window_headers_on_every_answer(self, sim):
        headers = (await sim.post(MATCH, person(1))).headers
        assert headers["x-rate-limit-minute"] == "1000"
        assert (headers["x-minute-usage"], headers["x-minute-requests-left"]) == ("1", "999")
        assert headers["x-rate-limit-hourly"] == headers["x-rate-limit-24-hour"] == ""
        assert "x-hourly-usage" not in headers

    async def test_a_window_opens_with_the_first_call_and_starts_anew_when_it_is_over(self, make, clock):
        sim = make(limits={"apollo": [(3, 60.0)]})
        clock.now += 17
        for _ in range(3):
            await match(sim, **person(1))
            clock.now += 10
        refused = await sim.post(MATCH, person(2))
        assert (refused.status, refused.headers["retry-after"]) == (429, "30")
        assert refused.headers["x-minute-requests-left"] == "0"
        assert "people/match" in refused.json["message"]
        clock.now += 30
        for _ in range(3):
            await match(sim, **person(2))

    async def test_each_endpoint_has_its_own_window(self, make):
        sim = make(limits={"apollo": [(1, 60.0)]})
        await match(sim, **person(1))
        assert (await sim.post(MATCH, person(1))).status == 429
        assert (await sim.post(BULK, {"details": [person(1)]})).status == 200

    async def test_usage_stats_tell_the_limits(self, sim):
        await match(sim, **person(1))
        stats = (await sim.post("/api/v1/usage_stats/api_usage_stats")).json
        assert stats['["api/v1/people", "match"]']["minute"] == {"limit": 1000, "consumed": 1, "left_over": 999}
        assert stats['["api/v1/people", "match"]']["day"]["limit"] is None


class TestRefusals:
    @pytest.mark.parametrize(
        "headers", [{}, {"x-api-key": "wrong"}, {"authorization": "Bearer sim-key"}], ids=["none", "wrong", "bearer"]
    )
    async def test_only_the_header_counts(self, sim, headers):
        answer = await sim.post(f"{MATCH}?api_key=sim-key", person(1), headers=headers)
        assert answer.status == 401
        assert "x-rate-limit-minute" not in answer.headers

    async def test_401_is_text_or_json(self, sim):
        answers = [await sim.post(MATCH, person(n), headers={}) for n in range(20)]
        kinds = {answer.headers["content-type"].partition(";")[0] for answer in answers}
        assert kinds == {"text/plain", "application/json"}

    async def test_health_answers_everybody(self, sim):
        assert (await sim.get("/api/v1/auth/health", headers={})).json["is_logged_in"] is False
        assert (await sim.get("/api/v1/auth/health")).json["is_logged_in"] is True

    @pytest.mark.parametrize(
        ("more", "status"),
        [
            ({"reveal_phone_number": True}, 400),
            ({"reveal_phone_number": True, "webhook_url": "https://hooks.example.com"}, 403),
            ({"run_waterfall_email": "true", "poll_only": True}, 403),
        ],
    )
    async def test_phones_and_waterfall_are_refused(self, sim, more, status):
        assert (await sim.post(MATCH, {**person(1), **more})).status == status

    async def test_a_body_that_is_no_object(self, sim):
        assert (await sim.post(MATCH, b"[1]")).status == 422

    @pytest.mark.parametrize(
        ("request_id", "status", "code"), [("12", 404, "request_id_unknown"), ("x", 400, "invalid_request_id")]
    )
    async def test_nothing_to_poll(self, sim, request_id, status, code):
        answer = await sim.get(f"/api/v1/webhook_result/{request_id}")
        assert (answer.status, answer.json["error_code"]) == (status, code)
