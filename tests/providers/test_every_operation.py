"""What holds for every operation of every vendor."""

from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumeflow.core.effects import canonical_json
from lumeflow.core.http import HttpResponse
from lumeflow.plugin import Answer, ErrorClass, Failure, RateLimit, Repeat
from lumeflow.simulator.service import ENDPOINTS
from lumeflow.simulator.settings import DEFAULT_PRICES
from tests.providers.desk import MODULES, OPERATIONS, account, judged, reply

MESSAGES = [{"role": "user", "content": "Hello"}]
PARAMS = {
    "anthropic/messages": {"models": ["claude-haiku-4-5"], "messages": MESSAGES, "max_tokens": 100},
    "apify/start-run": {"actor": "apify~facebook-comments-scraper", "input": {"startUrls": []}},
    "apify/get-run": {"run": "r1"},
    "apify/run-cost": {"run": "r1", "actor": "apify~facebook-comments-scraper", "items": 3},
    "apify/dataset-items": {"dataset": "d1", "offset": 0, "limit": 10},
    "apify/dataset-total": {"dataset": "d1"},
    "apify/abort-run": {"run": "r1"},
    "apollo/people-match": {"first_name": "Lena", "last_name": "Okafor"},
    "apollo/people-bulk-match": {"details": [{"first_name": "Lena", "last_name": "Okafor"}]},
    "hunter/email-verifier": {"email": "lena.okafor@example.com"},
    "hunter/email-finder": {"first_name": "Lena", "last_name": "Okafor", "company": "Example Freight"},
    "meta/add-users": {"version": "v26.0", "audience": "2385", "session": {}, "schema": ["FN"], "data": [["Lena"]]},
    "meta/create-audience": {
        "version": "v26.0", "ad_account": "act_1", "name": "Lena", "description": "Okafor", "mark": "m", "source": "x",
    },
    "mixedbread/embeddings": {"model": "mxbai-embed-large-v1", "input": ["Lena Okafor"]},
    "openai/chat": {"models": ["gpt-5-mini"], "messages": MESSAGES, "max_tokens": 100},
    "openai-compatible/chat": {
        "models": ["m"],
        "messages": MESSAGES,
        "max_tokens": 100,
        "baseUrl": "https://llm.example.com/v1",
        "prices": {"prompt": "0", "completion": "0"},
    },
    "openrouter/chat": {"models": ["openai/gpt-5-mini"], "messages": MESSAGES, "max_tokens": 100},
    "openrouter/chat-free": {"models": ["mistralai/m:free"], "messages": MESSAGES, "max_tokens": 100},
}  # fmt: skip
FOR_ALL_MODELS = ("prompt_million", "completion_million")
EVERY = pytest.mark.parametrize("operation_id", sorted(OPERATIONS))

KEYS = st.sampled_from(
    ["data", "error", "errors", "person", "choices", "usage", "message", "content", "code", "id", "type", "status",
     "index", "embedding", "finish_reason", "cost", "metadata", "availability", "email", "details", "contact",
     "matches", "credits_consumed", "usageTotalUsd", "chargedEventCounts", "total_tokens", "items", "param", "prompt_tokens", "completion_tokens",
     "input_tokens", "output_tokens", "cache_read_input_tokens", "prompt_tokens_details", "cached_tokens", "stop_reason",
     "text", "model", "refusal"]
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False) | st.text(max_size=8)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
STATUSES = st.sampled_from([200, 200, 200, 201, 202, 204, 222, 301, 400, 401, 402, 403, 404, 422, 429, 451, 500, 524])


def test_every_operation_is_tried_here():
    assert sorted(PARAMS) == sorted(OPERATIONS)


@EVERY
@given(status=STATUSES, body=JSON.map(orjson.dumps) | st.binary(max_size=60))
def test_no_answer_makes_judge_raise(operation_id, status, body):
    verdict = judged(operation_id, HttpResponse(status, {"retry-after": "x"}, body), PARAMS[operation_id])

    assert isinstance(verdict, Answer | Failure)
    if isinstance(verdict, Answer):
        assert verdict.charge.amount.is_finite()


@EVERY
@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_a_message_holds_neither_key_nor_body_nor_parameters(operation_id, status):
    body = {"error": {"message": "Lena Okafor sim-key", "type": "Lena said so"}, "errors": [{"id": "Lena Okafor"}]}

    verdict = judged(operation_id, reply(body, status), PARAMS[operation_id])

    told = verdict.message if isinstance(verdict, Failure) else ""
    assert not [word for word in ("Lena", "Okafor", "sim-key") if word in told]


@EVERY
@pytest.mark.parametrize("status", [401])
def test_a_refused_key_is_named_by_its_secret(operation_id, status):
    verdict = judged(operation_id, reply("Invalid access credentials.", status), PARAMS[operation_id])

    assert verdict.error_class is ErrorClass.AUTH
    assert account(OPERATIONS[operation_id].provider).key_name in verdict.message


@EVERY
@pytest.mark.parametrize("body", [b"", b"<html>502</html>", b'{"data": {"id'])
def test_a_page_from_the_edge_is_trouble_on_the_other_side(operation_id, body):
    assert judged(operation_id, reply(body, 502), PARAMS[operation_id]).error_class is ErrorClass.SERVER_ERROR


