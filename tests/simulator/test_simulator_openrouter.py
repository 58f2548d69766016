"""OpenRouter by its contract: structured answers, exact cost, fallback models, limits of free models, error shapes."""

from decimal import Decimal

import orjson
import pytest

CHAT = "/api/v1/chat/completions"
COMMENTS = [
    {
        "id": "c1",
        "author": "Mira Holt",
        "username": "mira.holt",
        "text": "Write me at mira@example.com, I work at Example Rail.",
    },
    {"id": "c2", "author": "Tomas Vrána", "username": "tomas", "text": "So beautiful"},
]
CONTACT = {
    "type": "object",
    "properties": {
        "firstName": {"type": "string"},
        "lastName": {"type": "string"},
        "email": {"type": ["string", "null"]},
        "phone": {"type": ["string", "null"]},
        "confidence": {"type": "number"},
    },
    "required": ["firstName", "lastName", "email", "phone", "confidence"],
    "additionalProperties": False,
}
ITEM = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "contacts": {"type": "array", "items": {"$ref": "#/$defs/contact"}}},
}
SCHEMA = {"type": "object", "properties": {"items": {"type": "array", "items": ITEM}}, "$defs": {"contact": CONTACT}}


def chat(comments=COMMENTS, *, name="contacts", schema=SCHEMA, **more):
    lines = "\n".join(orjson.dumps(comment).decode() for comment in comments)
    body = {
        "model": "openai/gpt-5-mini",
        "messages": [
            {"role": "system", "content": "Extract contact data."},
            {"role": "user", "content": f"Comments, one a line:\n{lines}\n"},
        ],
        "temperature": 0,
    }
    if name:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": name, "strict": True, "schema": schema},
        }
    return {**body, **more}


async def content(sim, body):
    answer = await sim.post(CHAT, body)
    assert answer.status == 200, answer.body
    return answer.json["choices"][0]["message"]["content"]


class TestAnswers:
    async def test_every_id_comes_back_once_with_its_contacts(self, sim):
        assert orjson.loads(await content(sim, chat())) == {
            "items": [
                {
                    "id": "c1",
                    "contacts": [
                        {
                            "firstName": "Mira",
                            "lastName": "Holt",
                            "email": "mira@example.com",
                            "phone": None,
                            "confidence": 0.84,
                        }
                    ],
                },
                {"id": "c2", "contacts": []},
            ]
        }

    async def test_the_company_comes_along_if_the_schema_has_room_for_it(self, sim):
        answer = orjson.loads(await content(sim, chat(schema={"type": "object"})))
        assert answer["items"][0]["contacts"][0]["company"] == "Example Rail"

    async def test_the_documented_envelope(self, sim):
        answer = (await sim.post(CHAT, chat())).json
        assert answer["id"].startswith("gen-")
        assert (answer["object"], answer["model"], answer["provider"]) == (
            "chat.completion",
            "openai/gpt-5-mini",
            "openai",
        )
        assert answer["choices"][0]["finish_reason"] == "stop"
        assert (
            answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] + answer["usage"]["completion_tokens"]
        )

    async def test_without_a_schema_and_as_json_object(self, sim):
        for body in (chat(name=None), chat(name=None, response_format={"type": "json_object"})):
            assert [item["id"] for item in orjson.loads(await content(sim, body))["items"]] == ["c1", "c2"]

    async def test_nothing_to_extract(self, sim):
        body = {"model": "openai/gpt-5-mini", "messages": [{"role": "user", "content": "Hello"}]}
        assert "simulated" in await content(sim, body)

    async def test_text_in_parts(self, sim):
        line = orjson.dumps(COMMENTS[0]).decode()
        body = chat(
            messages=[
                {"role": "user", "content": [{"type": "text", "text": "Comments:"}, {"type": "text", "text": line}]}
            ]
        )
        assert len(orjson.loads(await content(sim, body))["items"]) == 1

    async def test_an_unknown_schema_gets_the_emptiest_valid_answer(self, sim):
        schema = {
            "type": "object",
            "properties": {
                "mood": {"enum": ["good", "bad"]},
                "score": {"type": "integer", "minimum": 1},
                "tags": {"type": "array"},
            },
            "required": ["mood", "score", "tags"],
        }
        assert orjson.loads(await content(sim, chat(name="sentiment", schema=schema))) == {
            "mood": "good",
            "score": 1,
            "tags": [],
        }

    async def test_a_small_limit_cuts_the_answer(self, sim):
        answer = (await sim.post(CHAT, chat(max_tokens=10))).json
        assert answer["choices"][0]["finish_reason"] == "length"
        assert answer["usage"]["completion_tokens"] == 10
        assert len(answer["choices"][0]["message"]["content"]) == 40


