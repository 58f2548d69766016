"""One interface to every vendor of models: what a model does not take, who answers instead, and what all of it costs."""

from decimal import Decimal

import orjson
import pytest
from pydantic import ValidationError

from lumeflow.blocks.ai.anthropic import Anthropic
from lumeflow.blocks.ai.openai import OpenAI
from lumeflow.plugin import CallError, ErrorClass, NodeError
from lumeflow.plugins import load_registry
from lumeflow.testing import run_block
from tests.blocks.ai.vendors import ANTHROPIC, COMPATIBLE, OPENAI, Answering
from tests.providers.desk import context, reply

REGISTRY, _ = load_registry(entry_points=False)
EVERY = pytest.mark.parametrize("vendor", [OPENAI, ANTHROPIC, COMPATIBLE], ids=["openai", "anthropic", "compatible"])
MOOD = {
    "type": "object",
    "properties": {"mood": {"enum": ["good", "bad"]}, "confidence": {"type": "number"}},
    "required": ["mood", "confidence"],
    "additionalProperties": False,
}
GOOD = {"mood": "good", "confidence": 0.9}
PEOPLE = [{"name": "Mira"}, {"name": "Lena"}]


def node(vendor, **more):
    return {**vendor.config, "model": vendor.models[0], "prompt": "How is {{input.name}}?", **more}


async def ask(vendor, *script, given=PEOPLE[:1], answer=None, ctx=None, **more):
    config = node(vendor, **more)
    model = Answering(vendor, *script, answer=answer)
    ctx = ctx or context(model)
    block = REGISTRY.resolve(OpenAI.type, config)
    run = await run_block(block, config, {"contacts": given}, context=ctx, collection="contacts")
    return run, model, ctx


@EVERY
async def test_each_record_is_a_question_and_each_answer_is_paid(vendor):
    run, model, ctx = await ask(vendor, "Well.", " Busy. ", given=PEOPLE)

    assert [record["answer"] for record in run.records] == ["Well.", "Busy."]
    assert [body["messages"][-1]["content"] for body in model.asked] == ["How is Mira?", "How is Lena?"]
    assert ctx.desk.charged == 2 * Decimal(vendor.price[0])


@EVERY
async def test_an_answer_by_schema_keeps_its_confidence(vendor):
    run, model, _ = await ask(vendor, orjson.dumps(GOOD).decode(), answerSchema=MOOD)

    assert run.records[0]["answer"] == GOOD
    body = model.asked[0]
    shape = body["output_config"]["format"] if vendor is ANTHROPIC else body["response_format"]["json_schema"]
    assert shape["schema"] == MOOD


@EVERY
async def test_an_unusable_answer_is_asked_for_again_with_what_was_wrong(vendor):
    run, model, ctx = await ask(vendor, '{"mood": "so-so"}', orjson.dumps(GOOD).decode(), answerSchema=MOOD)

    assert run.records[0]["answer"] == GOOD
    assert "Your previous answer could not be used: r1:" in model.asked[1]["messages"][-1]["content"]
    assert ctx.desk.charged == 2 * Decimal(vendor.price[0])


@EVERY
async def test_what_stays_unusable_is_paid_kept_and_fails_its_record_alone(vendor):
    run, _, ctx = await ask(
        vendor, "no", "no", "no", given=PEOPLE, answer=lambda _: orjson.dumps(GOOD).decode(), answerSchema=MOOD
    )

    assert [(failed.position, failed.error.error_class) for failed in run.failed] == [(0, ErrorClass.INVALID_RESPONSE)]
    assert run.records[0]["answer"] == GOOD
    assert len(ctx.desk.stored) == 4
    assert ctx.desk.charged == 4 * Decimal(vendor.price[0])


@EVERY
async def test_a_resume_asks_nothing_again(vendor):
    script = ("no", orjson.dumps(GOOD).decode())
    _, _, first = await ask(vendor, *script, answerSchema=MOOD)
    second = context(lambda request: reply("", 500))
    second.desk.stored = first.desk.stored

    run, _, _ = await ask(vendor, answerSchema=MOOD, ctx=second)

    assert run.records[0]["answer"] == GOOD
    assert second.desk.sent == []


