"""Hunter: 403 is the rate limit, 429 the used-up plan, 451 a person to be forgotten."""

from decimal import Decimal

import pytest

from lumeflow.plugin import Answer, Charge, ErrorClass, Failure
from tests.providers.desk import OPERATIONS, account, judged, reply

OPERATION = "hunter/email-finder"
FOUND = {
    "email": "lena.okafor@example.com",
    "score": 93,
    "verification": {"date": "2026-02-03", "status": "valid"},
    "sources": [],
}
NOBODY = Answer({"email": None})


def errors(identifier, code):
    return {"errors": [{"id": identifier, "code": code, "details": "Lena Okafor"}]}


def test_a_query_is_the_same_however_it_is_written():
    build = OPERATIONS[OPERATION].build
    request = build({"last_name": "Okafor", "first_name": "Léna", "company": "Example & Co"}, account("hunter"))

    assert request.url == (
        "https://api.hunter.io/v2/email-finder?company=Example+%26+Co&first_name=L%C3%A9na&last_name=Okafor"
    )
    assert request.headers == {"X-API-KEY": "sim-key"}


def test_an_address_costs_a_credit():
    assert judged(OPERATION, reply({"data": FOUND})) == Answer(FOUND, Charge(Decimal("0.0245"), Decimal(1)))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"data": {"email": None, "score": None, "sources": [], "verification": {"date": None, "status": None}}}),
        (200, {"data": {"email": None, "score": 0}}),
        (200, {"data": {"email": ""}}),
        (200, {"data": {"email": "not an address"}}),
        (200, {"data": {}, "errors": []}),
        (404, {"data": None}),
        (404, errors("not_found", 404)),
        (400, errors("invalid_domain", 400)),
        (400, errors("invalid_first_name", 400)),
        (400, errors("invalid_last_name", 400)),
        (400, errors("invalid_full_name", 400)),
        (200, errors("invalid_domain", 400)),
    ],
)
def test_no_address_costs_nothing(status, body):
    assert judged(OPERATION, reply(body, status)) == NOBODY


@pytest.mark.parametrize(
    ("status", "body"), [(451, errors("claimed_email", 451)), (451, ""), (200, errors("claimed_email", 451))]
)
def test_a_person_who_opted_out_is_told_apart(status, body):
    assert judged(OPERATION, reply(body, status)) == Answer({"email": None, "optedOut": True})


@pytest.mark.parametrize(
    ("status", "body", "error_class", "told"),
    [
        (403, errors("too_many_requests", 403), ErrorClass.RATE_LIMIT, "too_many_requests"),
        (403, "", ErrorClass.RATE_LIMIT, "rate limit"),
        (429, errors("too_many_requests", 429), ErrorClass.QUOTA, "plan is used up"),
        (200, errors("too_many_requests", 429), ErrorClass.QUOTA, "HUNTER_API_KEY"),
        (200, errors("too_many_requests", 403), ErrorClass.RATE_LIMIT, "rate limit"),
        (401, errors("authentication_failed", 401), ErrorClass.AUTH, "HUNTER_API_KEY"),
        (400, errors("wrong_params", 400), ErrorClass.VALIDATION, "wrong_params"),
        (404, "<html>no such path</html>", ErrorClass.NOT_FOUND, "address"),
        (404, errors("wrong_path", 404), ErrorClass.NOT_FOUND, "wrong_path"),
        (422, errors("odd", 422), ErrorClass.VALIDATION, "odd"),
        (500, errors("server_error", 500), ErrorClass.SERVER_ERROR, "own side"),
        (200, {"meta": {}}, ErrorClass.INVALID_RESPONSE, "'data'"),
        (200, {"data": None}, ErrorClass.INVALID_RESPONSE, "'data'"),
        (202, {}, ErrorClass.INVALID_RESPONSE, "cannot be read"),
        (222, "", ErrorClass.INVALID_RESPONSE, "cannot be read"),
    ],
)
def test_errors(status, body, error_class, told):
    verdict = judged(OPERATION, reply(body, status))

    assert isinstance(verdict, Failure)
    assert verdict.error_class is error_class
    assert told in verdict.message