class TestCost:
    async def test_the_cost_is_tokens_times_price_to_the_last_digit(self, sim):
        answer = await sim.post(CHAT, chat())
        usage = answer.json["usage"]
        expected = (usage["prompt_tokens"] * Decimal("0.25") + usage["completion_tokens"] * Decimal(2)) / 1_000_000
        assert Decimal(answer.body.partition(b'"cost":')[2].partition(b",")[0].decode()) == expected
        assert Decimal(sim.bill("openrouter")["charges"]["USD"]) == expected

    async def test_a_free_model_costs_nothing_and_an_unknown_one_something(self, sim):
        free = (await sim.post(CHAT, chat(model="mistralai/mistral-7b-instruct:free"))).json["usage"]["cost"]
        unknown = (await sim.post(CHAT, chat(model="some/new-model"))).json["usage"]["cost"]
        assert free == 0
        assert unknown > 0

    async def test_a_repetition_costs_the_same_again(self, sim):
        costs = [(await sim.post(CHAT, chat())).json["usage"]["cost"] for _ in range(2)]
        assert costs[0] == costs[1]
        assert Decimal(sim.bill("openrouter")["charges"]["USD"]) == 2 * Decimal(str(costs[0]))

    async def test_the_cost_of_a_lost_answer_can_be_looked_up(self, sim):
        answer = (await sim.post(CHAT, chat())).json
        kept = (await sim.get(f"/api/v1/generation?id={answer['id']}")).json["data"]
        assert kept["total_cost"] == answer["usage"]["cost"]
        assert (await sim.get("/api/v1/generation?id=gen-unknown")).status == 404

    async def test_the_key_shows_what_was_used(self, make):
        sim = make(budgets={"openrouter": Decimal(5)})
        cost = (await sim.post(CHAT, chat())).json["usage"]["cost"]
        data = (await sim.get("/api/v1/key")).json["data"]
        assert (data["usage"], data["limit"]) == (cost, 5)

    async def test_no_balance(self, make):
        sim = make(budgets={"openrouter": Decimal("0.00001")})
        await sim.post(CHAT, chat())
        refused = await sim.post(CHAT, chat())
        assert refused.status == 402
        assert "retry-after" not in refused.headers


class TestModels:
    FREE = "mistralai/mistral-7b-instruct:free"

    async def test_free_models_have_a_limit_and_paid_ones_none(self, make):
        sim = make()
        free = [await sim.post(CHAT, chat(model=self.FREE)) for _ in range(21)]
        assert [answer.status for answer in free] == [200] * 20 + [429]
        assert free[-1].json["error"]["metadata"]["error_type"] == "rate_limit_exceeded"
        assert free[-1].headers["x-ratelimit-limit"] == "20"
        assert free[-1].headers["retry-after"] == "60"
        paid = [await sim.post(CHAT, chat()) for _ in range(50)]
        assert {answer.status for answer in paid} == {200}

    async def test_the_next_model_answers_when_the_first_is_down(self, make):
        sim = make(models_down=("openai/gpt-5-mini",))
        answer = await sim.post(CHAT, chat(models=["openai/gpt-5-mini", "anthropic/claude-haiku-4.5"]))
        assert answer.json["model"] == "anthropic/claude-haiku-4.5"

    async def test_the_next_model_answers_when_the_first_is_limited(self, make):
        sim = make(limits={"openrouter/chat-free": [(1, 60.0)]})
        body = chat(model=self.FREE, models=[self.FREE, "openai/gpt-5-mini"])
        models = [(await sim.post(CHAT, body)).json["model"] for _ in range(2)]
        assert models == [self.FREE, "openai/gpt-5-mini"]
        assert sim.bill("openrouter")["rateLimited"] == 0

    async def test_every_model_down(self, make):
        answer = await make(models_down=("openai/gpt-5-mini",)).post(CHAT, chat())
        error = answer.json["error"]
        assert (answer.status, error["availability"]["retryable"]) == (503, True)
        assert "code" not in error

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"model": "gpt"}, 400),
            ({"model": None}, 400),
            ({"messages": []}, 400),
            ({"messages": ["Hello"]}, 400),
            ({"stream": True}, 400),
        ],
    )
    async def test_refusals(self, sim, change, status):
        answer = await sim.post(CHAT, chat(**change))
        assert answer.status == status
        assert answer.json["error"]["message"]

    async def test_an_unknown_model_is_said_in_the_availability_shape(self, sim):
        error = (await sim.post(CHAT, chat(model="gpt"))).json["error"]
        assert (error["availability"]["code"], error["availability"]["retryable"]) == ("model_not_found", False)

    async def test_keys(self, sim):
        for headers in ({}, {"authorization": "Bearer wrong"}):
            answer = await sim.post(CHAT, chat(), headers=headers)
            assert (answer.status, answer.json["error"]["code"]) == (401, 401)
