"""The fault plan: how each kind looks from outside, what it costs, and what a retrying client can rely on."""

from collections import Counter
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumeflow.simulator import DEFAULT_FAULT_KINDS, AnswerCut, FaultKind
from lumeflow.simulator.faults import MOST_IN_A_ROW, FaultPlan

LINE = orjson.dumps({"id": "c1", "author": "Mira Holt", "text": "Write me at mira@example.com"}).decode()
CHAT = {
    "model": "openai/gpt-5-mini",
    "messages": [{"role": "user", "content": LINE}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "contacts", "schema": {}}},
}
CALLS = {
    "apify": ("POST", "/v2/actors/apify~instagram-comment-scraper/runs", {"directUrls": ["https://e.example/p/{n}/"]}),
    "apollo": ("POST", "/api/v1/people/match", {"email": "p{n}@example.com"}),
    "hunter": ("GET", "/v2/email-finder?domain=example.com&first_name=Mira&last_name=Holt{n}", None),
    "openrouter": ("POST", "/api/v1/chat/completions", {**CHAT, "seed": "{n}"}),
    "openai": ("POST", "/v1/chat/completions", {**CHAT, "model": "gpt-4.1-mini", "seed": "{n}"}),
    "anthropic": (
        "POST",
        "/v1/messages",
        {
            "model": "claude-haiku-4-5",
            "max_tokens": 400,
            "messages": [{"role": "user", "content": LINE}],
            "metadata": {"user_id": "{n}"},
        },
    ),
    "mixedbread": ("POST", "/v1/embeddings", {"model": "mixedbread-ai/mxbai-embed-large-v1", "input": ["text {n}"]}),
}
UNLIMITED = {name: [] for name in CALLS}
OPEN = {"limits": UNLIMITED, "concurrency": {}, "match_rate": 1.0, "find_rate": 1.0}


def call_of(provider: str, number: int = 0):
    method, path, body = CALLS[provider]
    filled = orjson.loads(orjson.dumps(body).replace(b"{n}", str(number).encode()))
    return method, path.replace("{n}", f"{chr(97 + number % 26)}{number}"), filled


class TestPlan:
    KINDS = DEFAULT_FAULT_KINDS

    def outcomes(self, plan: FaultPlan, key: int, attempts: int, *, polled: bool = False) -> list[bool]:
        return [plan.draw(key, odd_shapes=True, polled=polled) is not None for _ in range(attempts)]

    @given(st.integers(0, 1 << 32), st.floats(0, 1), st.booleans())
    def test_never_more_than_two_in_a_row(self, seed, rate, polled):
        plan = FaultPlan(seed, rate, self.KINDS)
        for key in range(5):
            outcomes = "".join("x" if failed else "." for failed in self.outcomes(plan, key, 40, polled=polled))
            assert "x" * (MOST_IN_A_ROW + 1) not in outcomes

    @pytest.mark.parametrize("rate", [0.05, 0.2, 0.5])
    def test_the_rate_is_the_share_of_first_attempts_that_fail(self, rate):
        plan = FaultPlan(7, rate, self.KINDS)
        failed = sum(self.outcomes(plan, key, 1)[0] for key in range(5000))
        assert failed / 5000 == pytest.approx(rate, abs=0.02)

    @pytest.mark.parametrize("rate", [0.0, 1.0])
    def test_never_and_always(self, rate):
        outcomes = self.outcomes(FaultPlan(7, rate, self.KINDS), 1, 6)
        assert outcomes == ([False] * 6 if rate == 0 else [True, True, False, True, True, False])

    def test_the_plan_does_not_depend_on_the_order_of_requests(self):
        one, other = FaultPlan(7, 0.4, self.KINDS), FaultPlan(7, 0.4, self.KINDS)
        keys = list(range(200))
        by_request = {key: [one.draw(key, odd_shapes=True, polled=False) for _ in range(3)] for key in keys}
        in_rounds = {key: [] for key in keys}
        for _ in range(3):
            for key in reversed(keys):
                in_rounds[key].append(other.draw(key, odd_shapes=True, polled=False))
        assert by_request == in_rounds

    def test_another_seed_is_another_plan(self):
        plans = [FaultPlan(seed, 0.5, self.KINDS) for seed in (1, 2)]
        drawn = [[self.outcomes(plan, key, 1) for key in range(50)] for plan in plans]
        assert drawn[0] != drawn[1]

    def test_a_poll_that_was_spared_once_can_fail_later(self):
        assert any(self.outcomes(FaultPlan(7, 0.2, self.KINDS), 1, 60, polled=True)[20:])

    def test_only_requests_that_are_failing_are_remembered(self):
        plan = FaultPlan(7, 0.2, self.KINDS)
        for key in range(5000):
            while plan.draw(key, odd_shapes=True, polled=False) is not None:
                pass
        assert plan.remembered() == 0

    def test_all_kinds_come_and_a_kind_named_twice_comes_twice_as_often(self):
        kinds = (FaultKind.HANG, FaultKind.HANG, FaultKind.MALFORMED)
        plan = FaultPlan(7, 1.0, kinds)
        drawn = Counter(plan.draw(key, odd_shapes=True, polled=False).kind for key in range(3000))
        assert drawn[FaultKind.HANG] / drawn[FaultKind.MALFORMED] == pytest.approx(2, rel=0.15)
        everything = FaultPlan(7, 1.0, self.KINDS)
        assert {everything.draw(key, odd_shapes=True, polled=False).kind for key in range(500)} == set(self.KINDS)