def test_the_client_waits_longer_than_the_vendor_thinks():
    assert OPERATIONS[OPERATION].timeout >= 20


VERIFIER = "hunter/email-verifier"
CHECKED = {"status": "accept_all", "result": "risky", "score": 62, "email": "lena.okafor@example.com"}


@pytest.mark.parametrize("again", [{}, {"again": 2}])
def test_a_verification_asks_by_address_alone(again):
    request = OPERATIONS[VERIFIER].build({"email": "lena+1@example.com", **again}, account("hunter"))

    assert request.url == "https://api.hunter.io/v2/email-verifier?email=lena%2B1%40example.com"


@pytest.mark.parametrize(
    ("status", "charged"),
    [
        ("valid", "0.5"),
        ("invalid", "0.5"),
        ("accept_all", "0.5"),
        ("webmail", "0"),
        ("disposable", "0"),
        ("unknown", "0"),
    ],
)
def test_half_a_credit_for_a_status_that_says_something(status, charged):
    verdict = judged(VERIFIER, reply({"data": {**CHECKED, "status": status}}))

    assert verdict.value == {**CHECKED, "status": status}
    assert verdict.charge == Charge(Decimal(charged) * Decimal("0.0245"), Decimal(charged))


@pytest.mark.parametrize(
    ("result", "status"), [("deliverable", "valid"), ("undeliverable", "invalid"), ("risky", "unknown")]
)
def test_very_old_answers_have_a_result_in_place_of_a_status(result, status):
    assert judged(VERIFIER, reply({"data": {"result": result}})).value["status"] == status


@pytest.mark.parametrize("body", [b"", b"{}", b'{"data":{"status":null}}', b'{"data":{"status":"valid"}}', b"<html>"])
@pytest.mark.parametrize(
    ("status", "answer"),
    [(202, Answer({"status": "pending"}, settled=False)), (222, Answer({"status": "failed"}))],
)
def test_what_looks_like_success_and_is_no_result(status, answer, body):
    assert judged(VERIFIER, reply(body, status)) == answer


@pytest.mark.parametrize(
    ("status", "body", "value"),
    [
        (400, errors("invalid_email", 400), {"status": "invalid"}),
        (400, errors("invalid_domain", 400), {"status": "invalid"}),
        (200, errors("invalid_email", 400), {"status": "invalid"}),
        (451, errors("claimed_email", 451), {"status": None, "optedOut": True}),
        (451, "", {"status": None, "optedOut": True}),
        (200, errors("claimed_email", 451), {"status": None, "optedOut": True}),
    ],
)
def test_verifications_that_end_without_a_check_are_free(status, body, value):
    assert judged(VERIFIER, reply(body, status)) == Answer(value)


@pytest.mark.parametrize(
    ("status", "body", "error_class", "told"),
    [
        (403, "", ErrorClass.RATE_LIMIT, "rate limit"),
        (429, errors("too_many_requests", 429), ErrorClass.QUOTA, "plan is used up"),
        (202, errors("server_error", 500), ErrorClass.SERVER_ERROR, "own side"),
        (400, errors("wrong_params", 400), ErrorClass.VALIDATION, "wrong_params"),
        (404, errors("not_found", 404), ErrorClass.NOT_FOUND, "not_found"),
        (200, "", ErrorClass.INVALID_RESPONSE, "no final status"),
        (200, {"data": {"status": "new"}}, ErrorClass.INVALID_RESPONSE, "no final status"),
        (200, {"data": {"status": ["valid"]}}, ErrorClass.INVALID_RESPONSE, "no final status"),
        (204, "", ErrorClass.INVALID_RESPONSE, "cannot be read"),
    ],
)
def test_verifier_errors(status, body, error_class, told):
    verdict = judged(VERIFIER, reply(body, status))

    assert isinstance(verdict, Failure)
    assert verdict.error_class is error_class
    assert told in verdict.message
