"""Generic HTTP: what goes out for a configuration, and what is made of what comes back."""

from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumeflow.kit.http.asking import Asker
from lumeflow.kit.http.config import HttpConfig
from lumeflow.plugin import Account, Answer, CallError, ErrorClass, Failure, HttpResponse, Repeat, Secret, Token
from lumeflow.providers.http import Request
from lumeflow.testing import MemoryContext
from tests.providers.test_every_operation import JSON, STATUSES

SECRETS = {"key": "k-123456", "user": "crm-user", "pass": "p:ä-98765", "id": "client", "secret": "s-abcdef"}
URL = "https://crm.example.com/v1/people"
OPERATION = Request()


def account(base_url="", **more):
    def find(name):
        return Secret(SECRETS[name]) if name in SECRETS else None

    return Account(name="http", provider="http", base_url=base_url, key=None, key_name="", secret=find, **more)


def params(record=None, **config):
    context = MemoryContext(input=record or {}, secrets=SECRETS, fields={})
    return Asker(HttpConfig.model_validate({"url": URL, **config})).params(context, record or {})


def sent(record=None, account=account(), **config):  # noqa: B008
    return OPERATION.build(params(record, **config), account)


def judged(status=200, body=b"{}", headers=None, **config):
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return OPERATION.judge(params(**config), HttpResponse(status, headers or {}, raw), account())


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method(method):
    assert (sent(method=method).method, sent(method=method).url) == (method, URL)
    assert sent(method=method.lower()).method == method


@pytest.mark.parametrize(
    ("auth", "url", "header"),
    [
        ({"type": "none"}, URL, None),
        ({"type": "bearer", "token": "{{secrets.key}}"}, URL, ("Authorization", "Bearer k-123456")),
        ({"type": "apiKey", "key": "{{secrets.key}}"}, URL, ("X-API-Key", "k-123456")),
        ({"type": "apiKey", "name": "X-K", "key": "v1 {{secrets.key}}"}, URL, ("X-K", "v1 k-123456")),
        ({"type": "apiKey", "in": "query", "name": "api_key", "key": "{{secrets.key}}"}, URL + "?api_key=k-123456", None),
        (
            {"type": "basic", "username": "{{secrets.user}}", "password": "{{secrets.pass}}"},
            URL,
            ("Authorization", "Basic Y3JtLXVzZXI6cDrDpC05ODc2NQ=="),
        ),
        ({"type": "basic", "username": "plain", "password": "{{secrets.key}}"}, URL, ("Authorization", "Basic cGxhaW46ay0xMjM0NTY=")),
    ],
)  # fmt: skip
def test_every_kind_of_auth(auth, url, header):
    request = sent(auth=auth)
    assert request.url == url
    own = [(name, value) for name, value in request.headers.items() if name != "Accept"]
    assert own == ([header] if header else [])
    written_down = orjson.dumps(params(auth=auth)).decode()
    assert not [text for text in SECRETS.values() if text in written_down]


def test_the_secrets_of_a_request_are_told_so_that_they_are_kept_out_of_the_answer():
    auth = {"type": "basic", "username": "{{secrets.user}}", "password": "{{secrets.pass}}"}
    request = sent(auth=auth, headers={"X-T": "{{secrets.key}}"})
    texts = {secret.reveal() for secret in request.secrets}
    assert texts == {"crm-user", "p:ä-98765", "k-123456", "Y3JtLXVzZXI6cDrDpC05ODc2NQ=="}
    assert "k-123456" not in repr(request.secrets)


def test_secrets_in_query_headers_and_body_are_put_in_when_it_is_sent():
    config = {
        "method": "POST",
        "query": {"tenant": "{{secrets.user}}", "q": "{{input.q}}"},
        "headers": {"X-Sign": "v1={{secrets.key}}"},
        "body": {"auth": {"key": "{{secrets.key}}"}, "emails": ["{{input.email}}"]},
    }
    record = {"q": "a b", "email": "lena@example.com"}
    request = sent(record, **config)
    assert request.url == URL + "?q=a+b&tenant=crm-user"
    assert request.headers["X-Sign"] == "v1=k-123456"
    assert orjson.loads(request.body) == {"auth": {"key": "k-123456"}, "emails": ["lena@example.com"]}
    assert "k-123456" not in orjson.dumps(params(record, **config)).decode()


