"""Runs one plan: all nodes at once, until the last has ended, one says stop, the time is up, or somebody cancels."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from lumeflow.core.errors import StorageError
from lumeflow.core.events import EventKind
from lumeflow.core.graph import Link
from lumeflow.core.journal import NodeRow, Status
from lumeflow.core.progress import Progress, ProgressListener
from lumeflow.core.records import JsonObject
from lumeflow.engine.channels import BoundedChannel, Channel, SpillingChannel
from lumeflow.engine.context import NodeWorld
from lumeflow.engine.drive import drive
from lumeflow.engine.inbound import Inbound
from lumeflow.engine.limits import RecordLimit, limit_reached
from lumeflow.engine.node import NodeRun
from lumeflow.engine.outlet import Outlet
from lumeflow.engine.plan import ERROR_PORT, Plan, PlannedNode
from lumeflow.engine.scope import Scope
from lumeflow.engine.services import Services
from lumeflow.engine.settle import ExecutionStopped
from lumeflow.engine.tally import Tally

REFRESH = 0.125
"""Seconds between two progress reports."""
CHECK_EVERY = 0.1
"""Seconds between two looks at the limits on time and memory."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How an execution ended.

    Attributes:
        status: completed, failed or cancelled.
        output: The output node's payload; by node id where several were reached.
        error: Why it failed; one sentence.
        rows: Per node, in document order.
    """

    status: Status
    output: JsonObject
    error: str | None
    rows: Sequence[NodeRow]


class Orchestrator:
    """One execution of one plan."""

    def __init__(self, plan: Plan, services: Services, tally: Tally) -> None:
        self._plan = plan
        self._services = services
        self._tally = tally
        self._timeline = tally.timeline
        self._runs: dict[str, NodeRun] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._times: dict[str, list[Any]] = {}
        self._started = services.time()
        self._build()

    async def run(self, *, listener: ProgressListener | None = None, cancel: asyncio.Event | None = None) -> Ended:
        """Run to the end. Failures of the workflow are told by the result, not raised.

        Raises:
            StorageError: The journal or the ledger cannot be written.
        """
        watchers = [asyncio.create_task(self._report(listener))] if listener else []
        cancelled = asyncio.create_task(cancel.wait()) if cancel is not None else None
        for node_id, run in self._runs.items():
            self._tasks[node_id] = asyncio.create_task(self._run_node(run), name=f"node {node_id}")
        try:
            status, error = await self._supervise(cancelled)
        finally:
            for run in self._runs.values():
                run.stopped = True
            for task in [*watchers, *([cancelled] if cancelled else []), *self._tasks.values()]:
                task.cancel()
            await asyncio.gather(*watchers, *self._tasks.values(), return_exceptions=True)
            for run in self._runs.values():
                run.release()
            await self._services.calls.drain()
        if listener is not None:
            self._tell(listener, status)
        ended = Ended(status, self._output(), error, [self._row(node) for node in self._document_order()])
        # Nodes know the orchestrator as it knows them: let go, they need not wait for a search for garbage in circles.
        self._runs.clear()
        self._tasks.clear()
        return ended

    def progress(self, status: Status = Status.RUNNING) -> Progress:
        """Where the execution stands."""
        nodes = [self._tally.nodes[node.id] for node in self._document_order()]
        elapsed = self._services.time() - self._started
        done = self._share_done()
        remaining = elapsed * (1 - done) / done if done else None
        return Progress(self._services.execution.id, status, nodes, elapsed, done and round(done * 100, 1), remaining)

    def _build(self) -> None:
        channels: dict[Link, Channel] = {}
        for node in self._plan.nodes:
            for place, link in enumerate(node.inputs):
                channels[link] = BoundedChannel() if place == 0 else SpillingChannel()
        scope = Scope(self._services, [node.id for node in self._document_order() if node.is_input])
        records = RecordLimit(self._plan.workflow.globals.limits)
        for node in self._plan.nodes:
            ports: dict[str, list[Channel]] = {}
            for link in node.outputs:
                ports.setdefault(link.port, []).append(channels[link])
            block = node.make_block()
            self._runs[node.id] = NodeRun(
                node,
                block,
                NodeWorld(node, block, self._services, scope, records),
                Inbound([(link.source, channels[link]) for link in node.inputs], self._services.part(node.id).takes),
                Outlet(ports),
                self._tally,
                self._stop_feeding,
            )

    async def _run_node(self, run: NodeRun) -> None:
        times = self._times.setdefault(run.planned.id, [self._services.now(), None])
        try:
            await run.run(drive)
        except asyncio.CancelledError:
            run.progress.status = Status.CANCELLED
            await run.abort()
            raise
        except BaseException:
            run.progress.status = Status.FAILED
            await run.abort()
            raise
        finally:
            run.inbound.close()
            times[1] = self._services.now()
            ended = run.progress
            self._timeline.note(EventKind.NODE_FINISHED, run.planned.id, str(ended.status), **ended.ending())

    async def _supervise(self, cancelled: "asyncio.Task[Any] | None") -> tuple[Status, str | None]:
        """Wait for the first of: all nodes ended, one stopped the execution, time up, cancelled."""
        endings = _Endings([*self._tasks.values(), *([cancelled] if cancelled else [])])
        running = len(self._tasks)
        while running:
            ended = await endings.next(CHECK_EVERY)
            failed = {task for task in ended if not task.cancelled() and task.exception() is not None}
            for task in self._tasks.values() if failed else ():
                if task in failed and (error := task.exception()) is not None:
                    return self._stopped_by(error)
            running -= len(ended) - (cancelled in ended)
            if not running:
                break
            if cancelled in ended:
                return Status.CANCELLED, "cancelled"
            if (reached := self._limit_reached()) is not None:
                return Status.FAILED, reached
        return self._verdict()

    def _stopped_by(self, error: BaseException) -> tuple[Status, str]:
        if isinstance(error, StorageError):
            raise error
        if isinstance(error, ExecutionStopped):
            return Status.FAILED, str(error)
        return Status.FAILED, f"lumeflow has a bug: {type(error).__name__} in the engine"

    def _verdict(self) -> tuple[Status, str | None]:
        for node in self._plan.nodes:
            run = self._runs[node.id]
            if run.error is not None and not run.is_handled:
                return Status.FAILED, f"node '{node.id}': {run.error}"
        return Status.COMPLETED, None

    def _stop_feeding(self, node_id: str) -> None:
        """A node cannot go on: nodes that work for it alone stop too, so that they pay for nothing in vain."""
        if _is_wired(self._runs[node_id].planned):
            return
        broken = {node.id for node in self._plan.nodes if self._runs[node.id].error is not None and not _is_wired(node)}
        dead = set(broken)
        for node in reversed(self._plan.nodes):
            targets = {link.target for link in node.outputs}
            if node.id not in dead and targets and targets <= dead:
                dead.add(node.id)
                self._tasks[node.id].cancel()
        for broken_id in broken:
            self._runs[broken_id].inbound.cut(dead - broken)

    def _limit_reached(self) -> str | None:
        return limit_reached(self._plan.workflow.globals, self._services.time() - self._started)

    def _output(self) -> JsonObject:
        reached = [
            (node.id, self._runs[node.id].output)
            for node in self._document_order()
            if node.is_output and self._tally.nodes[node.id].status is not Status.SKIPPED
        ]
        return reached[0][1] if len(reached) == 1 else dict(reached)

    def _row(self, node: PlannedNode) -> NodeRow:
        run = self._runs[node.id]
        started, completed = self._times.get(node.id, (None, None))
        ran = run.progress.status not in {Status.SKIPPED, Status.QUEUED}
        return NodeRow(
            node_id=node.id,
            block_type=str(node.block_class.type),
            status=run.progress.status,
            counts=run.progress.counts(),
            input_preview=run.input_preview if self._services.previews else None,
            output_preview=run.output_preview if self._services.previews else None,
            error=str(run.error) if run.error else None,
            started_at=started if ran else None,
            completed_at=completed if ran else None,
        )

    def _document_order(self) -> list[PlannedNode]:
        by_id = {node.id: node for node in self._plan.nodes}
        return [by_id[node.id] for node in self._plan.workflow.nodes]

    def _share_done(self) -> float | None:
        """How much of the way the slowest path to an end has made, from records in against records that are known
        to come; None before the first source has ended.
        """
        shares: dict[str, float | None] = {}
        for node in self._plan.nodes:
            progress = self._tally.nodes[node.id]
            above = [shares[link.source] for link in node.inputs]
            if progress.status not in {Status.QUEUED, Status.RUNNING}:
                shares[node.id] = 1.0
            elif not above or None in above:
                shares[node.id] = None
            else:
                known = min(share for share in above if share is not None)
                come = sum(self._tally.nodes[link.source].records_out for link in node.inputs)
                shares[node.id] = known * min(progress.settled / come, 1.0) if come else 0.0
        ends = [shares[node.id] for node in self._plan.nodes if not node.outputs]
        return None if None in ends else min((share for share in ends if share is not None), default=None)

    async def _report(self, listener: ProgressListener) -> None:
        while True:
            self._tell(listener, Status.RUNNING)
            await asyncio.sleep(REFRESH)

    def _tell(self, listener: ProgressListener, status: Status) -> None:
        """Who only watches must not end what he watches."""
        try:
            listener(self.progress(status))
        except Exception as error:
            self._timeline.note(EventKind.WARNING, None, f"the progress listener failed: {type(error).__name__}")


class _Endings:
    """Tells which tasks have ended, at a cost that does not grow with those that have not: `asyncio.wait` asks all of
    them each time.
    """

    def __init__(self, tasks: Sequence["asyncio.Task[Any]"]) -> None:
        self._ended: set[asyncio.Task[Any]] = set()
        self._news = asyncio.Event()
        for task in tasks:
            task.add_done_callback(self._note)

    async def next(self, patience: float) -> set["asyncio.Task[Any]"]:
        """Those that have ended since the last time; waits for one, but not longer than `patience` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._news.wait()
        self._news.clear()
        ended, self._ended = self._ended, set()
        return ended

    def _note(self, task: "asyncio.Task[Any]") -> None:
        self._ended.add(task)
        self._news.set()


def _is_wired(node: PlannedNode) -> bool:
    """True if failed records of the node go on somewhere."""
    has_value = node.on_error == "fallback" and node.node.fallback is not None and node.node.fallback.value is not None
    return has_value or any(link.port == ERROR_PORT for link in node.outputs)
