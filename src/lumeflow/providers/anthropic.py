"""Anthropic: messages, priced by their tokens.

An empty balance comes as 402, and still as a 400 with a sentence about credit; 529 is an overloaded vendor.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from lumeflow.kit.models.chat_completions import charge_of, expected_cost, refused_parameter
from lumeflow.kit.models.completion import Completion, Finish
from lumeflow.kit.models.headers import asked_wait, rate_hint, until, word_on_retry
from lumeflow.kit.models.prices import PriceList, Tokens
from lumeflow.kit.prices import count_of
from lumeflow.kit.replies import class_of, identifier, json_object, json_request, key_of, member, refusal, unreadable
from lumeflow.plugin import (
    Account,
    Answer,
    ErrorClass,
    HttpRequest,
    HttpResponse,
    Operation,
    Params,
    ProviderDefaults,
    RateHint,
    RateLimit,
    Repeat,
    Verdict,
)

VENDOR = "Anthropic"
PROVIDER = ProviderDefaults(name="anthropic", base_url="https://api.anthropic.com", key_name="ANTHROPIC_API_KEY")
VERSION = "2023-06-01"

_NO_CREDIT = re.compile(r"credit balance", re.IGNORECASE)
_TOO_LONG = re.compile(r"prompt is too long|exceed.{0,40}context", re.IGNORECASE)
_CLASSES: Mapping[str, ErrorClass] = {
    "authentication_error": ErrorClass.AUTH,
    "permission_error": ErrorClass.AUTH,
    "billing_error": ErrorClass.QUOTA,
    "not_found_error": ErrorClass.NOT_FOUND,
    "rate_limit_error": ErrorClass.RATE_LIMIT,
    "invalid_request_error": ErrorClass.VALIDATION,
    "timeout_error": ErrorClass.TIMEOUT,
    "api_error": ErrorClass.SERVER_ERROR,
    "overloaded_error": ErrorClass.SERVER_ERROR,
}
_FINISHES: Mapping[str, Finish] = {
    "max_tokens": Finish.LENGTH,
    "refusal": Finish.REFUSED,
    "model_context_window_exceeded": Finish.TOO_LONG,
}


class Messages(Operation):
    """Ask a model.

    Params: `models` (the first is asked; the others, which a block asks if it fails, must have a price as well),
    `messages`, `max_tokens`; where wanted `temperature`, `schema` (JSON Schema of the answer), `prices` (USD per
    million, by kind), and `again` (a number: the same question once more).
    Value: a `Completion`.
    """

    id: ClassVar[str] = "anthropic/messages"
    provider: ClassVar[str] = PROVIDER.name
    repeat: ClassVar[Repeat] = Repeat.BOOKED
    # The smallest paid account; the answers' headers name the real limit.
    limits: ClassVar[tuple[RateLimit, ...]] = (RateLimit(50, 60.0),)
    timeout: ClassVar[float] = 120.0

    def build(self, params: Params, account: Account) -> HttpRequest:
        """`POST /v1/messages`; what the system says stands beside the messages.

        Raises:
            NodeError: (VALIDATION) nobody knows what one of the models costs.
        """
        _prices(params, account).need(params["models"])
        said = params["messages"]
        system = "\n\n".join(message["content"] for message in said if message["role"] == "system")
        body: dict[str, Any] = {
            "model": params["models"][0],
            "max_tokens": params["max_tokens"],
            "messages": [message for message in said if message["role"] != "system"],
        }
        if system:
            body["system"] = system
        if params.get("temperature") is not None:
            body["temperature"] = params["temperature"]
        if "schema" in params:
            body["output_config"] = {"format": {"type": "json_schema", "schema": params["schema"]}}
        headers = {"x-api-key": key_of(account), "anthropic-version": VERSION}
        return json_request("POST", f"{account.base_url}/v1/messages", headers, body)

    def judge(self, params: Params, response: HttpResponse, account: Account) -> Verdict:
        """What the model said and what it cost, or a failure."""
        body = json_object(response)
        error = member(body, "error")
        if response.status != 200 or error:
            return _refused(error, response, account)
        if body is None:
            return unreadable(VENDOR, account, response, "no JSON object", paid=True)
        content = body.get("content")
        if not isinstance(content, list):
            return unreadable(VENDOR, account, response, "no content", paid=True)
        model = body.get("model")
        text = "".join(_texts(content))
        finish = _FINISHES.get(str(body.get("stop_reason")), Finish.STOP)
        named = model if isinstance(model, str) and model else params["models"][0]
        charge = charge_of(_tokens(body.get("usage")), model, params, _prices(params, account))
        return Answer(Completion(text, finish, named), charge)

    def expected(self, params: Params, account: Account) -> Decimal:
        """From the length of the messages and the limit of the answer."""
        return expected_cost(params, _prices(params, account))

    def rates(self, response: HttpResponse) -> RateHint | None:
        """`anthropic-ratelimit-{requests,tokens}-{limit,remaining,reset}`; a pause if either is used up."""
        headers = {name.removeprefix("anthropic-ratelimit-"): value for name, value in response.headers.items()}
        out_of_tokens = headers.get("tokens-remaining") == "0"
        return rate_hint(
            headers.get("requests-limit"),
            left=headers.get("requests-remaining"),
            full_in=until(headers.get("requests-reset"), response),
            other_pause=(until(headers.get("tokens-reset"), response) or 0.0) if out_of_tokens else 0.0,
        )


def _refused(error: Any, response: HttpResponse, account: Account) -> Verdict:
    kind, sentence = identifier(member(error, "type")), member(error, "message")
    sentence = sentence if isinstance(sentence, str) else ""
    bad_request = response.status in {400, 422}
    error_class = _CLASSES.get(kind) if response.status == 200 else class_of(response.status)
    if (bad_request and _NO_CREDIT.search(sentence)) or kind == "billing_error":
        error_class = ErrorClass.QUOTA
    elif response.status == 413 or kind == "request_too_large" or (bad_request and _TOO_LONG.search(sentence)):
        return Answer(Completion("", Finish.TOO_LONG, ""))
    elif bad_request and (parameter := refused_parameter(error)) is not None:
        return Answer(Completion("", Finish.UNSUPPORTED, "", parameter))
    error_class = error_class or ErrorClass.SERVER_ERROR
    final = error_class in {ErrorClass.AUTH, ErrorClass.QUOTA}
    no_model = "Anthropic has no such model, or this account may not use it; choose another config.model"
    return refusal(
        VENDOR,
        account,
        response,
        error_class=error_class,
        code=kind,
        meaning=no_model if error_class is ErrorClass.NOT_FOUND else None,
        wait=asked_wait(response),
        retryable=False if final else word_on_retry(response),
    )


def _texts(content: list[Any]) -> list[str]:
    """The blocks of text; thinking and tools are left out."""
    blocks = (block for block in content if member(block, "type") == "text")
    return [block["text"] for block in blocks if isinstance(block.get("text"), str)]


def _tokens(usage: Any) -> Tokens | None:
    """As counted by the vendor: tokens of its cache are not part of `input_tokens`."""
    fresh, completion = count_of(member(usage, "input_tokens")), count_of(member(usage, "output_tokens"))
    if fresh is None or completion is None:
        return None
    read = count_of(member(usage, "cache_read_input_tokens")) or 0
    written = count_of(member(usage, "cache_creation_input_tokens")) or 0
    return Tokens(fresh + read + written, completion, read, written)


def _prices(params: Params, account: Account) -> PriceList:
    return PriceList(account, params.get("prices") or {}, vendor=PROVIDER.name)
