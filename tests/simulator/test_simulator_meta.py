"""Meta by its contract: audiences, rows, sessions, one envelope of errors, limits in headers."""

import hashlib

import orjson
import pytest

ACCOUNT = "/v26.0/act_1234567890/customaudiences"
NEW = {"name": "Leads", "subtype": "CUSTOM", "description": "d", "customer_file_source": "USER_PROVIDED_ONLY"}
ANY = "/v26.0/23850000000000001/users"


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def rows(count, start=0):
    return [[digest(f"person{number}@example.com"), ""] for number in range(start, start + count)]


def upload(data, *, schema=("EMAIL", "PHONE"), session=(1, 1, True)):
    number, batch, last = session
    return {
        "session": {"session_id": number, "batch_seq": batch, "last_batch_flag": last},
        "payload": {"schema": list(schema), "data": data},
    }


def code(answer):
    return answer.json["error"]["code"]


async def test_an_audience_is_created_filled_and_described(sim):
    audience = (await sim.post(ACCOUNT, NEW)).json["id"]

    added = await sim.post(f"/v26.0/{audience}/users", upload(rows(200)))
    again = await sim.post(f"/v26.0/{audience}/users", upload(rows(200)))
    state = await sim.get(f"/v26.0/{audience}?fields=operation_status,approximate_count_lower_bound,unknown")

    assert (added.json["num_received"], added.json["num_invalid_entries"]) == (200, 0)
    assert again.json["num_received"] == 200
    assert state.json == {
        "operation_status": {"code": 200, "description": "Normal"},
        "approximate_count_lower_bound": 120,
        "id": audience,
    }
    line = sim.bill("meta")["operations"]["meta/add-users"]
    assert (line["distinct"], line["repeats"], line["charges"]["USD"]) == (1, 1, "0")


async def test_audiences_are_listed_newest_first_page_by_page(sim):
    made = [(await sim.post(ACCOUNT, {**NEW, "name": str(number)})).json["id"] for number in range(60)]

    first = (await sim.get(f"{ACCOUNT}?fields=id,description&limit=200")).json
    second = (await sim.get(f"{ACCOUNT}?after={first['paging']['cursors']['after']}")).json

    assert [entry["id"] for entry in first["data"] + second["data"]] == made[::-1]
    assert "next" in first["paging"]
    assert "next" not in second["paging"]


async def test_a_small_audience_cannot_be_delivered_to(sim):
    await sim.post(ANY, upload(rows(10)))

    state = (await sim.get("/v26.0/23850000000000001?fields=delivery_status,approximate_count_lower_bound")).json

    assert (state["delivery_status"]["code"], state["approximate_count_lower_bound"]) == (300, -1)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (["", ""], "empty row"),
        ([digest(""), ""], "EMAIL is the hash of nothing"),
        (["mira.holt@example.com", ""], "EMAIL is not hashed"),
        ([digest("x").upper(), ""], "EMAIL is not hashed"),
        ([None, ""], "EMAIL is no text"),
    ],
)
async def test_entries_that_cannot_be_used_are_counted_with_status_200(sim, row, reason):
    answer = await sim.post(ANY, upload([*rows(2), row]))

    assert answer.status == 200
    assert (answer.json["num_received"], answer.json["num_invalid_entries"]) == (3, 1)
    assert answer.json["invalid_entry_samples"] == {"2": reason}


async def test_advertising_ids_must_not_be_hashed(sim):
    data = [["ab12", "lead-7"], [digest("ab12"), "lead-8"]]

    answer = await sim.post(ANY, upload(data, schema=("MADID", "EXTERN_ID")))

    assert answer.json["invalid_entry_samples"] == {"1": "MADID must not be hashed"}


async def test_one_key_may_be_a_single_text(sim):
    body = {"payload": {"schema": "EMAIL_SHA256", "data": [digest("a@example.com"), digest("b@example.com")]}}

    assert (await sim.post(ANY, body)).json["num_received"] == 2


