"""The gateway: the one door through which every outgoing call of the process goes."""

from collections.abc import Mapping
from itertools import count
from typing import Any

from lumeflow.core.clock import Clock, SystemClock
from lumeflow.core.effects import Inheritance, Ledger
from lumeflow.core.http import Transport
from lumeflow.core.operation import Operation
from lumeflow.gateway.accounts import Accounts
from lumeflow.gateway.budget import Budget
from lumeflow.gateway.call import Surroundings
from lumeflow.gateway.caution import LONGEST_PAUSE
from lumeflow.gateway.lanes import Lanes, LaneSettings
from lumeflow.gateway.mocks import Mocks
from lumeflow.gateway.observer import CallObserver
from lumeflow.gateway.rates import MARGIN
from lumeflow.gateway.session import Session
from lumeflow.gateway.tokens import Tokens

BACKLOG = 64
"""Waiting calls of one operation that show that its rate sets the pace."""


class Gateway:
    """Shared by all executions of a process, and so are its rate limits, permits and circuit breakers.

    Waits are measured by the running event loop's clock.

    Args:
        operations: All operations by id.
        accounts: How providers are reached.
        transport: What sends real calls.
        clock: The real time, for what is written down.
        limited: False for vendors that are simulated in process: no rate limits are kept, and keys are not needed.
        margin: Seconds added to every rate window, against jitter on the way.
        longest_pause: Longest wait in seconds that a vendor may ask for; beyond, its calls fail at once.

    Raises:
        UsageError: Limits are configured for an operation that does not exist.
    """

    def __init__(
        self,
        operations: Mapping[str, Operation],
        accounts: Accounts,
        transport: Transport,
        *,
        clock: Clock | None = None,
        limited: bool = True,
        margin: float = MARGIN,
        longest_pause: float = LONGEST_PAUSE,
    ) -> None:
        accounts.check_limits(operations)
        self._operations = operations
        self._accounts = accounts
        self._transport = transport
        self._clock = clock or SystemClock()
        self._limited = limited
        self._longest_pause = longest_pause
        self._lanes = Lanes(LaneSettings(limited=limited, margin=margin, longest_pause=longest_pause))
        self._tickets = count()
        self._tokens = Tokens()

    def session(
        self,
        *,
        execution_id: str,
        ledger: Ledger,
        observer: CallObserver,
        transport: Transport | None = None,
        mocks: Mapping[str, Any] | None = None,
        budget: Budget | None = None,
        accounts: Accounts | None = None,
        inherited: Inheritance | None = None,
    ) -> Session:
        """Open the gateway for one execution; end it with `Session.drain`.

        Args:
            execution_id: The execution.
            ledger: Its memory of effects, bound to this owner.
            observer: Told of everything that happens to its calls.
            transport: Demo mode: answers in the vendors' place, without keys and rate limits. None for real calls.
            mocks: Answers by node id, operation id or provider name; they go before the transport.
            budget: Its limits on calls and money; None for none.
            accounts: How providers are reached by whom it belongs to; None for the gateway's own.
            inherited: Answers of earlier executions that it may use; None for none.

        Raises:
            UsageError: The mocks name an operation that does not exist.
        """
        demo = transport is not None
        return Session(
            execution_id=execution_id,
            operations=self._operations,
            accounts=accounts or self._accounts,
            around=Surroundings(ledger, observer, budget, self._clock, Tokens() if demo else self._tokens, inherited),
            transport=transport or self._transport,
            lanes=Lanes(LaneSettings(limited=False)) if demo else self._lanes,
            real=self._limited and not demo,
            mocks=Mocks(mocks or {}, self._operations),
            next_ticket=self._tickets.__next__,
            longest_wait=self._longest_pause,
        )

    @property
    def is_behind(self) -> bool:
        """True while a vendor's rate holds up so many calls that nothing else in the process is urgent."""
        return self._lanes.longest_queue >= BACKLOG

    async def close(self) -> None:
        """Close the connections. Drain the sessions first."""
        await self._transport.close()
