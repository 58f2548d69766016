"""OpenAI and Anthropic by their contracts: envelopes, refused parameters, empty accounts, limits, and exact charges."""

from decimal import Decimal

import orjson
import pytest
from tests.providers.desk import OPERATIONS, account, judged

from lumeflow.core.http import HttpResponse
from lumeflow.kit.models.completion import Finish, Parameter
from lumeflow.plugin import ErrorClass, RateHint, RateLimit

OPENAI, ANTHROPIC, ELSEWHERE = "/v1/chat/completions", "/v1/messages", "/openai/v1/chat/completions"
PEOPLE = [{"id": "r1", "bio": "Sourdough and trail running"}, {"id": "r2", "city": "Porto"}]
TEXTS = [
    {"id": "r1", "text": "Love it 😍"},
    {"id": "r2", "text": "Great cake, but the service was awful"},
    {"id": "r3", "text": "When do you open?"},
]
ITEM = {"type": "object", "properties": {"id": {"type": "string"}, "interests": {"type": "array"}}}
SCHEMA = {"type": "object", "properties": {"items": {"type": "array", "items": ITEM}}}


def lines(entries):
    return "\n".join(orjson.dumps(entry).decode() for entry in entries)


def chat(entries=PEOPLE, *, name="interests", schema=SCHEMA, **more):
    shape = {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}}
    body = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": lines(entries)}], "temperature": 0}
    return {**body, "response_format": shape, **more}


def message(entries=PEOPLE, *, schema=SCHEMA, **more):
    body = {"model": "claude-haiku-4-5", "max_tokens": 400, "messages": [{"role": "user", "content": lines(entries)}]}
    return {**body, "output_config": {"format": {"type": "json_schema", "schema": schema}}, **more}


CALLS = pytest.mark.parametrize(
    ("provider", "path", "body"), [("openai", OPENAI, chat()), ("anthropic", ANTHROPIC, message())]
)


def text_of(answer):
    shown = answer.json
    return shown["choices"][0]["message"]["content"] if "choices" in shown else shown["content"][0]["text"]


def read(operation_id, answer, model):
    """What the product's own operation makes of an answer."""
    params = {"models": [model], "messages": [{"role": "user", "content": ""}], "max_tokens": 100}
    return judged(operation_id, HttpResponse(answer.status, answer.headers, answer.body), params)


class TestAnswers:
    @CALLS
    async def test_interests_of_every_id(self, sim, provider, path, body):
        assert orjson.loads(text_of(await sim.post(path, body))) == {
            "items": [
                {
                    "id": "r1",
                    "interests": [{"name": "home baking", "confidence": 0.9}, {"name": "running", "confidence": 0.9}],
                },
                {"id": "r2", "interests": []},
            ]
        }

    async def test_sentiments_by_the_name_of_the_schema_or_by_what_it_holds(self, sim):
        item = {"type": "object", "properties": {"id": {}, "label": {}, "score": {}, "confidence": {}}}
        schema = {"type": "object", "properties": {"items": {"type": "array", "items": item}}}
        by_name = await sim.post(OPENAI, chat(TEXTS, name="sentiments", schema={"type": "object"}))
        by_content = await sim.post(ANTHROPIC, message(TEXTS, schema=schema))

        assert orjson.loads(text_of(by_name)) == orjson.loads(text_of(by_content))
        items = orjson.loads(text_of(by_name))["items"]
        assert [(item["label"], item["score"]) for item in items] == [("positive", 0.9), ("mixed", 0.0), ("neutral", 0)]

    async def test_a_schema_in_the_systems_words_is_obeyed(self, sim):
        told = f"Answer with JSON.\n{orjson.dumps(SCHEMA).decode()}"
        body = chat(response_format={"type": "json_object"})
        body["messages"].insert(0, {"role": "system", "content": told})
        plain = message(system=told)
        del plain["output_config"]

        for path, asked in ((OPENAI, body), (ANTHROPIC, plain)):
            assert len(orjson.loads(text_of(await sim.post(path, asked)))["items"]) == 2

    async def test_an_unknown_list_has_an_entry_for_each_id(self, sim):
        item = {"type": "object", "properties": {"id": {"type": "string"}, "answer": {"type": "string"}}}
        item["required"] = ["id", "answer"]
        schema = {"type": "object", "properties": {"items": {"type": "array", "items": item}}}

        answer = await sim.post(ANTHROPIC, message(schema=schema))

        assert orjson.loads(text_of(answer)) == {"items": [{"id": "r1", "answer": ""}, {"id": "r2", "answer": ""}]}

    async def test_the_documented_envelopes(self, sim):
        openai, anthropic = (await sim.post(OPENAI, chat())).json, (await sim.post(ANTHROPIC, message())).json

        assert openai["id"].startswith("chatcmpl-")
        assert (openai["object"], openai["choices"][0]["finish_reason"]) == ("chat.completion", "stop")
        assert anthropic["id"].startswith("msg_")
        assert (anthropic["type"], anthropic["role"], anthropic["stop_reason"]) == ("message", "assistant", "end_turn")

    @pytest.mark.parametrize(
        ("operation", "path", "body", "model"),
        [
            ("openai/chat", OPENAI, chat(max_completion_tokens=3), "gpt-4.1-mini"),
            ("anthropic/messages", ANTHROPIC, message(max_tokens=3), "claude-haiku-4-5"),
        ],
    )
    async def test_a_small_limit_cuts_the_answer(self, sim, operation, path, body, model):
        answer = await sim.post(path, body)

        assert len(text_of(answer)) == 12
        assert read(operation, answer, model).value.finish is Finish.LENGTH


