"""Running one block alone, on a whole payload, through the real engine and gateway.

context = ExecutionContext(mode="demo", mocks={"apollo": {"person": {"title": "Buyer"}}})
result = await ApolloPeopleMatch.execute({"provider": "apollo"}, {"firstName": "Mira", "lastName": "Holt"}, context)
result.status, result.output["title"], result.cost
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import orjson

from lumeflow.app import App
from lumeflow.core.block import Block, BlockResult
from lumeflow.core.errors import UsageError
from lumeflow.core.findings import did_you_mean
from lumeflow.core.journal import KeptRecord, Mode, RecordKind, Status
from lumeflow.core.records import JsonObject
from lumeflow.core.registry import Registry
from lumeflow.core.result import ExecutionResult
from lumeflow.one_block import OneBlock, registry_of
from lumeflow.plugins import load_registry
from lumeflow.settings import Settings
from lumeflow.storage import load_rows, open_database
from lumeflow.storage.jobs import DEFAULT_TENANT
from lumeflow.vault.vault import Vault
from lumeflow.vendors import Vendors

_MEMORY = "sqlite:///:memory:"


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
        tenant: Whose secrets it sees: none of the installation's own if it is another than `default`.
        installed: What is installed; looked for if left out.
        vault: The tenant's secrets in a database; if left out, it sees those of the settings alone.

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
        tenant: str = DEFAULT_TENANT,
        installed: Registry | None = None,
        vault: Vault | None = None,
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
        self._tenant = tenant
        self._installed = installed
        self._vault = vault

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
        trial = OneBlock.of(block, config, payload)
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
    async def _open(self, block: type[Block[Any]]) -> AsyncIterator[App]:
        settings = self._settings or Settings.from_environment()
        if self._installed is None:
            self._installed, _ = load_registry(settings.plugin_folders)
        registry = registry_of(block, self._installed)
        database = await open_database(
            _MEMORY, data_dir=settings.data_dir, queries=settings.queries, tenant=self._tenant
        )
        try:
            for name, rows in self._tables.items():
                await load_rows(database.tables, name, orjson.dumps(list(rows)), name=f"{name}.json")
            vendors = await Vendors.open(settings, registry)
        except BaseException:
            await database.close()
            raise
        app = App(settings, registry, (), database, vendors)
        app.vault = self._vault or app.vault
        try:
            yield app
        finally:
            await app.close()


async def _block_result(app: App, trial: OneBlock, result: ExecutionResult) -> BlockResult:
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


async def _output(app: App, trial: OneBlock, result: ExecutionResult) -> JsonObject:
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
