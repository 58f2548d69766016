"""OpenRouter: five shapes of errors, unwelcome answers, and costs that are reported, added up or estimated."""

from decimal import Decimal

import orjson
import pytest

from lumeflow.kit.models.completion import Completion, Finish
from lumeflow.plugin import Answer, Basis, Charge, ErrorClass, Failure
from tests.providers.desk import OPERATIONS, account, judged, reply

MODEL = "openai/gpt-5-mini"
PARAMS = {"models": [MODEL], "messages": [{"role": "user", "content": "x" * 400}], "max_tokens": 100}
SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
USAGE = {"prompt_tokens": 61, "completion_tokens": 12, "total_tokens": 73, "cost": 0.00003925, "is_byok": False}


def answered(content="{}", finish="stop", *, model=MODEL, usage=USAGE, **message):
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
    return {"id": "gen-1", "model": model, "choices": [choice], "usage": usage}


def trouble(code, kind="", **more):
    return {"error": {"code": code, "message": "Lena Okafor", "metadata": {"error_type": kind, **more}}}


def unavailable(status, code, **more):
    return {
        "error": {"message": "no", "error_type": "x", "http_status": status, "availability": {"code": code, **more}}
    }


def test_a_question_with_a_schema_requires_models_that_know_schemas():
    params = {**PARAMS, "temperature": 0, "schema": SCHEMA, "schemaName": "contacts", "again": 2}

    request = OPERATIONS["openrouter/chat"].build(params, account("openrouter"))

    assert request.url == "https://openrouter.ai/api/v1/chat/completions"
    assert request.headers["Authorization"] == "Bearer sim-key"
    assert orjson.loads(request.body) == {
        "model": MODEL,
        "messages": PARAMS["messages"],
        "max_tokens": 100,
        "temperature": 0,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "contacts", "strict": True, "schema": SCHEMA},
        },
        "provider": {"require_parameters": True},
    }


def test_a_plain_question_has_nothing_more():
    body = orjson.loads(OPERATIONS["openrouter/chat"].build(PARAMS, account("openrouter")).body)

    assert sorted(body) == ["max_tokens", "messages", "model"]


def test_several_models_are_a_fallback_list():
    params = {**PARAMS, "models": ["a/b:free", MODEL]}

    body = orjson.loads(OPERATIONS["openrouter/chat"].build(params, account("openrouter")).body)

    assert (body["model"], body["models"]) == ("a/b:free", ["a/b:free", MODEL])


def test_an_answer_with_its_reported_cost():
    verdict = judged("openrouter/chat", reply(answered('{"a": 1}', model="other/model")), PARAMS)

    assert verdict == Answer(
        Completion('{"a": 1}', Finish.STOP, "other/model"), Charge(Decimal("0.00003925"), Decimal(73), Basis.REPORTED)
    )


@pytest.mark.parametrize(
    ("body", "finish"),
    [
        (answered("{}", "stop"), Finish.STOP),
        (answered("{}", None), Finish.STOP),
        (answered("{}", "tool_calls"), Finish.STOP),
        (answered('{"items": [', "length"), Finish.LENGTH),
        (answered("", "length"), Finish.LENGTH),
        (answered("half", "content_filter"), Finish.FILTERED),
        (answered(None, "stop", refusal="I cannot help with that."), Finish.REFUSED),
        (answered("", "stop", refusal=None), Finish.STOP),
    ],
)
def test_why_the_model_stopped(body, finish):
    verdict = judged("openrouter/chat", reply(body), PARAMS)

    assert verdict.value.finish is finish
    assert verdict.charge.amount == Decimal("0.00003925")


@pytest.mark.parametrize("content", ["", None])
def test_an_empty_answer_is_an_answer_that_was_charged(content):
    verdict = judged("openrouter/chat", reply(answered(content)), PARAMS)

    assert verdict.value == Completion("", Finish.STOP, MODEL)
    assert verdict.charge.amount > 0


