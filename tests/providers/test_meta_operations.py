"""Meta: requests, errors under any status, and limits in minutes, seconds and percent."""

import orjson
import pytest

from lumeflow.plugin import Answer, CallError, ErrorClass
from tests.providers.desk import OPERATIONS, account, judged, reply

ADD, CREATE = "meta/add-users", "meta/create-audience"
USERS = {
    "version": "v26.0",
    "audience": "23850000000000001",
    "session": {"session_id": 7, "batch_seq": 1, "last_batch_flag": True},
    "schema": ["EMAIL"],
    "data": [["86e0b9e56c17cc4d12387e1949b85053fbe73bc3ce5a1188713a9d300cc6133d"]],
}
AUDIENCE = {
    "version": "v26.0",
    "ad_account": "act_1",
    "name": "Leads",
    "description": "[lumeflow-1]",
    "mark": "lumeflow-1",
    "source": "USER_PROVIDED_ONLY",
}


def error(code, subcode=None, **more):
    return {"error": {"message": "words", "code": code, **({"error_subcode": subcode} if subcode else {}), **more}}


def test_rows_go_out_with_schema_and_session():
    request = OPERATIONS[ADD].build(USERS, account("meta"))

    assert (request.method, request.url) == ("POST", "https://graph.facebook.com/v26.0/23850000000000001/users")
    assert request.headers["Authorization"] == "Bearer sim-key"
    assert orjson.loads(request.body) == {
        "session": USERS["session"],
        "payload": {"schema": ["EMAIL"], "data": USERS["data"]},
    }


def test_an_audience_is_created_with_its_source():
    request = OPERATIONS[CREATE].build(AUDIENCE, account("meta"))

    assert request.url == "https://graph.facebook.com/v26.0/act_1/customaudiences"
    assert orjson.loads(request.body) == {
        "name": "Leads",
        "subtype": "CUSTOM",
        "description": "[lumeflow-1]",
        "customer_file_source": "USER_PROVIDED_ONLY",
    }


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ({"num_received": 2, "num_invalid_entries": 1, "invalid_entry_samples": {"1": "x"}}, (2, 1)),
        ({"num_received": 2, "num_invalid_entries": 0, "session_id": 7, "invalid_entry_samples": []}, (2, 0)),
        ({"num_received": 2}, (2, 0)),
    ],
)
def test_received_and_invalid_rows_are_counted(body, value):
    assert judged(ADD, reply(body)).value == {"received": value[0], "invalid": value[1]}


@pytest.mark.parametrize("given", ["23850000000000001", 23850000000000001])
def test_the_id_of_a_new_audience_is_a_text(given):
    assert judged(CREATE, reply({"id": given})).value == "23850000000000001"


@pytest.mark.parametrize("operation", [ADD, CREATE])
def test_calls_cost_nothing(operation):
    verdict = judged(operation, reply({"id": "1", "num_received": 1}))

    assert isinstance(verdict, Answer)
    assert verdict.charge.amount == 0


@pytest.mark.parametrize("status", [200, 400, 403, 500])
@pytest.mark.parametrize(
    ("body", "error_class", "retryable"),
    [
        (error(1), ErrorClass.SERVER_ERROR, True),
        (error(2), ErrorClass.SERVER_ERROR, True),
        (error(9999, is_transient=True), ErrorClass.SERVER_ERROR, True),
        (error(2650), ErrorClass.SERVER_ERROR, True),
        (error(4), ErrorClass.RATE_LIMIT, None),
        (error(17, 2446079), ErrorClass.RATE_LIMIT, None),
        (error(32), ErrorClass.RATE_LIMIT, None),
        (error(341), ErrorClass.RATE_LIMIT, None),
        (error(613, 1487742), ErrorClass.RATE_LIMIT, None),
        (error(613, 1996), ErrorClass.RATE_LIMIT, None),
        (error(80003, 2446079, is_transient=False), ErrorClass.RATE_LIMIT, None),
        (error(80004), ErrorClass.RATE_LIMIT, None),
        *[(error(190, subcode), ErrorClass.AUTH, None) for subcode in (None, 458, 459, 460, 463, 464, 467, 492)],
        (error(102), ErrorClass.AUTH, None),
        (error(10), ErrorClass.AUTH, None),
        (error(200), ErrorClass.AUTH, None),
        (error(294), ErrorClass.AUTH, None),
        (error(299), ErrorClass.AUTH, None),
        (error(100), ErrorClass.VALIDATION, None),
        (error(100, 1713230), ErrorClass.VALIDATION, None),
        (error(105), ErrorClass.VALIDATION, None),
        (error(368), ErrorClass.VALIDATION, None),
        (error(2655), ErrorClass.VALIDATION, None),
        (error(100, 1870034), ErrorClass.VALIDATION, None),
        (error(2635), ErrorClass.VALIDATION, None),
        (error(1487301), ErrorClass.NOT_FOUND, None),
        (error(100, 1487366), ErrorClass.NOT_FOUND, None),
    ],
)
def test_codes_count_whatever_the_status(status, body, error_class, retryable):
    verdict = judged(ADD, reply(body, status))

    assert (verdict.error_class, verdict.retryable, verdict.paid) == (error_class, retryable, False)
    assert str(body["error"]["code"]) in verdict.message
    assert "words" not in verdict.message


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (error(190), "META_ACCESS_TOKEN"),
        (error(200), "ads_management"),
        (error(100, 1870034), "terms"),
        (error(2655), "terms"),
        (error(2635), "apiVersion"),
        (error(1487366), "deleted"),
    ],
)
def test_messages_say_what_would_mend_it(body, part):
    assert part in judged(ADD, reply(body, 400)).message


