"""Generic HTTP through JSON, as users write it: against the simulated CRM in process, examples and mocks."""

from decimal import Decimal
from pathlib import Path

import pytest

from lumeflow import ExecutionContext
from lumeflow.blocks.api.http import HttpForEachRecord
from lumeflow.blocks.api.http_batch import HttpForBatches
from lumeflow.blocks.api.http_source import HttpSource
from lumeflow.core.findings import InvalidWorkflow
from lumeflow.settings import Settings

CRM = "https://crm.example.com/crm"
CONTACTS = [{"email": f"{name}@example.com"} for name in ("lena.okafor", "nobody", "tomas.lindqvist", "iris.holt")]
BEARER = {"type": "bearer", "token": "{{secrets.crmToken}}"}
OAUTH = {
    "type": "oauth2",
    "tokenUrl": f"{CRM}/oauth/token",
    "clientId": "{{secrets.id}}",
    "clientSecret": "{{secrets.secret}}",
}
AUTHS = {
    "bearer": BEARER,
    "header key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "key": "{{secrets.k}}"},
    "query key": {"type": "apiKey", "in": "query", "name": "api_key", "key": "{{secrets.k}}"},
    "basic": {"type": "basic", "username": "{{secrets.user}}", "password": "{{secrets.password}}"},
    "oauth in the header": OAUTH,
    "oauth in the body": {**OAUTH, "credentials": "body", "scope": "read"},
}


def context(**options):
    settings = Settings(data_dir=Path("/nonexistent"), environ={}, **options.pop("settings", {}))
    return ExecutionContext(settings=settings, **options)


async def each(config, payload=None, **options):
    base = {"provider": "http", "url": f"{CRM}/v1/people/{{{{input.email}}}}", "auth": BEARER, "responsePath": "person"}
    return await HttpForEachRecord.execute(
        {**base, "fieldMapping": {"title": "title"}, **config}, payload or {"contacts": CONTACTS}, context(**options)
    )


async def batches(config, payload=None, **options):
    base = {
        "provider": "http", "mode": "batch", "url": f"{CRM}/v1/people/batch", "method": "POST", "repeat": "booked",
        "auth": BEARER, "body": {"emails": "{{pluck(input.contacts, 'email')}}"}, "responsePath": "people",
        "fieldMapping": {"title": "title"}, "matchBy": {"record": "email", "answer": "email"},
    }  # fmt: skip
    return await HttpForBatches.execute({**base, **config}, payload or {"contacts": CONTACTS}, context(**options))


async def source(path, paging, **more):
    options = {name: more.pop(name) for name in ("mocks",) if name in more}
    config = {
        "provider": "http",
        "mode": "source",
        "url": f"{CRM}/v1/contacts/{path}",
        "auth": BEARER,
        "responsePath": "contacts",
    }
    return await HttpSource.execute({**config, "paging": paging, **more}, {"campaign": "spring"}, context(**options))


def titled(result):
    return [bool(record.get("title")) for record in result.output["contacts"]]


# --- one call for each record


@pytest.mark.parametrize("auth", AUTHS.values(), ids=AUTHS)
async def test_every_kind_of_auth_is_accepted(auth):
    result = await each({"auth": auth})
    assert (result.status, result.failed) == ("success", [])
    assert titled(result) == [True, False, True, True]


async def test_what_the_vendor_does_not_know_passes_through_unchanged():
    result = await each({"costPerCall": "0.01", "costNotFound": "0.002"})
    assert result.output["contacts"][1] == CONTACTS[1]
    assert result.cost == Decimal("0.032")


@pytest.mark.parametrize(
    "body",
    [
        {"body": {"email": "{{input.email}}"}},
        {"body": {"email": "{{input.email}}"}, "bodyType": "form"},
        {"body": "{{input.email}}", "bodyType": "text"},
        {"mapping": {"email": "{{input.email}}"}},
    ],
)
async def test_every_kind_of_body_is_understood(body):
    result = await each({"url": f"{CRM}/v1/people/lookup", "method": "POST", "repeat": "booked", **body})
    assert titled(result) == [True, False, True, True]


async def test_the_plans_own_names_mean_the_same():
    config = {"provider": "custom", "endpoint": f"{CRM}/v1/people/lookup", "method": "post", "batchMode": False}
    result = await HttpForEachRecord.execute(
        {**config, "auth": BEARER, "mapping": {"email": "{{input.email}}"}, "saveAs": "crm"},
        {"contacts": CONTACTS[:1]},
        context(),
    )
    assert result.output["contacts"][0]["crm"]["person"]["email"] == "lena.okafor@example.com"