@pytest.mark.parametrize(
    ("usage", "model", "amount", "basis"),
    [
        ({"cost": 0}, MODEL, "0", Basis.REPORTED),
        ({"cost": 1e-7, "total_tokens": 1}, MODEL, "1E-7", Basis.REPORTED),
        (
            {"cost": 0.0005, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.01}},
            MODEL,
            "0.0105",
            Basis.REPORTED,
        ),
        ({"cost": 0.0005, "is_byok": True, "cost_details": None}, MODEL, "0.0005", Basis.REPORTED),
        ({"cost": 0.0005, "cost_details": {"upstream_inference_cost": 0.01}}, MODEL, "0.0005", Basis.REPORTED),
        ({"prompt_tokens": 1000, "completion_tokens": 500}, MODEL, "0.003", Basis.COMPUTED),
        ({"prompt_tokens": 1000, "completion_tokens": 500, "cost": None}, "a/b:free", "0", Basis.COMPUTED),
        (None, MODEL, "0.000501", Basis.ASSUMED),
        (None, "a/b:free", "0", Basis.COMPUTED),
        ({"cost": "much"}, MODEL, "0.000501", Basis.ASSUMED),
    ],
)
def test_the_cost_of_an_answer(usage, model, amount, basis):
    charge = judged("openrouter/chat", reply(answered(model=model, usage=usage)), PARAMS).charge

    assert charge.amount == Decimal(amount)
    assert charge.basis is basis


# --- errors


@pytest.mark.parametrize(
    ("status", "body", "error_class", "told"),
    [
        # 1: classic
        (400, trouble(400, "invalid_request"), ErrorClass.VALIDATION, "invalid_request"),
        (401, trouble(401, "authentication"), ErrorClass.AUTH, "OPENROUTER_API_KEY"),
        (402, trouble(402, "payment_required"), ErrorClass.QUOTA, "top it up"),
        (403, trouble(403, "permission_denied"), ErrorClass.AUTH, "permission_denied"),
        (404, trouble(404, "not_found"), ErrorClass.NOT_FOUND, "config.model"),
        (408, trouble(408, "timeout"), ErrorClass.TIMEOUT, "ran out of time"),
        (422, trouble(422, "unprocessable"), ErrorClass.VALIDATION, "unprocessable"),
        (429, trouble(429, "rate_limit_exceeded"), ErrorClass.RATE_LIMIT, "rate limit"),
        (500, trouble(500, "server"), ErrorClass.SERVER_ERROR, "own side"),
        (502, trouble(502, "provider_unavailable"), ErrorClass.SERVER_ERROR, "own side"),
        (529, trouble(529, "provider_overloaded"), ErrorClass.SERVER_ERROR, "own side"),
        (502, trouble(502, "something_new"), ErrorClass.SERVER_ERROR, "something_new"),
        (502, trouble(502, "timeout"), ErrorClass.TIMEOUT, "timeout"),
        # 2: availability
        (404, unavailable(404, "no_endpoints", retryable=False), ErrorClass.NOT_FOUND, "no_endpoints"),
        (400, unavailable(400, "model_not_found"), ErrorClass.VALIDATION, "model_not_found"),
        (429, unavailable(429, "capacity_exhausted", retryable=True), ErrorClass.RATE_LIMIT, "capacity_exhausted"),
        # 3: an error in 200
        (200, {"error": {"message": "no", "code": 502}}, ErrorClass.SERVER_ERROR, "502"),
        (200, {"error": {"message": "no", "code": 429}, "choices": None}, ErrorClass.RATE_LIMIT, "429"),
        (200, {"error": {"message": "no", "code": 402}}, ErrorClass.QUOTA, "top it up"),
        (200, {"error": "no"}, ErrorClass.SERVER_ERROR, "own side"),
        (200, {"error": {"code": "odd"}, "choices": []}, ErrorClass.SERVER_ERROR, "own side"),
        # 5: HTML
        (524, "<!DOCTYPE html>", ErrorClass.SERVER_ERROR, "own side"),
        (520, "", ErrorClass.SERVER_ERROR, "own side"),
        (200, "<!DOCTYPE html>", ErrorClass.INVALID_RESPONSE, "no JSON object"),
        (200, {"id": "gen-1"}, ErrorClass.INVALID_RESPONSE, "no choices"),
        (200, {"choices": []}, ErrorClass.INVALID_RESPONSE, "no choices"),
    ],
)
def test_errors_of_the_shapes_1_2_3_5(status, body, error_class, told):
    verdict = judged("openrouter/chat", reply(body, status), PARAMS)

    assert isinstance(verdict, Failure)
    assert verdict.error_class is error_class
    assert told in verdict.message


