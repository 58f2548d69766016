"""Apollo: who is a match, what it costs, and its many ways of saying no."""

from decimal import Decimal

import orjson
import pytest

from lumeflow.plugin import Answer, Charge, ErrorClass, RateHint, RateLimit
from tests.providers.desk import OPERATIONS, account, judged, reply

OPERATION = "apollo/people-match"
LENA = {"id": "p1", "first_name": "Lena", "last_name": "Okafor", "email": "lena.okafor@example.com"}
CREDIT = Charge(Decimal("0.025"), Decimal(1))


def test_a_match_is_asked_for_in_json_with_the_key_in_its_header():
    request = OPERATIONS[OPERATION].build({"email": "lena.okafor@example.com"}, account("apollo"))

    assert (request.method, request.url) == ("POST", "https://api.apollo.io/api/v1/people/match")
    assert request.headers["x-api-key"] == "sim-key"
    assert orjson.loads(request.body) == {"email": "lena.okafor@example.com"}


def test_a_person_costs_a_credit():
    body = {"person": LENA, "request_id": -4611686018427387001}

    assert judged(OPERATION, reply(body)) == Answer(LENA, CREDIT)
    assert OPERATIONS[OPERATION].expected({}, account("apollo")) == CREDIT.amount


@pytest.mark.parametrize("price", ["0.02", "0.0312345678901234567"])
def test_a_configured_price_is_charged_to_the_last_digit(price):
    verdict = judged(OPERATION, reply({"person": LENA}), prices={"credit": Decimal(price)})

    assert str(verdict.charge.amount) == price


@pytest.mark.parametrize(
    "body",
    [
        {"person": None},
        {"request_id": -9223372036854775808},
        {"person": {}},
        {"person": {**LENA, "match_confidence": "none"}},
        {"person": None, "request_id": 18446744073709551615},
    ],
)
def test_nobody_costs_nothing(body):
    assert judged(OPERATION, reply(body)) == Answer(None)


@pytest.mark.parametrize("confidence", ["high", "medium", "low", None])
def test_any_other_confidence_is_a_match(confidence):
    assert judged(OPERATION, reply({"person": {**LENA, "match_confidence": confidence}})).value is not None


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("email_not_unlocked@domain.com", None),
        ("Email_Not_Unlocked@domain.com", None),
        ("", None),
        (None, None),
        (7, None),
        ("lena@example.com", "lena@example.com"),
    ],
)
def test_a_placeholder_is_not_an_address(given, read):
    person = {**LENA, "email": given, "contact": {"email": given}, "personal_emails": [given]}

    value = judged(OPERATION, reply({"person": person})).value

    assert value["email"] == read
    assert value["contact"]["email"] == read
    assert value["personal_emails"] == ([read] if read else [])


@pytest.mark.parametrize(
    ("contact", "kept"),
    [
        ({"person_id": "p1", "first_name": "Lena", "last_name": "Okafor"}, True),
        ({"first_name": "LENA", "last_name": "Okafor-Holt"}, True),
        ({"first_name": None, "last_name": "Lindqvist"}, True),
        ({}, True),
        ({"first_name": "Tomas", "last_name": "Lindqvist"}, False),
        ({"person_id": "p2", "first_name": "Lena", "last_name": "Okafor"}, False),
        (None, False),
    ],
)
def test_a_contact_that_is_somebody_else_is_left_out(contact, kept):
    person = {**LENA, "contact": contact and {**contact, "phone_numbers": []}}
    if contact == {}:
        person["contact"] = {"phone_numbers": []}

    assert ("contact" in judged(OPERATION, reply({"person": person})).value) == kept


@pytest.mark.parametrize(
    ("status", "body", "error_class", "told"),
    [
        (401, "Invalid access credentials.", ErrorClass.AUTH, "APOLLO_API_KEY"),
        (
            401,
            {"error": "no", "error_details": {"code": "AUTH.AUTHENTICATION.API_KEY_INVALID", "message": "no"}},
            ErrorClass.AUTH,
            "AUTH.AUTHENTICATION.API_KEY_INVALID",
        ),
        (403, {"error": "no", "error_code": "API_INACCESSIBLE"}, ErrorClass.AUTH, "scope or the plan"),
        (404, "Not found", ErrorClass.NOT_FOUND, "address"),
        (400, {"error": "bad"}, ErrorClass.VALIDATION, "refused the request"),
        (422, {"status": "failed", "error_code": "UNKNOWN_ERROR"}, ErrorClass.VALIDATION, "UNKNOWN_ERROR"),
        (422, {"error": "You have insufficient credits to perform this action."}, ErrorClass.QUOTA, "top it up"),
        (403, {"error": "Your team has run out of lead credits."}, ErrorClass.QUOTA, "top it up"),
        (422, {"error": "Credit limit: credits exhausted"}, ErrorClass.QUOTA, "top it up"),
        (422, {"error": "credit-bank.example.com is not a domain"}, ErrorClass.VALIDATION, "refused"),
        (429, {"message": "The maximum number of api calls"}, ErrorClass.RATE_LIMIT, "rate limit"),
        (500, "<html></html>", ErrorClass.SERVER_ERROR, "own side"),
        (200, {"error": "oops", "error_code": "ODD"}, ErrorClass.INVALID_RESPONSE, "ODD"),
        (200, [], ErrorClass.INVALID_RESPONSE, "no JSON object"),
        (302, "", ErrorClass.INVALID_RESPONSE, "cannot be read"),
    ],
)
def test_errors(status, body, error_class, told):
    verdict = judged(OPERATION, reply(body, status))

    assert verdict.error_class is error_class
    assert told in verdict.message


