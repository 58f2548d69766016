"""The webhook input: what it makes of deliveries, and that each starts one execution at most."""

from base64 import b64encode
from datetime import timedelta

import orjson
import pytest
from pydantic import ValidationError

from lumeflow.app import open_app
from lumeflow.blocks.input.webhook import WebhookInput
from lumeflow.core.errors import UsageError
from lumeflow.core.journal import Mode
from lumeflow.kit.webhooks import Rules, signing_headers
from lumeflow.plugin import NodeError, Secret
from lumeflow.settings import Settings
from lumeflow.testing import MemoryContext, run_block
from lumeflow.testing.context import NOON

CONFIG = {"source": "webhook", "secret": "{{secrets.shop}}"}
SECRET = Secret("whsec-example")
CONTACTS = {"shop": "example.com", "contacts": [{"name": "Mira"}, {"name": "Tomás"}]}


def delivery(body=CONTACTS, *, at=NOON, name="d-1", rules=None, secret=SECRET, kind="application/json"):
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    headers = signing_headers(rules or Rules(), secret, raw, at=at, delivery=name)
    return {"headers": {**headers, "Idempotency-Key": name, "Content-Type": kind}, "body": raw.decode()}


async def receive(trigger, config=None, *, collection=None, **world):
    ctx = MemoryContext(secrets={"shop": "whsec-example", "old": "old"}, **world)
    return await run_block(WebhookInput, {**CONFIG, **(config or {})}, trigger, context=ctx, collection=collection)


async def test_a_delivery_becomes_the_payload():
    assert (await receive(delivery())).output == CONTACTS


@pytest.mark.parametrize(("collection", "name"), [(None, "records"), ("people", "people")])
async def test_a_list_holds_the_records(collection, name):
    run = await receive(delivery([{"n": 1}, {"n": 2}]), {"collection": collection} if collection else {})

    assert run.output == {name: [{"n": 1}, {"n": 2}]}


async def test_the_collection_may_be_named():
    body = {"new": [{"n": 1}], "gone": [{"n": 2}]}

    run = await receive(delivery(body), {"collection": "new"})

    assert (run.records, run.fields) == ([{"n": 1}], {"gone": [{"n": 2}]})


async def test_a_form_is_a_payload_without_collection():
    trigger = delivery(b"email=mira.holt%40example.com", kind="application/x-www-form-urlencoded; charset=utf-8")

    assert (await receive(trigger)).output == {"email": "mira.holt@example.com"}


async def test_the_body_may_come_as_base64():
    trigger = delivery()
    trigger["bodyBase64"] = b64encode(trigger.pop("body").encode()).decode()

    assert (await receive(trigger)).output == CONTACTS


async def test_either_of_two_secrets_verifies():
    config = {"secret": ["{{secrets.shop}}", "{{secrets.old}}"]}

    assert (await receive(delivery(secret=Secret("old")), config)).output == CONTACTS


async def test_a_sender_that_signs_the_body_alone():
    rules = Rules("X-Hub-Signature-256", None, signed="{body}")
    config = {"signatureHeader": "X-Hub-Signature-256", "timestampHeader": None}

    assert (await receive(delivery(rules=rules), config)).output == CONTACTS


@pytest.mark.parametrize(
    ("trigger", "message"),
    [
        (delivery(secret=Secret("other")), "signature in X-Lumeflow-Signature does not fit"),
        (delivery(at=NOON - timedelta(seconds=301)), "signed 301 s ago"),
        (delivery(b"<html>", kind="text/html"), r"the body \(text/html\) is not JSON"),
        (delivery(b"7"), "must be an object or a list of objects; found a number"),
        (delivery([1]), "element 0 is a number"),
        ({}, "must hold 'headers'"),
        ({"headers": {"a": 1}, "body": ""}, "must hold 'headers'"),
        ({"headers": {}, "body": {"parsed": True}}, "must hold 'body', the raw body"),
        ({"headers": {}, "body": "x", "bodyBase64": "eA=="}, "must hold 'body'"),
        ({"headers": {}, "bodyBase64": "*"}, "is not base64"),
        ({"headers": {}, "body": "{}"}, "header X-Lumeflow-Signature is missing"),
    ],
)
async def test_deliveries_that_are_refused(trigger, message):
    with pytest.raises(NodeError, match=f"the delivery was refused: .*{message}"):
        await receive(trigger)


async def test_nothing_is_verified_in_demo_mode():
    trigger = {"headers": {}, "body": orjson.dumps(CONTACTS).decode()}

    assert (await receive(trigger, demo=True)).output == CONTACTS


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"secret": "whsec-in-plain-text"}, "expected the name of a secret"),
        ({"secret": "{{input.secret}}"}, "expected the name of a secret"),
        ({"secret": "{{secrets.a}}{{variables.b}}"}, "expected the name of a secret"),
        ({"signed": "{timestamp}"}, r"must hold \{body\}"),
        ({"signed": "{body}"}, r"must hold \{timestamp\}"),
        ({"signed": "{timestamp}{body}", "timestampHeader": None}, "'timestampHeader' is null"),
        ({"signatureHeader": "X Signature"}, "match pattern"),
        ({"tolerance": 0}, "greater than or equal to 1"),
        ({"algorithm": "md5"}, "sha256"),
    ],
)
def test_configurations_that_cannot_work(config, message):
    with pytest.raises(ValidationError, match=message):
        WebhookInput.Config.model_validate({**CONFIG, **config})


