"""OpenAI and whoever speaks its form: requests, five ways to say no, what a model does not take, and exact costs."""

from dataclasses import replace
from decimal import Decimal

import orjson
import pytest

from lumeflow.kit.models.completion import Completion, Finish, Parameter
from lumeflow.plugin import Answer, Basis, Charge, ErrorClass, Failure, NodeError, RateHint, RateLimit, Secret
from tests.providers.desk import OPERATIONS, account, judged, reply

MODEL = "gpt-5-mini"
PARAMS = {"models": [MODEL], "messages": [{"role": "user", "content": "x" * 400}], "max_tokens": 100}
STRICT = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
LOOSE = {"type": "object", "properties": {"a": {"type": "string"}}}
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
CHAT, COMPATIBLE = OPERATIONS["openai/chat"], OPERATIONS["openai-compatible/chat"]
ELSEWHERE = {
    **PARAMS,
    "models": ["llama"],
    "baseUrl": "https://llm.example.com/openai/v1",
    "prices": {"prompt": "0.1", "completion": "0.4"},
}


def answered(content="{}", finish="stop", *, model=MODEL, usage=USAGE, **message):
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
    return {"id": "chatcmpl-1", "model": model, "choices": [choice], "usage": usage}


def trouble(code=None, kind="invalid_request_error", message="Lena Okafor", param=None):
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def sent(params, operation=CHAT, owner=None):
    return orjson.loads(operation.build(params, owner or account(operation.provider)).body)


def test_a_question_by_schema():
    request = CHAT.build({**PARAMS, "schema": STRICT, "schemaName": "answer", "temperature": 0}, account("openai"))

    assert request.url == "https://api.openai.com/v1/chat/completions"
    assert request.headers["Authorization"] == "Bearer sim-key"
    assert not request.guarded
    assert orjson.loads(request.body) == {
        "model": MODEL,
        "messages": PARAMS["messages"],
        "max_completion_tokens": 100,
        "temperature": 0,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": STRICT},
        },
    }


def test_a_schema_with_optional_properties_is_not_held_to_the_strict_rules():
    body = sent({**PARAMS, "schema": LOOSE, "schemaName": "answer"})

    assert body["response_format"]["json_schema"]["strict"] is False


@pytest.mark.parametrize(
    ("operation", "params", "present", "absent"),
    [
        (CHAT, PARAMS, "max_completion_tokens", "max_tokens"),
        (CHAT, {**PARAMS, "otherLimit": True}, "max_tokens", "max_completion_tokens"),
        (COMPATIBLE, ELSEWHERE, "max_tokens", "max_completion_tokens"),
        (COMPATIBLE, {**ELSEWHERE, "otherLimit": True}, "max_completion_tokens", "max_tokens"),
    ],
)
def test_the_limit_goes_by_the_name_that_is_asked_for(operation, params, present, absent):
    body = sent(params, operation)

    assert body[present] == 100
    assert absent not in body


def test_any_json_object_and_the_number_of_the_question():
    body = sent({**PARAMS, "json": True, "again": 2})

    assert body["response_format"] == {"type": "json_object"}
    assert "again" not in body


# --- endpoints that are only compatible


def test_an_address_that_a_workflow_names_is_guarded_and_gets_no_key_of_the_operator():
    request = COMPATIBLE.build(ELSEWHERE, account("openai-compatible", base_url=""))

    assert request.url == "https://llm.example.com/openai/v1/chat/completions"
    assert request.guarded
    assert "Authorization" not in request.headers


def test_the_operators_own_address_wins_and_gets_the_key():
    request = COMPATIBLE.build(ELSEWHERE, account("openai-compatible", base_url="http://127.0.0.1:9"))

    assert request.url == "http://127.0.0.1:9/chat/completions"
    assert not request.guarded
    assert request.headers["Authorization"] == "Bearer sim-key"


def test_the_key_of_an_endpoint_is_a_secret_that_the_workflow_names():
    owner = replace(account("openai-compatible", base_url=""), secret={"mine": Secret("k-1")}.get)
    params = {**ELSEWHERE, "apiKey": "{{secrets.mine}}"}

    request = COMPATIBLE.build(params, owner)

    assert request.headers["Authorization"] == "Bearer k-1"
    assert [secret.reveal() for secret in request.secrets] == ["k-1"]
    with pytest.raises(NodeError, match="the secret 'other' is not configured") as caught:
        COMPATIBLE.build({**params, "apiKey": "{{secrets.other}}"}, owner)
    assert caught.value.error_class is ErrorClass.AUTH