class TestErrorsInsteadOfAnswers:
    """Nothing was processed, nothing is charged."""

    @pytest.mark.parametrize("provider", CALLS)
    @pytest.mark.parametrize(
        ("kind", "statuses"),
        [
            (
                "rate_limit",
                {**{name: {429} for name in CALLS}, "hunter": {403}, "openrouter": {429, 402}},
            ),
            ("server_error", {**{name: {500, 502, 503} for name in CALLS}, "anthropic": {500, 502, 529}}),
            ("html_error", {name: {500, 502, 503} for name in CALLS}),
        ],
    )
    async def test_status_and_bill(self, make, provider, kind, statuses):
        sim = make(fault_rate=1.0, fault_kinds=(kind,), **OPEN)
        answers = [await sim.ask(*call_of(provider, number)) for number in range(30)]
        assert {answer.status for answer in answers} == statuses[provider]
        html = {answer.headers["content-type"].startswith("text/html") for answer in answers}
        assert html == {kind == "html_error"}
        bill = sim.bill(provider)
        assert (bill["failed"], bill["answered"], bill["faults"]) == (30, 0, {kind: 30})
        assert bill["charges"] == {"USD": "0", "credits": "0"}

    @pytest.mark.parametrize(
        ("provider", "seconds"),
        [
            ("apollo", {"3"}),
            ("mixedbread", {"3"}),
            ("openai", {"3"}),
            ("anthropic", {"3"}),
            ("apify", {None}),
            ("hunter", {None}),
        ],
    )
    async def test_retry_after_where_the_vendor_has_one(self, make, provider, seconds):
        sim = make(fault_rate=1.0, fault_kinds=("rate_limit",), fault_retry_after=3, **OPEN)
        answers = [await sim.ask(*call_of(provider, number)) for number in range(10)]
        assert {answer.headers.get("retry-after") for answer in answers} == seconds

    async def test_openrouter_is_busy_in_three_shapes(self, make):
        sim = make(fault_rate=1.0, fault_kinds=("rate_limit",), fault_retry_after=3, **OPEN)
        answers = [await sim.ask(*call_of("openrouter", number)) for number in range(40)]
        shapes = Counter()
        for answer in answers:
            error = answer.json["error"]
            if "availability" in error:
                assert (error["availability"]["retry_after"], "code" in error) == (3, False)
                shapes["availability"] += 1
            else:
                assert answer.headers["retry-after"] == "3"
                shapes[error["code"]] += 1
        assert set(shapes) == {"availability", 429, 402}


