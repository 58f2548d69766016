"""OpenAI: chat completions, priced by their tokens.

A used-up balance comes as a 429 that no waiting mends; a parameter that a model does not take, as a 400 that names it.
"""

from decimal import Decimal
from typing import ClassVar

from lumeflow.kit.models.chat_completions import chat_request, expected_cost, judge_chat, request_rates
from lumeflow.kit.models.prices import PriceList
from lumeflow.plugin import (
    Account,
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

VENDOR = "OpenAI"
PROVIDER = ProviderDefaults(name="openai", base_url="https://api.openai.com", key_name="OPENAI_API_KEY")


class Chat(Operation):
    """Ask a model.

    Params: `models` (the first is asked; the others, which a block asks if it fails, must have a price as well),
    `messages`, `max_tokens`; where wanted `temperature`, `schema` with `schemaName` (JSON Schema of the answer) or
    `json` (any JSON object), `otherLimit` (call the limit `max_tokens`), `prices` (USD per million, by kind), and
    `again` (a number: the same question once more).
    Value: a `Completion`.
    """

    id: ClassVar[str] = "openai/chat"
    provider: ClassVar[str] = PROVIDER.name
    repeat: ClassVar[Repeat] = Repeat.BOOKED
    # The smallest paid account; the answers' headers name the real limit.
    limits: ClassVar[tuple[RateLimit, ...]] = (RateLimit(500, 60.0),)
    timeout: ClassVar[float] = 120.0

    def build(self, params: Params, account: Account) -> HttpRequest:
        """`POST /v1/chat/completions`.

        Raises:
            NodeError: (VALIDATION) nobody knows what one of the models costs.
        """
        _prices(params, account).need(params["models"])
        return chat_request(params, account, f"{account.base_url}/v1", {}, "max_completion_tokens")

    def judge(self, params: Params, response: HttpResponse, account: Account) -> Verdict:
        """What the model said and what it cost, or a failure."""
        return judge_chat(VENDOR, params, response, account, _prices(params, account))

    def expected(self, params: Params, account: Account) -> Decimal:
        """From the length of the messages and the limit of the answer."""
        return expected_cost(params, _prices(params, account))

    def rates(self, response: HttpResponse) -> RateHint | None:
        """What the headers say of requests; a pause if requests or tokens are used up."""
        return request_rates(response)


def _prices(params: Params, account: Account) -> PriceList:
    return PriceList(account, params.get("prices") or {}, vendor=PROVIDER.name)