# --- through the application


def flow(**config):
    nodes = [
        {"id": "in", "type": "input", "config": {**CONFIG, **config}},
        {"id": "out", "type": "output", "config": {"destination": "jsonl", "path": "out-{{execution.id}}.jsonl"}},
    ]
    return {"workflowId": "hook", "name": "hook", "nodes": nodes, "edges": [{"source": "in", "target": "out"}]}


@pytest.fixture
def settings(tmp_path):
    names = {
        "LUMEFLOW_DB": str(tmp_path / "x.db"),
        "LUMEFLOW_DATA_DIR": str(tmp_path),
        "LUMEFLOW_SECRET_shop": "whsec-example",
    }
    return Settings.from_environment(names)


@pytest.fixture
async def app(settings):
    async with open_app(settings) as opened:
        yield opened


async def test_a_delivery_starts_one_execution(app):
    result = await app.execute(flow(), delivery(), now=NOON)

    assert (result.status, result.output["recordsCount"]) == ("completed", 2)
    with pytest.raises(UsageError, match=f"received before, and started execution '{result.execution_id}'"):
        await app.execute(flow(), delivery(), now=NOON)


async def test_it_is_remembered_by_the_next_process(settings):
    async with open_app(settings) as first:
        await first.execute(flow(), delivery(), now=NOON)
    async with open_app(settings) as second:
        with pytest.raises(UsageError, match="received before"):
            await second.execute(flow(), delivery(), now=NOON)


async def test_sent_again_at_another_time_it_is_still_the_same(app):
    await app.execute(flow(), delivery(), now=NOON)
    later = NOON + timedelta(hours=1)

    with pytest.raises(UsageError, match="received before"):
        await app.execute(flow(), delivery(at=later), now=later)


async def test_ids_are_the_senders_and_differ_by_workflow(app):
    other = {**flow(), "workflowId": "other"}

    ids = {
        (await app.execute(flow(), delivery(name="a"), now=NOON)).execution_id,
        (await app.execute(flow(), delivery(name="b"), now=NOON)).execution_id,
        (await app.execute(other, delivery(name="a"), now=NOON)).execution_id,
    }

    assert len(ids) == 3


async def test_an_id_in_the_body_outlives_a_new_signature(app):
    rules = Rules(signed="{timestamp}.{body}")
    document = flow(signed="{timestamp}.{body}", deliveryPath="event.id")
    body = {"event": {"id": 7}, "contacts": [{"n": 1}]}
    later = NOON + timedelta(minutes=2)

    await app.execute(document, delivery(body, rules=rules), now=NOON)

    with pytest.raises(UsageError, match="received before"):
        await app.execute(document, delivery(body, rules=rules, at=later, name="x"), now=later)
    with pytest.raises(UsageError, match=r"no text or number at event\.id"):
        await app.execute(document, delivery({"event": {}}, rules=rules), now=NOON)


async def test_a_forged_delivery_does_not_take_the_place_of_the_real_one(app):
    with pytest.raises(UsageError, match="node 'in' does not start an execution: the signature"):
        await app.execute(flow(), delivery(secret=Secret("guessed")), now=NOON)

    assert await app.executions() == []
    assert (await app.execute(flow(), delivery(), now=NOON)).status == "completed"


async def test_another_id_cannot_be_given(app):
    with pytest.raises(UsageError, match="only once, under the id"):
        await app.execute(flow(), delivery(), now=NOON, execution_id="mine")


async def test_a_secret_that_is_not_configured_is_named(tmp_path):
    names = {"LUMEFLOW_DB": str(tmp_path / "y.db"), "LUMEFLOW_DATA_DIR": str(tmp_path), "LUMEFLOW_SECRET_other": "x"}
    async with open_app(Settings.from_environment(names)) as app:
        with pytest.raises(Exception, match="shop"):
            await app.execute(flow(), delivery(), now=NOON)


async def test_in_demo_mode_a_delivery_may_be_tried_again(app):
    trigger = {"headers": {}, "body": orjson.dumps(CONTACTS).decode()}

    first = await app.execute(flow(), trigger, mode=Mode.DEMO)
    second = await app.execute(flow(), trigger, mode=Mode.DEMO)

    assert (first.status, second.status) == ("completed", "completed")
    assert first.execution_id != second.execution_id


async def test_a_resume_is_no_replay(app):
    result = await app.execute(flow(), delivery(), now=NOON)

    assert (await app.resume(result.execution_id)).status == "completed"
