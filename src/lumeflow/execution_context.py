"""Running one block alone, on a whole payload, through the real engine and gateway.

context = ExecutionContext(mode="demo", mocks={"apollo": {"person": {"title": "Buyer"}}})
result = await ApolloPeopleMatch.execute({"provider": "apollo"}, {"firstName": "Mira", "lastName": "Holt"}, context)
result.status, result.output["title"], result.cost
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from lumeflow.app import App
from lumeflow.core.block import Block, BlockResult, BlockType
from lumeflow.core.errors import ErrorClass, NodeError, UsageError
from lumeflow.core.findings import did_you_mean
from lumeflow.core.journal import Mode
from lumeflow.core.records import JsonObject
from lumeflow.core.registry import BlockClass, Registry
from lumeflow.kit.payload_input import PayloadInput
from lumeflow.kit.payloads import SplitPayload, split_payload
from lumeflow.plugin import BlockConfig, BlockContext
from lumeflow.plugins import load_registry
from lumeflow.settings import Settings
from lumeflow.storage import load_rows, open_database
from lumeflow.vendors import Vendors

NODE_ID = "block"
"""Id of the block's node, under which mocks can be given and findings are reported."""

_MEMORY = "sqlite:///:memory:"
_WORKFLOW = "one-block"


class ExecutionContext:
    """Where blocks run alone; see `Block.execute`. Each run has a database in memory to itself.

    Nothing is remembered from one run to the next: in mode `live` every run calls, and pays, again.

    Args:
        mode: `demo` answers calls from the provider simulator, without network, keys or cost; `live` calls the vendors.
        mocks: Demo answers by provider, operation or node id (`block`) that take the place of the simulator's.
        variables: Values of `{{variables.x}}`.
        tables: Rows by table name that the database holds when the block starts.
        settings: Vendors, secrets, plugins, folder of output files; those of the environment if left out.
        execution_id: Id of the execution; a new one for each run if left out.
        now: The time that the block sees; the real one if left out.

    Raises:
        UsageError: The mode is neither `demo` nor `live`, or mocks are given for live calls.
    """

    def __init__(
        self,
        mode: Mode | str = Mode.DEMO,
        mocks: JsonObject | None = None,
        *,
        variables: JsonObject | None = None,
        tables: Mapping[str, Sequence[JsonObject]] | None = None,
        settings: Settings | None = None,
        execution_id: str | None = None,
        now: datetime | None = None,
    ) -> None:
        if mode not in tuple(Mode):
            raise UsageError(f"the mode '{mode}' is not known." + did_you_mean(mode, Mode))
        if mocks and mode == Mode.LIVE:
            raise UsageError("mocks are demo answers: leave them out, or take the mode 'demo'")
        self._mode = Mode(mode)
        self._mocks = mocks
        self._variables = variables
        self._tables = tables or {}
        self._settings = settings
        self._execution_id = execution_id
        self._now = now
        self._installed: Registry | None = None

    async def run_block(self, block: type[Block[Any]], config: Mapping[str, Any], payload: JsonObject) -> BlockResult:
        """Run `block` on `payload`, as a workflow of nothing else would.

        Args:
            block: The block; it need not be installed.
            config: The node's `config`, as in a workflow document.
            payload: What reaches the block: for an input block the execution's input, for a merge block whole
                payloads by the id of the node that they come from. A list of objects that `collection` names, or
                that is the only one, holds the records; without one the payload is the one record.

        Returns:
            How it ended. The output of a block whose records leave by other ports than `out` holds the payloads by
            the node that the configuration sends them to, or by port. That of an output block is what it reports.

        Raises:
            InvalidWorkflow: The configuration is not valid.
            UsageError: The payload or the rows of a table are unusable.
            StorageError: Output files cannot be written.
        """
        trial = _Trial.of(block, config, payload)
        async with self._open(block) as app:
            result = await app.execute(
                trial.document,
                payload,
                mode=self._mode,
                mocks=self._mocks,
                variables=self._variables,
                execution_id=self._execution_id,
                now=self._now,
            )
            return await _block_result(app, trial, result)

    @asynccontextmanager
    async def _open(self, block: BlockClass) -> AsyncIterator[App]:
        settings = self._settings or Settings.from_environment()
        if self._installed is None:
            self._installed, _ = load_registry(settings.plugin_folders)
        registry = _registry_of(block, self._installed)
        database = await open_database(_MEMORY, data_dir=settings.data_dir)
        try:
            for name, rows in self._tables.items():
                await load_rows(database.tables, name, orjson.dumps(list(rows)), name=f"{name}.json")
            vendors = await Vendors.open(settings, registry)
        except BaseException:
            await database.close()
            raise
        app = App(settings, registry, (), database, vendors)
        try:
            yield app
        finally:
            await app.close()