@EVERY
async def test_several_records_in_one_question(vendor):
    def answer(items):
        return orjson.dumps({"items": [{"id": item["id"], "answer": item["name"]} for item in items]}).decode()

    def without_last(body):
        return vendor.said(answer([{"id": "r1", "name": "Mira"}]), model=body["model"])

    run, model, _ = await ask(
        vendor, without_last, given=PEOPLE, answer=answer, batchSize=5, mapping={"name": "{{input.name}}"}
    )

    assert [record["answer"] for record in run.records] == ["Mira", "Lena"]
    assert model.ids == [["r1", "r2"], ["r2"]]


@EVERY
async def test_a_cut_off_answer_gets_more_room_once(vendor):
    run, model, _ = await ask(vendor, vendor.said("Wel", "length"), "Well.", maxTokens=100)

    limits = [body.get("max_completion_tokens") or body["max_tokens"] for body in model.asked]
    assert (run.records[0]["answer"], limits) == ("Well.", [100, 200])


async def test_an_answer_that_thinking_has_eaten_gets_much_more_room():
    run, model, _ = await ask(COMPATIBLE, COMPATIBLE.said("", "length"), "Well.", maxTokens=100)

    assert (run.records[0]["answer"], [body["max_tokens"] for body in model.asked]) == ("Well.", [100, 4000])


@pytest.mark.parametrize(
    ("more", "limit"),
    [
        ({}, 5000),
        ({"model": "gpt-4.1-mini"}, 1000),
        ({"maxTokens": 300}, 300),
    ],
)
async def test_a_model_that_always_thinks_has_room_for_it(more, limit):
    _, model, _ = await ask(OPENAI, **more)

    assert model.asked[0]["max_completion_tokens"] == limit


@EVERY
async def test_a_refusal_fails_its_record_alone(vendor):
    run, _, _ = await ask(vendor, vendor.said(None, "refused"), given=PEOPLE)

    assert [(failed.position, str(failed.error)) for failed in run.failed] == [(0, "the model declined to answer")]
    assert run.records[0]["answer"] == "fine"


# --- what a model does not take


async def test_a_model_that_takes_no_temperature_is_asked_without_and_from_then_on_too():
    refusal = OPENAI.error(400, code="unsupported_value", param="temperature")

    run, model, ctx = await ask(OPENAI, refusal, given=PEOPLE)

    assert [record["answer"] for record in run.records] == ["fine", "fine"]
    assert ["temperature" in body for body in model.asked] == [True, False, False]
    assert ctx.warnings == ["the model 'gpt-5-mini' does not take temperature; it is asked without"]
    assert ctx.desk.charged == Decimal("0.0009")


async def test_a_limit_of_another_name():
    refusal = OPENAI.error(400, code="unsupported_parameter", param="max_tokens")

    _, model, _ = await ask(COMPATIBLE, refusal, given=PEOPLE)

    assert [sorted({"max_tokens", "max_completion_tokens"} & set(body)) for body in model.asked] == [
        ["max_tokens"],
        ["max_completion_tokens"],
        ["max_completion_tokens"],
    ]


async def test_without_schemas_any_json_object_is_asked_for_and_then_words():
    refusal = OPENAI.error(400, param="response_format")

    run, model, _ = await ask(OPENAI, refusal, refusal, answer=lambda _: orjson.dumps(GOOD).decode(), answerSchema=MOOD)

    assert run.records[0]["answer"] == GOOD
    assert [body.get("response_format", {}).get("type") for body in model.asked] == ["json_schema", "json_object", None]
    for body in model.asked[1:]:
        assert body["messages"][0]["role"] == "system"
        assert "JSON Schema:\n" + orjson.dumps(MOOD).decode() in body["messages"][0]["content"]