@pytest.mark.parametrize("status", [400, 413])
def test_a_page_from_the_edge_means_too_large(status):
    verdict = judged(ADD, reply("<html>", status))

    assert (verdict.error_class, "too large" in verdict.message) == (ErrorClass.VALIDATION, True)


def usage(*, percent=None, minutes=None, account_percent=None, reset=None, app=None):
    headers = {}
    if percent is not None or minutes is not None:
        entry = {"type": "custom_audience", "call_count": percent or 0, "total_cputime": 3, "total_time": 5}
        entry["estimated_time_to_regain_access"] = minutes or 0
        headers["x-business-use-case-usage"] = orjson.dumps({"17": [entry]}).decode()
    if account_percent is not None:
        shown = {"acc_id_util_pct": account_percent, "reset_time_duration": reset}
        headers["x-ad-account-usage"] = orjson.dumps(shown).decode()
    if app is not None:
        headers["x-app-usage"] = orjson.dumps({"call_count": app, "total_time": 1, "total_cputime": 1}).decode()
    return headers


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        (usage(percent=100, minutes=12), 720.0),
        (usage(percent=12, minutes=12), 720.0),
        (usage(account_percent=100.0, reset=90), 90.0),
        (usage(account_percent=9.6, reset=100), None),
        (usage(percent=100, minutes=1, account_percent=100, reset=300), 300.0),
        ({"x-ad-account-usage": "nonsense", "x-business-use-case-usage": "[1]"}, None),
    ],
)
def test_waits_come_in_minutes_and_in_seconds(headers, wait):
    assert judged(ADD, reply(error(80003), 429, headers)).retry_after == wait


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        (usage(percent=75), None),
        (usage(percent=80), 4.0),
        (usage(app=99), 19.2),
        (usage(account_percent=90, reset=3600), 12.0),
        (usage(percent=100, minutes=3), 180.0),
        (usage(account_percent=100, reset=45), 45.0),
        ({}, None),
        ({"x-app-usage": '{"call_count": "many"}'}, None),
    ],
)
def test_calls_slow_down_from_three_quarters_of_a_limit_and_stop_at_all_of_it(headers, pause):
    hint = OPERATIONS[ADD].rates(reply({"num_received": 1}, 200, headers))

    assert (hint and hint.pause) == (pytest.approx(pause) if pause else None)


async def test_a_lost_creation_is_found_by_its_mark():
    pages = [
        {
            "data": [{"id": "1", "description": "other"}, {"id": "2"}],
            "paging": {"cursors": {"after": "c1"}, "next": "https://graph.facebook.com/x"},
        },
        {"data": [{"id": "3", "description": "Leads [lumeflow-1]"}], "paging": {"cursors": {"after": "c2"}}},
    ]
    asked = []

    async def send(request):
        asked.append(request.url)
        return reply(pages[len(asked) - 1])

    found = await OPERATIONS[CREATE].recover(AUDIENCE, account("meta"), None, send)

    assert judged(CREATE, found).value == "3"
    assert asked[0] == "https://graph.facebook.com/v26.0/act_1/customaudiences?fields=id%2Cdescription&limit=200"
    assert asked[1].endswith("&after=c1")


async def test_a_creation_that_never_ran_is_not_found():
    async def send(request):
        return reply({"data": []})

    assert await OPERATIONS[CREATE].recover(AUDIENCE, account("meta"), None, send) is None


async def test_nothing_is_created_if_meta_does_not_tell():
    async def send(request):
        return reply(error(10), 403)

    with pytest.raises(CallError, match=r"audienceId"):
        await OPERATIONS[CREATE].recover(AUDIENCE, account("meta"), None, send)