@pytest.mark.parametrize(
    ("error", "usage", "error_class", "paid"),
    [
        ({"code": 502, "message": "no"}, {**USAGE, "cost": 0}, ErrorClass.SERVER_ERROR, False),
        ({"code": 502, "message": "no"}, USAGE, ErrorClass.SERVER_ERROR, True),
        ({"code": 429, "message": "no", "metadata": {}}, {**USAGE, "cost": 0}, ErrorClass.RATE_LIMIT, False),
        (None, {**USAGE, "cost": 0}, ErrorClass.SERVER_ERROR, False),
    ],
)
def test_errors_of_shape_4_never_give_their_partial_text(error, usage, error_class, paid):
    body = answered('{"items": [', "error", usage=usage)
    body["choices"][0]["error"] = error

    verdict = judged("openrouter/chat", reply(body), PARAMS)

    assert isinstance(verdict, Failure)
    assert (verdict.error_class, verdict.paid) == (error_class, paid)


@pytest.mark.parametrize(
    ("status", "body", "finish"),
    [
        (403, trouble(403, "", reasons=["harassment"], flagged_input="Lena…"), Finish.FILTERED),
        (403, trouble(403, "", patterns=["pii"]), Finish.FILTERED),
        (403, trouble(403, "content_policy_violation"), Finish.FILTERED),
        (200, trouble(403, "content_policy_violation"), Finish.FILTERED),
        (400, trouble(400, "context_length_exceeded"), Finish.TOO_LONG),
        (413, trouble(413, "payload_too_large"), Finish.TOO_LONG),
        (413, "", Finish.TOO_LONG),
    ],
)
def test_a_refused_text_is_an_answer_that_costs_nothing(status, body, finish):
    assert judged("openrouter/chat", reply(body, status), PARAMS) == Answer(Completion("", finish, ""))


@pytest.mark.parametrize(
    ("status", "body", "headers", "wait", "error_class"),
    [
        (429, trouble(429), {"retry-after": "7"}, 7.0, ErrorClass.RATE_LIMIT),
        (429, unavailable(429, "capacity_exhausted", retry_after=9), {}, 9.0, ErrorClass.RATE_LIMIT),
        (
            402,
            trouble(402, limit_source="openrouter_in_flight_budget"),
            {"retry-after": "2"},
            2.0,
            ErrorClass.RATE_LIMIT,
        ),
        (402, trouble(402), {}, None, ErrorClass.QUOTA),
        (
            429,
            trouble(429),
            {"x-ratelimit-reset": "1772798460000", "date": "Fri, 06 Mar 2026 12:00:00 GMT"},
            60.0,
            ErrorClass.RATE_LIMIT,
        ),
        (429, trouble(429), {"x-ratelimit-reset": "1772798460000"}, None, ErrorClass.RATE_LIMIT),
        (429, trouble(429), {"x-ratelimit-reset": "soon", "date": "today"}, None, ErrorClass.RATE_LIMIT),
        (503, trouble(503), {"retry-after": "30"}, 30.0, ErrorClass.SERVER_ERROR),
    ],
)
def test_waits(status, body, headers, wait, error_class):
    verdict = judged("openrouter/chat", reply(body, status, headers), PARAMS)

    assert (verdict.retry_after, verdict.error_class) == (wait, error_class)


@pytest.mark.parametrize(("word", "told"), [(True, True), (False, False), (None, None), ("yes", None)])
def test_the_vendors_word_on_a_retry_is_obeyed(word, told):
    assert judged("openrouter/chat", reply(unavailable(503, "x", retryable=word), 503), PARAMS).retryable is told


# --- prices and limits before the call


def test_free_models_have_limits_of_their_own_and_no_price():
    params = {**PARAMS, "models": ["a/b:free"]}

    assert OPERATIONS["openrouter/chat"].limits == ()
    assert [(limit.calls, limit.seconds) for limit in OPERATIONS["openrouter/chat-free"].limits] == [
        (20, 60.0),
        (1000, 86_400.0),
    ]
    assert OPERATIONS["openrouter/chat-free"].expected(params, account("openrouter")) == 0


def test_an_unknown_model_is_never_free():
    prices = {"prompt_million": Decimal(2), "completion_million": Decimal(10)}

    assert OPERATIONS["openrouter/chat"].expected(PARAMS, account("openrouter")) == Decimal("0.000501")
    assert OPERATIONS["openrouter/chat"].expected(PARAMS, account("openrouter", prices=prices)) == Decimal("0.001202")