@pytest.mark.parametrize(
    ("base_url", "name"),
    [("", "openai-compatible:llm.example.com"), ("http://127.0.0.1:9", "openai-compatible")],
)
def test_each_endpoint_has_an_account_of_its_own(base_url, name):
    terms = COMPATIBLE.terms(ELSEWHERE, account("openai-compatible", base_url=base_url))

    assert (terms.account.name, terms.account.lane, terms.identity) == (name, name, ELSEWHERE)


# --- answers


def test_an_answer_costs_its_tokens():
    verdict = judged("openai/chat", reply(answered('{"a": 1}', model="gpt-5-mini-2025-08-07")), PARAMS)

    # 1,000 at $0.25 and 100 at $2 a million
    assert verdict == Answer(
        Completion('{"a": 1}', Finish.STOP, "gpt-5-mini-2025-08-07"),
        Charge(Decimal("0.00045"), Decimal(1100), Basis.COMPUTED),
    )


@pytest.mark.parametrize(
    ("usage", "amount", "basis"),
    [
        # Cached tokens are part of the prompt's: 488 at 0.25, 512 at 0.025.
        ({**USAGE, "prompt_tokens_details": {"cached_tokens": 512}}, "0.0003348", Basis.COMPUTED),
        ({**USAGE, "prompt_tokens_details": {"cached_tokens": 5000}}, "0.000225", Basis.COMPUTED),
        ({**USAGE, "prompt_tokens_details": None}, "0.00045", Basis.COMPUTED),
        ({**USAGE, "completion_tokens_details": {"reasoning_tokens": 64}}, "0.00045", Basis.COMPUTED),
        ({**USAGE, "prompt_tokens": 0, "completion_tokens": 0}, "0", Basis.COMPUTED),
        # Not counted: 101 tokens of question, and all that the answer may have.
        (None, "0.00022525", Basis.ASSUMED),
        ({"prompt_tokens": "many", "completion_tokens": 1}, "0.00022525", Basis.ASSUMED),
    ],
)
def test_the_cost_of_an_answer(usage, amount, basis):
    charge = judged("openai/chat", reply(answered(usage=usage)), PARAMS).charge

    assert charge.amount == Decimal(amount)
    assert charge.basis is basis


@pytest.mark.parametrize(
    ("prices", "own", "amount"),
    [
        ({"gpt-5-mini/prompt_million": "1", "gpt-5-mini/completion_million": "10"}, {}, "0.002"),
        ({"prompt_million": "2", "completion_million": "20"}, {}, "0.004"),
        ({"prompt_million": "2", "completion_million": "20", "cached_million": "0"}, {}, "0.0032"),
        ({"gpt-5-mini/prompt_million": "1"}, {}, "0.00036"),
        ({"prompt_million": "2", "completion_million": "20"}, {"prompt": "3", "completion": "30"}, "0.006"),
        ({}, {"prompt": "3", "completion": "30", "cached": "0.5"}, "0.005"),
    ],
)
def test_configured_prices_come_before_published_ones(prices, own, amount):
    usage = {**USAGE, "prompt_tokens_details": {"cached_tokens": 400}}
    own = {"prices": own} if own else {}
    configured = {name: Decimal(price) for name, price in prices.items()}

    verdict = judged("openai/chat", reply(answered(usage=usage)), {**PARAMS, **own}, prices=configured)

    assert verdict.charge.amount == Decimal(amount)


def test_a_long_question_costs_what_long_questions_cost():
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 1}
    params = {**PARAMS, "models": ["gpt-5.5"]}

    charge = judged("openai/chat", reply(answered(model="gpt-5.5", usage=usage)), params).charge

    assert charge.amount == Decimal("10.000045")


