"""Any vendor over HTTP: what is asked and how the answer is read comes from the workflow, by way of `kit.http`.

There is one operation. Which account a call belongs to, its limits, its price and whether it may be repeated are
settings of the call.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import urlsplit, urlunsplit

import orjson

from lumeflow.kit.http.oauth import read_token, token_request
from lumeflow.kit.http.sealing import Unsealing
from lumeflow.kit.http.statuses import CLASSES, NOT_FOUND, SUCCESS, meaning_of
from lumeflow.kit.http.writing import CONTENT_TYPES, basic, with_query, written_body
from lumeflow.kit.replies import UNREADABLE, class_of, identifier, json_body, json_object, member, retry_after, seconds
from lumeflow.kit.text import is_blank
from lumeflow.kit.webhooks import Rules, signing_headers
from lumeflow.plugin import (
    FREE,
    MISSING,
    Account,
    Answer,
    Basis,
    CallError,
    Charge,
    ErrorClass,
    Failure,
    Grant,
    HttpRequest,
    HttpResponse,
    Operation,
    Params,
    ProviderDefaults,
    RateHint,
    RateLimit,
    Repeat,
    Secret,
    Terms,
    Verdict,
    compile_path,
    decimal_of,
)

PROVIDER = ProviderDefaults(name="http", base_url="", key_name="")
"""The base URL, where the operator sets one, takes the place of scheme and host of every address: a proxy, or the
simulator. It is the operator's, so it is not guarded."""

UNKNOWN_TO_SIMULATOR = "x-simulator-unknown"
"""Header of the simulator's answer to an address that it has no vendor for."""
_EPOCH = 10_000_000.0
"""A reset time above it is a moment, below it a number of seconds."""
_path = lru_cache(maxsize=1024)(compile_path)