class TestLostAnswers:
    """The call was processed and charged; only its answer is missing."""

    @pytest.mark.parametrize("provider", CALLS)
    @pytest.mark.parametrize("kind", ["hang", "cut_answer", "cut_connection", "malformed"])
    async def test_processed_and_charged(self, make, provider, kind, clock):
        calm, faulty = make(**OPEN), make(fault_rate=1.0, fault_kinds=(kind,), **OPEN)
        whole = await calm.ask(*call_of(provider))
        if kind == "malformed":
            answer = await faulty.ask(*call_of(provider))
            assert (answer.status, len(answer.body)) == (whole.status, len(whole.body) // 2)
            with pytest.raises(orjson.JSONDecodeError):
                orjson.loads(answer.body)
        else:
            with pytest.raises(AnswerCut) as cut:
                await faulty.ask(*call_of(provider))
            assert cut.value.timed_out is (kind == "hang")
            assert (cut.value.partial is not None) is (kind == "cut_answer")
        bill, expected = faulty.bill(provider), calm.bill(provider)
        assert (bill["answered"], bill["lostAnswers"], bill["faults"]) == (1, 1, {kind: 1})
        assert bill["charges"] == expected["charges"]
        if provider != "apify":
            assert bill["lostCharges"] == expected["charges"]

    async def test_a_hanging_answer_takes_its_time(self, make, clock):
        sim = make(fault_rate=1.0, fault_kinds=("hang",), fault_hang=30.0, **OPEN)
        with pytest.raises(AnswerCut):
            await sim.ask(*call_of("apollo"))
        assert clock.slept == [0.0, 30.0]

    async def test_asking_again_is_a_repetition_with_a_reason(self, make, lost_answers):
        sim = make(fault_rate=1.0, fault_kinds=("cut_connection",), **OPEN)
        answers = [await lost_answers(sim, *call_of("apollo")) for _ in range(3)]
        assert [answer is None for answer in answers] == [True, True, False]
        bill = sim.bill("apollo")
        assert (bill["distinct"], bill["repeats"], bill["repeatsAfterFault"]) == (1, 2, 2)
        assert (bill["charges"]["credits"], bill["lostCharges"]["credits"]) == ("3", "2")

    async def test_hunter_does_not_charge_for_asking_again(self, make, lost_answers):
        sim = make(fault_rate=1.0, fault_kinds=("cut_connection",), **OPEN)
        for _ in range(3):
            await lost_answers(sim, *call_of("hunter"))
        bill = sim.bill("hunter")
        assert (bill["charges"]["credits"], bill["lostCharges"]["credits"]) == ("1", "1")

    async def test_a_repetition_without_a_reason_stands_out(self, make):
        sim = make(**OPEN)
        for _ in range(2):
            await sim.ask(*call_of("apollo"))
        bill = sim.bill("apollo")
        assert (bill["repeats"], bill["repeatsAfterFault"]) == (1, 0)

    async def test_a_lost_start_has_started_a_run(self, make, lost_answers):
        sim = make(fault_rate=1.0, fault_kinds=("cut_connection",), **OPEN)
        path = "/v2/actors/apify~instagram-comment-scraper/runs"
        assert await lost_answers(sim, "POST", path, {"directUrls": ["https://e.example/p/1/"]}) is None
        listings = [await lost_answers(sim, "GET", path) for _ in range(3)]
        assert listings[-1].json["data"]["total"] == 1


class TestOddShapes:
    async def shapes(self, sim, provider, count=60):
        return [await sim.ask(*call_of(provider, number)) for number in range(count)]

    async def test_openrouter_in_all_its_shapes(self, make):
        sim = make(fault_rate=1.0, fault_kinds=("odd_shape",), **OPEN)
        seen = Counter()
        for answer in await self.shapes(sim, "openrouter"):
            if answer.status == 524:
                seen["edge_524"] += 1
                continue
            choices = answer.json.get("choices")
            content = choices[0]["message"]["content"] if choices else None
            if choices is None:
                assert answer.json["error"]["code"] == 502
                seen["error_in_200"] += 1
            elif choices[0]["finish_reason"] == "error":
                assert answer.json["usage"]["cost"] == 0
                seen["error_choice"] += 1
            elif content == "":
                seen["empty_content"] += 1
            elif content.startswith("```json\n"):
                assert len(orjson.loads(content.strip("`").removeprefix("json"))["items"]) == 1
                seen["fenced_json"] += 1
            else:
                assert orjson.loads(content)["items"] == []
                seen["item_missing"] += 1
        bill = sim.bill("openrouter")
        assert bill["faults"] == {f"odd_shape.{name}": count for name, count in seen.items()}
        assert len(seen) == 6
        assert bill["answered"] == sum(seen[name] for name in ("empty_content", "fenced_json", "item_missing"))

    @pytest.mark.parametrize(
        ("provider", "names"),
        [
            ("openai", {"error_in_200", "empty_content", "fenced_json", "item_missing"}),
            ("anthropic", {"error_in_200", "empty_content", "fenced_json", "thinking_first", "item_missing"}),
        ],
    )
    async def test_other_vendors_of_models_in_all_their_shapes(self, make, provider, names):
        calm, sim = make(**OPEN), make(fault_rate=1.0, fault_kinds=("odd_shape",), **OPEN)
        whole = [await calm.ask(*call_of(provider, number)) for number in range(60)]
        odd = await self.shapes(sim, provider)
        assert {answer.status for answer in odd} == {200}
        assert all(one.json != other.json for one, other in zip(whole, odd, strict=True))
        bill = sim.bill(provider)
        assert set(bill["faults"]) == {f"odd_shape.{name}" for name in names}
        errors = [answer.json for answer in odd if "error" in answer.json]
        assert bill["failed"] == bill["faults"]["odd_shape.error_in_200"] == len(errors)
        charged = [one.json["usage"] for one, other in zip(whole, odd, strict=True) if "error" not in other.json]
        assert charged == [answer.json["usage"] for answer in odd if "error" not in answer.json]

    async def test_odd_answers_cost_what_the_answer_costs(self, make):
        calm, odd = make(**OPEN), make(fault_rate=1.0, fault_kinds=("odd_shape",), **OPEN)
        for number in range(30):
            whole = await calm.ask(*call_of("openrouter", number))
            answer = await odd.ask(*call_of("openrouter", number))
            if answer.status == 200 and answer.json.get("choices", [{}])[0].get("finish_reason") == "stop":
                assert answer.json["usage"] == whole.json["usage"]

    async def test_other_vendors(self, make):
        sim = make(fault_rate=1.0, fault_kinds=("odd_shape",), **OPEN)
        hunter = await sim.ask(*call_of("hunter"))
        assert (hunter.status, hunter.json["errors"][0]["code"]) == (200, 500)
        assert (await sim.ask(*call_of("mixedbread"))).status == 500
        assert (await sim.ask(*call_of("apollo"))).status == 200
        assert sim.bill("apollo")["faults"] == {}

    async def test_the_cost_of_a_finished_run_may_be_null_at_first(self, make, clock):
        sim = make(fault_rate=1.0, fault_kinds=("odd_shape",), limits=UNLIMITED, latency_scale=1, items_per_second=1)
        run = (await sim.ask(*call_of("apify"))).json["data"]
        assert (await sim.get(f"/v2/actor-runs/{run['id']}")).json["data"]["usageTotalUsd"] == 0
        clock.now += 1000
        usages = [(await sim.get(f"/v2/actor-runs/{run['id']}")).json["data"]["usageTotalUsd"] for _ in range(3)]
        assert None in usages
        assert usages[-1] == float(50 * Decimal("0.0019")) or usages[1] == float(50 * Decimal("0.0019"))


class TestRetryingClient:
    @pytest.mark.parametrize("provider", CALLS)
    async def test_three_attempts_always_reach_the_answer_of_a_calm_day(self, make, lost_answers, provider):
        calm, stormy = make(**OPEN), make(fault_rate=0.5, fault_hang=1.0, **OPEN)
        failures = 0
        for number in range(60):
            method, path, body = call_of(provider, number)
            expected = (await calm.ask(method, path, body)).json
            attempts = [await lost_answers(stormy, method, path, body) for _ in range(3)]
            answers = [_parsed(answer) for answer in attempts]
            failures += sum(answer != expected for answer in answers)
            assert _same(provider, answers, expected), (number, answers)
        assert failures > 20


def _parsed(answer):
    try:
        return answer.json if answer is not None else None
    except orjson.JSONDecodeError:
        return None


def _same(provider, answers, expected):
    if provider == "apify":  # every start makes a run of its own
        return any(answer and answer.get("data", {}).get("status") == "READY" for answer in answers)
    return expected in answers
