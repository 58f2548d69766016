"""The chat-completions form, which OpenAI has and many others speak: requests, answers, and five ways to say no."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from lumeflow.kit.models.completion import Completion, Finish, Parameter
from lumeflow.kit.models.headers import asked_wait, duration, rate_hint, word_on_retry
from lumeflow.kit.models.prices import PriceList, Tokens
from lumeflow.kit.models.strict_schema import is_strict
from lumeflow.kit.prices import count_of
from lumeflow.kit.replies import class_of, identifier, json_object, json_request, key_of, member, refusal, unreadable
from lumeflow.plugin import (
    Account,
    Answer,
    Basis,
    Charge,
    ErrorClass,
    HttpRequest,
    HttpResponse,
    Params,
    RateHint,
    Verdict,
)

LIMIT_NAMES = ("max_completion_tokens", "max_tokens")
"""What the limit of the answer is called: by OpenAI today, and by everybody else and formerly."""

_CHARACTERS_PER_TOKEN = 4
_QUOTA_CODES = frozenset({"insufficient_quota", "billing_not_active", "billing_hard_limit_reached"})
_FILTER_CODES = frozenset({"content_filter", "content_policy_violation"})
_LENGTH_CODES = frozenset({"context_length_exceeded", "string_above_max_length", "request_too_large"})
_CODE_CLASSES: Mapping[str, ErrorClass] = {
    "model_not_found": ErrorClass.NOT_FOUND,
    "invalid_api_key": ErrorClass.AUTH,
    "rate_limit_exceeded": ErrorClass.RATE_LIMIT,
}
_STATUS_IN_200 = 502
"""Status of an error inside an answer of status 200 that names none."""

_REFUSES = re.compile(
    r"unsupported|not support|unrecognized|unknown|not permitted|not allowed|deprecated|invalid param|extra inputs"
)
_NAMES: tuple[tuple[Parameter, tuple[str, ...]], ...] = (
    (Parameter.LIMIT, ("max_completion_tokens", "max_tokens")),
    (Parameter.TEMPERATURE, ("temperature",)),
    (Parameter.FORMAT, ("response_format", "json_schema", "json_object", "output_config", "output_format")),
)


def chat_request(params: Params, account: Account, url: str, headers: Mapping[str, str], limit: str) -> HttpRequest:
    """`POST …/chat/completions`; `limit` is the usual name of the answer's limit at this vendor."""
    name = LIMIT_NAMES[1 - LIMIT_NAMES.index(limit)] if params.get("otherLimit") else limit
    body: dict[str, Any] = {
        "model": params["models"][0],
        "messages": params["messages"],
        name: params["max_tokens"],
    }
    if params.get("temperature") is not None:
        body["temperature"] = params["temperature"]
    if "schema" in params:
        schema = params["schema"]
        shape = {"name": params["schemaName"], "strict": is_strict(schema), "schema": schema}
        body["response_format"] = {"type": "json_schema", "json_schema": shape}
    elif params.get("json"):
        body["response_format"] = {"type": "json_object"}
    key = key_of(account)
    sent = {**headers, "Authorization": f"Bearer {key}"} if key else headers
    return json_request("POST", f"{url}/chat/completions", sent, body)


def judge_chat(vendor: str, params: Params, response: HttpResponse, account: Account, prices: PriceList) -> Verdict:
    """What the model said and what it cost, or a failure."""
    body = json_object(response)
    if response.status != 200:
        return _refused(vendor, member(body, "error"), response.status, response, account)
    if body is None:
        return unreadable(vendor, account, response, "no JSON object", paid=True)
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        error = body.get("error")
        if error:
            return _refused(vendor, error, _status_inside(error), response, account)
        return unreadable(vendor, account, response, "no choices", paid=True)
    model = body.get("model")
    return Answer(
        completion_of(choice, model, params),
        charge_of(_tokens(body.get("usage")), model, params, prices),
    )


def expected_cost(params: Params, prices: PriceList) -> Decimal:
    """From the length of the messages and the limit of the answer.

    Raises:
        NodeError: (VALIDATION) nobody knows the model's price.
    """
    prices.need(params["models"][:1])
    return prices.cost(params["models"][0], _most_tokens(params)) or Decimal(0)


def charge_of(tokens: Tokens | None, model: Any, params: Params, prices: PriceList) -> Charge:
    """What an answer cost: by its counted tokens, at the price of the model that answered, else of the one asked.

    A resume whose configuration has lost the price gives zero, which nothing is booked by: the charge was stored.
    """
    basis = Basis.COMPUTED if tokens else Basis.ASSUMED
    tokens = tokens or _most_tokens(params)
    named = prices.cost(model, tokens) if isinstance(model, str) and model else None
    amount = prices.cost(params["models"][0], tokens) if named is None else named
    return Charge(amount or Decimal(0), Decimal(tokens.total), basis)