class Request(Operation):
    """One request.

    Params: `request` (method, url, query, headers, body, bodyType, sealed, auth) and `settings`; see `kit.http.asking`.
    Value: `{"found": true, "body": …, "headers": {…}}`; `found` is false where the vendor says that there is nothing.
    Charged what the settings say: the price of an answer, or what stands in it.
    """

    id: ClassVar[str] = "http/request"
    provider: ClassVar[str] = PROVIDER.name

    def terms(self, params: Params, account: Account) -> Terms:
        """An account for each host, or for each name that the workflow gives; its lane also by its limits."""
        settings = params["settings"]
        name = f"http:{settings.get('account') or _host(params['request']['url'])}"
        limits = tuple(RateLimit(calls, span) for calls, span in settings.get("limits", ()))
        own = replace(
            account,
            name=name,
            limits={self.id: limits} if limits else account.limits,
            concurrency=min(settings["concurrency"], account.concurrency),
            lane=f"{name} {settings.get('limits', '')} {settings['concurrency']} {account.lane}",
        )
        return Terms(own, Repeat(settings["repeat"]), bool(settings.get("writes")), params["request"])

    def grant(self, params: Params, account: Account) -> Grant | None:
        """For OAuth 2: how to get a token."""
        auth = params["settings"].get("auth")
        if auth is None or auth["type"] != "oauth2":
            return None
        url, guarded = _at(account, auth["tokenUrl"])
        return Grant(replace(token_request(auth, url, self._unsealing(account)), guarded=guarded), read_token)

    def build(self, params: Params, account: Account) -> HttpRequest:
        """The request, with its secrets in it."""
        request, settings = params["request"], params["settings"]
        sealed = request.get("sealed", {})
        unsealing = self._unsealing(account)
        headers = {"Accept": "application/json" if settings["answerType"] == "json" else "*/*"}
        body = b""
        if request.get("body") is not None:
            content = unsealing.into(request["body"], sealed.get("body", []))
            body, headers["Content-Type"] = written_body(content, request["bodyType"])
        headers |= request["headers"]
        headers |= {name: unsealing.text(text) for name, text in sealed.get("headers", {}).items()}
        query = [(name, value) for name, values in request["query"].items() for value in values]
        query += [(name, unsealing.text(text)) for name, text in sealed.get("query", {}).items()]
        _authorise(settings.get("auth"), unsealing, account, headers, query)
        if "signing" in settings:
            headers |= _signature(settings["signing"], unsealing, headers, body)
        url, guarded = _at(account, with_query(request["url"], query))
        for value in headers.values():
            if not value.isprintable():
                raise self._cannot("a header would hold a line break or another character that it must not hold")
        return HttpRequest(
            request["method"],
            url,
            headers,
            body,
            guarded=guarded,
            redirects=settings.get("redirects", 0),
            largest=settings["largest"],
            secrets=tuple(unsealing.used) + ((account.token,) if account.token else ()),
        )

    def judge(self, params: Params, response: HttpResponse, account: Account) -> Verdict:
        """By status, then by what the settings say of the body."""
        settings = params["settings"]
        if UNKNOWN_TO_SIMULATOR in response.headers:
            return Failure(ErrorClass.VALIDATION, _NO_DEMO, retryable=False)
        meaning = meaning_of(response.status, settings.get("statuses", {}))
        if meaning == NOT_FOUND:
            return Answer(_value(None, response, found=False), _price(settings, "costNotFound", None))
        if meaning != SUCCESS:
            return _refused(params, response, CLASSES.get(meaning or "", class_of(response.status)))
        body = _read(response, settings["answerType"])
        charge = _price(settings, "cost", body)
        if body is UNREADABLE:
            return Failure(
                ErrorClass.INVALID_RESPONSE,
                f"{_host(params['request']['url'])} answered with {response.status}, but not in JSON; "
                "for other answers set answerType to text",
                paid=charge.amount > 0 or "costPath" in settings,
            )
        error = _path(settings["errorPath"]).get(body) if "errorPath" in settings else MISSING
        if error is not MISSING and not is_blank(error) and error is not False:
            code = identifier(error) or identifier(member(error, "code")) or "no code"
            return Failure(
                ErrorClass.VALIDATION, f"{_host(params['request']['url'])} answered with an error ({code})", paid=False
            )
        return Answer(_value(body, response, found=True), charge)

    def expected(self, params: Params, account: Account) -> Decimal:
        """The price of an answer."""
        return Decimal(params["settings"]["cost"])

    def rates(self, response: HttpResponse) -> RateHint | None:
        """A pause until the limit's reset, where the headers say that nothing is left."""
        headers = response.headers
        left = headers.get("ratelimit-remaining", headers.get("x-ratelimit-remaining"))
        if left is None or left.strip() != "0" or response.status >= 400:
            return None
        wait = seconds(headers.get("ratelimit-reset", headers.get("x-ratelimit-reset")))
        return RateHint(pause=wait) if wait is not None and wait < _EPOCH else None

    def demo(self, params: Params) -> HttpResponse | None:
        """The configured example."""
        example = params["settings"].get("example")
        if example is None:
            return None
        text = isinstance(example[0], str) and params["settings"]["answerType"] == "text"
        body = example[0].encode() if text else orjson.dumps(example[0])
        return HttpResponse(200, {"content-type": CONTENT_TYPES["text" if text else "json"]}, body)

    def _unsealing(self, account: Account) -> Unsealing:
        def find(name: str) -> Secret:
            secret = account.secret(name)
            if secret is None:
                raise CallError(
                    ErrorClass.AUTH,
                    f"the secret '{name}' is not configured: set the environment variable LUMEFLOW_SECRET_{name}",
                    operation=self.id,
                )
            return secret

        return Unsealing(find)

    def _cannot(self, reason: str) -> CallError:
        return CallError(ErrorClass.VALIDATION, f"{self.id} was not called: {reason}", operation=self.id)


_NO_DEMO = (
    "demo mode has no answer for this address: give the node an `example` (the body of an answer), or mocks by its id"
)


def _value(body: Any, response: HttpResponse, *, found: bool) -> Mapping[str, Any]:
    return {"found": found, "body": body, "headers": response.headers}


def _read(response: HttpResponse, kind: str) -> Any:
    if kind == "text":
        return response.body.decode("utf-8", "replace")
    return json_body(response) if response.body.strip() else None


