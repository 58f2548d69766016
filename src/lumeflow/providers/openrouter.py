"""OpenRouter: chat completions of many vendors' models, priced by the answer itself.

Errors come in five shapes, two of them with status 200; all end in one `Failure`. What is an answer, if an unwelcome
one (cut off, filtered, refused, empty), is an `Answer`: it was charged, and asking again is the block's decision.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar

from lumeflow.kit.models.chat_completions import completion_of
from lumeflow.kit.models.completion import Completion, Finish
from lumeflow.kit.models.strict_schema import is_strict
from lumeflow.kit.prices import MILLIONTH, count_of, price_of
from lumeflow.kit.replies import (
    class_of,
    identifier,
    json_object,
    json_request,
    key_of,
    member,
    refusal,
    retry_after,
    seconds,
    unreadable,
)
from lumeflow.plugin import (
    FREE,
    Account,
    Answer,
    Basis,
    Charge,
    ErrorClass,
    HttpRequest,
    HttpResponse,
    Operation,
    Params,
    ProviderDefaults,
    RateLimit,
    Repeat,
    Verdict,
    decimal_of,
)

VENDOR = "OpenRouter"
PROVIDER = ProviderDefaults(
    name="openrouter",
    base_url="https://openrouter.ai",
    key_name="OPENROUTER_API_KEY",
    # Only for what is not known yet or was not reported: an unknown model is never free. Dear ones cost more.
    prices={"prompt_million": Decimal(1), "completion_million": Decimal(4)},
)

FREE_SUFFIX = ":free"
_BEHIND = 502
"""Status of an error inside an answer of status 200 that names none: something behind OpenRouter failed."""
_CHARACTERS_PER_TOKEN = 4

_MODERATED = ("reasons", "flagged_input", "patterns")
_MODERATION_TYPES = frozenset({"content_policy_violation", "refusal"})
_LENGTH_TYPES = frozenset({"context_length_exceeded", "token_limit_exceeded", "string_too_long", "payload_too_large"})
_TYPE_CLASSES: Mapping[str, ErrorClass] = {
    "authentication": ErrorClass.AUTH,
    "permission_denied": ErrorClass.AUTH,
    "payment_required": ErrorClass.QUOTA,
    "rate_limit_exceeded": ErrorClass.RATE_LIMIT,
    "timeout": ErrorClass.TIMEOUT,
    "provider_overloaded": ErrorClass.SERVER_ERROR,
    "provider_unavailable": ErrorClass.SERVER_ERROR,
    "server": ErrorClass.SERVER_ERROR,
    "not_found": ErrorClass.NOT_FOUND,
    "invalid_request": ErrorClass.VALIDATION,
    "invalid_prompt": ErrorClass.VALIDATION,
    "precondition_failed": ErrorClass.VALIDATION,
    "unprocessable": ErrorClass.VALIDATION,
    "max_tokens_exceeded": ErrorClass.VALIDATION,
}


class Chat(Operation):
    """Ask a model, or the first of several that answers.

    Params: `models` (at least one), `messages`, `max_tokens`; where wanted `temperature`, `schema` with `schemaName`
    (JSON Schema of the answer), and `again` (a number: the same question once more, because the answer was empty).
    Value: a `Completion`.
    """

    id: ClassVar[str] = "openrouter/chat"
    provider: ClassVar[str] = PROVIDER.name
    repeat: ClassVar[Repeat] = Repeat.BOOKED
    timeout: ClassVar[float] = 60.0

    def build(self, params: Params, account: Account) -> HttpRequest:
        """`POST /api/v1/chat/completions`."""
        models = params["models"]
        body: dict[str, Any] = {"model": models[0], "messages": params["messages"], "max_tokens": params["max_tokens"]}
        if len(models) > 1:
            body["models"] = models
        if params.get("temperature") is not None:
            body["temperature"] = params["temperature"]
        if "schema" in params:
            schema = {"name": params["schemaName"], "strict": is_strict(params["schema"]), "schema": params["schema"]}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
            # Without this, vendors that don't know `response_format` ignore it silently.
            body["provider"] = {"require_parameters": True}
        headers = {"Authorization": f"Bearer {key_of(account)}", "X-OpenRouter-Title": "lumeflow"}
        return json_request("POST", f"{account.base_url}/api/v1/chat/completions", headers, body)

    def judge(self, params: Params, response: HttpResponse, account: Account) -> Verdict:
        """What the model said and what it cost, or a failure."""
        body = json_object(response)
        if response.status != 200:
            return _refused(_Trouble.of(body, response), response, account)
        if body is None:
            return unreadable(VENDOR, account, response, "no JSON object", paid=True)
        choices = body.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            if body.get("error"):
                return _refused(_Trouble.of(body, response), response, account)
            return unreadable(VENDOR, account, response, "no choices", paid=True)
        charge = _charge(body, params, account)
        if choice.get("finish_reason") == "error" or choice.get("error"):
            return _refused(_Trouble.of(choice, response), response, account, paid=charge.amount > 0)
        return Answer(completion_of(choice, body.get("model"), params), charge)

    def expected(self, params: Params, account: Account) -> Decimal:
        """From the length of the messages and the limit of the answer; zero if all models are free."""
        if all(model.endswith(FREE_SUFFIX) for model in params["models"]):
            return Decimal(0)
        return _token_cost(_prompt_tokens(params), params["max_tokens"], account)


class ChatFree(Chat):
    """The same for models that all end in `:free`, which have limits of their own."""

    id: ClassVar[str] = "openrouter/chat-free"
    # 1,000 a day from the first $10 ever paid in; without, the vendor refuses after 50.
    limits: ClassVar[tuple[RateLimit, ...]] = (RateLimit(20, 60.0), RateLimit(1000, 86_400.0))


@dataclass(frozen=True, slots=True)
class _Trouble:
    """An error as the vendor tells it, in whichever shape.

    Attributes:
        status: HTTP status, or the one that an answer of status 200 holds inside.
        kind: The vendor's `error_type`; empty if it gives none.
        code: What goes into the message: the most telling of its codes.
        metadata: Its `metadata`.
        availability: Its `availability`; empty in the classic shape.
    """

    status: int
    kind: str
    code: str
    metadata: Mapping[str, Any]
    availability: Mapping[str, Any]

    @classmethod
    def of(cls, holder: Any, response: HttpResponse) -> "_Trouble":
        """Read the `error` of `holder`, which is the answer's body or a part of it."""
        error = member(holder, "error")
        codes = member(error, "code"), member(error, "http_status")
        named = next((code for code in codes if isinstance(code, int) and 400 <= code < 600), None)
        metadata, availability = member(error, "metadata"), member(error, "availability")
        kind = identifier(member(error, "error_type")) or identifier(member(metadata, "error_type"))
        code = identifier(member(availability, "code")) or kind
        if not code and named not in {None, response.status}:
            code = str(named)
        return cls(
            named or (response.status if response.status != 200 else _BEHIND),
            kind,
            code,
            metadata if isinstance(metadata, dict) else {},
            availability if isinstance(availability, dict) else {},
        )

    @property
    def moderated(self) -> bool:
        """True if the text, not the account, was refused."""
        return self.kind in _MODERATION_TYPES or (
            self.status == 403 and any(self.metadata.get(name) for name in _MODERATED)
        )

    @property
    def too_long(self) -> bool:
        """True if a shorter text would have been taken."""
        return self.kind in _LENGTH_TYPES or self.status == 413

    @property
    def error_class(self) -> ErrorClass:
        """By status; by the vendor's type where the status says nothing (502 stands for whatever went wrong behind)."""
        by_type = _TYPE_CLASSES.get(self.kind)
        return by_type if by_type and self.status >= 500 else class_of(self.status)


