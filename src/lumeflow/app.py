"""The composition root, and the Python API: settings in, a wired application out.

async with open_app(Settings.from_environment()) as app:
result = await app.execute(document, {"sourceAudienceId": "abc-123"}, mode=Mode.DEMO)
result.status, result.output["contactsCount"], result.cost.total_cost
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import copy
from pathlib import Path
from typing import Any

from lumeflow.core.clock import NewId, SystemClock, random_id
from lumeflow.core.document import Workflow
from lumeflow.core.findings import Report
from lumeflow.core.journal import (
    Mode,
)
from lumeflow.core.records import JsonObject
from lumeflow.core.registry import Registry
from lumeflow.engine.plan import Planner
from lumeflow.engine.threads import Threads
from lumeflow.executions import Executions
from lumeflow.plugins import PluginProblem, load_registry
from lumeflow.preparation import Documents
from lumeflow.process import tuned
from lumeflow.prompts import PromptLibrary
from lumeflow.settings import Settings
from lumeflow.storage import Database, load_rows, open_database
from lumeflow.vault.tenant_secrets import TenantSecrets
from lumeflow.vault.vault import Vault
from lumeflow.vendors import Vendors
from lumeflow.workflows import PLAN, Example, example


class App(Executions):
    """lumeflow, wired. Make one with `open_app`.

    Attributes:
        settings: What it was made from.
        registry: Blocks, operations and providers.
        plugin_problems: Plugins that could not be loaded, by name.
        database: Executions, ledger and tables.
        vault: Secrets of the database's tenant.
    """

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        plugin_problems: Sequence[PluginProblem],
        database: Database,
        vendors: Vendors,
        *,
        new_id: NewId = random_id,
    ) -> None:
        self.settings = settings
        self.registry = registry
        self.plugin_problems = plugin_problems
        self.database = database
        self.vault = Vault(settings, database)
        self._vaults = {database.tenant: self.vault}
        self._vendors = vendors
        self._documents = Documents(registry)
        self._planner = Planner(registry)
        self._prompts = PromptLibrary(settings.prompt_folders)
        self._threads = Threads()
        self._clock = SystemClock()
        self._new_id = new_id

    def load(self, source: bytes | Mapping[str, Any], *, mode: Mode = Mode.LIVE) -> Workflow:
        """Read a document and check everything that can be checked before a run in this mode.

        Raises:
            InvalidWorkflow: With the whole report.
        """
        return self._documents.load(source, self._known(mode))

    def validate(self, source: bytes | Mapping[str, Any], *, mode: Mode = Mode.LIVE) -> Report:
        """All findings on a document, warnings included; never raises for a bad one.

        Where nothing real is called, in demo mode and with a simulator, secrets need not be configured. Known are those
        that were read last: see `check`.
        """
        return self._documents.check(source, self._known(mode))

    def _known(self, mode: Mode) -> TenantSecrets | None:
        """The secrets that must be there; None if none need be."""
        return self.vault.latest if self._vendors.is_real(mode) else None

    async def check(self, source: bytes | Mapping[str, Any], *, mode: Mode = Mode.LIVE) -> Report:
        """As `validate`, by the secrets that there are now.

        Raises:
            UsageError: A file of secrets or the key of those in the database is not right.
            StorageError: The database cannot be read.
        """
        await self.vault.load()
        return self.validate(source, mode=mode)

    def of(self, tenant: str) -> "App":
        """The same application as another tenant sees it; it is closed with this one.

        Raises:
            UsageError: It is no tenant's name.
        """
        if tenant == self.database.tenant:
            return self
        other = copy(self)
        other.database = self.database.of(tenant)
        # Shared by all who see it as this tenant, so that what one has read is known to the next.
        other.vault = self._vaults.setdefault(tenant, Vault(self.settings, other.database))
        return other

    async def load_rows(self, table: str, path: Path) -> int:
        """Load rows from a JSON, JSON Lines or CSV file into a table; all of them or, if one is bad, none.

        Raises:
            UsageError: The table or a row is not right; the message names the row.
        """
        return await load_rows(self.database.tables, table, path)

    async def save_workflow(self, source: Workflow | Mapping[str, Any] | bytes) -> Workflow:
        """Save a version of a workflow; the highest saved version is the one that `execute(workflow_id=…)` runs.

        Raises:
            InvalidWorkflow: The document cannot be run.
            UsageError: The version is already saved with other content.
        """
        await self.vault.load()
        workflow = source if isinstance(source, Workflow) else self.load(source)
        await self.database.workflows.save(workflow.as_json(), at=self._clock.now())
        return workflow

    async def demo_audience(self) -> JsonObject:
        """Store the sample audience of the demo; returns the execution input that names it."""
        return await self.stage(example(PLAN))

    async def stage(self, sample: Example) -> JsonObject:
        """Store the rows that a shipped workflow is to be tried on; returns the execution input.

        Raises:
            UsageError: There is no such table, or a row is not right.
        """
        import orjson

        for table, rows in sample.tables.items():
            await load_rows(self.database.tables, table, orjson.dumps(list(rows)), name=f"{table}.json")
        return sample.input

    async def close(self) -> None:
        """Let go of the database, connections and threads."""
        self._threads.close()
        await self._vendors.close()
        await self.database.close()


@asynccontextmanager
async def open_app(settings: Settings | None = None, *, new_id: NewId = random_id) -> AsyncIterator[App]:
    """Wire an application, and close it at the end. While it is open, the process is `tuned` (see lumeflow.process).

    Raises:
        StorageError: The database cannot be opened.
        UsageError: The settings are not right.
    """
    settings = settings or Settings.from_environment()
    registry, problems = load_registry(settings.plugin_folders)
    with tuned():
        database = await open_database(settings.db, data_dir=settings.data_dir, queries=settings.queries)
        try:
            vendors = await Vendors.open(settings, registry)
        except BaseException:
            await database.close()
            raise
        database.relax_while(vendors.is_behind)
        app = App(settings, registry, problems, database, vendors, new_id=new_id)
        try:
            await app.vault.load()
            yield app
        finally:
            await app.close()