def _price(settings: Mapping[str, Any], name: str, body: Any) -> Charge:
    path = settings.get("costPath")
    if path is not None and body is not UNREADABLE:
        told = _path(path).get(body)
        try:
            units = decimal_of(told)
            if units >= 0:
                return Charge(units * Decimal(settings["costFactor"]), units, Basis.REPORTED)
        except (ValueError, ArithmeticError):
            pass
    amount = Decimal(settings[name])
    return Charge(amount) if amount else FREE


def _refused(params: Params, response: HttpResponse, error_class: ErrorClass) -> Failure:
    host = _host(params["request"]["url"])
    body = json_object(response)
    error = member(body, "error")
    code = identifier(error) or identifier(member(error, "code")) or identifier(member(body, "code"))
    why = f" ({code})" if code else ""
    if 300 <= response.status < 400:
        # What a POST redirects from may have been done.
        done = params["request"]["method"] != "GET" and response.status == 303
        return Failure(ErrorClass.VALIDATION, f"{host} {_REDIRECT}", retryable=False, paid=done)
    return Failure(error_class, _SENTENCES[error_class].format(host=host, why=why), retry_after(response))


_REDIRECT = (
    "answered with a redirect that is not followed: it repeats a request that changes something, leads to an address "
    "that must not be called or from https to http, or is one too many; set the url to the final address"
)
_SENTENCES: Mapping[ErrorClass, str] = {
    ErrorClass.AUTH: "{host} does not accept the credentials{why}; check the secrets that auth names",
    ErrorClass.QUOTA: "{host} says that the account's quota is used up{why}",
    ErrorClass.RATE_LIMIT: "{host} says that its rate limit is exceeded{why}",
    ErrorClass.SERVER_ERROR: "{host} failed on its own side{why}",
    ErrorClass.TIMEOUT: "{host} ran out of time{why}",
    ErrorClass.NOT_FOUND: "{host} does not know what was asked for{why}",
    ErrorClass.VALIDATION: "{host} refused the request{why}",
    ErrorClass.INVALID_RESPONSE: "{host} gave an answer that cannot be read{why}",
}


def _authorise(
    auth: Mapping[str, Any] | None,
    unsealing: Unsealing,
    account: Account,
    headers: dict[str, str],
    query: list[tuple[str, str]],
) -> None:
    if auth is None:
        return
    match auth["type"]:
        case "bearer":
            headers["Authorization"] = f"Bearer {unsealing.text(auth['token'])}"
        case "basic":
            headers["Authorization"] = basic(unsealing.text(auth["username"]), unsealing.text(auth["password"]))
            unsealing.used.append(Secret(headers["Authorization"].removeprefix("Basic ")))
        case "apiKey" if auth["in"] == "header":
            headers[auth["name"]] = unsealing.text(auth["key"])
        case "apiKey":
            query.append((auth["name"], unsealing.text(auth["key"])))
        case "oauth2" if account.token is not None:
            headers["Authorization"] = f"Bearer {account.token.reveal()}"


def _signature(
    signing: Mapping[str, Any], unsealing: Unsealing, headers: Mapping[str, str], body: bytes
) -> Mapping[str, str]:
    """The headers that sign a body as it goes out, with the real time: receivers refuse what is old."""
    rules = Rules(
        signature_header=signing["signatureHeader"],
        timestamp_header=signing["timestampHeader"],
        algorithm=signing["algorithm"],
        encoding=signing["encoding"],
        signed=signing["signed"],
    )
    delivery = headers.get(signing["deliveryHeader"] or "", "")
    secret = Secret(unsealing.text(signing["secret"]))
    return signing_headers(rules, secret, body, at=datetime.now(UTC), delivery=delivery)


def _at(account: Account, url: str) -> tuple[str, bool]:
    """The address to call and whether it is guarded: not if the operator's own base takes the place of its host."""
    if not account.base_url:
        return url, True
    parts = urlsplit(url)
    return account.base_url + urlunsplit(("", "", parts.path or "/", parts.query, "")), False


def _host(url: str) -> str:
    """Host and, where it is written, port; without user name. The name that messages and accounts go by."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower() or "the vendor"
    except ValueError:
        return "the vendor"
