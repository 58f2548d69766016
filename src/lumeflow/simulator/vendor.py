"""What every simulated vendor is made of. One vendor is one class in one file of `vendors/`."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from lumeflow.simulator.bill import Bill
from lumeflow.simulator.clock import SimulatorClock
from lumeflow.simulator.exchange import HTML_HEADERS, Call, Reply
from lumeflow.simulator.hashing import Dice
from lumeflow.simulator.limits import Limit, Limiter, Refusal
from lumeflow.simulator.settings import KEY_PREFIX, SimulatorSettings


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation of a vendor.

    Attributes:
        id: `provider/name`, as in the bill and in the settings.
        latency: Seconds to an answer, before the settings change it.
        limits: The documented limits of an account.
        per_resource: True if the limits hold for each run, dataset or actor, not for the account.
        paid: True if a call may cost something; refused when the budget is used up.
        polled: True if the same request is repeated by design.
    """

    id: str
    latency: float
    limits: tuple[Limit, ...] = ()
    per_resource: bool = False
    paid: bool = False
    polled: bool = False

    @property
    def provider(self) -> str:
        """The part of the id before the slash."""
        return self.id.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Route:
    """Where a call leads.

    Attributes:
        endpoint: The operation.
        answer: Processes the call; raises `RefusedError` for one that the vendor does not process.
        resource: The run, dataset or actor concerned, where limits hold for each.
    """

    endpoint: Endpoint
    answer: Callable[[Call], Reply]
    resource: str = ""


@dataclass(frozen=True, slots=True)
class OddShape:
    """A documented oddity of a vendor.

    Attributes:
        name: As the bill counts it.
        error: Makes an answer that stands in for the processing: nothing happens, nothing is charged.
        bend: Changes the answer to a processed call; returns None if this oddity does not apply to it.
    """

    name: str
    error: Callable[[Call], Reply] | None = None
    bend: Callable[[Reply], Reply | None] | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a vendor shares with the simulator that it belongs to."""

    settings: SimulatorSettings
    clock: SimulatorClock
    bill: Bill
    limiter: Limiter


class Vendor(ABC):
    """A simulated vendor: routes, keys, answers, and how it says no."""

    name: ClassVar[str]
    endpoints: ClassVar[tuple[Endpoint, ...]]
    caps_calls: ClassVar[bool] = True
    """False for a vendor that limits something else than calls in flight, and does so itself."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._settings = surroundings.settings
        self._clock = surroundings.clock
        self._bill = surroundings.bill
        self._limiter = surroundings.limiter

    @abstractmethod
    def route(self, call: Call) -> tuple[Route, ...]:
        """Where the call leads: nowhere if there is no such path; of several routes, the first open one is taken."""

    @abstractmethod
    def key(self, call: Call) -> str | None:
        """The key that the call carries."""

    @abstractmethod
    def unauthorised(self, call: Call) -> Reply:
        """The answer to a missing or unknown key."""

    @abstractmethod
    def rate_limited(self, call: Call, refusal: Refusal) -> Reply:
        """The answer to one call too many."""

    @abstractmethod
    def exhausted(self, call: Call) -> Reply:
        """The answer when credits or money are used up."""

    @abstractmethod
    def server_error(self, call: Call, status: int) -> Reply:
        """An error of the vendor's own in its own JSON."""

    def odd_shapes(self, endpoint: Endpoint) -> tuple[OddShape, ...]:
        """The documented oddities of an operation."""
        return ()

    def headers(self, route: Route) -> Mapping[str, str]:
        """Headers that every answer to an accepted call carries."""
        return {}

    def settle(self) -> None:  # noqa: B027
        """Book charges that grow with time and not with calls; most vendors have none."""

    def accepts(self, call: Call) -> bool:
        """True if the call carries a key that simulated vendors accept."""
        return (self.key(call) or "").startswith(KEY_PREFIX)

    def html_error(self, status: int) -> Reply:
        """A page from the edge in front of the vendor."""
        reason = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Temporarily Unavailable"}[status]
        page = f"<html><head><title>{status} {reason}</title></head><body><h1>{status} {reason}</h1></body></html>"
        return Reply(status, page.encode(), HTML_HEADERS)

    def dice(self, call: Call, purpose: str) -> Dice:
        """Choices that follow from what is asked for."""
        return Dice(self._settings.seed, self.name, purpose, call.identity)
