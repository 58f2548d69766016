"""How an application reaches its vendors: over the network, a simulator's address, or the simulator in process."""

import asyncio
from collections.abc import Container
from typing import TYPE_CHECKING, Any

import orjson

from lumeflow.core.effects import Ledger
from lumeflow.core.errors import AnswerLost, LumeflowError, UsageError
from lumeflow.core.http import HttpRequest, HttpResponse, Transport
from lumeflow.core.journal import Execution, Mode
from lumeflow.core.operation import RateLimit
from lumeflow.core.registry import Registry
from lumeflow.core.secret import Secret
from lumeflow.gateway import Accounts, AccountSettings, Budget, CallObserver, Gateway, Guard, HttpTransport, Session
from lumeflow.settings import Settings

if TYPE_CHECKING:
    from lumeflow.simulator import Simulator

SIMULATOR_KEY = "sim-key"
SETTINGS_TIMEOUT = 10.0
UNLIMITED = 1e6
"""Rate scale of the demo's vendors: nobody should wait for a limit in a demonstration."""


class Vendors:
    """The gateways of one application: one for real calls, one for demo mode, made when it is first needed."""

    def __init__(self, settings: Settings, registry: Registry, transport: Transport, accounts: Accounts) -> None:
        self._settings = settings
        self._registry = registry
        self._transport = transport
        self._live = Gateway(registry.operations(), accounts, transport)
        self._demo: Gateway | None = None
        self._demo_transport: InProcess | None = None

    @classmethod
    async def open(cls, settings: Settings, registry: Registry) -> "Vendors":
        """Make the gateway; with a simulator, ask it for the limits of its accounts.

        Raises:
            UsageError: The configuration is not right, or no simulator answers at the address.
        """
        transport = HttpTransport(guard=Guard(settings.allowed_addresses))
        configured = {name: AccountSettings.parse(name, entry) for name, entry in settings.providers.items()}
        if settings.simulator_url is None:
            return cls(settings, registry, transport, Accounts(registry.providers(), configured, settings.provider_key))
        url = settings.simulator_url.rstrip("/")
        try:
            limits = await _simulator_limits(transport, url, registry.operations())
        except BaseException:
            await transport.close()
            raise
        simulated = {
            name: AccountSettings(
                base_url=url,
                limits={operation: entry for operation, entry in limits.items() if operation.startswith(name + "/")},
            )
            for name in registry.providers()
        }
        accounts = Accounts(registry.providers(), simulated, lambda name: Secret(SIMULATOR_KEY))
        return cls(settings, registry, transport, accounts)

    def session(self, execution: Execution, ledger: Ledger, observer: CallObserver, budget: Budget | None) -> Session:
        """The calls of one execution."""
        live = execution.mode is Mode.LIVE
        gateway = self._live if live else self._demo_gateway()
        return gateway.session(
            execution_id=execution.id,
            ledger=ledger,
            observer=observer,
            transport=None if live else self._demo_transport,
            mocks=execution.mocks,
            budget=budget,
        )

    async def close(self) -> None:
        """Let go of connections."""
        await self._live.close()

    def _demo_gateway(self) -> Gateway:
        if self._demo is None:
            from lumeflow.simulator import Simulator, SimulatorSettings

            settings = SimulatorSettings(
                latency_scale=self._settings.demo_latency,
                comments_per_url=self._settings.demo_comments,
                rate_scale=UNLIMITED,
            )
            self._demo_transport = InProcess(Simulator(settings))
            accounts = Accounts(self._registry.providers(), {}, lambda name: Secret(SIMULATOR_KEY))
            self._demo = Gateway(self._registry.operations(), accounts, self._demo_transport)
        return self._demo


class InProcess:
    """The simulator as a transport: no sockets, no network."""

    def __init__(self, simulator: "Simulator") -> None:
        self._simulator = simulator

    async def send(self, request: HttpRequest, *, timeout: float) -> HttpResponse:  # noqa: ASYNC109 - the port's name
        """Have the simulator answer."""
        try:
            async with asyncio.timeout(timeout):
                return await self._simulator.handle(request)
        except TimeoutError:
            raise AnswerLost(f"no answer came within {timeout:g} s", timed_out=True) from None

    async def close(self) -> None:
        """Nothing is open."""


async def _simulator_limits(transport: Transport, url: str, known: Container[str]) -> dict[str, tuple[RateLimit, ...]]:
    try:
        answer = await transport.send(HttpRequest("GET", f"{url}/_simulator/settings"), timeout=SETTINGS_TIMEOUT)
        by_provider: dict[str, Any] = orjson.loads(answer.body)["limits"]
    except (LumeflowError, ValueError, KeyError, TypeError) as error:
        reason = str(error) if isinstance(error, LumeflowError) else "what answers there is no simulator"
        raise UsageError(
            f"no simulator answers at {url} ({reason}): start one with `lumeflow simulate --port N`"
        ) from error
    return {
        operation: tuple(RateLimit(limit["calls"], limit["seconds"]) for limit in limits)
        for operations in by_provider.values()
        for operation, limits in operations.items()
        if operation in known
    }