def test_what_a_record_holds_is_never_read_as_a_template():
    record = {"x": "{{secrets.key}}", "y": {"z": "{{secrets.key}}"}}
    request = sent(record, method="POST", query={"x": "{{input.x}}"}, body={"x": "{{input.x}}", "y": "{{input.y}}"})
    assert "k-123456" not in request.url
    assert orjson.loads(request.body) == {"x": "{{secrets.key}}", "y": {"z": "{{secrets.key}}"}}


@pytest.mark.parametrize(
    ("config", "body", "kind"),
    [
        ({"body": {"a": "{{input.n}}", "b": [1, None]}}, b'{"a":7,"b":[1,null]}', "application/json"),
        ({"body": "{{input}}"}, b'{"n":7,"t":"a b&c"}', "application/json"),
        ({"body": {"a": "{{input.t}}", "n": "{{input.n}}", "no": None, "l": [1, 2]}, "bodyType": "form"}, b"a=a+b%26c&n=7&l=1&l=2", "application/x-www-form-urlencoded"),
        ({"body": "id={{input.n}}\n", "bodyType": "text"}, b"id=7\n", "text/plain; charset=utf-8"),
        ({"mapping": {"n": "{{input.n}}", "none": "{{input.none}}"}}, b'{"n":7}', "application/json"),
        ({"body": "{{input.t}}", "bodyType": "text", "headers": {"Content-Type": "text/csv"}}, b"a b&c", "text/csv"),
    ],
)  # fmt: skip
def test_every_kind_of_body(config, body, kind):
    request = sent({"n": 7, "t": "a b&c"}, method="POST", **config)
    assert (request.body, request.headers["Content-Type"]) == (body, kind)


def test_a_request_without_body_has_no_content_type():
    assert sent(method="POST").headers == {"Accept": "application/json"}
    assert sent(answerType="text").headers == {"Accept": "*/*"}


def test_the_query_leaves_out_what_is_empty_and_repeats_lists():
    record = {"tags": ["a", "b c"], "none": None, "flag": False, "zero": 0}
    query = {name: f"{{{{input.{name}}}}}" for name in ("tags", "none", "missing", "flag", "zero")}
    assert sent(record, query=query).url == URL + "?tags=a&tags=b+c&flag=false&zero=0"
    assert sent(record, mapping={"flag": "{{input.flag}}"}).url == URL + "?flag=false"
    assert sent(record, url=URL + "?fixed=1#part", query={"zero": "{{input.zero}}"}).url == URL + "?fixed=1&zero=0"


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\x00b", "Zoë", {"a": 1}, ["a"], "x" * 9000])
def test_a_header_is_one_line_of_plain_characters(value):
    with pytest.raises(Exception, match="header 'X-A' must be one line"):
        sent({"v": value}, headers={"X-A": "{{input.v}}"})


def test_a_secret_with_a_line_break_is_not_sent(monkeypatch):
    monkeypatch.setitem(SECRETS, "key", "k-123456\r\nX-Evil: 1")
    with pytest.raises(CallError, match="line break") as caught:
        sent(auth={"type": "bearer", "token": "{{secrets.key}}"})
    assert "k-123456" not in str(caught.value)


def test_a_missing_secret_is_named():
    with pytest.raises(CallError, match="LUMEFLOW_SECRET_absent") as caught:
        sent(auth={"type": "bearer", "token": "{{secrets.absent}}"})
    assert caught.value.error_class is ErrorClass.AUTH