@pytest.mark.parametrize(
    ("headers", "body", "wait"),
    [
        ({"retry-after": "17"}, {}, 17.0),
        ({}, {"retry_after_seconds": 10}, 10.0),
        ({"retry-after": "3"}, {"retry_after_seconds": 10}, 3.0),
        ({"retry-after": "Fri, 06 Mar 2026 12:01:00 GMT", "date": "Fri, 06 Mar 2026 12:00:30 GMT"}, {}, 30.0),
        ({"retry-after": "Fri, 06 Mar 2026 12:01:00 GMT"}, {}, None),
        ({"retry-after": "soon"}, "text", None),
        ({"retry-after": "-5"}, {}, 0.0),
        ({}, {}, None),
    ],
)
def test_the_wait_that_a_refusal_asks_for(headers, body, wait):
    assert judged(OPERATION, reply(body, 429, headers)).retry_after == wait


@pytest.mark.parametrize(
    ("headers", "hint"),
    [
        (
            {"x-rate-limit-minute": "1000", "x-rate-limit-hourly": "", "x-rate-limit-24-hour": ""},
            (RateLimit(1000, 60.0),),
        ),
        (
            {"x-rate-limit-minute": "50", "x-rate-limit-hourly": "200", "x-rate-limit-24-hour": "600"},
            (RateLimit(50, 60.0), RateLimit(200, 3600.0), RateLimit(600, 86_400.0)),
        ),
        ({"x-rate-limit-minute": "unlimited"}, None),
        ({}, None),
    ],
)
def test_limits_are_read_from_headers(headers, hint):
    assert OPERATIONS[OPERATION].rates(reply({}, 200, headers)) == (RateHint(hint) if hint else None)


BULK = "apollo/people-bulk-match"
TOMAS = {
    "id": "p2",
    "name": "Tomás Lindqvist",
    "email": "tomas@example.net",
    "linkedin_url": "http://www.linkedin.com/in/Tomas-Example/",
    "organization": {"name": "Example Rail", "primary_domain": "example.org"},
    "employment_history": [{"organization_name": "Example Freight"}],
}
ASK_LENA = {"email": "Lena.Okafor@example.com"}
ASK_TOMAS = {"linkedin_url": "https://linkedin.com/in/tomas-example?x=1"}


def bulk(matches, details=(ASK_LENA, ASK_TOMAS), **more):
    return judged(BULK, reply({"status": "success", "matches": matches, **more}), {"details": list(details)})


def ids(verdict):
    return [person and person["id"] for person in verdict.value["people"]]


def test_ten_people_are_asked_for_in_one_call():
    request = OPERATIONS[BULK].build({"details": [ASK_LENA]}, account("apollo"))

    assert (request.method, request.url) == ("POST", "https://api.apollo.io/api/v1/people/bulk_match")
    assert orjson.loads(request.body) == {"details": [ASK_LENA]}
    assert OPERATIONS[BULK].expected({"details": [{}] * 10}, account("apollo")) == Decimal("0.25")


@pytest.mark.parametrize(
    ("matches", "found", "strangers"),
    [
        ([LENA, TOMAS], ["p1", "p2"], 0),
        ([TOMAS, LENA], ["p1", "p2"], 0),
        ([TOMAS], [None, "p2"], 0),
        ([LENA, None], ["p1", None], 0),
        ([None, {}], [None, None], 0),
        ([], [None, None], 0),
        ([{**LENA, "match_confidence": "none"}, TOMAS], [None, "p2"], 0),
        ([{"id": "p9", "name": "Aiko Tanaka"}, TOMAS], [None, "p2"], 1),
        ([{"id": "p9"}, "text", 7, LENA, TOMAS], ["p1", "p2"], 1),
    ],
    ids=[
        "in order",
        "reordered",
        "miss dropped",
        "null",
        "nobody",
        "empty",
        "no confidence",
        "stranger",
        "odd entries",
    ],
)
def test_people_are_told_apart_by_identity_not_by_place(matches, found, strangers):
    verdict = bulk(matches, credits_consumed=2)

    assert ids(verdict) == found
    assert verdict.value["strangers"] == strangers


