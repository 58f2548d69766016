"""200 executions of the demo submitted at once by two tenants, on one process: do they end, who waits, what it takes.

python -m benchmarks.queue [EXECUTIONS [AT ONCE]]     default: 200, and the service's own number at once
"""

import asyncio
import resource
import sys
import tempfile
import time
from pathlib import Path

from lumeflow import Mode, Settings, open_app
from lumeflow.app import App
from lumeflow.service import ExecutionService, ServiceSettings

WORKFLOW = "lead-enrichment-v1"
TENANTS = ("large", "large", "large", "small")
"""Whose turn it is to submit: one tenant has three times as much to do as the other."""
LOOK = 0.02
GOAL_MB = 500
GOAL_STATUS_MS = 100


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def watch(service: ExecutionService, names: list[tuple[str, str]]) -> list[float]:
    """Ask where executions stand until all have ended; returns how long each answer took, in seconds."""
    waits: list[float] = []
    open_ones = list(names)
    while open_ones:
        begin = time.perf_counter()
        state = await service.status(*open_ones[0])
        waits.append(time.perf_counter() - begin)
        if state.ended:
            assert state.status == "completed", state
            open_ones.pop(0)
        await asyncio.sleep(LOOK)
    return sorted(waits)


async def crowd(app: App, service: ExecutionService, executions: int) -> None:
    given = {tenant: await app.of(tenant).demo_audience() for tenant in set(TENANTS)}
    names = []
    for number in range(executions):
        tenant = TENANTS[number * len(TENANTS) // executions]  # the large one first, all of it
        name = await service.submit(tenant, workflow_id=WORKFLOW, input=given[tenant], mode=Mode.DEMO)
        names.append((tenant, name))
    begin = time.perf_counter()
    await service.start()
    waits = await watch(service, names)
    took = time.perf_counter() - begin
    starts = sorted([((await service.status(*name)).started_at, name[0]) for name in names])
    early = [tenant for _, tenant in starts[: executions // 2]].count("small")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(
        f"  all completed in {took:.1f} s = {took / executions * 1000:.0f} ms each; peak {peak:.0f} MB (goal: {GOAL_MB})"
    )
    say(f"  of the first {executions // 2} begun, {early} are of the tenant who came last with {executions // 4}")
    p50, p99 = (waits[int(len(waits) * share)] * 1000 for share in (0.5, 0.99))
    say(
        f"  status asked {len(waits)} times: median {p50:.0f} ms, 99th percentile {p99:.0f} ms (goal: {GOAL_STATUS_MS})"
    )


async def alone(app: App, service: ExecutionService) -> None:
    """What the queue adds to one execution."""
    given = await app.demo_audience()
    direct, queued = [], []
    for _ in range(5):
        begin = time.perf_counter()
        await app.execute(workflow_id=WORKFLOW, input=given, mode=Mode.DEMO)
        direct.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        name = await service.submit("default", workflow_id=WORKFLOW, input=given, mode=Mode.DEMO)
        async for _ in service.watch("default", name):
            pass
        queued.append(time.perf_counter() - begin)
    say(
        f"  one execution: {sorted(direct)[2] * 1000:.0f} ms by execute, {sorted(queued)[2] * 1000:.0f} ms through the queue"
    )


async def main() -> None:
    executions = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    at_once = int(sys.argv[2]) if len(sys.argv) > 2 else None
    settings = ServiceSettings.from_environment({}, at_once)
    say(f"\n{executions} executions of the demo at once, {settings.concurrency} under way")
    with tempfile.TemporaryDirectory() as folder:
        async with open_app(Settings(data_dir=Path(folder))) as app:
            service = ExecutionService(app, settings)
            await crowd(app, service, executions)
            await alone(app, service)
            await service.stop()


if __name__ == "__main__":
    asyncio.run(main())