async def test_condition_and_limits_save_calls():
    result = await each(
        {"condition": {"field": "email", "operator": "startsWith", "value": "t"}, "costPath": "usage.cost"}
    )
    assert (titled(result), result.cost) == ([False, False, True, False], Decimal("0.01"))
    result = await each({"limits": 1, "costPath": "usage.cost"})
    assert (titled(result), result.cost) == ([True, False, False, False], Decimal("0.01"))


async def test_gaps_are_filled_and_values_replaced_only_on_request():
    payload = {"contacts": [{"email": "lena.okafor@example.com", "title": "Kept"}]}
    assert (await each({}, payload)).output["contacts"][0]["title"] == "Kept"
    assert (await each({"overwrite": True}, payload)).output["contacts"][0]["title"] != "Kept"


async def test_a_record_without_what_the_address_needs_fails_alone():
    result = await each({}, {"contacts": [{"email": None}, CONTACTS[0], {"email": ".."}]})
    assert result.status == "success"
    assert [reason.split(":")[0] for reason in result.failed] == ["record 0", "record 2"]
    assert "VALIDATION: the address needs a text or a number for {{input.email}}" in result.failed[0]


async def test_an_example_answers_in_demo_mode_and_is_charged_as_the_vendor_would():
    config = {"url": "https://api.unknown.example/{{input.email}}", "responsePath": "x", "costPerCall": "0.5"}
    result = await each({**config, "example": {"x": {"title": "Made up"}}})
    assert [record["title"] for record in result.output["contacts"]] == ["Made up"] * 4
    assert result.cost == Decimal(2)


async def test_mocks_go_before_the_example_and_cost_nothing():
    config = {
        "url": "https://api.unknown.example/",
        "responsePath": None,
        "costPerCall": "0.5",
        "example": {"title": "x"},
    }
    result = await each(config, mocks={"http": {"title": "Mocked"}})
    assert [record["title"] for record in result.output["contacts"]] == ["Mocked"] * 4
    assert result.cost == 0


async def test_without_either_demo_mode_says_what_is_missing():
    result = await each({"url": "https://api.unknown.example/{{input.email}}"})
    assert "give the node an `example`" in result.failed[0]
    assert len(result.failed) == 4


@pytest.mark.parametrize("example", [{}, [], None, 0, False])
async def test_an_empty_example_is_one(example):
    result = await each({"url": "https://api.unknown.example/", "responsePath": None, "example": example})
    assert (result.status, result.failed) == ("success", [])


async def test_text_answers():
    config = {"url": "https://api.unknown.example/", "answerType": "text", "responsePath": None, "fieldMapping": {}}
    result = await each({**config, "saveAs": "page", "example": "hello"})
    assert result.output["contacts"][0]["page"] == "hello"


async def test_live_calls_do_not_reach_this_machine():
    result = await each(
        {"url": "http://127.0.0.1:9/{{input.email}}", "auth": {"type": "none"}, "costPerCall": "1"}, mode="live"
    )
    assert all("127.0.0.1 is not on the public internet" in reason for reason in result.failed)
    assert (len(result.failed), result.cost) == (4, 0)


# --- one call for many


async def test_parts_of_an_answer_find_their_records_by_value():
    result = await batches({"batchSize": 3, "costPath": "usage.cost"})
    assert (titled(result), result.cost) == ([True, False, True, True], Decimal("0.03"))


async def test_batch_mode_means_the_same():
    payload = {"contacts": CONTACTS}
    config = {"provider": "custom", "batchMode": True, "batchSize": 2, "url": "https://x.example/", "method": "POST"}
    config |= {"body": {"emails": "{{pluck(input.contacts, 'email')}}"}, "saveAs": "score", "example": [1, 2]}
    from lumeflow.core.block import BlockType
    from lumeflow.plugins import load_registry

    registry, _ = load_registry(entry_points=False)
    assert registry.resolve(BlockType.API, config) is HttpForBatches
    result = await HttpForBatches.execute(config, payload, context())
    assert [record["score"] for record in result.output["contacts"]] == [1, 2, 1, 2]


async def test_an_object_by_value_in_any_spelling():
    config = {"url": "https://x.example/", "matchBy": {"record": "email"}, "responsePath": "by"}
    result = await batches(
        {**config, "example": {"by": {" LENA.OKAFOR@example.com": {"title": "T"}, "": {"title": "U"}}}}
    )
    assert titled(result) == [True, False, False, False]