class _FeedConfig(BlockConfig):
    source: str
    part: str | None = None


class _Feed(PayloadInput[_FeedConfig]):
    """Sends the execution's input, or one part of it, to the block."""

    type = BlockType.INPUT
    name = "feed"
    when = ({"source": "feed"},)
    Config = _FeedConfig

    async def load(self, ctx: BlockContext, collection: str | None) -> SplitPayload:
        payload = ctx.trigger if self.config.part is None else ctx.trigger[self.config.part]
        try:
            return split_payload(payload, collection)
        except UsageError as error:
            raise NodeError(ErrorClass.VALIDATION, f"the payload cannot be taken apart: {error}") from error


class _CaptureConfig(BlockConfig):
    destination: str


class _Capture(Block[_CaptureConfig]):
    """Takes what the block sends; its records are kept with the execution."""

    type = BlockType.OUTPUT
    name = "capture"
    when = ({"destination": "capture"},)
    Config = _CaptureConfig

    async def process_batch(self, records: Sequence[JsonObject], ctx: BlockContext) -> Sequence[JsonObject]:
        return records

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        return {"collection": ctx.collection, "fields": ctx.fields if ctx.collection else {}}


def _registry_of(block: BlockClass, installed: Registry) -> Registry:
    """The block, what feeds it and what it feeds, and everything installed that can be called.

    Of the block's own type there is no other, so that no configuration can mean another one by mistake.
    """
    registry = Registry()
    registry.add_block(block)
    for helper in (_Feed, _Capture):
        if helper.type is not block.type:
            registry.add_block(helper)
    for operation in installed.operations().values():
        registry.add_operation(operation)
    for provider in installed.providers().values():
        registry.add_provider(provider)
    return registry


@dataclass(frozen=True, slots=True)
class _Trial:
    """A workflow of one block.

    Attributes:
        node_id: The block's node.
        document: The workflow.
        captures: By the id of each node that takes records of the block: its name in the output.
        one_way: True if the block has no port but `out`: then the output is the payload itself.
    """

    node_id: str
    document: Mapping[str, Any]
    captures: Mapping[str, str]
    one_way: bool

    @classmethod
    def of(cls, block: BlockClass, config: Mapping[str, Any], payload: JsonObject) -> "_Trial":
        """Put the workflow together.

        Raises:
            UsageError: The payload is not an object, or not one of payloads for a merge block.
        """
        ports, routes = _ways_out(block, config)
        parts = _parts(block, payload)
        taken = {*routes.values(), *(part for part in parts if part is not None)}
        node_id = _fresh(NODE_ID, taken)
        feeds = [_feed(block, config, payload, part, part or _fresh("input", taken)) for part in parts]
        captures = {target: target for target in routes.values()} | {
            _fresh(f"to-{port}", taken): port for port in ports if port not in routes
        }
        nodes = [
            *feeds,
            {"id": node_id, "type": str(block.type), "config": dict(config)},
            *({"id": capture, "type": "output", "config": {"destination": "capture"}} for capture in captures),
        ]
        edges = [{"source": feed["id"], "target": node_id} for feed in feeds]
        edges += [
            {"source": node_id, "sourcePort": port, "target": capture}
            for capture, port in captures.items()
            if port in ports
        ]
        document = {"workflowId": _WORKFLOW, "name": block.id(), "nodes": nodes, "edges": edges}
        return cls(node_id, document, captures, one_way=not routes and list(ports) == ["out"])