@pytest.mark.parametrize(
    ("detail", "agrees"),
    [
        ({"id": "p2"}, True),
        ({"id": "p3"}, False),
        ({"linkedin_url": "http://www.linkedin.com/in/tomas-example"}, True),
        ({"email": "TOMAS@example.net "}, True),
        ({"email": "other@example.net"}, False),
        ({"first_name": "Tomas", "last_name": "LINDQVIST", "domain": "example.org"}, True),
        ({"name": "Tomas Lindqvist", "organization_name": "example freight"}, True),
        ({"name": "Tomas Lindqvist", "email": "t.lindqvist@example.org"}, True),
        ({"name": "Tomas Lindqvist", "organization_name": "Example Bakery"}, False),
        ({"name": "Tomas Lindqvist", "email": "tomas@example.com"}, False),
        ({"name": "Tomas Lindqvist"}, True),
        ({"name": "Tom Lindqvist", "domain": "example.org"}, False),
        ({"first_name": "Tomas"}, False),
        ({"domain": "example.org"}, False),
    ],
)
@pytest.mark.parametrize("place", ["the same", "another"])
def test_what_makes_two_descriptions_one_person(detail, agrees, place):
    matches = [TOMAS] if place == "the same" else [None, TOMAS]

    assert ids(bulk(matches, [detail], credits_consumed=1)) == (["p2"] if agrees else [None])


def test_a_name_alone_does_not_tell_namesakes_apart():
    details = [{"name": "Tomas Lindqvist"}, {"name": "Tomas Lindqvist", "domain": "example.org"}]

    assert ids(bulk([TOMAS, TOMAS], details)) == [None, "p2"]
    assert ids(bulk([TOMAS, {**TOMAS, "id": "p7"}, None], [{"name": "Tomas Lindqvist", "domain": "example.org"}])) == [
        None
    ]


@pytest.mark.parametrize(
    ("more", "consumed"),
    [
        ({"credits_consumed": 2}, "2"),
        ({"credits_consumed": 0, "unique_enriched_records": 0}, "0"),
        ({"credits_consumed": 1.5}, "1.5"),
        ({"credits_consumed": "0.3"}, "0.3"),
        ({}, "2"),
        ({"credits_consumed": None}, "2"),
        ({"credits_consumed": -1}, "2"),
        ({"credits_consumed": True}, "2"),
    ],
)
def test_a_bulk_call_costs_the_credits_that_it_reports(more, consumed):
    verdict = bulk([LENA, TOMAS, LENA], **more)

    assert verdict.charge == Charge(Decimal(consumed) * Decimal("0.025"), Decimal(consumed))


def test_people_of_a_bulk_answer_are_cleaned_as_single_ones():
    person = {
        **LENA,
        "email": "email_not_unlocked@domain.com",
        "contact": {"person_id": "p9", "email": "x@example.com"},
    }

    assert bulk([person], [{"id": "p1"}]).value["people"] == [{**LENA, "email": None}]


@pytest.mark.parametrize(
    ("status", "body", "error_class", "told"),
    [
        (400, {"status": "failed", "error_code": "RECORD_LIMIT_EXCEEDED"}, ErrorClass.VALIDATION, "RECORD_LIMIT"),
        (400, {"status": "failed", "error_code": "INVALID_REQUEST"}, ErrorClass.VALIDATION, "INVALID_REQUEST"),
        (403, {"error": "no", "error_code": "API_INACCESSIBLE"}, ErrorClass.AUTH, "people/bulk_match"),
        (422, {"error": "You have insufficient credits"}, ErrorClass.QUOTA, "top it up"),
        (200, {"status": "failed", "error_code": "ODD"}, ErrorClass.INVALID_RESPONSE, "ODD"),
        (200, {"matches": {}}, ErrorClass.INVALID_RESPONSE, "no list under 'matches'"),
    ],
)
def test_bulk_errors(status, body, error_class, told):
    verdict = judged(BULK, reply(body, status), {"details": [ASK_LENA]})

    assert verdict.error_class is error_class
    assert told in verdict.message
    assert verdict.paid == ("matches" in body)


@pytest.mark.parametrize(("person", "found"), [(LENA, ["p1", "p1"]), (None, [None, None])])
def test_a_mock_of_one_person_stands_for_all_of_a_bulk_call(person, found):
    verdict = judged(BULK, reply({"person": person}), {"details": [ASK_LENA, ASK_TOMAS]})

    assert (ids(verdict), verdict.charge.amount) == (found, 0)