@pytest.mark.parametrize("operation", [CHAT, COMPATIBLE])
@pytest.mark.parametrize("models", [["gpt-unheard-of"], ["gpt-5-mini", "gpt-unheard-of"]])
def test_a_model_without_price_is_never_asked(operation, models):
    params = {**PARAMS, "models": models, "baseUrl": "https://llm.example.com/v1"}

    with pytest.raises(NodeError, match=r"no price is known for the model '.*' of .*: set config\.prices") as caught:
        operation.build(params, account(operation.provider))
    assert (caught.value.error_class, caught.value.field) == (ErrorClass.VALIDATION, "model")
    with pytest.raises(NodeError, match="no price is known"):
        operation.expected({**params, "models": ["gpt-unheard-of"]}, account(operation.provider))


def test_the_price_of_a_known_endpoint_is_found_by_its_address():
    params = {**PARAMS, "models": ["llama-3.3-70b-versatile"], "baseUrl": "https://api.groq.com/openai/v1"}

    assert COMPATIBLE.expected(params, account("openai-compatible", base_url="")) > 0


def test_the_expected_price_is_that_of_the_longest_answer():
    assert CHAT.expected(PARAMS, account("openai")) == Decimal("0.00022525")


@pytest.mark.parametrize(
    ("body", "finish"),
    [
        (answered(), Finish.STOP),
        (answered(finish="tool_calls"), Finish.STOP),
        (answered("", "length"), Finish.LENGTH),
        (answered("half", "content_filter"), Finish.FILTERED),
        (answered(None, refusal="I cannot."), Finish.REFUSED),
        (answered(None), Finish.STOP),
    ],
)
def test_why_the_model_stopped(body, finish):
    verdict = judged("openai/chat", reply(body), PARAMS)

    assert verdict.value.finish is finish
    assert verdict.charge.amount == Decimal("0.00045")


# --- errors


@pytest.mark.parametrize(
    ("status", "body", "error_class", "retryable", "told"),
    [
        (400, trouble(), ErrorClass.VALIDATION, None, "refused the request"),
        (401, trouble("invalid_api_key"), ErrorClass.AUTH, False, "OPENAI_API_KEY"),
        (403, trouble("unsupported_country_region_territory"), ErrorClass.AUTH, False, "unsupported_country"),
        (404, trouble("model_not_found"), ErrorClass.NOT_FOUND, None, "config.model"),
        (403, trouble("model_not_found"), ErrorClass.NOT_FOUND, None, "config.model"),
        (408, "", ErrorClass.TIMEOUT, None, "ran out of time"),
        (429, trouble("rate_limit_exceeded", "requests"), ErrorClass.RATE_LIMIT, None, "rate limit"),
        (429, trouble("insufficient_quota", "insufficient_quota"), ErrorClass.QUOTA, False, "top it up"),
        (429, trouble(None, "insufficient_quota"), ErrorClass.QUOTA, False, "top it up"),
        (429, trouble("billing_hard_limit_reached"), ErrorClass.QUOTA, False, "top it up"),
        (500, trouble(None, "server_error"), ErrorClass.SERVER_ERROR, None, "own side"),
        (503, "<html>", ErrorClass.SERVER_ERROR, None, "own side"),
        (200, {"error": {"message": "no", "code": 503}}, ErrorClass.SERVER_ERROR, None, "503"),
        (200, {"error": {"message": "no", "code": 429}, "choices": None}, ErrorClass.RATE_LIMIT, None, "429"),
        (200, {"error": "no"}, ErrorClass.SERVER_ERROR, None, "own side"),
        (200, trouble("insufficient_quota"), ErrorClass.QUOTA, False, "top it up"),
    ],
)
def test_errors(status, body, error_class, retryable, told):
    verdict = judged("openai/chat", reply(body, status), PARAMS)

    assert isinstance(verdict, Failure)
    assert (verdict.error_class, verdict.retryable, verdict.paid) == (error_class, retryable, False)
    assert told in verdict.message


@pytest.mark.parametrize("body", ["<!DOCTYPE html>", {"id": "chatcmpl-1"}, {"choices": []}])
def test_an_unreadable_answer_was_paid_for(body):
    verdict = judged("openai/chat", reply(body), PARAMS)

    assert (verdict.error_class, verdict.paid) == (ErrorClass.INVALID_RESPONSE, True)


