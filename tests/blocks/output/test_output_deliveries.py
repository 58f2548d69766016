"""Webhooks and calls of APIs as outputs: what is sent, under which key, and what it means when it is refused."""

from array import array
from datetime import UTC, datetime

import orjson
import pytest
from pydantic import ValidationError

from lumeflow.blocks.output.api import ApiOutput
from lumeflow.blocks.output.webhook import WebhookOutput
from lumeflow.core.operation import Account, Failure
from lumeflow.kit.webhooks import Rules, verify
from lumeflow.plugin import ErrorClass, HttpResponse, Secret
from lumeflow.providers.http import Request
from lumeflow.testing import MemoryContext, run_block

HOOK = {"destination": "webhook", "url": "https://hooks.example.com/leads", "secret": "{{secrets.hook}}"}
API = {"destination": "api", "url": "https://crm.example.com/people/{{input.id}}"}
PEOPLE = [{"id": number, "name": f"Person {number}"} for number in range(5)]
ACCOUNT = Account("http", "http", "", None, "", secret=lambda name: Secret(f"{name}-secret"))


async def send(block, config, payload=None, *, ctx=None, **options):
    ctx = ctx or MemoryContext(answers={"http/request": {"found": True, "body": "", "headers": {}}})
    run = await run_block(block, config, {"people": PEOPLE} if payload is None else payload, context=ctx, **options)
    return run, [params for _, params in ctx.calls]


def built(params):
    return Request().build(params, ACCOUNT)


def judged(params, status, body=b"", headers=None):
    return Request().judge(params, HttpResponse(status, headers or {}, body), ACCOUNT)


async def test_each_record_is_a_delivery():
    run, calls = await send(WebhookOutput, HOOK)

    assert run.records == PEOPLE
    assert run.output == {"recordsCount": 5, "deliveriesCount": 5, "deliveredAt": "2026-01-09T12:00:00.000Z"}
    assert [orjson.loads(built(call).body) for call in calls] == [
        {"workflowId": "workflow-1", "executionId": "execution-1", "data": person} for person in PEOPLE
    ]


async def test_some_together():
    run, calls = await send(WebhookOutput, {**HOOK, "batchSize": 2}, {"list": "spring", "people": PEOPLE})

    data = [orjson.loads(built(call).body)["data"] for call in calls]
    assert data == [{"list": "spring", "people": PEOPLE[start : start + 2]} for start in (0, 2, 4)]
    assert (run.output["recordsCount"], run.output["deliveriesCount"]) == (5, 3)


async def test_a_delivery_is_signed_as_the_input_verifies_it():
    _, (call, *_) = await send(WebhookOutput, HOOK)
    request = built(call)
    headers = dict(request.headers)

    delivery = verify(Rules(), [Secret("hook-secret")], headers, request.body, now=datetime.now(UTC))
    assert delivery.id == headers["Idempotency-Key"]
    assert request.method == "POST"
    assert request.guarded


async def test_the_secret_stands_nowhere_but_in_the_signature():
    _, (call, *_) = await send(WebhookOutput, HOOK)

    assert "hook-secret" not in repr(call)
    assert "hook-secret" not in repr(built(call).headers)
    assert [secret.reveal() for secret in built(call).secrets] == ["hook-secret"]


async def test_without_a_secret_nothing_is_signed():
    _, (call, *_) = await send(WebhookOutput, {**HOOK, "secret": None})

    assert [name for name in built(call).headers if "signature" in name.lower()] == []


async def test_headers_hash_and_encoding_can_be_chosen():
    config = {
        **HOOK,
        "signatureHeader": "webhook-signature",
        "timestampHeader": "webhook-timestamp",
        "idempotencyHeader": "webhook-id",
        "algorithm": "sha512",
        "encoding": "base64",
        "signed": "{id}.{timestamp}.{body}",
    }
    rules = Rules("webhook-signature", "webhook-timestamp", "webhook-id", "sha512", "base64", "{id}.{timestamp}.{body}")
    _, (call, *_) = await send(WebhookOutput, config)
    request = built(call)

    assert verify(rules, [Secret("hook-secret")], request.headers, request.body, now=datetime.now(UTC))


def keys(calls, header="Idempotency-Key"):
    return [call["request"]["headers"][header] for call in calls]


async def test_keys_are_the_same_in_every_run_and_differ_by_place():
    alike = {"people": [{"same": 1}] * 3}

    _, first = await send(WebhookOutput, HOOK, alike)
    _, second = await send(WebhookOutput, HOOK, alike)

    assert keys(first) == keys(second)
    assert len(set(keys(first))) == 3


@pytest.mark.parametrize("other", [{"execution_id": "e-2"}, {"node_id": "n-2"}])
async def test_keys_differ_by_execution_and_node(other):
    answers = {"http/request": {"found": True, "body": "", "headers": {}}}

    _, here = await send(WebhookOutput, HOOK)
    _, there = await send(WebhookOutput, HOOK, ctx=MemoryContext(answers=answers, **other))

    assert set(keys(here)).isdisjoint(keys(there))


