"""One execution of the pipeline: its steps in turn, until the last has ended, one fails, the time is up, or somebody
cancels.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from lumeflow.core.document import Globals
from lumeflow.core.errors import STOPS_NODE, ErrorClass, NodeError, RecordError, RunError, StorageError
from lumeflow.core.events import EventKind
from lumeflow.core.journal import KeptRecord, NodeRow, RecordKind, Status
from lumeflow.core.progress import NodeProgress, Progress, ProgressListener
from lumeflow.core.records import JsonObject, Skip
from lumeflow.engine.limits import RecordLimit, limit_reached
from lumeflow.engine.orchestrator import CHECK_EVERY, REFRESH, Ended
from lumeflow.engine.services import Services
from lumeflow.engine.tally import Tally, Timeline
from lumeflow.search import steps
from lumeflow.search.context import StepContext
from lumeflow.search.steps import Made

STEPS = {
    "scrape": ("Comments", "api"),
    "extract": ("Contacts", "ai"),
    "enrich": ("Professional data", "api"),
    "find-email": ("E-mail addresses", "api"),
    "embed": ("Embeddings", "api"),
    "store": ("Shared audience", "output"),
}
"""Name and block type of each step, as nodes are told of."""


def search_tally(timeline: Timeline) -> Tally:
    """Counts of the steps."""
    return Tally([NodeProgress(step, name, "search/" + step) for step, (name, _) in STEPS.items()], timeline)


class SearchRun:
    """Runs the steps. Used once.

    Args:
        settings: The execution's limits.
        services: What the steps use.
        tally: From `search_tally`.
    """

    def __init__(self, settings: Globals, services: Services, tally: Tally) -> None:
        self._settings = settings
        self._services = services
        self._tally = tally
        self._times: dict[str, list[datetime]] = {}
        self._started = services.time()
        self._step = ""
        self._output: JsonObject = {}

    async def run(self, *, listener: ProgressListener | None = None, cancel: asyncio.Event | None = None) -> Ended:
        """Run to the end. Failures of a step are told by the result, not raised.

        Raises:
            StorageError: The journal or the ledger cannot be written.
        """
        work = asyncio.create_task(self._work())
        watcher = asyncio.create_task(self._report(listener)) if listener else None
        cancelled = asyncio.create_task(cancel.wait()) if cancel is not None else None
        others = [task for task in (watcher, cancelled) if task is not None]
        try:
            reached = await self._until_over({work, cancelled} if cancelled is not None else {work})
            status, error = self._verdict(work, reached)
        finally:
            for task in (work, *others):
                task.cancel()
            await asyncio.gather(work, *others, return_exceptions=True)
            await self._services.calls.drain()
        if status is not Status.COMPLETED and self._step:
            self._tally.nodes[self._step].status = status
        if listener is not None:
            listener(self._progress(status))
        return Ended(status, self._output, error, [self._row(step) for step in STEPS])

    async def _work(self) -> None:
        extraction = steps.Extraction()
        row = await self._in_step("scrape", steps.audience)
        limit = RecordLimit(self._settings.limits)
        comments = await self._whole("scrape", lambda ctx: steps.scrape(row, ctx, limit.enter))
        await self._in_step("extract", extraction.open)
        contacts = await self._batches("extract", comments, steps.COMMENTS_IN_A_QUESTION, extraction.extract)
        contacts = await self._each("enrich", contacts, steps.enrich)
        contacts = await self._each("find-email", contacts, steps.find_email)
        contacts = await self._batches("embed", contacts, steps.CONTACTS_IN_A_BATCH, steps.embed)
        await self._store(contacts, row)

    async def _in_step(self, step: str, work: Callable[[StepContext], Awaitable[Any]]) -> Any:
        """Do a part of a step's work, and note when the step begins."""
        if step not in self._times:
            self._step = step
            self._times[step] = [self._services.now()]
            self._tally.nodes[step].status = Status.RUNNING
            self._tally.timeline.note(EventKind.NODE_STARTED, step)
        return await work(StepContext(self._services, step))

    async def _end_step(self, step: str, taken: Sequence[JsonObject], made: Sequence[Made]) -> list[JsonObject]:
        """Count what became of each, keep what goes no further, and hand on the rest."""
        progress = self._tally.nodes[step]
        progress.records_in = len(taken)
        onward: list[JsonObject] = []
        kept: list[KeptRecord] = []
        for position, one in enumerate(made):
            if isinstance(one, RecordError | Skip):
                data = taken[position] if position < len(taken) else {}
                kept.append(self._kept(step, position, data, one))
            else:
                onward.extend([one] if isinstance(one, Mapping) else one)
        progress.failed = sum(record.kind is RecordKind.FAILED for record in kept)
        progress.skipped = len(kept) - progress.failed
        progress.settled, progress.records_out = len(made), len(onward)
        await self._services.journal.keep(self._services.execution.id, kept)
        self._close(step)
        return onward

    async def _whole(self, step: str, work: Callable[[StepContext], Awaitable[Sequence[Made]]]) -> list[JsonObject]:
        return await self._end_step(step, (), await self._in_step(step, work))

    async def _each(
        self, step: str, taken: Sequence[JsonObject], work: Callable[[JsonObject, StepContext], Awaitable[Made]]
    ) -> list[JsonObject]:
        async def one(record: JsonObject, ctx: StepContext) -> Made:
            try:
                return await work(record, ctx)
            except RunError as error:
                return _of_record(error)

        async def all_of_them(ctx: StepContext) -> list[Made]:
            return await steps.all_of([partial(one, record, ctx) for record in taken])

        return await self._end_step(step, taken, await self._in_step(step, all_of_them))

    async def _batches(
        self,
        step: str,
        taken: Sequence[JsonObject],
        size: int,
        work: Callable[[Sequence[JsonObject], StepContext], Awaitable[list[Made]]],
    ) -> list[JsonObject]:
        async def one(records: Sequence[JsonObject], ctx: StepContext) -> list[Made]:
            try:
                return await work(records, ctx)
            except RunError as error:
                return [_of_record(error) for _ in records]

        async def all_of_them(ctx: StepContext) -> list[Made]:
            batches = [taken[start : start + size] for start in range(0, len(taken), size)]
            made = await steps.all_of([partial(one, batch, ctx) for batch in batches])
            return [outcome for outcomes in made for outcome in outcomes]

        return await self._end_step(step, taken, await self._in_step(step, all_of_them))

    async def _store(self, contacts: Sequence[JsonObject], row: JsonObject) -> None:
        output = await self._in_step("store", lambda ctx: steps.store(contacts, row, ctx))
        ordinal = list(STEPS).index("store")
        kept = [
            KeptRecord("store", RecordKind.OUTPUT, position, (ordinal, position), contact)
            for position, contact in enumerate(contacts)
        ]
        for start in range(0, len(kept), steps.PACE):
            await self._services.journal.keep(self._services.execution.id, kept[start : start + steps.PACE])
        progress = self._tally.nodes["store"]
        progress.records_in = progress.records_out = progress.settled = len(contacts)
        self._output = output
        self._close("store")

    def _close(self, step: str) -> None:
        self._tally.nodes[step].status = Status.COMPLETED
        self._times[step].append(self._services.now())
        ending = self._tally.nodes[step].ending()
        self._tally.timeline.note(EventKind.NODE_FINISHED, step, str(Status.COMPLETED), **ending)

    def _kept(self, step: str, position: int, data: JsonObject, why: RecordError | Skip) -> KeptRecord:
        lineage = (list(STEPS).index(step), position)
        if isinstance(why, Skip):
            data = {} if why.forget else data
            return KeptRecord(step, RecordKind.SKIPPED, position, lineage, data, None, why.reason)
        self._tally.timeline.note(
            EventKind.RECORD_FAILED, step, str(why), position=position, errorClass=str(why.error_class)
        )
        return KeptRecord(step, RecordKind.FAILED, position, lineage, data, str(why.error_class), str(why))

    async def _until_over(self, waited: "set[asyncio.Task[Any]]") -> str | None:
        """Wait until one has ended, or a limit on time or memory is reached; returns the limit as a sentence."""
        while True:
            done, _ = await asyncio.wait(waited, timeout=CHECK_EVERY, return_when=asyncio.FIRST_COMPLETED)
            if done:
                return None
            if (reached := limit_reached(self._settings, self._services.time() - self._started)) is not None:
                return reached

    def _verdict(self, work: "asyncio.Task[None]", reached: str | None) -> tuple[Status, str | None]:
        if reached is not None:
            return Status.FAILED, reached
        if not work.done():
            return Status.CANCELLED, "cancelled"
        error = _only(work.exception())
        if error is None:
            return Status.COMPLETED, None
        if isinstance(error, StorageError):
            raise error
        if isinstance(error, RunError):
            return Status.FAILED, f"step '{self._step}': {error}"
        return Status.FAILED, f"lumeflow has a bug: {type(error).__name__} in the step '{self._step}'"

    def _progress(self, status: Status) -> Progress:
        nodes = list(self._tally.nodes.values())
        over = sum(node.status is Status.COMPLETED for node in nodes)
        elapsed = self._services.time() - self._started
        return Progress(self._services.execution.id, status, nodes, elapsed, round(100 * over / len(nodes), 1))

    async def _report(self, listener: ProgressListener) -> None:
        while True:
            listener(self._progress(Status.RUNNING))
            await asyncio.sleep(REFRESH)

    def _row(self, step: str) -> NodeRow:
        progress = self._tally.nodes[step]
        times = self._times.get(step, [])
        begun = times[0] if times else None
        over = times[1] if len(times) > 1 else (self._services.now() if times else None)
        counts = progress.counts()
        return NodeRow(step, STEPS[step][1], progress.status, counts, started_at=begun, completed_at=over)


def _of_record(error: RunError) -> RecordError:
    """A failure of one record.

    Raises:
        RunError: Every further call of the step would fail the same way.
    """
    if isinstance(error, NodeError) or error.error_class in STOPS_NODE:
        raise error
    return error if isinstance(error, RecordError) else RecordError(ErrorClass(error.error_class), str(error))


def _only(error: BaseException | None) -> BaseException | None:
    """The first of those that a group of tasks raised."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