async def test_objects_may_come_as_json_texts(sim):
    body = upload(rows(1))
    body["payload"] = orjson.dumps(body["payload"]).decode()

    assert (await sim.post(ANY, body)).json["num_received"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        upload([]),
        upload(rows(10_001)),
        upload([[digest("x")]]),
        upload(rows(1), schema=("EMAIL", "EMAIL")),
        upload(rows(1), schema=("EMAIL", "SHOE_SIZE")),
        upload(rows(1), session=(0, 1, True)),
        upload(rows(1), session=(-1, 1, True)),
        upload(rows(1), session=(1, 0, True)),
        upload(rows(1), session=(1, 2, True)),
        b"no json",
    ],
    ids=range(11),
)
async def test_calls_that_are_refused_as_a_whole(sim, body):
    answer = await sim.post(ANY, body)

    assert (answer.status, code(answer)) == (400, 100)
    assert sim.bill("meta")["rejected"] == 1


async def test_ten_thousand_rows_are_taken(sim):
    assert (await sim.post(ANY, upload(rows(10_000)))).json["num_received"] == 10_000


async def test_batches_come_in_order_and_none_after_the_last(sim):
    sent = [(1, False), (3, False), (2, False), (2, False), (3, True), (3, True), (4, True)]
    statuses = [(await sim.post(ANY, upload(rows(1, batch), session=(9, batch, last)))).status for batch, last in sent]

    assert statuses == [200, 400, 200, 200, 200, 200, 400]


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/v26.0/act_12655/customaudiences", NEW, (2655, 1870034)),
        (ACCOUNT, {"name": "x"}, (100, None)),
        (ACCOUNT, {**NEW, "name": ""}, (100, None)),
        ("/v21.0/act_1/customaudiences", NEW, (2635, None)),
        ("/v26.0/23850000000000404/users", upload(rows(1)), (100, 1487366)),
        ("/v26.0/77/users", upload(rows(1)), (100, 33)),
    ],
)
async def test_how_it_says_no(sim, path, body, expected):
    error = (await sim.post(path, body)).json["error"]

    assert (error["code"], error.get("error_subcode")) == expected


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer other"}])
async def test_a_wrong_token_is_190(sim, headers):
    answer = await sim.post(ANY, upload(rows(1)), headers=headers)

    assert code(answer) == 190


@pytest.mark.parametrize("place", ["query", "body"])
async def test_the_token_may_be_a_parameter(sim, place):
    path = f"{ANY}?access_token=sim-key" if place == "query" else ANY
    body = upload(rows(1)) | ({"access_token": "sim-key"} if place == "body" else {})

    assert (await sim.post(path, body, headers={})).status == 200


async def test_headers_tell_how_much_of_the_limit_is_used(make):
    sim = make(limits={"meta": [(4, 3600.0)]})
    for number in range(3):
        answer = await sim.post(ANY, upload(rows(1, number)))

    usage = orjson.loads(answer.headers["x-business-use-case-usage"])["23850000000000001"][0]
    assert (usage["type"], usage["call_count"], usage["estimated_time_to_regain_access"]) == ("custom_audience", 75, 0)
    assert orjson.loads(answer.headers["x-ad-account-usage"])["acc_id_util_pct"] == 75


async def test_a_limit_is_told_in_minutes_and_in_seconds(make, clock):
    sim = make(limits={"meta": [(1, 3600.0)]})
    await sim.post(ANY, upload(rows(1)))
    clock.now += 100

    refused = await sim.post(ANY, upload(rows(2)))

    assert code(refused) in {4, 17, 613, 80003}
    assert "retry-after" not in refused.headers
    minutes = orjson.loads(refused.headers["x-business-use-case-usage"])["23850000000000001"][0]
    assert minutes["estimated_time_to_regain_access"] == 59
    assert orjson.loads(refused.headers["x-ad-account-usage"])["reset_time_duration"] == 3500


async def test_limits_hold_for_each_ad_account(make):
    sim = make(limits={"meta/create-audience": [(1, 3600.0)]})

    statuses = [(await sim.post(f"/v26.0/act_{number}/customaudiences", NEW)).status for number in (1, 2, 3)]

    assert statuses == [200, 200, 200]


async def test_odd_shapes_are_errors_in_the_envelope(make):
    sim = make(fault_rate=0.999, fault_kinds=("odd_shape",))

    seen = [await sim.post(ANY, upload(rows(1, number), session=(number + 1, 1, True))) for number in range(20)]

    assert {(answer.status, code(answer)) for answer in seen} == {(200, 2), (400, 2650)}


async def test_a_request_that_is_too_large_gets_a_page(sim):
    answer = await sim.post(ANY, {**upload(rows(1)), "filler": "x" * (21 * 1024 * 1024)})

    assert (answer.status, answer.body[:6]) == (413, b"<html>")
