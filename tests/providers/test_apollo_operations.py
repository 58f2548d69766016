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