async def test_of_two_parts_for_one_record_the_first_counts():
    parts = [{"email": "iris.holt@example.com", "title": title} for title in ("First", "Second")]
    result = await batches(
        {"url": "https://x.example/", "responsePath": None, "example": [*parts, {"title": "nobody's"}, None, 7]}
    )
    assert result.output["contacts"][3]["title"] == "First"
    assert titled(result) == [False, False, False, True]


@pytest.mark.parametrize("example", [[1], [1, 2, 3, 4, 5], {"a": 1}, None, "text"])
async def test_a_list_of_another_length_is_nobodys(example):
    result = await batches({"url": "https://x.example/", "responsePath": None, "matchBy": None, "example": example})
    assert len(result.failed) == 4
    assert "the answer must hold a list of 4" in result.failed[0]


async def test_limits_cut_a_batch():
    result = await batches({"batchSize": 2, "limits": 3, "costPath": "usage.cost"})
    assert (titled(result), result.cost) == ([True, False, True, False], Decimal("0.02"))


# --- many records from one call

PAGINGS = {
    "cursor": ("cursor", {"kind": "cursor", "path": "next", "size": 50, "sizeParam": "limit"}, 3),
    "cursor in the body": ("search", {"kind": "cursor", "path": "next", "in": "body", "size": 50, "sizeParam": "limit"}, 3),
    "page until it is short": ("page", {"kind": "page", "size": 50, "sizeParam": "limit"}, 3),
    "page until it is empty": ("page", {"kind": "page"}, 6),
    "offset": ("offset", {"kind": "offset", "size": 50, "sizeParam": "limit"}, 3),
    "offset until there is no more": ("offset", {"kind": "offset", "morePath": "more", "size": 60, "sizeParam": "limit"}, 2),
    "link": ("link", {"kind": "link"}, 5),
    "next": ("next", {"kind": "next", "path": "links.next"}, 5),
}  # fmt: skip


@pytest.mark.parametrize(("path", "paging", "pages"), PAGINGS.values(), ids=PAGINGS)
async def test_every_kind_of_paging_reads_everything_once(path, paging, pages):
    more = {"method": "POST", "repeat": "booked"} if path == "search" else {}
    more |= {"responsePath": None} if path == "link" else {}
    result = await source(path, paging, costPerCall="0.002", **more)
    assert (result.status, result.error) == ("success", None)
    assert [record["id"] for record in result.output["records"]] == [f"c-{number}" for number in range(120)]
    assert result.output["campaign"] == "spring"
    assert result.cost == Decimal("0.002") * pages


async def test_without_paging_there_is_one_page():
    result = await source("cursor", None)
    assert len(result.output["records"]) == 25


@pytest.mark.parametrize(("limits", "pages"), [(0, 0), (1, 1), (25, 1), (26, 2), (1000, 5)])
async def test_limits_end_the_reading(limits, pages):
    result = await source("next", {"kind": "next", "path": "links.next"}, limits=limits, costPerCall=1)
    assert (len(result.output.get("records", [])), result.cost) == (min(limits, 120), pages)


async def test_a_limit_of_pages_is_told():
    result = await source("page", {"kind": "page"}, maxPages=2)
    assert (result.status, len(result.output["records"])) == ("success", 50)


async def test_items_become_the_fields_that_are_mapped():
    result = await source(
        "page", None, fieldMapping={"mail": "email", "firm": "company"}, collection="people", limits=2
    )
    assert [sorted(record) for record in result.output["people"]] == [["firm", "mail"]] * 2


async def test_an_address_with_the_payload_in_it():
    result = await source("page?campaign={{input.campaign}}", None, limits=1)
    assert len(result.output["records"]) == 1


async def test_items_that_are_no_objects_fail_alone():
    result = await source(
        "x", None, responsePath=None, url="https://x.example/", example=[{"id": 1}, 7, None, {"id": 2}]
    )
    assert [record["id"] for record in result.output["records"]] == [1, 2]
    assert "an item of the answer must be an object; found a number" in result.failed[0]


@pytest.mark.parametrize("example", [{"contacts": {}}, {"contacts": "x"}, {}, [], "x", None])
async def test_an_answer_without_a_list_ends_the_node(example):
    result = await source("x", None, url="https://x.example/", example=example)
    assert result.status == "failed"
    assert "must hold a list at responsePath" in result.error


