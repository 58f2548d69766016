"""The CRM that generic HTTP is tried on: its lists, its keys and tokens, its bodies."""

from decimal import Decimal
from urllib.parse import urlencode

import orjson
import pytest

from lumeflow.core.http import HttpRequest


@pytest.fixture
def sim(make):
    return make(limits={"crm": []})


def token_request(**form):
    return urlencode({"grant_type": "client_credentials", **form}).encode()


FORM = {"content-type": "application/x-www-form-urlencoded"}


async def token_of(sim, secret="sim-secret"):
    return await sim.ask("POST", "/crm/oauth/token", token_request(client_id="c", client_secret=secret), FORM)


async def all_of(sim, path, onward, limit=50):
    found, url = [], f"{path}?limit={limit}"
    while url:
        answer = await sim.get(url)
        assert answer.status == 200
        page = answer.json if isinstance(answer.json, list) else answer.json["contacts"]
        found += [contact["id"] for contact in page]
        url = onward(answer, url)
    return found


EVERYBODY = [f"c-{number}" for number in range(120)]


async def test_the_lists_have_the_same_contacts_in_every_way_of_paging(sim):
    base = "/crm/v1/contacts/"
    by_cursor = await all_of(
        sim, f"{base}cursor", lambda a, u: a.json["next"] and f"{base}cursor?limit=50&cursor={a.json['next']}"
    )
    by_page = await all_of(
        sim,
        f"{base}page",
        lambda a, u: a.json["page"] < a.json["pages"] and f"{base}page?limit=50&page={a.json['page'] + 1}",
    )
    by_offset = await all_of(
        sim, f"{base}offset", lambda a, u: a.json["more"] and f"{base}offset?limit=50&offset={a.json['offset'] + 50}"
    )
    by_next = await all_of(sim, f"{base}next", lambda a, u: a.json["links"]["next"])
    by_link = await all_of(
        sim, f"{base}link", lambda a, u: a.headers["link"].split("<")[2].split(">")[0] if "link" in a.headers else None
    )
    assert by_cursor == by_page == by_offset == by_next == by_link == EVERYBODY


async def test_a_page_beyond_the_last_is_empty(sim):
    assert (await sim.get("/crm/v1/contacts/page?page=99")).json["contacts"] == []
    assert (await sim.get("/crm/v1/contacts/offset?offset=120")).json["contacts"] == []


async def test_a_page_has_at_most_a_hundred(sim):
    assert len((await sim.get("/crm/v1/contacts/page?limit=5000")).json["contacts"]) == 100
    assert (await sim.get("/crm/v1/contacts/page?limit=x")).status == 422


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"Authorization": "Bearer sim-a"}, ""),
        ({"X-API-Key": "sim-a"}, ""),
        ({}, "?api_key=sim-a"),
        ({"Authorization": "Basic dTpzaW0tYQ=="}, ""),
    ],
)
async def test_keys_are_taken_in_every_place(sim, headers, query):
    assert (await sim.ask("GET", f"/crm/v1/contacts/page{query}", None, headers)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer other"},
        {"X-API-Key": "other"},
        {"Authorization": "Basic !!"},
        {"Authorization": "Bearer sim-token-made-up"},
    ],
)
async def test_other_keys_are_not(sim, headers):
    answer = await sim.ask("GET", "/crm/v1/contacts/page", None, headers)
    assert (answer.status, answer.json) == (401, {"error": {"code": "invalid_token"}})


async def test_a_token_is_good_until_it_expires(make):
    sim = make(limits={"crm": []}, token_seconds=60)
    given = (await token_of(sim)).json
    assert (given["token_type"], given["expires_in"]) == ("Bearer", 60)
    headers = {"Authorization": f"Bearer {given['access_token']}"}
    assert (await sim.ask("GET", "/crm/v1/contacts/page", None, headers)).status == 200
    sim.clock.now += 60
    assert (await sim.ask("GET", "/crm/v1/contacts/page", None, headers)).status == 401


async def test_a_token_can_be_used_up(make):
    sim = make(limits={"crm": []}, token_uses=2)
    headers = {"Authorization": f"Bearer {(await token_of(sim)).json['access_token']}"}
    statuses = [(await sim.ask("GET", "/crm/v1/contacts/page", None, headers)).status for _ in range(3)]
    assert statuses == [200, 200, 401]


async def test_whom_a_token_is_refused(sim):
    assert ((await token_of(sim, "other")).status, (await token_of(sim, "other")).json) == (
        401,
        {"error": "invalid_client"},
    )
    wrong = await sim.ask("POST", "/crm/oauth/token", b"grant_type=password&client_secret=sim-a", FORM)
    assert (wrong.status, wrong.json) == (400, {"error": "unsupported_grant_type"})


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"email": "lena.okafor@example.com"}'),
        ("application/x-www-form-urlencoded", b"email=lena.okafor%40example.com"),
        ("text/plain; charset=utf-8", b"lena.okafor@example.com"),
    ],
)
async def test_a_person_is_found_however_the_body_is_written(sim, kind, body):
    headers = {"X-API-Key": "sim-a", "content-type": kind}
    found = await sim.ask("POST", "/crm/v1/people/lookup", body, headers)
    assert found.json == (await sim.get("/crm/v1/people/lena.okafor@example.com")).json
    assert found.json["usage"] == {"cost": 0.01}


async def test_a_batch_has_those_who_are_known_in_another_order(sim):
    emails = ["lena.okafor@example.com", "nobody@example.com", "iris.holt@example.com"]
    answer = await sim.ask("POST", "/crm/v1/people/batch", {"emails": emails})
    assert [person["email"] for person in answer.json["people"]] == [emails[2], emails[0]]
    assert answer.json["usage"]["cost"] == 0.02
    for body in ({"emails": "x"}, {"emails": [1]}, [], {"emails": ["a@example.com"] * 101}):
        assert (await sim.ask("POST", "/crm/v1/people/batch", body)).status == 422


async def test_notes_are_written_changed_and_deleted(sim):
    made = await sim.ask("POST", "/crm/v1/notes", {"text": "a"})
    assert (made.status, len(made.json["id"])) == (201, 24)
    assert (await sim.ask("PATCH", f"/crm/v1/notes/{made.json['id']}", {"text": "b"})).status == 200
    assert (await sim.ask("DELETE", f"/crm/v1/notes/{made.json['id']}")).status == 204


async def test_charges_are_those_of_what_was_found(sim):
    await sim.get("/crm/v1/contacts/page")
    await sim.get("/crm/v1/people/lena.okafor@example.com")
    await sim.get("/crm/v1/people/nobody@example.com")
    await sim.ask("POST", "/crm/v1/notes", {"text": "a"})
    assert Decimal(sim.simulator.bill()["providers"]["crm"]["charges"]["USD"]) == Decimal("0.013")


async def test_its_limit_is_told_with_the_wait(make):
    sim = make(limits={"crm/person": [(1, 1.0)]}, latency_scale=0)
    await sim.get("/crm/v1/people/a@example.com")
    refused = await sim.get("/crm/v1/people/b@example.com")
    assert (refused.status, refused.headers["retry-after"]) == (429, "1")


async def test_what_no_vendor_has_is_marked(sim):
    answer = await sim.simulator.handle(HttpRequest("GET", "https://any.example/nowhere"))
    assert (answer.status, answer.headers["x-simulator-unknown"]) == (404, "path")
    assert "no simulated vendor" in orjson.loads(answer.body)["error"]