def _refused(trouble: _Trouble, response: HttpResponse, account: Account, *, paid: bool = False) -> Verdict:
    if trouble.moderated:
        return Answer(Completion("", Finish.FILTERED, ""))
    if trouble.too_long:
        return Answer(Completion("", Finish.TOO_LONG, ""))
    error_class, wait = trouble.error_class, _wait(trouble, response)
    if error_class is ErrorClass.QUOTA and wait is not None:
        # Money set aside for calls in flight; it comes back when these end.
        error_class = ErrorClass.RATE_LIMIT
    word = trouble.availability.get("retryable")
    return refusal(
        VENDOR,
        account,
        response,
        error_class=error_class,
        code=trouble.code,
        meaning=_meaning(error_class, account),
        wait=wait,
        retryable=word if isinstance(word, bool) else None,
        paid=paid,
    )


def _wait(trouble: _Trouble, response: HttpResponse) -> float | None:
    return retry_after(response, trouble.availability.get("retry_after"), _until_reset(response))


def _until_reset(response: HttpResponse) -> float | None:
    """Seconds from the answer's date to `X-RateLimit-Reset` (milliseconds of the epoch), on an answer of status 429."""
    reset, date = seconds(response.headers.get("x-ratelimit-reset")), response.headers.get("date")
    if response.status != 429 or reset is None or not date:
        return None
    try:
        now = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    return max(reset / 1000 - now.timestamp(), 0.0) if now.tzinfo else None


def _meaning(error_class: ErrorClass, account: Account) -> str | None:
    if error_class is ErrorClass.NOT_FOUND:
        return "OpenRouter has no endpoint for this model that does what is asked; choose another config.model"
    if error_class is ErrorClass.AUTH:
        return f"OpenRouter does not let the key in {account.key_name} make this call: it is wrong or lacks the right"
    return None


def _charge(body: Mapping[str, Any], params: Params, account: Account) -> Charge:
    """The reported cost. With keys of one's own it is only the fee, and what the model's vendor takes is added."""
    usage = body.get("usage")
    tokens = count_of(member(usage, "total_tokens"))
    try:
        amount = decimal_of(member(usage, "cost"))
    except ValueError:
        return _unreported(body, usage, params, account)
    if member(usage, "is_byok") is True:
        # Where the vendor's part is not told, the fee is all that is known.
        with suppress(ValueError):
            amount += decimal_of(member(usage, "cost_details", "upstream_inference_cost"))
    return Charge(amount, None if tokens is None else Decimal(tokens), Basis.REPORTED)


def _unreported(body: Mapping[str, Any], usage: Any, params: Params, account: Account) -> Charge:
    if str(body.get("model") or params["models"][0]).endswith(FREE_SUFFIX):
        return FREE
    prompt, answered = count_of(member(usage, "prompt_tokens")), count_of(member(usage, "completion_tokens"))
    counted = prompt is not None and answered is not None
    prompt = _prompt_tokens(params) if prompt is None else prompt
    answered = params["max_tokens"] if answered is None else answered
    cost = _token_cost(prompt, answered, account)
    return Charge(cost, Decimal(prompt + answered), Basis.COMPUTED if counted else Basis.ASSUMED)


def _prompt_tokens(params: Params) -> int:
    return sum(len(message["content"]) for message in params["messages"]) // _CHARACTERS_PER_TOKEN + 1


def _token_cost(prompt: int, completion: int, account: Account) -> Decimal:
    dear = price_of(account, PROVIDER, "prompt_million"), price_of(account, PROVIDER, "completion_million")
    return (prompt * dear[0] + completion * dear[1]) * MILLIONTH