class TestCharges:
    @pytest.mark.parametrize(
        ("operation", "path", "body", "model"),
        [
            ("openai/chat", OPENAI, chat(), "gpt-4.1-mini"),
            ("openai/chat", OPENAI, chat(model="gpt-5-mini", temperature=1), "gpt-5-mini"),
            ("anthropic/messages", ANTHROPIC, message(), "claude-haiku-4-5"),
            ("anthropic/messages", ANTHROPIC, message(model="claude-opus-4-5"), "claude-opus-4-5"),
        ],
    )
    @pytest.mark.parametrize("long", [False, True])
    async def test_the_bill_is_what_the_product_books(self, sim, operation, path, body, model, long):
        if long:
            earlier = [{"role": "user", "content": "x" * 9000}, {"role": "assistant", "content": "y" * 41}]
            body = {**body, "messages": [*earlier, *body["messages"]]}

        charge = read(operation, await sim.post(path, body), model).charge

        assert Decimal(sim.bill(operation.partition("/")[0])["charges"]["USD"]) == charge.amount > 0

    async def test_openai_reads_a_long_beginning_from_its_cache(self, sim):
        body = chat()
        body["messages"].insert(0, {"role": "system", "content": "x" * 6000})

        usage = (await sim.post(OPENAI, body)).json["usage"]

        assert usage["prompt_tokens_details"]["cached_tokens"] == 1408

    @CALLS
    async def test_a_repetition_costs_the_same_again(self, sim, provider, path, body):
        answers = [await sim.post(path, body) for _ in range(2)]
        bill = sim.bill(provider)
        assert answers[0].body == answers[1].body
        assert (bill["distinct"], bill["repeats"]) == (1, 1)

    async def test_models_can_be_added_with_their_price(self, make):
        sim = make(model_prices={"openai/gpt-next": (Decimal(1), Decimal(2))})

        usage = (await sim.post(OPENAI, chat(model="gpt-next"))).json["usage"]

        expected = (usage["prompt_tokens"] + 2 * usage["completion_tokens"]) * Decimal("0.000001")
        assert Decimal(sim.bill("openai")["charges"]["USD"]) == expected


