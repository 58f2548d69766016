"""Many executions submitted at once over HTTP by two tenants, while somebody keeps asking where they stand.

Status requests go out at a fixed pace, whether or not answers come: what waits does not hide how long others would have.
"""

import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.served import EXECUTE, EXECUTIONS, INPUT, Served, percentile, say, serving
from benchmarks.wire import Answer, Request, Wire
from lumeflow.workflows import DEMO_AUDIENCE

CROWD = {"large": 150, "small": 50}
"""Executions of each tenant; all are submitted at once, those of the large one first."""
LOOK = 0.025
"""Seconds between two status requests."""
GOAL_MB = 500
GOAL_STATUS_MS = 100
TIMES = ("queuedAt", "startedAt", "completedAt")
BODY = {"mode": "demo", "input": INPUT}

Name = tuple[str, str]
"""Tenant and execution id."""


def crowd(executions: Mapping[str, int] = CROWD) -> None:
    """Submit, ask, and tell."""
    say(f"\n{sum(executions.values())} executions of the demo, submitted at once over HTTP by two tenants:")
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder), list(executions), DEMO_AUDIENCE["urls"]) as served,
    ):
        Crowd(served, executions).run()


class Crowd:
    """Those who submit, and the one who asks.

    Args:
        served: The server.
        executions: How many by tenant.
    """

    def __init__(self, served: Served, executions: Mapping[str, int]) -> None:
        self._served = served
        self._executions = executions
        self._wire = Wire(served.url)
        self._submits: list[float] = []
        self._waits: list[float] = []
        self._worked: list[float] = []
        self._asked: list[float] = []
        self._open: list[Name] = []
        self._states: dict[Name, Any] = {}
        self._turn = 0

    def run(self) -> None:
        """All of it."""
        self._known = self._first()
        cpu, waited = self._served.cpu(), self._served.waited()
        begin = time.time()
        for tenant, count in self._executions.items():
            then = partial(self._submitted, tenant)
            for _ in range(count):
                self._wire.add(Request(begin, "POST", EXECUTE, self._served.keys[tenant], BODY, then))
        self._look(begin)
        self._wire.run()
        took = time.time() - begin
        self._tell(took, self._served.cpu() - cpu, self._served.waited() - waited)
        self._tell_shares()
        self._wire.close()

    def _first(self) -> Name:
        """One that has ended, so that there is something to ask for while the others are being submitted."""
        tenant = next(iter(self._executions))
        answer = self._wire.ask("POST", f"{EXECUTE}?wait=60", self._served.keys[tenant], BODY)
        assert answer.status == 200, answer
        return tenant, answer.body["executionId"]

    def _submitted(self, tenant: str, answer: Answer) -> None:
        assert answer.status == 202, answer
        self._submits.append(answer.seconds)
        self._open.append((tenant, answer.body["executionId"]))

    def _look(self, due: float) -> None:
        """Ask about one after the other, as long as one has not ended."""
        if len(self._submits) == sum(self._executions.values()) and not self._open:
            return
        self._turn += 1
        name = self._open[self._turn % len(self._open)] if self._open else self._known
        self._wire.add(
            Request(
                due,
                "GET",
                f"{EXECUTIONS}/{name[1]}",
                self._served.keys[name[0]],
                then=partial(self._seen, name, len(self._asked)),
                sent=partial(self._sent, due),
            )
        )

    def _sent(self, due: float) -> None:
        self._asked.append(self._served.waited())
        self._look(due + LOOK)

    def _seen(self, name: Name, number: int, answer: Answer) -> None:
        assert answer.status == 200, answer
        self._waits.append(answer.seconds)
        self._worked.append(max(answer.seconds - (self._served.waited() - self._asked[number]), 0))
        if answer.body["completedAt"] and name in self._open:
            assert answer.body["status"] == "completed", answer
            self._open.remove(name)
            self._states[name] = answer.body

    def _tell(self, took: float, cpu: float, waited: float) -> None:
        peak = self._served.peak_mb()
        count = len(self._states)
        say(f"  all completed in {took:.1f} s = {took / count * 1000:.0f} ms each, {cpu / count * 1000:.0f} ms of CPU")
        say(f"  peak memory of the server {peak:.0f} MB (goal: {GOAL_MB})")
        middle, p99, most = (
            share(self._waits) * 1000 for share in (statistics.median, partial(percentile, share=0.99), max)
        )
        say(
            f"  status asked {len(self._waits)} times: median {middle:.0f} ms, 99th percentile {p99:.0f} ms"
            f" (goal: {GOAL_STATUS_MS}), longest {most:.0f} ms; without the time that the server's loop had no"
            f" processor: 99th percentile about {percentile(self._worked, 0.99) * 1000:.0f} ms"
        )
        say(
            f"  submissions answered after {statistics.median(self._submits):.2f} s (median), the last after"
            f" {max(self._submits):.2f} s"
        )
        say(f"  the server's loop stood ready without a processor for {waited:.1f} s; load {os.getloadavg()[0]:.1f}")

    def _tell_shares(self) -> None:
        """How the tenants shared the server for as long as both had something waiting."""
        spans = [(name[0], *(_seconds(state[what]) for what in TIMES)) for name, state in self._states.items()]
        begun = sorted(spans, key=lambda span: span[2])
        half = begun[: len(begun) // 2]
        say(f"  of the first {len(half)} begun: {_counts(tenant for tenant, *_ in half)}")
        shares = _shares(spans)
        each = ", ".join(f"{share:.1%} by '{tenant}'" for tenant, share in sorted(shares.items()))
        say(f"  while both had some waiting, the places at work were taken: {each} (fair: half each)")


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()


def _counts(tenants: Iterable[str]) -> str:
    return ", ".join(f"{count} of '{tenant}'" for tenant, count in sorted(Counter(tenants).items()))


def _shares(spans: Sequence[tuple[str, float, float, float]]) -> dict[str, float]:
    """Each tenant's part of the time that executions ran, from the moment when all tenants had one in the queue, and what
    had begun before it had ended, to the moment when the last one of a tenant began.
    """
    tenants = {tenant for tenant, *_ in spans}
    first = max(min(queued for name, queued, _, _ in spans if name == tenant) for tenant in tenants)
    first = max([ended for _, _, begun, ended in spans if begun < first], default=first)
    last = min(max(begun for name, _, begun, _ in spans if name == tenant) for tenant in tenants)
    ran = dict.fromkeys(tenants, 0.0)
    for tenant, _, begun, ended in spans:
        ran[tenant] += max(min(ended, last) - max(begun, first), 0)
    return {tenant: seconds / sum(ran.values()) for tenant, seconds in ran.items()}