async def test_a_schema_that_is_not_taken_is_told_in_words():
    refusal = ANTHROPIC.error(400, "output_config: Extra inputs are not permitted")

    run, model, _ = await ask(
        ANTHROPIC,
        refusal,
        answer=lambda _: orjson.dumps(GOOD).decode(),
        answerSchema=MOOD,
        system="Be kind.",
        given=PEOPLE,
    )

    assert [record["answer"] for record in run.records] == [GOOD, GOOD]
    assert ["output_config" in body for body in model.asked] == [True, False, False]
    assert model.asked[1]["system"].startswith("Be kind.\n\nAnswer with JSON only")


async def test_a_bad_request_that_says_nothing_may_be_the_schema():
    run, model, _ = await ask(
        OPENAI, OPENAI.error(400), answer=lambda _: orjson.dumps(GOOD).decode(), answerSchema=MOOD, given=PEOPLE
    )

    assert [record["answer"] for record in run.records] == [GOOD, GOOD]
    assert ["response_format" in body for body in model.asked] == [True, False, False]


async def test_everything_at_once():
    script = [
        OPENAI.error(400, code="unsupported_value", param="temperature"),
        OPENAI.error(400, param="response_format"),
        OPENAI.error(400, message="Unrecognized request argument supplied: max_completion_tokens"),
    ]

    run, model, _ = await ask(OPENAI, *script, answer=lambda _: orjson.dumps(GOOD).decode(), answerSchema=MOOD)

    assert run.records[0]["answer"] == GOOD
    last = model.asked[-1]
    assert ("temperature" in last, "max_tokens" in last, last["response_format"]) == (
        False,
        True,
        {"type": "json_object"},
    )


async def test_what_cannot_be_left_out_twice_stops_the_node():
    refusal = OPENAI.error(400, code="unsupported_value", param="temperature")

    with pytest.raises(NodeError, match="'gpt-5-mini' does not take what 'temperature' asks for") as caught:
        await ask(OPENAI, refusal, refusal)
    assert (caught.value.error_class, caught.value.field) == (ErrorClass.VALIDATION, "temperature")


# --- who answers instead


@EVERY
@pytest.mark.parametrize("status", [404, 500, 429])
async def test_the_next_model_answers_when_one_fails(vendor, status):
    run, model, ctx = await ask(vendor, vendor.error(status), model=list(vendor.models))

    assert run.records[0]["answer"] == "fine"
    assert model.models == list(vendor.models)
    assert ctx.desk.charged == Decimal(vendor.price[1])


@EVERY
async def test_a_model_that_does_not_exist_is_not_asked_again(vendor):
    _, model, _ = await ask(vendor, vendor.error(404), given=PEOPLE, model=list(vendor.models))

    assert model.models == [vendor.models[0], vendor.models[1], vendor.models[1]]


@EVERY
async def test_a_resume_keeps_to_the_model_that_answered_although_the_first_is_well_again(vendor):
    first, _, ctx = await ask(vendor, vendor.error(503), "By the second.", model=list(vendor.models))
    second = context(Answering(vendor, "By the first."), remembered=ctx.remembered)
    second.desk.stored = ctx.desk.stored

    again, _, _ = await ask(vendor, model=list(vendor.models), ctx=second)

    assert again.records == first.records == [{"name": "Mira", "answer": "By the second."}]
    assert second.desk.sent == []


@EVERY
async def test_the_same_holds_for_what_was_asked_again(vendor):
    bad, good = "no", orjson.dumps(GOOD).decode()
    script = [vendor.error(503), bad, vendor.error(503), good]
    first, model, ctx = await ask(vendor, *script, model=list(vendor.models), answerSchema=MOOD)
    second = context(Answering(vendor, "By the first."), remembered=ctx.remembered)
    second.desk.stored = ctx.desk.stored

    again, _, _ = await ask(vendor, model=list(vendor.models), answerSchema=MOOD, ctx=second)

    assert model.models == [*vendor.models, *vendor.models]
    assert again.records == first.records == [{"name": "Mira", "answer": GOOD}]
    assert second.desk.sent == []


@EVERY
async def test_a_resume_finds_the_answer_of_a_first_model_that_was_well(vendor):
    first, _, ctx = await ask(vendor, "By the first.", model=list(vendor.models))
    second = context(lambda request: reply("", 500), remembered=ctx.remembered)
    second.desk.stored = ctx.desk.stored

    again, _, _ = await ask(vendor, model=list(vendor.models), ctx=second)

    assert again.records == first.records
    assert second.desk.sent == []


