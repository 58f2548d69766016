"""Any endpoint that speaks the chat-completions form: other vendors, gateways, models on one's own machines.

The address comes from the workflow (`params["baseUrl"]`), and its key as the name of a secret; unless the operator has
set an address for this provider: then every call goes there. The operator's key goes to the operator's address only,
never to one that a workflow names.
"""

from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import ClassVar
from urllib.parse import urlsplit

from lumeflow.kit.http.sealing import Unsealing
from lumeflow.kit.models.chat_completions import chat_request, expected_cost, judge_chat, request_rates
from lumeflow.kit.models.prices import PriceList
from lumeflow.plugin import (
    Account,
    ErrorClass,
    HttpRequest,
    HttpResponse,
    NodeError,
    Operation,
    Params,
    ProviderDefaults,
    RateHint,
    Repeat,
    Secret,
    Terms,
    Verdict,
)

VENDOR = "The endpoint"
PROVIDER = ProviderDefaults(name="openai-compatible", base_url="", key_name="", concurrency=32)


class Chat(Operation):
    """Ask a model at the endpoint.

    Params: those of `openai/chat`, `baseUrl` (the endpoint's address up to `/chat/completions`), and where it wants a
    key, `apiKey` (as in the workflow, `{{secrets.NAME}}`).
    Value: a `Completion`.
    """

    id: ClassVar[str] = "openai-compatible/chat"
    provider: ClassVar[str] = PROVIDER.name
    repeat: ClassVar[Repeat] = Repeat.BOOKED
    timeout: ClassVar[float] = 120.0

    def build(self, params: Params, account: Account) -> HttpRequest:
        """`POST {baseUrl}/chat/completions`.

        Raises:
            NodeError: (VALIDATION) nobody knows what one of the models costs; (AUTH) the secret is not configured.
        """
        _prices(params, account).need(params["models"])
        unsealing = Unsealing(partial(_secret, account))
        own = Secret(unsealing.text(params["apiKey"])) if "apiKey" in params else None
        if account.base_url:
            request = chat_request(params, replace(account, key=account.key or own), account.base_url, {}, "max_tokens")
        else:
            request = chat_request(params, replace(account, key=own), params["baseUrl"], {}, "max_tokens")
        return replace(request, guarded=not account.base_url, secrets=tuple(unsealing.used))

    def terms(self, params: Params, account: Account) -> Terms:
        """An account for each host, unless the operator has set one address for all; limits also for each key."""
        host = urlsplit(params.get("baseUrl", "")).netloc.lower()
        name = account.name if account.base_url or not host else f"{account.name}:{host}"
        lane = " ".join(filter(None, (name, params.get("apiKey"), account.lane)))
        return Terms(replace(account, name=name, lane=lane), self.repeat, self.writes, params)

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


def _secret(account: Account, name: str) -> Secret:
    found = account.secret(name)
    if found is None:
        raise NodeError(ErrorClass.AUTH, f"the secret '{name}' is not configured", field="apiKey")
    return found