def test_addresses_of_workflows_are_guarded_and_the_operators_own_base_is_not():
    request = sent(url="https://crm.example.com/v1/p?x=1#y")
    assert (request.guarded, request.url) == (True, "https://crm.example.com/v1/p?x=1")
    rebased = sent(account=account("http://127.0.0.1:8700"), url="https://crm.example.com/v1/p?x=1")
    assert (rebased.guarded, rebased.url) == (False, "http://127.0.0.1:8700/v1/p?x=1")
    assert (request.redirects, request.largest) == (5, 10 * 2**20)
    limited = sent(maxRedirects=0, maxAnswerBytes=100)
    assert (limited.redirects, limited.largest) == (0, 100)


# --- terms


def terms(record=None, **config):
    return OPERATION.terms(params(record, **config), account())


@pytest.mark.parametrize(
    ("config", "repeat", "writes"),
    [
        ({}, Repeat.FREE, False),
        ({"costPerCall": "0.01"}, Repeat.BOOKED, False),
        ({"costPath": "cost"}, Repeat.BOOKED, False),
        ({"method": "PUT"}, Repeat.BOOKED, False),
        ({"method": "DELETE"}, Repeat.BOOKED, False),
        ({"method": "POST"}, Repeat.NEVER, True),
        ({"method": "PATCH"}, Repeat.NEVER, True),
        ({"method": "POST", "idempotencyHeader": "Idempotency-Key"}, Repeat.BOOKED, True),
        ({"method": "POST", "repeat": "booked"}, Repeat.BOOKED, False),
        ({"method": "POST", "repeat": "free"}, Repeat.FREE, False),
        ({"repeat": "never"}, Repeat.NEVER, True),
    ],
)
def test_what_may_be_repeated(config, repeat, writes):
    assert (terms(**config).repeat, terms(**config).writes) == (repeat, writes)


def test_an_account_for_each_host_or_by_name_with_its_own_limits():
    plain = terms().account
    assert (plain.name, plain.concurrency, dict(plain.limits)) == ("http:crm.example.com", 16, {})
    named = terms(account="crm", rateLimit=[{"calls": 5, "seconds": 1}], concurrency=2).account
    assert (named.name, named.concurrency) == ("http:crm", 2)
    assert [(limit.calls, limit.seconds) for limit in named.limits["http/request"]] == [(5, 1.0)]
    other = terms(account="crm", rateLimit=[{"calls": 6, "seconds": 1}], concurrency=2).account
    assert named.lane != other.lane
    assert (
        named.lane
        == terms(
            url="https://b.example.com/", account="crm", rateLimit=[{"calls": 5, "seconds": 1}], concurrency=2
        ).account.lane
    )


def test_a_call_is_known_by_what_it_asks_for_and_as_whom():
    def identity(**config):
        return terms(**config).identity

    token = {"type": "bearer", "token": "{{secrets.key}}"}
    assert identity() == identity(costPerCall="1", rateLimit=[{"calls": 1, "seconds": 1}], example={})
    assert identity(auth=token) != identity()
    assert identity(auth=token) != identity(auth={"type": "bearer", "token": "{{secrets.secret}}"})
    assert identity(auth=token)["auth"]["secrets"] == ["key"]
    assert identity(query={"a": "1"}) != identity(query={"a": "2"})


def test_an_idempotency_key_follows_from_execution_node_position_and_content():
    def key(record, position):
        context = MemoryContext(input=record, position=position)
        config = {"url": URL, "method": "POST", "idempotencyHeader": "Idempotency-Key", "body": "{{input}}"}
        made = Asker(HttpConfig.model_validate(config)).params(context, record)
        return made["request"]["headers"]["Idempotency-Key"]

    assert key({"a": 1}, 0) == key({"a": 1}, 0)
    assert len({key({"a": 1}, 0), key({"a": 1}, 1), key({"a": 2}, 0)}) == 3


# --- answers


def test_a_usual_answer():
    verdict = judged(200, {"a": 1}, {"link": "x"}, costPerCall="0.015")
    assert verdict == Answer({"found": True, "body": {"a": 1}, "headers": {"link": "x"}}, verdict.charge)
    assert verdict.charge.amount == Decimal("0.015")