@EVERY
async def test_where_no_model_exists_the_node_stops(vendor):
    with pytest.raises(NodeError, match=r"choose another config\.model"):
        await ask(vendor, vendor.error(404), vendor.error(404), model=list(vendor.models))


@EVERY
async def test_a_bad_key_is_no_reason_to_ask_another_model(vendor):
    with pytest.raises(CallError) as caught:
        await ask(vendor, vendor.error(401), model=list(vendor.models))
    assert caught.value.error_class is ErrorClass.AUTH


@pytest.mark.parametrize(
    ("vendor", "error"),
    [
        (OPENAI, OPENAI.error(429, code="insufficient_quota", kind="insufficient_quota")),
        (ANTHROPIC, ANTHROPIC.error(400, "Your credit balance is too low to access the Anthropic API.")),
        (ANTHROPIC, ANTHROPIC.error(402, kind="billing_error")),
    ],
)
async def test_an_empty_account_is_no_reason_either(vendor, error):
    run_of = ask(vendor, error, model=list(vendor.models))

    with pytest.raises(CallError) as caught:
        await run_of
    assert caught.value.error_class is ErrorClass.QUOTA


async def test_a_text_that_is_too_long_for_one_model_may_fit_another():
    error = OPENAI.error(400, code="context_length_exceeded")

    run, model, _ = await ask(OPENAI, error, model=list(OPENAI.models))

    assert (run.records[0]["answer"], model.models) == ("fine", list(OPENAI.models))


async def test_a_model_without_price_is_found_before_anything_is_paid():
    with pytest.raises(NodeError, match="no price is known for the model 'gpt-unheard-of'"):
        await ask(OPENAI, model=["gpt-5-mini", "gpt-unheard-of"])


async def test_a_configured_price_makes_any_model_askable():
    _, _, ctx = await ask(OPENAI, model="gpt-unheard-of", prices={"prompt": 1, "completion": "2.50"})

    assert ctx.desk.charged == Decimal("0.00125")


# --- configuration


@pytest.mark.parametrize(
    ("block", "config", "told"),
    [
        (OpenAI, {"baseUrl": "ftp://x"}, "expected an address such as"),
        (OpenAI, {"baseUrl": "https://me:secret@llm.example.com/v1"}, "must not hold a user"),
        (OpenAI, {"prices": {"prompt": 1}}, "needs both 'prompt' and 'completion'"),
        (OpenAI, {"prices": {"promt": 1}}, "Did you mean 'prompt'?"),
        (OpenAI, {"prices": {"prompt": -1, "completion": 1}}, "not negative"),
        (OpenAI, {"prices": {"prompt": "cheap", "completion": 1}}, "expected a number"),
        (OpenAI, {"apiKey": "{{secrets.mine}}"}, "'apiKey' goes with 'baseUrl'"),
        (OpenAI, {"baseUrl": "https://llm.example.com", "apiKey": "{{input.key}}"}, "expected a secret such as"),
        (Anthropic, {"baseUrl": "https://llm.example.com"}, "'baseUrl' goes with the provider 'openai'"),
        (Anthropic, {"temperature": 1.5}, "'temperature' is at most 1 at anthropic"),
        (Anthropic, {"provider": "openai"}, "Input should be 'anthropic'"),
    ],
)
def test_configuration_is_checked(block, config, told):
    good = {"provider": block.name, "model": "m", "prompt": "?"}

    block.Config.model_validate(good)
    with pytest.raises(ValidationError) as caught:
        block.Config.model_validate({**good, **config})
    assert told in str(caught.value)


def test_the_usual_mistake_in_an_address_is_mended():
    config = OpenAI.Config.model_validate(
        {"provider": "openai", "model": "m", "prompt": "?", "baseUrl": "https://llm.example.com/v1/chat/completions/"}
    )

    assert config.base_url == "https://llm.example.com/v1"