def _ways_out(block: BlockClass, config: Mapping[str, Any]) -> tuple[Sequence[str], Mapping[str, str]]:
    """The block's ports, and those of them that its configuration binds to node ids."""
    if block.type is BlockType.OUTPUT:
        return (), {}
    try:
        made = block(block.Config.model_validate(config))
        return made.out_ports(), made.routes()
    except ValueError:  # validation of the document reports it better
        return ("out",), {}


def _parts(block: BlockClass, payload: JsonObject) -> Sequence[str | None]:
    """Which parts of the payload reach the block one by one; None for the whole."""
    if not isinstance(payload, Mapping):
        raise UsageError(f"the payload must be an object; found {json_type(payload)}")
    if block.type is BlockType.INPUT:
        return ()
    if block.type is not BlockType.MERGE:
        return (None,)
    for source, part in payload.items():
        if not isinstance(part, Mapping):
            raise UsageError(
                f"a merge block takes whole payloads by the id of the node that they come from; "
                f"'{source}' is {json_type(part)}"
            )
    return tuple(payload)


def _feed(
    block: BlockClass, config: Mapping[str, Any], payload: JsonObject, part: str | None, node_id: str
) -> dict[str, Any]:
    """The input node for a part of the payload."""
    given = payload if part is None else payload[part]
    named = config.get("collection")
    works_on_records = block.shape() in {Shape.RECORD, Shape.BATCH} and block.type is not BlockType.MERGE
    collection = named if works_on_records or named in given else None
    return {"id": node_id, "type": "input", "config": {"source": "feed", "part": part, "collection": collection}}


def _fresh(wanted: str, taken: set[str]) -> str:
    """`wanted`, made different from ids that are taken."""
    while wanted in taken:
        wanted += "_"
    return wanted


async def _block_result(app: App, trial: _Trial, result: ExecutionResult) -> BlockResult:
    node = result.nodes[trial.node_id]
    completed = result.status is Status.COMPLETED
    return BlockResult(
        status="success" if completed else "failed",
        output=await _output(app, trial, result),
        failed=await _reasons(app, result.execution_id, RecordKind.FAILED, trial.node_id),
        skipped=await _reasons(app, result.execution_id, RecordKind.SKIPPED, trial.node_id),
        cost=node.cost.total_cost,
        error=None if completed else node.error or result.error,
    )


async def _output(app: App, trial: _Trial, result: ExecutionResult) -> JsonObject:
    if not trial.captures:
        return result.output
    reached = [node_id for node_id in trial.captures if result.nodes[node_id].status is not Status.SKIPPED]
    ends = {reached[0]: result.output} if len(reached) == 1 else result.output
    payloads = {
        trial.captures[node_id]: await _payload(app, result.execution_id, node_id, ends[node_id]) for node_id in reached
    }
    return next(iter(payloads.values()), {}) if trial.one_way else payloads


async def _payload(app: App, execution_id: str, node_id: str, end: JsonObject) -> JsonObject:
    """What a capture took, by what it reported in the end; nothing if it did not come to an end."""
    kept = app.kept_records(execution_id, RecordKind.OUTPUT, node_id)
    records = [record.data async for record in kept] if end else []
    if end.get("collection") is None:
        return records[0] if records else {}
    return {**end["fields"], end["collection"]: records}


async def _reasons(app: App, execution_id: str, kind: RecordKind, node_id: str) -> list[str]:
    return [_reason(record) async for record in app.kept_records(execution_id, kind, node_id)]


def _reason(record: KeptRecord) -> str:
    """`record 3: VALIDATION: …`; of a skipped record there is no class."""
    parts = (f"record {record.position}", record.error_class, record.reason)
    return ": ".join(part for part in parts if part)