@pytest.mark.parametrize(("status", "body"), [(204, b""), (200, b"  \n")])
def test_an_empty_answer_is_null(status, body):
    assert judged(status, body).value["body"] is None


def test_text_is_read_as_text():
    assert judged(200, b"caf\xc3\xa9,\xff", answerType="text").value["body"] == "café,�"


def test_nobody_is_an_answer_with_its_own_price():
    verdict = judged(404, b"<html>", costPerCall="1", costNotFound="0.25")
    assert (verdict.value["found"], verdict.charge.amount) == (False, Decimal("0.25"))


@pytest.mark.parametrize(
    ("body", "amount"),
    [
        ({"usage": {"cost": 0.0125}}, "0.025"),
        ({"usage": {"cost": "3"}}, "6"),
        ({"usage": {"cost": 0}}, "0"),
        ({"usage": {"cost": -1}}, "0.5"),
        ({"usage": {"cost": "many"}}, "0.5"),
        ({"usage": {}}, "0.5"),
        ([], "0.5"),
    ],
)
def test_the_cost_that_stands_in_an_answer_goes_before_the_configured_one(body, amount):
    verdict = judged(200, body, costPath="usage.cost", costFactor=2, costPerCall="0.5")
    assert verdict.charge.amount == Decimal(amount)


@pytest.mark.parametrize(
    ("status", "error_class"),
    [
        (400, ErrorClass.VALIDATION), (401, ErrorClass.AUTH), (402, ErrorClass.QUOTA), (403, ErrorClass.AUTH),
        (408, ErrorClass.TIMEOUT), (409, ErrorClass.VALIDATION), (422, ErrorClass.VALIDATION),
        (429, ErrorClass.RATE_LIMIT), (500, ErrorClass.SERVER_ERROR), (503, ErrorClass.SERVER_ERROR),
    ],
)  # fmt: skip
def test_errors_by_status(status, error_class):
    verdict = judged(status, {"error": {"code": "E42", "message": "Lena Okafor"}}, {"retry-after": "7"})
    assert (verdict.error_class, verdict.retry_after) == (error_class, 7.0)
    assert "crm.example.com" in verdict.message
    assert "E42" in verdict.message
    assert "Lena" not in verdict.message


def test_statuses_mean_what_is_configured():
    statuses = {"rateLimit": [403], "notFound": [422], "success": ["5xx"]}
    assert judged(403, statuses=statuses).error_class is ErrorClass.RATE_LIMIT
    assert judged(422, statuses=statuses).value["found"] is False
    assert judged(500, statuses=statuses).value["found"] is True


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_that_is_not_followed_says_why(status):
    verdict = judged(status, b"", {"location": "http://10.0.0.1/"}, method="POST")
    assert (verdict.error_class, verdict.retryable) == (ErrorClass.VALIDATION, False)
    assert "set the url to the final address" in verdict.message
    assert verdict.paid is (status == 303)
    assert "10.0.0.1" not in verdict.message


def test_json_that_is_none_is_an_unreadable_answer_that_was_paid_for():
    assert (judged(200, b"<html>", costPerCall="1").error_class, judged(200, b"<html>", costPerCall="1").paid) == (
        ErrorClass.INVALID_RESPONSE,
        True,
    )
    assert judged(200, b"<html>").paid is False


@pytest.mark.parametrize(
    ("body", "told"),
    [({"error": "E_LIMIT"}, "E_LIMIT"), ({"error": {"code": 9}}, "9"), ({"error": "Lena Okafor"}, "no code")],
)
def test_an_error_in_an_answer_of_success(body, told):
    verdict = judged(200, body, errorPath="error")
    assert verdict.error_class is ErrorClass.VALIDATION
    assert told in verdict.message


@pytest.mark.parametrize("error", [None, "", False, []])
def test_no_error_in_an_answer_of_success(error):
    assert isinstance(judged(200, {"error": error}, errorPath="error"), Answer)


