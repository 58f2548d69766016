"""How an application reaches its vendors: over the network, a simulator's address, or the simulator in process."""

import asyncio
from collections.abc import Awaitable, Callable, Container, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from lumeflow.core.effects import Inheritance, Ledger
from lumeflow.core.errors import AnswerLost, LumeflowError, UsageError
from lumeflow.core.http import HttpRequest, HttpResponse, Transport
from lumeflow.core.journal import Execution, Mode
from lumeflow.core.operation import Params, RateLimit, Repeat
from lumeflow.core.records import JsonObject
from lumeflow.core.registry import Registry
from lumeflow.core.secret import Secret
from lumeflow.gateway import Accounts, AccountSettings, Budget, CallObserver, Gateway, Guard, HttpTransport, Session
from lumeflow.settings import Settings
from lumeflow.storage.jobs import DEFAULT_TENANT
from lumeflow.vault.tenant_secrets import TenantSecrets

if TYPE_CHECKING:
    from lumeflow.simulator import Simulator

SIMULATOR_KEY = "sim-key"
SETTINGS_TIMEOUT = 10.0
UNLIMITED = 1e6
"""Rate scale of the demo's vendors: nobody should wait for a limit in a demonstration."""
LONG_AGO = 86_400.0
"""Seconds since an earlier run of a demonstration, as its vendors see it."""

Asked = Callable[[str, str], Awaitable[Sequence[Params]]]
"""Reads the parameters of the answered calls of an execution, given its id, and of an operation, given its own."""


def simulator_secret(name: str) -> Secret | None:
    """What stands for every key and secret where nothing real is called: the simulated vendors accept it."""
    return Secret(SIMULATOR_KEY)


class Vendors:
    """The gateways of one application: one for real calls, one for demonstrations."""

    def __init__(self, settings: Settings, registry: Registry, transport: Transport, accounts: Accounts) -> None:
        self._settings = settings
        self._registry = registry
        self._transport = transport
        self._accounts = accounts
        self._live = Gateway(registry.operations(), accounts, transport)
        self._demo_accounts = Accounts(registry.providers(), {}, simulator_secret, simulator_secret)
        self._demo = Gateway(registry.operations(), self._demo_accounts, _Nowhere())

    @classmethod
    async def open(cls, settings: Settings, registry: Registry) -> "Vendors":
        """Make the gateway; with a simulator, ask it for the limits of its accounts.

        Raises:
            UsageError: The configuration is not right, or no simulator answers at the address.
        """
        transport = HttpTransport(guard=Guard(settings.allowed_addresses))
        configured = {name: AccountSettings.parse(name, entry) for name, entry in settings.providers.items()}
        if settings.simulator_url is None:
            accounts = Accounts(registry.providers(), configured, settings.provider_key, settings.secret)
            return cls(settings, registry, transport, accounts)
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
        accounts = Accounts(registry.providers(), simulated, simulator_secret, simulator_secret)
        return cls(settings, registry, transport, accounts)

    def is_behind(self) -> bool:
        """True while a vendor's rate, and not this process, sets the pace."""
        return self._live.is_behind

    @property
    def demo_settings(self) -> JsonObject:
        """How the vendors of a demonstration behave that begins now; kept with it, for its resumes."""
        return {"commentsPerUrl": self._settings.demo_comments, "latencyScale": self._settings.demo_latency}

    async def earlier(self, execution: Execution, asked: Asked, inherited: Sequence[str] = ()) -> Sequence[HttpRequest]:
        """The requests of an execution's earlier runs whose work the simulated vendors of a resume must know of.

        Args:
            execution: The execution; of a live one its vendors remember everything themselves.
            asked: Reads the parameters of its answered calls of an operation.
            inherited: Ids of earlier executions whose answers it uses.
        """
        if execution.mode is Mode.LIVE:
            return ()
        requests: list[HttpRequest] = []
        for operation in self._registry.operations().values():
            if operation.repeat is Repeat.LOOK_FIRST:
                account = self._demo_accounts.resolve(operation.provider)
                for execution_id in (*inherited, execution.id):
                    known = await asked(execution_id, operation.id)
                    requests.extend(operation.build(params, account) for params in known)
        return requests

    def session(
        self,
        execution: Execution,
        ledger: Ledger,
        observer: CallObserver,
        budget: Budget | None,
        secrets: TenantSecrets,
        earlier: Sequence[HttpRequest] = (),
        inherited: Inheritance | None = None,
    ) -> Session:
        """The calls of one execution with its tenant's keys; see `earlier` for those that it made before."""
        live = execution.mode is Mode.LIVE
        return (self._live if live else self._demo).session(
            execution_id=execution.id,
            ledger=ledger,
            observer=observer,
            transport=None if live else InProcess(execution.demo, earlier),
            mocks=execution.mocks,
            budget=budget,
            accounts=self._accounts_of(secrets) if self.is_real(execution.mode) else None,
            inherited=inherited,
        )

    def secrets(self, mode: Mode, own: TenantSecrets) -> Callable[[str], Secret | None]:
        """Where secrets that a workflow names come from: no real one goes to a simulator."""
        return own.find if self.is_real(mode) else simulator_secret

    def is_real(self, mode: Mode) -> bool:
        """True if real vendors are called, with real secrets."""
        return mode is Mode.LIVE and self._settings.simulator_url is None

    def _accounts_of(self, secrets: TenantSecrets) -> Accounts:
        owner = "" if secrets.tenant == DEFAULT_TENANT else secrets.tenant
        return self._accounts.of(owner, secrets.key, secrets.find)

    async def close(self) -> None:
        """Let go of connections."""
        await self._live.close()


class InProcess:
    """The vendors of one demonstration: the simulator as a transport, without sockets or network.

    Args:
        settings: How they behave; see `Vendors.demo_settings`.
        earlier: Requests that an earlier run made of vendors that ended with its process.
    """

    def __init__(self, settings: JsonObject, earlier: Sequence[HttpRequest]) -> None:
        self._settings = settings
        self._earlier = earlier
        self._simulator: Simulator | None = None
        self._waking = asyncio.Lock()

    async def send(self, request: HttpRequest, *, timeout: float) -> HttpResponse:  # noqa: ASYNC109 - the port's name
        """Have the simulator answer."""
        simulator = self._simulator or await self._wake()
        try:
            async with asyncio.timeout(timeout):
                return await simulator.handle(request)
        except TimeoutError:
            raise AnswerLost(f"no answer came within {timeout:g} s", timed_out=True) from None

    async def close(self) -> None:
        """Nothing is open."""

    async def _wake(self) -> "Simulator":
        from lumeflow.simulator import RealClock, Simulator, SimulatorSettings

        async with self._waking:
            if self._simulator is None:
                clock = RealClock()
                simulator = Simulator(SimulatorSettings(rate_scale=UNLIMITED).changed(self._settings), clock)
                for request in self._earlier:
                    await simulator.handle(request)
                # What an earlier run has begun, and maybe seen the end of, is over by now.
                clock.skip(LONG_AGO if self._earlier else 0)
                self._simulator = simulator
        return self._simulator


class _Nowhere:
    """The transport of the demo's gateway; each execution brings its own."""

    async def send(self, request: HttpRequest, *, timeout: float) -> HttpResponse:  # noqa: ASYNC109 - the port's name
        """Nothing is sent."""
        raise AssertionError("a demonstration without its vendors")

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
