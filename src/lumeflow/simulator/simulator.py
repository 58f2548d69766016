"""The door to all simulated vendors, and the three calls that are about the simulator itself."""

from collections.abc import Mapping
from typing import Any

from lumeflow.core.errors import UsageError
from lumeflow.core.http import HttpRequest, HttpResponse
from lumeflow.simulator.clock import RealClock, SimulatorClock
from lumeflow.simulator.exchange import Call, json_reply
from lumeflow.simulator.service import Service
from lumeflow.simulator.settings import SimulatorSettings

_OWN_PATHS = "GET /_simulator/bill, GET /_simulator/settings, POST /_simulator/reset"


class Simulator:
    """All simulated vendors behind one door. Data follow from the seed; time comes from one clock."""

    def __init__(self, settings: SimulatorSettings | None = None, clock: SimulatorClock | None = None) -> None:
        """Start with an empty bill.

        Args:
            settings: How the vendors behave; by default they treat the caller as a paying customer.
            clock: Real time if not given.

        Raises:
            UsageError: The settings name a provider or an operation that does not exist.
        """
        self._clock = clock or RealClock()
        self._service = Service(settings or SimulatorSettings(), self._clock)

    @property
    def settings(self) -> SimulatorSettings:
        """The settings in force."""
        return self._service.settings

    async def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer a request; scheme and host of its address do not count.

        Raises:
            AnswerCut: The fault plan lets the answer get lost; the call was processed, and charged if it is a paid one.
        """
        call = Call(request)
        if call.path.startswith("/_simulator/"):
            return self._administer(call)
        return await self._service.serve(call)

    def bill(self) -> dict[str, Any]:
        """What `GET /_simulator/bill` answers."""
        return self._service.bill()

    def reset(self, changes: Mapping[str, Any] | None = None) -> None:
        """Forget everything that happened; optionally go on with other settings, named as in JSON.

        Calls still in flight end on the old bill.

        Raises:
            UsageError: A change cannot be read; nothing was forgotten.
        """
        self._service = Service(self.settings.changed(changes or {}), self._clock)

    def _administer(self, call: Call) -> HttpResponse:
        match call.method, call.path:
            case "GET", "/_simulator/bill":
                return json_reply(self.bill()).response()
            case "GET", "/_simulator/settings":
                return json_reply(self._service.account()).response()
            case "POST", "/_simulator/reset":
                return self._reset(call)
        return json_reply({"error": f"no such path; there are {_OWN_PATHS}"}, 404).response()

    def _reset(self, call: Call) -> HttpResponse:
        if call.body and not isinstance(call.json, dict):
            return json_reply({"error": "the body must be a JSON object of settings, or empty"}, 400).response()
        try:
            self.reset(call.json if call.body else None)
        except UsageError as error:
            return json_reply({"error": str(error)}, 400).response()
        return json_reply(self._service.account()).response()