class TestRefusals:
    @CALLS
    async def test_keys(self, sim, provider, path, body):
        for headers in ({}, {"authorization": "Bearer wrong", "x-api-key": "wrong", "anthropic-version": "x"}):
            answer = await sim.post(path, body, headers=headers)
            assert answer.status == 401
            assert answer.json["error"]["message"]
        assert sim.bill(provider)["rejected"] == 2

    @pytest.mark.parametrize(
        ("change", "parameter"),
        [
            ({"model": "gpt-5-mini"}, Parameter.TEMPERATURE),
            ({"model": "gpt-5-mini", "max_tokens": 9}, Parameter.LIMIT),
            ({"response_format": {"type": "xml"}}, Parameter.FORMAT),
        ],
    )
    async def test_parameters_that_a_model_does_not_take(self, sim, change, parameter):
        answer = await sim.post(OPENAI, chat(**change))

        assert answer.status == 400
        assert read("openai/chat", answer, "gpt-5-mini").value.parameter is parameter
        assert sim.bill("openai")["charges"]["USD"] == "0"

    @pytest.mark.parametrize(
        ("path", "body", "status"),
        [
            (OPENAI, chat(model="gpt-unheard-of"), 404),
            (OPENAI, chat(model=None), 400),
            (OPENAI, chat(messages=[]), 400),
            (OPENAI, chat(messages=["Hi"]), 400),
            (OPENAI, chat(stream=True), 400),
            (OPENAI, chat(response_format={"type": "json_object"}), 400),
            (OPENAI, b"[]", 400),
            (ANTHROPIC, message(model="claude-haiku-4.5"), 404),
            (ANTHROPIC, message(model=7), 400),
            (ANTHROPIC, message(max_tokens=None), 400),
            (ANTHROPIC, message(max_tokens=True), 400),
            (ANTHROPIC, message(temperature=1.5), 400),
            (ANTHROPIC, message(messages=[{"role": "system", "content": "x"}]), 400),
            (ANTHROPIC, message(messages=[]), 400),
            (ANTHROPIC, message(stream=True), 400),
            (ANTHROPIC, b"[]", 400),
        ],
    )
    async def test_bad_requests(self, sim, path, body, status):
        answer = await sim.post(path, body)

        assert answer.status == status
        assert answer.json["error"]["message"]

    async def test_the_version_header_is_required(self, sim):
        assert (await sim.post(ANTHROPIC, message(), headers={"x-api-key": "sim-key"})).status == 400

    @pytest.mark.parametrize(
        ("path", "body", "model", "status"),
        [(OPENAI, chat(), "gpt-4.1-mini", 503), (ANTHROPIC, message(), "anthropic/claude-haiku-4-5", 529)],
    )
    async def test_a_model_that_is_down(self, make, path, body, model, status):
        assert (await make(models_down=(model,)).post(path, body)).status == status

    @pytest.mark.parametrize(
        ("operation", "path", "make_body", "model", "statuses"),
        [
            ("openai/chat", OPENAI, chat, "gpt-4.1-mini", {429}),
            ("anthropic/messages", ANTHROPIC, message, "claude-haiku-4-5", {400, 402}),
        ],
    )
    async def test_an_empty_account(self, make, operation, path, make_body, model, statuses):
        sim = make(budgets={operation.partition("/")[0]: Decimal("0.000001")})
        await sim.post(path, make_body())

        refused = [await sim.post(path, make_body([{"id": str(number)}])) for number in range(20)]

        assert {answer.status for answer in refused} == statuses
        assert {read(operation, answer, model).error_class for answer in refused} == {ErrorClass.QUOTA}

    @pytest.mark.parametrize(
        ("operation", "path", "body", "model", "limit"),
        [
            ("openai/chat", OPENAI, chat(), "gpt-4.1-mini", 500),
            ("anthropic/messages", ANTHROPIC, message(), "claude-haiku-4-5", 50),
        ],
    )
    async def test_limits_and_the_headers_that_tell_them(self, sim, operation, path, body, model, limit):
        first = await sim.post(path, body)
        for _ in range(limit - 1):
            last = await sim.post(path, body)
        refused = await sim.post(path, body)

        def hint(answer):
            return OPERATIONS[operation].rates(HttpResponse(answer.status, answer.headers, answer.body))

        assert hint(first) == RateHint((RateLimit(limit, 60.0),))
        assert hint(last) == RateHint((RateLimit(limit, 60.0),), pytest.approx(60 / limit, abs=0.1))
        assert refused.status == 429
        assert read(operation, refused, model).retry_after == 60.0


class TestCompatibleEndpoints:
    async def test_any_model_at_any_other_path_without_a_key(self, sim):
        answer = await sim.post(ELSEWHERE, chat(model="llama-3"), headers={})

        assert len(orjson.loads(text_of(answer))["items"]) == 2
        usage = answer.json["usage"]
        expected = (usage["prompt_tokens"] * Decimal("0.5") + usage["completion_tokens"] * Decimal("1.5")) / 1_000_000
        assert Decimal(sim.bill("openai-compatible")["charges"]["USD"]) == expected

    async def test_paths_do_not_overlap(self, sim):
        router = {**chat(), "model": "openai/gpt-5-mini"}
        for path, body, provider in (
            ("/api/v1/chat/completions", router, "openrouter"),
            (OPENAI, chat(), "openai"),
            (ELSEWHERE, chat(), "openai-compatible"),
            (ANTHROPIC, message(), "anthropic"),
        ):
            assert (await sim.post(path, body)).status == 200
            assert sim.bill(provider)["calls"] == 1

    def test_the_product_asks_where_the_simulator_listens(self):
        owner = account("openai-compatible", base_url="http://127.0.0.1:9")
        params = {"models": ["m"], "messages": [], "max_tokens": 9, "prices": {"prompt": "1", "completion": "1"}}

        assert OPERATIONS["openai-compatible/chat"].build(params, owner).url.endswith("/chat/completions")