@given(status=STATUSES, body=JSON.map(orjson.dumps) | st.binary(max_size=60))
def test_no_answer_makes_it_raise(status, body):
    verdict = judged(status, body, costPath="usage.cost", errorPath="error", costPerCall="0.5")
    assert isinstance(verdict, Answer | Failure)
    if isinstance(verdict, Answer):
        assert verdict.charge.amount.is_finite()


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "12"}, 12.0),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "3"}, 3.0),
        ({"x-ratelimit-remaining": "4", "x-ratelimit-reset": "12"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1790000000"}, None),
        ({"x-ratelimit-remaining": "0"}, None),
        ({}, None),
    ],
)
def test_headers_that_say_nothing_is_left(headers, pause):
    hint = OPERATION.rates(HttpResponse(200, headers))
    assert (hint.pause if hint else None) == pause


# --- tokens

OAUTH = {
    "type": "oauth2", "tokenUrl": "https://id.example.com/token", "clientId": "{{secrets.id}}",
    "clientSecret": "{{secrets.secret}}", "scope": "read write", "parameters": {"audience": "crm"},
}  # fmt: skip


def grant(account=account(), **auth):  # noqa: B008
    return OPERATION.grant(params(auth={**OAUTH, **auth}), account)


def test_a_token_is_asked_for_with_the_clients_credentials():
    request = grant().request
    assert (request.method, request.url, request.guarded) == ("POST", "https://id.example.com/token", True)
    assert request.headers["Authorization"] == "Basic Y2xpZW50OnMtYWJjZGVm"
    assert request.body == b"grant_type=client_credentials&audience=crm&scope=read+write"
    in_body = grant(credentials="body").request
    assert "Authorization" not in in_body.headers
    assert in_body.body.endswith(b"&client_id=client&client_secret=s-abcdef")
    rebased = grant(account("http://127.0.0.1:8700")).request
    assert (rebased.url, rebased.guarded) == ("http://127.0.0.1:8700/token", False)


def test_other_kinds_of_auth_need_no_token():
    assert OPERATION.grant(params(auth={"type": "bearer", "token": "{{secrets.key}}"}), account()) is None
    assert OPERATION.grant(params(), account()) is None


def test_the_token_goes_into_the_request_and_into_nothing_else():
    request = sent(account=account(token=Secret("tok-1")), auth=OAUTH)
    assert request.headers["Authorization"] == "Bearer tok-1"
    assert [secret.reveal() for secret in request.secrets] == ["tok-1"]


def read(status, body):
    return grant().read(
        HttpResponse(status, {"retry-after": "2"}, body if isinstance(body, bytes) else orjson.dumps(body))
    )


def test_a_token_is_read():
    token = read(200, {"access_token": "tok-1", "token_type": "Bearer", "expires_in": 60})
    assert isinstance(token, Token)
    assert (token.secret.reveal(), token.seconds) == ("tok-1", 60.0)
    assert read(200, {"access_token": "tok-1"}).seconds is None
    assert read(200, {"access_token": "tok-1", "expires_in": "3600"}).seconds == 3600.0


@pytest.mark.parametrize(
    ("status", "body", "error_class", "retryable"),
    [
        (401, {"error": "invalid_client", "error_description": "Lena"}, ErrorClass.AUTH, False),
        (400, {"error": "invalid_scope"}, ErrorClass.AUTH, False),
        (429, {}, ErrorClass.RATE_LIMIT, None),
        (503, b"<html>", ErrorClass.SERVER_ERROR, None),
        (200, b"<html>", ErrorClass.INVALID_RESPONSE, None),
        (200, {"access_token": ""}, ErrorClass.INVALID_RESPONSE, None),
        (200, {"access_token": "a\r\nb"}, ErrorClass.INVALID_RESPONSE, None),
        (200, {"access_token": 7}, ErrorClass.INVALID_RESPONSE, None),
    ],
)
def test_a_token_endpoint_that_gives_none(status, body, error_class, retryable):
    failure = read(status, body)
    assert (failure.error_class, failure.retryable) == (error_class, retryable)
    assert "Lena" not in failure.message