def refused_parameter(error: Any) -> Parameter | None:
    """The parameter that an error of status 400 or 422 does not accept, if that is what it says.

    The sentence is looked at where no field names the parameter; nothing of it goes anywhere.
    """
    named = member(error, "param")
    code = identifier(member(error, "code"))
    message = member(error, "message")
    sentence = message.lower() if isinstance(message, str) else ""
    refuses = code.startswith("unsupported") or _REFUSES.search(sentence) is not None
    where = named.lower() if isinstance(named, str) and named else sentence
    for parameter, names in _NAMES:
        if any(name in where for name in names):
            # A schema or a temperature that is out of range is not taken either; a limit out of range has its name.
            return parameter if refuses or (where != sentence and parameter is not Parameter.LIMIT) else None
    return None


def request_rates(response: HttpResponse) -> RateHint | None:
    """`x-ratelimit-{limit,remaining,reset}-{requests,tokens}`."""
    headers = response.headers
    out_of_tokens = headers.get("x-ratelimit-remaining-tokens") == "0"
    pause = duration(headers.get("x-ratelimit-reset-tokens")) or 0.0
    return rate_hint(
        headers.get("x-ratelimit-limit-requests"),
        left=headers.get("x-ratelimit-remaining-requests"),
        full_in=duration(headers.get("x-ratelimit-reset-requests")),
        other_pause=pause if out_of_tokens else 0.0,
    )


def _refused(vendor: str, error: Any, status: int, response: HttpResponse, account: Account) -> Verdict:
    code = identifier(member(error, "code")) or identifier(member(error, "type"))
    if code in _FILTER_CODES:
        return Answer(Completion("", Finish.FILTERED, ""))
    if code in _LENGTH_CODES or status == 413:
        return Answer(Completion("", Finish.TOO_LONG, ""))
    parameter = refused_parameter(error) if status in {400, 422} else None
    if parameter is not None:
        return Answer(Completion("", Finish.UNSUPPORTED, "", parameter))
    error_class = _class(error, code, status)
    final = error_class in {ErrorClass.AUTH, ErrorClass.QUOTA}
    return refusal(
        vendor,
        account,
        response,
        error_class=error_class,
        code=code,
        meaning=_meaning(vendor, error_class),
        wait=asked_wait(response),
        retryable=False if final else word_on_retry(response),
    )


def _class(error: Any, code: str, status: int) -> ErrorClass:
    if code in _QUOTA_CODES or identifier(member(error, "type")) in _QUOTA_CODES:
        return ErrorClass.QUOTA
    return _CODE_CLASSES.get(code) or class_of(status)


def _status_inside(error: Any) -> int:
    named = member(error, "code"), member(error, "status")
    return next((code for code in named if isinstance(code, int) and 400 <= code < 600), _STATUS_IN_200)


def _meaning(vendor: str, error_class: ErrorClass) -> str | None:
    if error_class is ErrorClass.NOT_FOUND:
        return f"{vendor} has no such model, or this account may not use it; choose another config.model"
    return None


def completion_of(choice: Mapping[str, Any], model: Any, params: Params) -> Completion:
    """What a model said, from one of an answer's `choices`; `model` is the one that the answer names, if it does."""
    content, refused = member(choice, "message", "content"), member(choice, "message", "refusal")
    text = content if isinstance(content, str) else ""
    finish = _FINISHES.get(str(choice.get("finish_reason")), Finish.STOP)
    if finish is Finish.STOP and refused and not text.strip():
        finish = Finish.REFUSED
    return Completion(text, finish, model if isinstance(model, str) and model else params["models"][0])


_FINISHES: Mapping[str, Finish] = {"length": Finish.LENGTH, "content_filter": Finish.FILTERED}


def _tokens(usage: Any) -> Tokens | None:
    """As counted by the vendor: tokens out of the cache are part of `prompt_tokens`."""
    prompt, completion = count_of(member(usage, "prompt_tokens")), count_of(member(usage, "completion_tokens"))
    if prompt is None or completion is None:
        return None
    cached = min(count_of(member(usage, "prompt_tokens_details", "cached_tokens")) or 0, prompt)
    written = count_of(member(usage, "prompt_tokens_details", "cache_write_tokens")) or 0
    return Tokens(prompt, completion, cached, min(written, prompt - cached))


def _most_tokens(params: Params) -> Tokens:
    letters = sum(len(message["content"]) for message in params["messages"])
    return Tokens(letters // _CHARACTERS_PER_TOKEN + 1, params["max_tokens"])