@pytest.mark.parametrize(
    ("headers", "wait", "word"),
    [
        ({"retry-after": "7"}, 7.0, None),
        ({"retry-after": "7", "retry-after-ms": "250"}, 0.25, None),
        ({"retry-after-ms": "soon"}, None, None),
        ({"x-should-retry": "true"}, None, True),
        ({"x-should-retry": "false"}, None, False),
        ({"x-should-retry": "perhaps"}, None, None),
    ],
)
def test_waits_and_the_vendors_word_on_a_retry(headers, wait, word):
    verdict = judged("openai/chat", reply(trouble("rate_limit_exceeded"), 429, headers), PARAMS)

    assert (verdict.retry_after, verdict.retryable) == (wait, word)


def test_no_word_of_the_vendor_makes_an_empty_account_worth_a_retry():
    verdict = judged("openai/chat", reply(trouble("insufficient_quota"), 429, {"x-should-retry": "true"}), PARAMS)

    assert verdict.retryable is False


@pytest.mark.parametrize(
    ("status", "body", "finish"),
    [
        (400, trouble("context_length_exceeded", param="messages"), Finish.TOO_LONG),
        (413, "", Finish.TOO_LONG),
        (400, trouble("content_filter"), Finish.FILTERED),
        (400, trouble("content_policy_violation"), Finish.FILTERED),
    ],
)
def test_a_refused_text_is_an_answer_that_costs_nothing(status, body, finish):
    assert judged("openai/chat", reply(body, status), PARAMS) == Answer(Completion("", finish, ""))


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        (trouble("unsupported_parameter", param="max_tokens"), Parameter.LIMIT),
        (trouble("unsupported_parameter", param="temperature"), Parameter.TEMPERATURE),
        (trouble("unsupported_value", param="temperature"), Parameter.TEMPERATURE),
        (trouble(None, param="response_format"), Parameter.FORMAT),
        (trouble("unsupported_value", param="response_format.type"), Parameter.FORMAT),
        (trouble(None, message="Unrecognized request argument supplied: max_completion_tokens"), Parameter.LIMIT),
        (trouble(None, message="temperature is not supported by this model"), Parameter.TEMPERATURE),
        (trouble(None, message="This model does not support response_format json_schema"), Parameter.FORMAT),
    ],
)
def test_what_a_model_does_not_take(body, parameter):
    verdict = judged("openai/chat", reply(body, 400), PARAMS)

    assert verdict == Answer(Completion("", Finish.UNSUPPORTED, "", parameter))


@pytest.mark.parametrize(
    "body",
    [
        trouble("invalid_value", param="max_tokens", message="max_tokens is too large: this model supports at most 9"),
        trouble(None, message="the temperature of the room"),
        trouble("invalid_value", param="messages"),
    ],
)
def test_what_is_out_of_range_is_refused(body):
    assert judged("openai/chat", reply(body, 400), PARAMS).error_class is ErrorClass.VALIDATION


# --- limits


@pytest.mark.parametrize(
    ("headers", "hint"),
    [
        ({}, None),
        ({"limit-requests": "many"}, None),
        ({"limit-requests": "500"}, RateHint((RateLimit(500, 60.0),))),
        (
            {"limit-requests": "500", "remaining-requests": "499", "reset-requests": "120ms"},
            RateHint((RateLimit(500, 60.0),)),
        ),
        (
            {"limit-requests": "200", "remaining-requests": "199", "reset-requests": "7m12s"},
            RateHint((RateLimit(200, 86_400.0),)),
        ),
        (
            {"limit-requests": "60", "remaining-requests": "0", "reset-requests": "1m0s"},
            RateHint((RateLimit(60, 60.0),), 1.0),
        ),
        (
            {"limit-requests": "60", "remaining-requests": "9", "remaining-tokens": "0", "reset-tokens": "6s"},
            RateHint((RateLimit(60, 60.0),), 6.0),
        ),
        ({"remaining-tokens": "0", "reset-tokens": "2h"}, RateHint((), 60.0)),
        ({"remaining-tokens": "0", "reset-tokens": "soon"}, None),
    ],
)
def test_rates(headers, hint):
    response = reply({}, headers={f"x-ratelimit-{name}": value for name, value in headers.items()})

    assert CHAT.rates(response) == hint
    assert COMPATIBLE.rates(replace(response)) == hint
