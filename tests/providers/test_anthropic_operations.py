"""Anthropic: messages, an empty balance in two shapes, an overloaded vendor, and tokens of the cache counted apart."""

from decimal import Decimal

import orjson
import pytest

from lumeflow.kit.models.completion import Completion, Finish, Parameter
from lumeflow.plugin import Answer, Basis, Charge, ErrorClass, Failure, NodeError, RateHint, RateLimit
from tests.providers.desk import OPERATIONS, account, judged, reply

MODEL = "claude-haiku-4-5"
MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "a"},
    {"role": "assistant", "content": "b"},
    {"role": "user", "content": "x" * 400},
]
PARAMS = {"models": [MODEL], "messages": MESSAGES, "max_tokens": 100}
USAGE = {"input_tokens": 1000, "output_tokens": 100, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
OPERATION = OPERATIONS["anthropic/messages"]


def answered(*texts, stop="end_turn", usage=USAGE, model=MODEL):
    content = [{"type": "text", "text": text} for text in texts]
    return {"id": "msg_1", "type": "message", "model": model, "content": content, "stop_reason": stop, "usage": usage}


def trouble(kind, message="Lena Okafor"):
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": None}


def judge(body, status=200, headers=None, **changes):
    return judged("anthropic/messages", reply(body, status, headers), {**PARAMS, **changes})


def test_a_question_by_schema():
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    params = {**PARAMS, "schema": schema, "schemaName": "answer", "temperature": 0}

    request = OPERATION.build(params, account("anthropic"))

    assert request.url == "https://api.anthropic.com/v1/messages"
    assert (request.headers["x-api-key"], request.headers["anthropic-version"]) == ("sim-key", "2023-06-01")
    assert orjson.loads(request.body) == {
        "model": MODEL,
        "max_tokens": 100,
        "system": "Be brief.",
        "messages": MESSAGES[1:],
        "temperature": 0,
        "output_config": {"format": {"type": "json_schema", "schema": schema}},
    }


def test_a_plain_question_has_nothing_more():
    body = orjson.loads(OPERATION.build({**PARAMS, "messages": MESSAGES[1:]}, account("anthropic")).body)

    assert sorted(body) == ["max_tokens", "messages", "model"]


def test_an_answer_is_the_join_of_its_texts_and_costs_its_tokens():
    body = answered('{"a"', ": 1}")
    body["content"].insert(0, {"type": "thinking", "thinking": "Lena"})

    # 1,000 at $1 and 100 at $5 a million
    assert judge(body) == Answer(
        Completion('{"a": 1}', Finish.STOP, MODEL), Charge(Decimal("0.0015"), Decimal(1100), Basis.COMPUTED)
    )


@pytest.mark.parametrize(
    ("usage", "amount", "basis"),
    [
        # Tokens of the cache come on top: 400 read at 0.10, 200 written at 1.25.
        ({**USAGE, "cache_read_input_tokens": 400}, "0.00154", Basis.COMPUTED),
        ({**USAGE, "cache_creation_input_tokens": 200}, "0.00175", Basis.COMPUTED),
        ({**USAGE, "cache_read_input_tokens": 400, "cache_creation_input_tokens": 200}, "0.00179", Basis.COMPUTED),
        ({"input_tokens": 1000, "output_tokens": 100}, "0.0015", Basis.COMPUTED),
        # Not counted: 103 tokens of question, and all that the answer may have.
        (None, "0.000603", Basis.ASSUMED),
    ],
)
def test_the_cost_of_an_answer(usage, amount, basis):
    charge = judge(answered("x", usage=usage)).charge

    assert charge.amount == Decimal(amount)
    assert charge.basis is basis


def test_a_long_question_costs_what_long_questions_cost():
    usage = {"input_tokens": 900_000, "cache_read_input_tokens": 100_000, "output_tokens": 0}
    verdict = judge(answered("x", usage=usage, model="claude-sonnet-4-5"), models=["claude-sonnet-4-5"])

    assert verdict.charge.amount == Decimal("5.46")


def test_a_model_without_price_is_never_asked():
    with pytest.raises(NodeError, match="no price is known for the model 'claude-unheard-of'"):
        OPERATION.build({**PARAMS, "models": [MODEL, "claude-unheard-of"]}, account("anthropic"))


@pytest.mark.parametrize(
    ("stop", "finish"),
    [
        ("end_turn", Finish.STOP),
        ("stop_sequence", Finish.STOP),
        ("pause_turn", Finish.STOP),
        (None, Finish.STOP),
        ("max_tokens", Finish.LENGTH),
        ("refusal", Finish.REFUSED),
        ("model_context_window_exceeded", Finish.TOO_LONG),
    ],
)
def test_why_the_model_stopped(stop, finish):
    verdict = judge(answered("half", stop=stop))

    assert verdict.value.finish is finish
    assert verdict.charge.amount == Decimal("0.0015")


def test_an_answer_without_text_is_an_answer_that_was_charged():
    assert judge(answered()).value == Completion("", Finish.STOP, MODEL)


# --- errors


@pytest.mark.parametrize(
    ("status", "body", "error_class", "retryable", "told"),
    [
        (400, trouble("invalid_request_error"), ErrorClass.VALIDATION, None, "refused the request"),
        (
            400,
            trouble("invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
            ErrorClass.QUOTA,
            False,
            "top it up",
        ),
        (401, trouble("authentication_error"), ErrorClass.AUTH, False, "ANTHROPIC_API_KEY"),
        (402, trouble("billing_error"), ErrorClass.QUOTA, False, "top it up"),
        (403, trouble("permission_error"), ErrorClass.AUTH, False, "permission_error"),
        (404, trouble("not_found_error"), ErrorClass.NOT_FOUND, None, "config.model"),
        (429, trouble("rate_limit_error"), ErrorClass.RATE_LIMIT, None, "rate limit"),
        (500, trouble("api_error"), ErrorClass.SERVER_ERROR, None, "api_error"),
        (504, trouble("timeout_error"), ErrorClass.SERVER_ERROR, None, "timeout_error"),
        (529, trouble("overloaded_error"), ErrorClass.SERVER_ERROR, None, "overloaded_error"),
        (529, "<html>", ErrorClass.SERVER_ERROR, None, "own side"),
        (200, trouble("overloaded_error"), ErrorClass.SERVER_ERROR, None, "overloaded_error"),
        (200, trouble("rate_limit_error"), ErrorClass.RATE_LIMIT, None, "rate limit"),
        (200, trouble("billing_error"), ErrorClass.QUOTA, False, "top it up"),
        (200, {"error": "no"}, ErrorClass.SERVER_ERROR, None, "own side"),
    ],
)
def test_errors(status, body, error_class, retryable, told):
    verdict = judge(body, status)

    assert isinstance(verdict, Failure)
    assert (verdict.error_class, verdict.retryable, verdict.paid) == (error_class, retryable, False)
    assert told in verdict.message


@pytest.mark.parametrize("body", ["<!DOCTYPE html>", {"type": "message"}, {"content": "text"}])
def test_an_unreadable_answer_was_paid_for(body):
    verdict = judge(body)

    assert (verdict.error_class, verdict.paid) == (ErrorClass.INVALID_RESPONSE, True)


@pytest.mark.parametrize(
    ("headers", "wait", "word"),
    [
        ({"retry-after": "7"}, 7.0, None),
        ({"x-should-retry": "false"}, None, False),
        ({"x-should-retry": "true", "retry-after-ms": "1500"}, 1.5, True),
    ],
)
def test_waits_and_the_vendors_word_on_a_retry(headers, wait, word):
    verdict = judge(trouble("overloaded_error"), 529, headers)

    assert (verdict.retry_after, verdict.retryable) == (wait, word)


@pytest.mark.parametrize(
    ("status", "body", "completion"),
    [
        (413, trouble("request_too_large"), Completion("", Finish.TOO_LONG, "")),
        (
            400,
            trouble("invalid_request_error", "prompt is too long: 250000 tokens > 200000 maximum"),
            Completion("", Finish.TOO_LONG, ""),
        ),
        (
            400,
            trouble("invalid_request_error", "output_config: Extra inputs are not permitted"),
            Completion("", Finish.UNSUPPORTED, "", Parameter.FORMAT),
        ),
        (
            400,
            trouble("invalid_request_error", "`temperature` is deprecated for this model."),
            Completion("", Finish.UNSUPPORTED, "", Parameter.TEMPERATURE),
        ),
    ],
)
def test_what_was_not_asked_costs_nothing(status, body, completion):
    assert judge(body, status) == Answer(completion)


# --- limits

DATE = {"date": "Fri, 06 Mar 2026 12:00:00 GMT"}


@pytest.mark.parametrize(
    ("headers", "hint"),
    [
        ({}, None),
        (
            {"requests-limit": "50", "requests-remaining": "49", "requests-reset": "2026-03-06T12:00:01Z"},
            RateHint((RateLimit(50, 60.0),)),
        ),
        (
            {"requests-limit": "60", "requests-remaining": "0", "requests-reset": "2026-03-06T12:01:00Z"},
            RateHint((RateLimit(60, 60.0),), 1.0),
        ),
        (
            {"requests-limit": "60", "tokens-remaining": "0", "tokens-reset": "2026-03-06T12:00:09Z"},
            RateHint((RateLimit(60, 60.0),), 9.0),
        ),
        ({"tokens-remaining": "0", "tokens-reset": "soon"}, None),
    ],
)
def test_rates(headers, hint):
    named = {f"anthropic-ratelimit-{name}": value for name, value in headers.items()}

    assert OPERATION.rates(reply({}, headers={**DATE, **named})) == hint
