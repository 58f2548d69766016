"""What the gateway tells of a call while it is made; the engine turns it into counts and events."""

from decimal import Decimal
from typing import Protocol

from lumeflow.core.errors import ErrorClass
from lumeflow.core.money import Charge


class CallObserver(Protocol):
    """Called on the event loop, often: every method must return at once and never raise."""

    def sent(self, node_id: str, account: str) -> None:
        """A request is being written."""
        ...

    def answered(self, node_id: str, account: str, charge: Charge, duration: float) -> None:
        """A usable answer is stored; `duration` in seconds from writing the request to the answer's last byte."""
        ...

    def replayed(self, node_id: str) -> None:
        """No call was needed: the ledger, or an identical call in flight, had the answer."""
        ...

    def retried(self, node_id: str, error_class: ErrorClass, attempt: int, delay: float) -> None:
        """Attempt number `attempt` failed; the next one starts in `delay` seconds, or as its rate allows."""
        ...

    def rate_limited(self, node_id: str, account: str, pause: float) -> None:
        """Calls wait for their rate for about `pause` seconds: a refusal, or a limit that is used up."""
        ...

    def doubtful(self, node_id: str, operation: str, price: Decimal) -> None:
        """An answer was lost, so the repetition is possibly paid a second time, at about `price`."""
        ...

    def circuit_opened(self, node_id: str, account: str, pause: float) -> None:
        """The vendor seems to be down: all calls wait, the first tries again after `pause` seconds."""
        ...

    def failed(self, node_id: str, operation: str, error_class: ErrorClass, message: str) -> None:
        """A call failed for good."""
        ...


class SilentObserver:
    """Notes nothing."""

    def sent(self, node_id: str, account: str) -> None:
        """See `CallObserver.sent`."""

    def answered(self, node_id: str, account: str, charge: Charge, duration: float) -> None:
        """See `CallObserver.answered`."""

    def replayed(self, node_id: str) -> None:
        """See `CallObserver.replayed`."""

    def retried(self, node_id: str, error_class: ErrorClass, attempt: int, delay: float) -> None:
        """See `CallObserver.retried`."""

    def rate_limited(self, node_id: str, account: str, pause: float) -> None:
        """See `CallObserver.rate_limited`."""

    def doubtful(self, node_id: str, operation: str, price: Decimal) -> None:
        """See `CallObserver.doubtful`."""

    def circuit_opened(self, node_id: str, account: str, pause: float) -> None:
        """See `CallObserver.circuit_opened`."""

    def failed(self, node_id: str, operation: str, error_class: ErrorClass, message: str) -> None:
        """See `CallObserver.failed`."""