@EVERY
def test_a_cut_off_answer_of_status_200_is_paid_unless_the_call_is_free(operation_id):
    verdict = judged(operation_id, reply(b'{"data": [{"id": "x'), PARAMS[operation_id])

    assert verdict.error_class is ErrorClass.INVALID_RESPONSE
    assert verdict.paid == (not operation_id.startswith(("apify/", "meta/")))


@EVERY
def test_requests_carry_the_key_in_a_header_only(operation_id):
    operation = OPERATIONS[operation_id]

    request = operation.build(PARAMS[operation_id], account(operation.provider, base_url="http://127.0.0.1:9"))

    assert "sim-key" not in request.url
    assert b"sim-key" not in request.body
    assert [value for value in request.headers.values() if "sim-key" in value]
    assert request.url.startswith("http://127.0.0.1:9/")


@EVERY
def test_a_request_follows_from_its_parameters(operation_id):
    operation, owner = OPERATIONS[operation_id], account(OPERATIONS[operation_id].provider)
    shuffled = dict(reversed(PARAMS[operation_id].items()))

    first, second = operation.build(PARAMS[operation_id], owner), operation.build(shuffled, owner)

    assert canonical_json(PARAMS[operation_id]) == canonical_json(shuffled)
    assert (first.method, first.url) == (second.method, second.url)
    assert orjson.loads(first.body or b"null") == orjson.loads(second.body or b"null")


@EVERY
def test_a_call_without_key_is_built_all_the_same(operation_id):
    operation = OPERATIONS[operation_id]

    assert operation.build(PARAMS[operation_id], account(operation.provider, key=None)).method in {"GET", "POST"}


@pytest.mark.parametrize(
    ("operation_id", "endpoint"),
    [
        ("apify/start-run", "apify/run-start"),
        ("apify/get-run", "apify/run-get"),
        ("apify/dataset-items", "apify/dataset-items"),
        ("apollo/people-match", "apollo/people-match"),
        ("apollo/people-bulk-match", "apollo/people-bulk-match"),
        ("hunter/email-finder", "hunter/email-finder"),
        ("hunter/email-verifier", "hunter/email-verifier"),
        ("meta/add-users", "meta/add-users"),
        ("meta/create-audience", "meta/create-audience"),
        ("mixedbread/embeddings", "mixedbread/embeddings"),
        ("anthropic/messages", "anthropic/messages"),
        ("openai/chat", "openai/chat"),
        ("openai-compatible/chat", "openai-compatible/chat"),
        ("openrouter/chat", "openrouter/chat"),
        ("openrouter/chat-free", "openrouter/chat-free"),
    ],
)
def test_limits_are_those_that_the_simulator_enforces(operation_id, endpoint):
    enforced = tuple(RateLimit(limit.calls, limit.seconds) for limit in ENDPOINTS[endpoint].limits)

    assert OPERATIONS[operation_id].limits == enforced


@pytest.mark.parametrize(
    ("provider", "price", "simulated"),
    [
        ("apify", "apify~instagram-comment-scraper", "apify/instagram-comment"),
        ("apify", "apify~facebook-comments-scraper", "apify/facebook-comment"),
        ("apify", "result", "apify/result"),
        ("apollo", "credit", "apollo/credit"),
        ("hunter", "credit", "hunter/credit"),
        ("mixedbread", "token_million", "mixedbread/million-tokens"),
    ],
)
def test_prices_are_those_that_the_simulator_charges(provider, price, simulated):
    defaults = next(module.PROVIDER for module in MODULES if module.PROVIDER.name == provider)

    assert defaults.prices[price] == DEFAULT_PRICES[simulated]


@EVERY
def test_expected_prices_follow_the_configured_ones(operation_id):
    operation = OPERATIONS[operation_id]
    names = next(module.PROVIDER.prices for module in MODULES if module.PROVIDER.name == operation.provider)
    free = account(operation.provider, prices=dict.fromkeys([*names, *FOR_ALL_MODELS], Decimal(0)))

    assert operation.expected(PARAMS[operation_id], free) == 0


@pytest.mark.parametrize(
    ("operation_id", "repeat"),
    [
        ("apify/start-run", Repeat.LOOK_FIRST),
        ("apify/get-run", Repeat.FREE),
        ("apify/dataset-items", Repeat.FREE),
        ("apollo/people-match", Repeat.BOOKED),
        ("apollo/people-bulk-match", Repeat.BOOKED),
        ("hunter/email-finder", Repeat.FREE),
        ("hunter/email-verifier", Repeat.FREE),
        ("meta/add-users", Repeat.FREE),
        ("meta/create-audience", Repeat.LOOK_FIRST),
        ("anthropic/messages", Repeat.BOOKED),
        ("openai/chat", Repeat.BOOKED),
        ("openai-compatible/chat", Repeat.BOOKED),
        ("openrouter/chat", Repeat.BOOKED),
        ("mixedbread/embeddings", Repeat.BOOKED),
    ],
)
def test_what_may_be_repeated(operation_id, repeat):
    assert OPERATIONS[operation_id].repeat is repeat