async def test_calls_of_an_api_are_what_the_configuration_says():
    config = {
        **API,
        "method": "put",
        "auth": {"type": "bearer", "token": "{{secrets.crm}}"},
        "headers": {"X-Source": "{{input.name}}"},
        "query": {"notify": "false"},
        "body": {"fullName": "{{uppercase(input.name)}}"},
    }
    _, (call, *_) = await send(ApiOutput, config)
    request = built(call)

    assert (request.method, request.url) == ("PUT", "https://crm.example.com/people/0?notify=false")
    assert (request.headers["Authorization"], request.headers["X-Source"]) == ("Bearer crm-secret", "Person 0")
    assert orjson.loads(request.body) == {"fullName": "PERSON 0"}
    assert "crm-secret" not in repr(call)


@pytest.mark.parametrize(
    ("config", "body"),
    [
        ({}, PEOPLE[0]),
        ({"batchSize": 3, "url": "https://crm.example.com/people"}, {"people": PEOPLE[:3]}),
        ({"mapping": {"n": "{{input.name}}"}}, {"n": "Person 0"}),
    ],
)
async def test_what_is_sent_by_default(config, body):
    _, (call, *_) = await send(ApiOutput, {**API, **config})

    assert orjson.loads(built(call).body) == body


async def test_a_deletion_sends_no_body():
    _, (call, *_) = await send(ApiOutput, {**API, "method": "DELETE"})

    assert (built(call).method, built(call).body) == ("DELETE", b"")


async def test_vectors_are_sent_as_lists():
    record = {"id": 1, "embedding": array("f", [0.5, 0.25]), "parts": [{"v": array("f", [1.0])}]}

    run, (call,) = await send(ApiOutput, API, {"people": [record]})

    assert orjson.loads(built(call).body) == {"id": 1, "embedding": [0.5, 0.25], "parts": [{"v": [1.0]}]}
    assert run.records == [record]


async def test_a_condition_keeps_records_back():
    condition = {"field": "id", "operator": "gte", "value": 3}

    run, calls = await send(WebhookOutput, {**HOOK, "condition": condition})

    assert (len(calls), len(run.records), run.output["recordsCount"]) == (2, 5, 2)


async def test_a_record_without_what_the_address_needs_fails_alone():
    run, calls = await send(ApiOutput, API, {"people": [{"id": 1}, {"name": "x"}]})

    assert len(calls) == 1
    assert [(failed.position, failed.error.error_class) for failed in run.failed] == [(1, ErrorClass.VALIDATION)]


@pytest.mark.parametrize(
    ("status", "error_class"),
    [
        (200, None),
        (202, None),
        (204, None),
        (400, ErrorClass.VALIDATION),
        (401, ErrorClass.AUTH),
        (404, ErrorClass.NOT_FOUND),
        (410, ErrorClass.NOT_FOUND),
        (429, ErrorClass.RATE_LIMIT),
        (500, ErrorClass.SERVER_ERROR),
    ],
)
async def test_statuses(status, error_class):
    _, (call, *_) = await send(WebhookOutput, HOOK)
    verdict = judged(call, status, b"<p>thank you</p>")

    assert (verdict.error_class if isinstance(verdict, Failure) else None) is error_class


async def test_statuses_can_mean_something_else():
    _, (call, *_) = await send(WebhookOutput, {**HOOK, "statuses": {"success": [409], "rateLimit": [418]}})

    assert not isinstance(judged(call, 409), Failure)
    assert judged(call, 418).error_class is ErrorClass.RATE_LIMIT
    assert judged(call, 404).error_class is ErrorClass.NOT_FOUND


@pytest.mark.parametrize(
    ("idempotency", "repeat"), [({}, "booked"), ({"idempotencyHeader": None, "secret": None}, "never")]
)
async def test_a_lost_delivery_is_sent_again_only_under_its_key(idempotency, repeat):
    _, (call, *_) = await send(WebhookOutput, {**HOOK, **idempotency})

    assert (call["settings"]["repeat"], call["settings"]["writes"]) == (repeat, True)


@pytest.mark.parametrize(("block", "config"), [(WebhookOutput, HOOK), (ApiOutput, API)])
async def test_in_demo_mode_an_empty_answer_stands_for_the_receiver(block, config):
    _, (call, *_) = await send(block, config)

    answer = Request().demo(call)
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize(
    ("block", "config", "message"),
    [
        (WebhookOutput, {**HOOK, "secret": "in-plain-text"}, "expected the name of a secret"),
        (WebhookOutput, {**HOOK, "secret": "{{input.secret}}"}, "expected a secret"),
        (WebhookOutput, {**HOOK, "signed": "{timestamp}"}, r"must hold \{body\}"),
        (WebhookOutput, {**HOOK, "idempotencyHeader": None}, "'idempotencyHeader' is null"),
        (WebhookOutput, {**HOOK, "method": "GET"}, "method"),
        (WebhookOutput, {**HOOK, "url": "ftp://example.com"}, "http"),
        (ApiOutput, {**API, "responsePath": "id"}, "takes nothing over"),
        (ApiOutput, {**API, "url": "{{input.url}}", "auth": {"type": "bearer", "token": "{{secrets.x}}"}}, "records decide"),
        (ApiOutput, {**API, "batchSize": 0}, "greater than or equal to 1"),
    ],
)  # fmt: skip
def test_configurations_that_cannot_work(block, config, message):
    with pytest.raises(ValidationError, match=message):
        block.Config.model_validate(config)