async def test_an_example_or_a_mock_has_one_page():
    example = {"contacts": [{"id": 1}], "next": "abc"}
    for paging in ({"kind": "cursor", "path": "next"}, {"kind": "page"}, {"kind": "offset"}):
        result = await source("x", paging, url="https://x.example/", example=example)
        assert [record["id"] for record in result.output["records"]] == [1]
    result = await source("x", {"kind": "page"}, mocks={"block": example})
    assert [record["id"] for record in result.output["records"]] == [1]


# --- before the run


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"url": "crm.example.com/x"}, "must begin with http"),
        ({"url": "https://crm.example.com/{{input.}}"}, "/config/url"),
        ({"url": "https://u:p@crm.example.com/"}, "user name or password"),
        ({"url": "https://{{input.host}}/x"}, "records decide which host is called"),
        ({"url": "https://crm.example.com/?k={{secrets.k}}"}, "secrets into auth"),
        ({"auth": {"type": "bearer", "tokn": "x"}}, "Did you mean 'token'"),
        ({"auth": {"type": "bearer", "token": "{{input.token}}"}}, "expected a secret"),
        ({"auth": {"type": "digest"}}, "/config/auth/type"),
        ({"auth": {"type": "apiKey", "in": "cookie", "key": "{{secrets.k}}"}}, "/config/auth/in"),
        ({"auth": {"type": "oauth2", "tokenUrl": "id.example.com", "clientId": "a", "clientSecret": "{{secrets.s}}"}}, "/config/auth/tokenUrl"),
        ({"headers": {"X Y": "1"}}, "no name of a header"),
        ({"headers": {"Host": "x"}}, "can't be set"),
        ({"headers": {"X-A": "{{secrets.k}}-{{input.x}}"}}, "put the two into different fields"),
        ({"body": {"a": 1}}, "a GET request has no body"),
        ({"method": "POST", "body": {"a": 1}, "mapping": {"b": "1"}}, "keep one of them"),
        ({"method": "POST", "body": "text", "bodyType": "form"}, "the body of a form"),
        ({"method": "FETCH"}, "/config/method"),
        ({"statuses": {"ok": [200]}}, "no meaning of a status"),
        ({"costPerCall": "-1"}, "not negative"),
        ({"rateLimit": [{"calls": 0, "seconds": 1}]}, "/config/rateLimit/0/calls"),
        ({"fieldMapping": {}}, "nothing of the answer is taken over"),
        ({"retries": 3}, "/config/retries"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_found_before_the_run(config, told):
    with pytest.raises(InvalidWorkflow) as caught:
        await each(config)
    findings = [f"{finding.pointer} {finding.message}" for finding in caught.value.report.errors]
    assert any(told in finding for finding in findings), findings


@pytest.mark.parametrize(
    ("config", "places"),
    [
        ({"auth": {"type": "bearer", "token": "abc"}}, ["/config/auth/token"]),
        ({"auth": {"type": "basic", "username": "u", "password": "p"}}, ["/config/auth/password"]),
        ({"headers": {"Authorization": "Bearer x", "X-Trace": "1"}}, ["/config/headers/Authorization"]),
        ({"query": {"api_key": "x", "q": "y"}}, ["/config/query/api_key"]),
        ({"url": "https://crm.example.com/?api_key=x"}, ["/config/url"]),
        ({"headers": {"X-Api-Key": "{{secrets.k}}"}, "query": {"token": "{{input.token}}"}}, []),
    ],
)
def test_secrets_that_are_written_out_are_a_warning(config, places):
    from lumeflow.core.validate import validate
    from lumeflow.plugins import load_registry

    registry, _ = load_registry(entry_points=False)
    node = {"provider": "http", "url": f"{CRM}/v1/people/x", "saveAs": "x", **config}
    document = {
        "workflowId": "w",
        "name": "w",
        "nodes": [
            {"id": "in", "type": "input", "config": {"source": "static", "data": {"people": []}}},
            {"id": "ask", "type": "api", "config": node},
            {"id": "out", "type": "output", "config": {"destination": "json", "path": "x.json"}},
        ],
        "edges": [{"source": "in", "target": "ask"}, {"source": "ask", "target": "out"}],
    }
    report = validate(document, registry)
    assert report.errors == []
    warned = [finding.pointer for finding in report.warnings if finding.code == "unwise-setting"]
    assert warned == [f"/nodes/1{place}" for place in places]
