"""From a block's outcomes to records on ports, kept records and counts."""

import asyncio
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from lumeflow.core.errors import ErrorClass, LumeflowError, RecordError, RunError
from lumeflow.core.events import EventKind
from lumeflow.core.faults import fault_point
from lumeflow.core.journal import Journal, KeptRecord, RecordKind
from lumeflow.core.records import JsonObject, Lineage, Record, Route, Skip
from lumeflow.core.schemas import Checker
from lumeflow.engine.outlet import Outlet
from lumeflow.engine.plan import ERROR_PORT, PlannedNode
from lumeflow.engine.tally import Tally

Conceal = Callable[[str], str]
"""Takes secrets out of a text."""


class ExecutionStopped(LumeflowError):
    """A record failed where the document says `stop`: the whole execution ends."""

    def __init__(self, node_id: str, position: int, error: RunError) -> None:
        super().__init__(f"node '{node_id}', record {position}: {error}")
        self.error = error


class Settler:
    """Decides where each outcome goes. `settle` never waits; `flush` sends what has gathered, in order."""

    def __init__(
        self,
        planned: PlannedNode,
        outlet: Outlet,
        journal: Journal,
        execution_id: str,
        tally: Tally,
        *,
        conceal: Conceal,
    ) -> None:
        self._planned = planned
        self._outlet = outlet
        self._journal = journal
        self._execution_id = execution_id
        self._conceal = conceal
        self._timeline = tally.timeline
        self._progress = tally.nodes[planned.id]
        self._checker: Checker | None = planned.output_schema.payload.record if planned.output_schema else None
        self._ready: dict[str, list[Record]] = {}
        self._kept: list[KeptRecord] = []
        self._sending = asyncio.Lock()
        self.taken_over = 0
        self.waiting = 0
        self.first_out: JsonObject | None = None

    def settle(self, record: Record, position: int, outcome: Any) -> None:
        """Take one outcome: an `Outcome`, or whatever else a block returned by mistake.

        Raises:
            ExecutionStopped: The record failed, and the node's `onError` is `stop`.
        """
        self._progress.settled += 1
        if isinstance(outcome, Mapping):
            self._send("out", record, position, outcome, record.lineage)
        elif isinstance(outcome, Route) and outcome.port not in self._outlet.ports:
            self._skip(record, position, Skip(f"no edge leaves port '{outcome.port}'"))
        elif isinstance(outcome, Route):
            self._send(outcome.port, record, position, outcome.record, record.lineage)
        elif isinstance(outcome, Skip):
            self._skip(record, position, outcome)
        elif isinstance(outcome, RunError):
            self.fail(record, position, outcome)
        elif isinstance(outcome, list | tuple):
            self._send_all(record, position, outcome)
        else:
            self.fail(record, position, not_an_outcome(outcome))

    def fail(self, record: Record, position: int, error: RunError) -> None:
        """A record failed: to the fallback, to the error port, or kept with its reason.

        Raises:
            ExecutionStopped: The node's `onError` is `stop`.
        """
        error = concealed(error, self._conceal)
        self._progress.failed += 1
        self._timeline.note(
            EventKind.RECORD_FAILED, self._planned.id, str(error), position=position, errorClass=str(error.error_class)
        )
        if self._planned.on_error == "stop":
            self._keep(record, position, RecordKind.FAILED, str(error.error_class), str(error))
            raise ExecutionStopped(self._planned.id, position, error)
        takeover = self.takeover(record, error)
        if takeover is None:
            self._keep(record, position, RecordKind.FAILED, str(error.error_class), str(error))
            return
        self.taken_over += 1
        port, data = takeover
        self._ready.setdefault(port, []).append(Record(data, record.lineage))
        self._progress.records_out += port != ERROR_PORT
        self.waiting += 1

    def takeover(self, record: Record, error: RunError) -> tuple[str, JsonObject] | None:
        """Where a failed record goes on, and as what: with the fallback's value, or to the error port with the
        reason. None if nothing takes it over.
        """
        fallback = self._planned.node.fallback
        if self._planned.on_error == "fallback" and fallback is not None and fallback.value is not None:
            return "out", {**record.data, **fallback.value}
        if ERROR_PORT in self._outlet.ports:
            reason = {"class": str(error.error_class), "message": str(error), "node": self._planned.id}
            return ERROR_PORT, {**record.data, "error": reason}
        return None

    async def flush_kept(self) -> None:
        """Hand kept records to the journal, and send nothing more."""
        kept, self._kept = self._kept, []
        await self._journal.keep(self._execution_id, kept)

    async def flush(self) -> None:
        """Send what has gathered, and hand kept records to the journal."""
        async with self._sending:
            while self._ready or self._kept:
                ready, self._ready = self._ready, {}
                kept, self._kept = self._kept, []
                self.waiting = 0
                fault_point("engine.emit")
                for port, records in ready.items():
                    self._outlet.send(port, records)
                if kept:
                    await self._journal.keep(self._execution_id, kept)
                await self._outlet.drain()
            await self._outlet.drain()

    def _send(self, port: str, record: Record, position: int, data: Any, lineage: Lineage) -> None:
        checked = self._checked(record, data)
        if isinstance(checked, RunError):
            self.fail(record, position, checked)
            return
        if self._planned.is_output:
            self._keep(record, position, RecordKind.OUTPUT)
        self._pass_on(port, checked, lineage)

    def _pass_on(self, port: str, data: JsonObject, lineage: Lineage) -> None:
        self._progress.records_out += 1
        self._ready.setdefault(port, []).append(Record(data, lineage))
        self.waiting += 1
        if self.first_out is None:
            self.first_out = data

    def _send_all(self, record: Record, position: int, made: Sequence[Any]) -> None:
        """Several records from one: all of them, or, if one is not right, none."""
        if self._planned.is_output:
            self._send("out", record, position, record.data, record.lineage)
            return
        children: list[JsonObject] = []
        for data in made:
            checked = self._checked(record, data)
            if isinstance(checked, RunError):
                self.fail(record, position, checked)
                return
            children.append(checked)
        for ordinal, child in enumerate(children):
            self._pass_on("out", child, (*record.lineage, ordinal))

    def _checked(self, record: Record, data: Any) -> JsonObject | RunError:
        """A record that a block made, brought to the schema's types; or why it cannot go on."""
        if not isinstance(data, Mapping):
            return not_an_outcome(data)
        if self._planned.is_output:
            return storable_error(record.data) or data
        if self._checker is None:
            return data
        checked = self._checker.check(data)
        self._progress.coercions += checked.coercions
        value: JsonObject = checked.value
        return output_error(checked.problems) if checked.problems else value

    def _skip(self, record: Record, position: int, skip: Skip) -> None:
        self._progress.skipped += 1
        kept = Record({}, record.lineage) if skip.forget else record
        self._keep(kept, position, RecordKind.SKIPPED, None, self._conceal(skip.reason))

    def _keep(
        self, record: Record, position: int, kind: RecordKind, error_class: str | None = None, reason: str | None = None
    ) -> None:
        error = storable_error(record.data) if kind is not RecordKind.OUTPUT else None
        data = {} if error else record.data
        reason = f"{reason} ({error})" if error else reason
        self._kept.append(KeptRecord(self._planned.id, kind, position, record.lineage, data, error_class, reason))
        self.waiting += 1


