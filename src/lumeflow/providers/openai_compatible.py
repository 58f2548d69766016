"""Any endpoint that speaks the chat-completions form: other vendors, gateways, models on one's own machines.

The address comes from the workflow (`params["baseUrl"]`) unless the operator has set one for this provider; then
every call goes there. The operator's key goes to the operator's address only, never to one that a workflow names.
"""

from dataclasses import replace
from decimal import Decimal
from typing import ClassVar

from lumeflow.kit.chat_completions import chat_request, expected_cost, judge_chat, request_rates
from lumeflow.kit.model_prices import PriceList
from lumeflow.plugin import (
    Account,
    HttpRequest,
    HttpResponse,
    Operation,
    Params,
    ProviderDefaults,
    RateHint,
    Repeat,
    Verdict,
)

VENDOR = "The endpoint"
PROVIDER = ProviderDefaults(name="openai-compatible", base_url="", key_name="", concurrency=32)


class Chat(Operation):
    """Ask a model at the endpoint.

    Params: those of `openai/chat`, and `baseUrl`: the endpoint's address up to `/chat/completions`.
    Value: a `Completion`.
    """

    id: ClassVar[str] = "openai-compatible/chat"
    provider: ClassVar[str] = PROVIDER.name
    repeat: ClassVar[Repeat] = Repeat.BOOKED
    timeout: ClassVar[float] = 120.0

    def build(self, params: Params, account: Account) -> HttpRequest:
        """`POST {baseUrl}/chat/completions`.

        Raises:
            NodeError: (VALIDATION) nobody knows what one of the models costs.
        """
        _prices(params, account).need(params["models"])
        if account.base_url:
            return chat_request(params, account, account.base_url, {}, "max_tokens")
        request = chat_request(params, replace(account, key=None), params["baseUrl"], {}, "max_tokens")
        return replace(request, guarded=True)

    def judge(self, params: Params, response: HttpResponse, account: Account) -> Verdict:
        """What the model said and what it cost, or a failure."""
        return judge_chat(VENDOR, params, response, account, _prices(params, account))

    def expected(self, params: Params, account: Account) -> Decimal:
        """From the length of the messages and the limit of the answer."""
        return expected_cost(params, _prices(params, account))

    def rates(self, response: HttpResponse) -> RateHint | None:
        """What the headers say of requests, where the endpoint has OpenAI's."""
        return request_rates(response)


def _prices(params: Params, account: Account) -> PriceList:
    return PriceList(account, params.get("prices") or {}, address=params.get("baseUrl") or account.base_url)
