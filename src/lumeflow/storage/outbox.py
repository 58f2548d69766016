"""Jobs on the loop's side: when they are handed to the writer's thread, and so how often it commits.

A commit costs a flush of the disk, two wake-ups and some handing over of the interpreter's lock, however many jobs are
in it. So jobs are gathered for as long as it hurts nobody.
"""

import asyncio
from collections.abc import Callable
from enum import IntEnum

from lumeflow.storage.jobs import Job

PACE = 0.015
"""Seconds between two commits under steady load; see `Outbox`."""

RELAXED = 3
"""Paces between two commits while nobody is in a hurry."""

BURST = 8
"""Commits that follow each other without waiting, after a rest of as many paces."""

FEW = 1
"""Jobs at most that a wait of half a pace or more has gathered in vain."""

LINGER = 0.05
"""Seconds after which jobs that nobody waits for are handed over alone."""


class Urgency(IntEnum):
    """How soon a job is handed over. Whatever waits goes along with it, in order."""

    LAZY = 1
    """Nobody waits: with the next commit, or after `LINGER` seconds."""
    PACED = 2
    """Somebody waits, one of many: at once after a rest, at the pace under load."""
    NOW = 3
    """All of something waits: at the end of this turn of the loop."""


class Outbox:
    """Gathers jobs of one event loop.

    Args:
        hand_over: Takes the jobs that have gathered, in order of submission.
        pace: Seconds between two commits under steady load, once the first `BURST` have gone out at once; 0 for none.
            At a few hundred calls a second nearly every claim and every answer would otherwise get a commit of its
            own: 10 ms take 30 % off the storage's part of the processor time, 15 ms 40 %, 20 ms half. A paced job
            waits for half of the pace on average, so a call, which claims and stores, for all of it. Where waiting
            gathers nobody else, because calls are made one after the other, it is left off for another burst.
    """

    def __init__(self, hand_over: Callable[[list[Job]], None], *, pace: float = PACE) -> None:
        self._hand_over = hand_over
        self._pace = pace
        self._credit = pace * (BURST - 1)
        self._loop = asyncio.get_running_loop()
        self._jobs: list[Job] = []
        self._planned = 0
        self._handle: asyncio.Handle | None = None
        self._booked_until = 0.0
        self._wait = 0.0
        self.is_relaxed: Callable[[], bool] = lambda: False

    def add(self, job: Job, urgency: Urgency) -> None:
        """Take a job; it is handed over as soon as its urgency asks for."""
        self._jobs.append(job)
        if urgency > self._planned:
            self._plan(urgency)

    def ship(self) -> None:
        """Hand over what has gathered."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._planned = 0
        if not self._jobs:
            return
        jobs, self._jobs = self._jobs, []
        # Every commit books one pace; a rest of n paces lets n commits, up to the burst, follow without waiting.
        now = self._loop.time()
        in_vain = self._wait >= self._pace / 2 > 0 and len(jobs) <= FEW
        booked = now if in_vain else min(max(self._booked_until, now), now + self._credit)
        self._booked_until = booked + self._pace * (RELAXED if self.is_relaxed() else 1)
        self._wait = 0.0
        self._hand_over(jobs)

    def _plan(self, urgency: Urgency) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._planned = urgency
        now = self._loop.time()
        at = self._due(urgency, now)
        self._wait = at - now if urgency is Urgency.PACED else 0.0
        # At the end of this turn at the earliest: what is submitted by one turn shares a commit.
        self._handle = self._loop.call_soon(self.ship) if at <= now else self._loop.call_at(at, self.ship)

    def _due(self, urgency: Urgency, now: float) -> float:
        if urgency is Urgency.NOW:
            return now
        if urgency is Urgency.LAZY:
            return now + LINGER
        return self._booked_until - self._credit