def concealed(error: RunError, conceal: Conceal) -> RunError:
    """The error without the secrets that a block may have put into its message."""
    message = conceal(str(error))
    if message != str(error):
        error.args = (message,)
    return error


def output_error(problems: Sequence[Any]) -> RecordError:
    """The error of a record that its node's outputSchema refuses."""
    first = problems[0]
    return RecordError(ErrorClass.VALIDATION, f"outputSchema: {first.message}{_more(problems)}", field=first.pointer)


def input_error(problems: Sequence[Any]) -> RecordError:
    """The error of a record that its node's inputSchema refuses."""
    first = problems[0]
    return RecordError(ErrorClass.VALIDATION, f"inputSchema: {first.message}{_more(problems)}", field=first.pointer)


def _more(problems: Sequence[Any]) -> str:
    return f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""


def storable_error(data: JsonObject) -> RecordError | None:
    """Why a record cannot be stored: it holds something that is no JSON. None if it can."""
    try:
        orjson.dumps(data, default=_numbers)
    except TypeError as error:
        cause = error.__cause__ or error
        return RecordError(ErrorClass.VALIDATION, f"the record holds something that is no JSON: {cause}")
    return None


def _numbers(value: Any) -> Any:
    if isinstance(value, array):
        return None
    raise TypeError(f"a value of type {type(value).__name__}")


def not_an_outcome(found: object) -> RecordError:
    """The error of a record for which a block returned something else than an outcome."""
    return RecordError(
        ErrorClass.INTERNAL,
        f"the block returned {type(found).__name__} for a record; "
        "right is an object, a list of objects, Skip, Route or RecordError",
    )


def preview(fields: JsonObject, collection: str | None, first: JsonObject | None) -> JsonObject:
    """A small picture of a payload for the node's row: fields, and the first record without vectors."""
    picture = {name: _small(value) for name, value in fields.items()}
    if collection is not None:
        picture[collection] = [] if first is None else [{name: _small(value) for name, value in first.items()}]
    return picture


def _small(value: Any) -> Any:
    if isinstance(value, array):
        return f"{len(value)} numbers"
    if isinstance(value, str) and len(value) > 200:
        return value[:200] + "…"
    if isinstance(value, list | tuple):
        return [_small(item) for item in value[:5]]
    if isinstance(value, Mapping):
        return {str(name): _small(item) for name, item in list(value.items())[:20]}
    plain = value is None or isinstance(value, str | float | bool) or (isinstance(value, int) and abs(value) < 2**53)
    return value if plain else f"a value of type {type(value).__name__}"
