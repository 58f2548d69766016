"""A desk that answers a block's calls by the real operations: from scripted vendor answers, or from the simulator."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson

from lumeflow.core.effects import canonical_json
from lumeflow.core.http import HttpRequest, HttpResponse
from lumeflow.core.operation import Account, Answer, Operation, Params, ProviderDefaults, Response
from lumeflow.core.secret import Secret
from lumeflow.plugin import CallError, Failure
from lumeflow.prompts import PromptLibrary
from lumeflow.providers import (
    anthropic,
    apify,
    apollo,
    hunter,
    meta_ads,
    mixedbread,
    openai,
    openai_compatible,
    openrouter,
)
from lumeflow.simulator import Simulator, SimulatorSettings
from lumeflow.testing import MemoryContext

MODULES = (anthropic, apify, apollo, hunter, meta_ads, mixedbread, openai, openai_compatible, openrouter)
OPERATIONS: dict[str, Operation] = {
    member.id: member()
    for module in MODULES
    for member in vars(module).values()
    if isinstance(member, type) and issubclass(member, Operation) and "id" in vars(member)
}


def account(provider: ProviderDefaults | str, **changes: Any) -> Account:
    """An account with the provider's defaults and a key that the simulator accepts."""
    name = provider if isinstance(provider, str) else provider.name
    defaults = next(module.PROVIDER for module in MODULES if module.PROVIDER.name == name)
    given = {"base_url": defaults.base_url, "key": Secret("sim-key"), "key_name": defaults.key_name, **changes}
    return Account(name=name, provider=name, **given)


def reply(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """A vendor's answer; text and bytes go out as they are, anything else as JSON."""
    raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else orjson.dumps(body)
    return HttpResponse(status, headers or {}, raw)


Script = Callable[[HttpRequest], HttpResponse] | Sequence[HttpResponse]


@dataclass
class Desk:
    """Sends requests to a script or to the simulator and remembers what the ledger would remember.

    Attributes:
        script: Answers in the order of the requests, or a function of the request; None for the simulator.
        simulator: The simulator.
        sent: All requests that went out.
        stored: Raw answers of settled calls by operation and parameters: what a resume finds.
        charged: What they cost.
        refused: Failures on the way, by class.
    """

    script: Script | None = None
    simulator: Simulator = field(default_factory=lambda: Simulator(SimulatorSettings(latency_scale=0)))
    sent: list[HttpRequest] = field(default_factory=list)
    stored: dict[bytes, HttpResponse] = field(default_factory=dict)
    charged: Decimal = Decimal(0)
    refused: list[Failure] = field(default_factory=list)

    async def call(self, operation_id: str, params: Params) -> Response:
        """Call once; a failure is raised as the gateway would raise it after its retries."""
        operation = OPERATIONS[operation_id]
        owner = account(operation.provider)
        key = canonical_json([operation_id, params])
        replayed = key in self.stored
        response = self.stored[key] if replayed else await self.send(operation.build(params, owner))
        verdict = operation.judge(params, response, owner)
        if isinstance(verdict, Failure):
            self.refused.append(verdict)
            raise CallError(verdict.error_class, verdict.message, operation=operation_id, status=response.status)
        if verdict.settled and operation.remembered and not replayed:
            self.stored[key] = response
            self.charged += verdict.charge.amount
        return Response(verdict.value, verdict.charge, replayed)

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send one request."""
        self.sent.append(request)
        if self.script is None:
            return await self.simulator.handle(request)
        if callable(self.script):
            return self.script(request)
        return self.script[len(self.sent) - 1]


@dataclass(slots=True)
class DeskContext(MemoryContext):
    """The context of a block under test; its calls go over the desk."""

    desk: Desk = field(default_factory=Desk)

    async def call(self, operation: str, params: Params) -> Response:
        """Ask the desk."""
        self.calls.append((operation, params))
        return await self.desk.call(operation, params)

    async def charged(self) -> Decimal:
        """What the desk was charged."""
        return self.desk.charged


def context(script: Script | None = None, **more: Any) -> DeskContext:
    """A context with the installed prompts."""
    desk = more.pop("desk", None) or Desk(script)
    return DeskContext(desk=desk, library=more.pop("library", PromptLibrary()), **more)


def judged(operation_id: str, response: HttpResponse, params: Params | None = None, **changes: Any) -> Answer | Failure:
    """What an operation makes of an answer."""
    operation = OPERATIONS[operation_id]
    return operation.judge(params or {}, response, account(operation.provider, **changes))
