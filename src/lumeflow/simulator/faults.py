"""The fault plan: which attempt of which request fails, and how. It follows from the seed alone."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from lumeflow.simulator.hashing import Dice

MOST_IN_A_ROW = 2
"""A request fails at most so many times one after the other, so that a client that retries twice gets through."""


class FaultKind(StrEnum):
    """How an attempt can fail."""

    RATE_LIMIT = "rate_limit"
    """The vendor's own rate-limit answer, although no limit is exceeded."""
    SERVER_ERROR = "server_error"
    """500, 502 or 503 in the vendor's own JSON."""
    HTML_ERROR = "html_error"
    """500, 502 or 503 with a page from the edge."""
    HANG = "hang"
    """Processed; no answer for `fault_hang` seconds, then the connection is cut."""
    CUT_ANSWER = "cut_answer"
    """Processed; the connection is cut in the middle of the answer."""
    CUT_CONNECTION = "cut_connection"
    """Processed; the connection is cut before the first byte of the answer."""
    MALFORMED = "malformed"
    """Processed; the answer keeps its status, but its JSON stops in the middle."""
    ODD_SHAPE = "odd_shape"
    """One of the vendor's documented oddities, such as an error with status 200."""
    SOFT_ERROR_ITEM = "soft_error_item"
    """A post gives an error item in place of its comments. Not among the default kinds: no retry brings them back."""


ANSWERED_WITH_ERROR = frozenset({FaultKind.RATE_LIMIT, FaultKind.SERVER_ERROR, FaultKind.HTML_ERROR})
"""Kinds that stand in for the processing: nothing happens and nothing is charged."""

LOSES_ANSWER = frozenset({FaultKind.HANG, FaultKind.CUT_ANSWER, FaultKind.CUT_CONNECTION, FaultKind.MALFORMED})
"""Kinds where the call is processed and charged, but its answer cannot be read."""

DEFAULT_FAULT_KINDS = tuple(kind for kind in FaultKind if kind is not FaultKind.SOFT_ERROR_ITEM)

_DRAWN_ELSEWHERE = frozenset({FaultKind.SOFT_ERROR_ITEM})


@dataclass(frozen=True, slots=True)
class Fault:
    """One injected fault.

    Attributes:
        kind: How the attempt fails.
        variant: Number from which the details follow, such as which 5xx status.
    """

    kind: FaultKind
    variant: int


@dataclass(slots=True)
class _History:
    attempt: int = 0
    in_a_row: int = 0


class FaultPlan:
    """Draws faults. Remembers a request only while it is failing, so that memory follows faults, not calls."""

    def __init__(self, seed: int, rate: float, kinds: Collection[FaultKind]) -> None:
        """Plan faults.

        Args:
            seed: The plan follows from it.
            rate: Share of attempts that fail.
            kinds: Kinds to choose from; one that occurs twice comes twice as often.
        """
        self._seed = seed
        self._rate = rate
        self._kinds = tuple(kind for kind in kinds if kind not in _DRAWN_ELSEWHERE)
        self._without_odd = tuple(kind for kind in self._kinds if kind is not FaultKind.ODD_SHAPE)
        self._histories: dict[int, _History] = {}

    def draw(self, key: int, *, odd_shapes: bool, polled: bool) -> Fault | None:
        """Decide about the next attempt of a request.

        Args:
            key: The request's hash.
            odd_shapes: True if the vendor has odd shapes for this operation.
            polled: True for a request that is repeated by design: its attempts are counted also while all goes well,
                or a poll that was spared once would be spared for ever.
        """
        kinds = self._kinds if odd_shapes else self._without_odd
        if not self._rate or not kinds:
            return None
        history = self._histories.get(key) or _History()
        dice = Dice(self._seed, "fault", f"{key:016x}", str(history.attempt))
        fails = history.in_a_row < MOST_IN_A_ROW and dice.chance(self._rate)
        history.attempt += 1
        history.in_a_row = history.in_a_row + 1 if fails else 0
        if fails or polled:
            self._histories[key] = history
        else:
            self._histories.pop(key, None)
        return Fault(dice.pick(kinds), dice.below(1 << 32)) if fails else None

    def remembered(self) -> int:
        """Requests that are being remembered."""
        return len(self._histories)
