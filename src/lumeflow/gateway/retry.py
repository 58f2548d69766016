"""Whether a call that failed is made again, and when. Pure decisions, the same in every run."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from lumeflow.core.errors import ErrorClass
from lumeflow.core.operation import Repeat

TRANSIENT = frozenset(
    {
        ErrorClass.TIMEOUT,
        ErrorClass.RATE_LIMIT,
        ErrorClass.SERVER_ERROR,
        ErrorClass.NETWORK,
        ErrorClass.INVALID_RESPONSE,
    }
)
"""Classes that may be gone at the next attempt; the others never are, unless the vendor says so itself."""

MOST_REFUSALS = 20
"""Rate-limit refusals of one call; they don't count as retries, since the vendor did no work."""
MOST_UNSTARTED = 5
"""Lost starts of one call of which the vendor knows nothing."""
FREE_RETRIES = 3
"""Fewest retries of what costs nothing to repeat."""


class RetryPolicy(Protocol):
    """What a node's `retryConfig` says."""

    @property
    def max_retries(self) -> int: ...  # noqa: D102

    @property
    def backoff_multiplier(self) -> float: ...  # noqa: D102

    @property
    def initial_delay(self) -> float:
        """Milliseconds."""
        ...

    @property
    def max_delay(self) -> float:
        """Milliseconds."""
        ...

    @property
    def jitter(self) -> float:
        """Most of the delay that may be taken off, 0 to 1."""
        ...

    @property
    def retryable_errors(self) -> Collection[ErrorClass]: ...  # noqa: D102


class Ending(Enum):
    """How an attempt failed."""

    REFUSED = "refused"
    """The vendor answered with an error."""
    UNSENT = "unsent"
    """The vendor never saw the request."""
    LOST = "lost"
    """The answer did not arrive, or was paid for and unusable."""
    EXPIRED = "expired"
    """The vendor refused the call for its token; it is made again with another one, at once and uncounted."""
    UNSTARTED = "unstarted"
    """The answer did not arrive, and the vendor knows of no such call."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A failed attempt.

    Attributes:
        ending: How it failed.
        error_class: Its class.
        message: One sentence for the operator.
        status: HTTP status, if there was an answer.
        retry_after: Seconds that the vendor asks to wait.
        retryable: Whether a retry can help, if that is known: by the vendor's own word, say.
    """

    ending: Ending
    error_class: ErrorClass
    message: str
    status: int | None = None
    retry_after: float | None = None
    retryable: bool | None = None


class Retries:
    """The retries of one call.

    Args:
        policy: The node's policy.
        repeat: What the operation allows.
        seed: Bytes from which the jitter follows; those of the effect's key, so that runs can be compared.
        longest_wait: Longest wait in seconds that a vendor may ask for.
        most_lost: Most repetitions after lost answers, where the operation allows fewer than the policy.
    """

    __slots__ = (
        "_longest_wait",
        "_lost",
        "_most_lost",
        "_policy",
        "_refusals",
        "_repeat",
        "_seed",
        "_tries",
        "_unstarted",
    )

    def __init__(
        self,
        policy: RetryPolicy,
        repeat: Repeat,
        seed: bytes,
        longest_wait: float,
        most_lost: int | None = None,
    ) -> None:
        self._policy = policy
        self._repeat = repeat
        self._seed = seed
        self._longest_wait = longest_wait
        self._most_lost = most_lost
        self._lost = 0
        self._tries = 0
        self._refusals = 0
        self._unstarted = 0

    def after(self, problem: Problem) -> float | None:
        """Seconds to wait before the next attempt; None to give up."""
        if not self._allowed(problem) or (problem.retry_after or 0.0) > self._longest_wait:
            return None
        if problem.ending is Ending.UNSTARTED:
            self._unstarted += 1
            return self._delay(self._unstarted, None) if self._unstarted <= MOST_UNSTARTED else None
        if problem.error_class is ErrorClass.RATE_LIMIT and problem.ending is Ending.REFUSED:
            self._refusals += 1
            return self._delay(self._refusals, problem.retry_after) if self._refusals <= MOST_REFUSALS else None
        self._tries += 1
        self._lost += problem.ending is Ending.LOST
        if self._most_lost is not None and self._lost > self._most_lost:
            return None
        if self._tries > self._most(problem):
            return None
        return self._delay(self._tries, problem.retry_after)

    def _allowed(self, problem: Problem) -> bool:
        if problem.retryable is not None and not (problem.ending is Ending.LOST and self._repeat is Repeat.NEVER):
            return problem.retryable
        if problem.ending in (Ending.UNSENT, Ending.UNSTARTED):
            return True
        if self._repeat is Repeat.NEVER:
            # Only who is told that the rate is exceeded knows that nothing was done.
            return problem.ending is Ending.REFUSED and problem.error_class is ErrorClass.RATE_LIMIT
        if problem.error_class not in TRANSIENT:
            return False
        # What costs nothing to repeat loses nothing by it either, so the list of classes, which is there to protect
        # from paying twice, does not concern it.
        return self._repeat is Repeat.FREE or problem.error_class in self._policy.retryable_errors

    def _most(self, problem: Problem) -> int:
        if self._repeat is Repeat.FREE or problem.ending is Ending.UNSENT:
            return max(self._policy.max_retries, FREE_RETRIES)
        return self._policy.max_retries

    def _delay(self, attempt: int, retry_after: float | None) -> float:
        policy = self._policy
        random = self._random(attempt)
        if retry_after is not None:
            return retry_after * (1.0 + 0.1 * policy.jitter * random)
        growth = min(float(policy.backoff_multiplier), 1000.0) ** min(attempt - 1, 64)
        delay = min(float(policy.initial_delay) * growth, float(policy.max_delay))
        return delay * (1.0 - policy.jitter * random) / 1000.0

    def _random(self, attempt: int) -> float:
        digest = hashlib.blake2b(self._seed + attempt.to_bytes(4, "big"), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64
