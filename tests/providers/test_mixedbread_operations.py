"""Mixedbread: vectors in the order of the texts, or nothing."""

import sys
from array import array
from base64 import b64encode
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumeflow.plugin import Basis, ErrorClass, Failure
from tests.providers.desk import OPERATIONS, account, judged, reply

OPERATION = "mixedbread/embeddings"
TEXTS = ["Lena Okafor, Example Freight", "Tomas Example"]
PARAMS = {"model": "mxbai-embed-large-v1", "input": TEXTS, "dimensions": 3}


def encoded(values):
    vector = array("f", values)
    if sys.byteorder == "big":
        vector.byteswap()
    return b64encode(vector.tobytes()).decode()


def answer(*vectors, **more):
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in vectors]
    return {"data": data, "usage": {"prompt_tokens": 23, "total_tokens": 23}, "dimensions": None, **more}


FIRST, SECOND = [0.5, -0.25, 0.125], [1.0, 0.0, -1.0]


@pytest.mark.parametrize(
    ("model", "sent"),
    [
        ("mxbai-embed-large-v1", "mixedbread-ai/mxbai-embed-large-v1"),
        ("mixedbread-ai/mxbai-embed-large-v1", "mixedbread-ai/mxbai-embed-large-v1"),
        ("mine/model", "mine/model"),
    ],
)
def test_the_full_name_of_the_model_is_sent(model, sent):
    request = OPERATIONS[OPERATION].build({"model": model, "input": TEXTS, "prompt": None}, account("mixedbread"))

    assert request.url == "https://api.mixedbread.com/v1/embeddings"
    assert orjson.loads(request.body) == {
        "model": sent,
        "input": TEXTS,
        "normalized": True,
        "encoding_format": "base64",
    }


def test_options_are_sent_where_given():
    body = orjson.loads(OPERATIONS[OPERATION].build({**PARAMS, "prompt": "Find:"}, account("mixedbread")).body)

    assert (body["dimensions"], body["prompt"]) == (3, "Find:")


@pytest.mark.parametrize(
    "body",
    [
        answer((0, encoded(FIRST)), (1, encoded(SECOND))),
        answer((1, encoded(SECOND)), (0, encoded(FIRST))),
        answer((1, SECOND), (0, FIRST)),
        answer((0, encoded(FIRST)), (1, SECOND), object="list", encoding_format="base64"),
    ],
)
def test_vectors_come_in_the_order_of_the_texts(body):
    verdict = judged(OPERATION, reply(body), PARAMS)

    assert verdict.value == [array("f", FIRST), array("f", SECOND)]
    assert verdict.charge.amount == Decimal("0.0000023")
    assert verdict.charge.credits == 23


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
def test_vectors_are_decoded_bit_by_bit(values):
    if abs(sum(values)) == float("inf"):
        return
    params = {"model": "any/model", "input": ["x"]}

    assert judged(OPERATION, reply(answer((0, encoded(values)))), params).value == [array("f", values)]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (answer((0, encoded(FIRST))), "expected 2 vectors, found 1"),
        (answer((0, encoded(FIRST)), (1, encoded(SECOND)), (2, encoded(SECOND))), "expected 2 vectors, found 3"),
        ({"data": None}, "expected 2 vectors, found none"),
        (answer((0, encoded(FIRST)), (0, encoded(SECOND))), "indexes"),
        (answer((0, encoded(FIRST)), (2, encoded(SECOND))), "indexes"),
        (answer((0, encoded(FIRST)), (None, encoded(SECOND))), "indexes"),
        ({"data": [1, 2]}, "indexes"),
        (answer((0, encoded(FIRST)), (1, encoded([*SECOND, 0.5]))), "expected vectors of 3 numbers, found one of 4"),
        (answer((0, encoded(FIRST)), (1, "no base64!")), "vector 1 cannot be decoded"),
        (answer((0, encoded(FIRST)), (1, encoded(SECOND)[:-4])), "vector 1 cannot be decoded"),
        (answer((0, encoded(FIRST)), (1, "")), "vector 1 cannot be decoded"),
        (answer((0, encoded(FIRST)), (1, ["a", 1, 2])), "vector 1 cannot be decoded"),
        (answer((0, encoded(FIRST)), (1, {"float": SECOND})), "vector 1 cannot be decoded"),
        (answer((0, encoded(FIRST)), (1, encoded([0.0, float("nan"), 1.0]))), "vector 1 cannot be decoded"),
        ("<html>", "no JSON object"),
        ([], "no JSON object"),
    ],
)
def test_vectors_that_do_not_fit_are_paid_for_and_not_used(body, told):
    verdict = judged(OPERATION, reply(body), PARAMS)

    assert isinstance(verdict, Failure)
    assert verdict.error_class is ErrorClass.INVALID_RESPONSE
    assert verdict.paid
    assert told in verdict.message


def test_the_size_of_a_known_model_is_checked():
    params = {"model": "mxbai-embed-large-v1", "input": ["x"]}

    assert "1024" in judged(OPERATION, reply(answer((0, encoded(FIRST)))), params).message
    assert len(judged(OPERATION, reply(answer((0, encoded([0.03125] * 1024)))), params).value[0]) == 1024


@pytest.mark.parametrize("usage", [None, {}, {"total_tokens": None}, {"total_tokens": -1}])
def test_without_usage_the_tokens_are_guessed(usage):
    verdict = judged(OPERATION, reply(answer((0, encoded(FIRST)), (1, encoded(SECOND)), usage=usage)), PARAMS)

    assert verdict.charge.basis is Basis.ASSUMED
    assert (
        verdict.charge.amount == Decimal("0.0000012") == OPERATIONS[OPERATION].expected(PARAMS, account("mixedbread"))
    )


@pytest.mark.parametrize(
    ("status", "body", "error_class", "told"),
    [
        (401, {"detail": "Invalid API key"}, ErrorClass.AUTH, "MXBAI_API_KEY"),
        (401, {"error": {"message": "no", "code": 401, "type": "authentication_error"}}, ErrorClass.AUTH, "authentic"),
        (403, "", ErrorClass.AUTH, "MXBAI_API_KEY"),
        (402, {"message": "no credit"}, ErrorClass.QUOTA, "top it up"),
        (
            422,
            {"detail": [{"loc": ["body", "input"], "msg": "too long", "input": "Lena"}]},
            ErrorClass.VALIDATION,
            "texts",
        ),
        (400, {"error": {"type": "invalid_request"}}, ErrorClass.VALIDATION, "config.model"),
        (404, {"error": {}}, ErrorClass.NOT_FOUND, "config.model"),
        (409, {}, ErrorClass.VALIDATION, "refused"),
        (429, {"type": "too_many_requests_error"}, ErrorClass.RATE_LIMIT, "too_many_requests_error"),
        (500, {"error": {"type": "internal"}}, ErrorClass.SERVER_ERROR, "own side"),
        (504, "<html>", ErrorClass.SERVER_ERROR, "own side"),
    ],
)
def test_errors(status, body, error_class, told):
    verdict = judged(OPERATION, reply(body, status), PARAMS)

    assert verdict.error_class is error_class
    assert told in verdict.message


@pytest.mark.parametrize(
    ("headers", "body", "wait"),
    [
        ({"retry-after": "60"}, {"details": {"retry_after": 5}}, 60.0),
        ({}, {"type": "too_many_requests_error", "details": {"retry_after": 5, "reset": "x"}}, 5.0),
        ({}, {"error": {"message": "no"}}, None),
    ],
)
def test_waits(headers, body, wait):
    assert judged(OPERATION, reply(body, 429, headers), PARAMS).retry_after == wait
