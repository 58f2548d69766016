"""Making executions: new ones of a workflow or of `SEARCH`, and re-runs."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lumeflow.core.clock import Clock, NewId, checked_id
from lumeflow.core.document import Globals, Workflow
from lumeflow.core.errors import UsageError
from lumeflow.core.journal import Execution, Mode, Rerun, Status
from lumeflow.core.records import JsonObject
from lumeflow.core.registry import Registry
from lumeflow.engine.plan import Plan, Planner, make_plan
from lumeflow.engine.scope import static_roots
from lumeflow.preparation.admission import NamedByInput, admitted_id, check_mocks
from lumeflow.preparation.documents import Documents
from lumeflow.preparation.lookup import find_document
from lumeflow.preparation.request import ExecutionRequest, with_limits
from lumeflow.search import SEARCH_ID, is_search, search_definition, search_settings
from lumeflow.storage.workflows import SqlWorkflows
from lumeflow.vault.vault import Vault
from lumeflow.vendors import Vendors


class Preparation:
    """Makes the executions of one tenant, without writing them down or running them.

    Args:
        registry: Blocks, operations and providers.
        documents: Reads and checks documents.
        planner: Plans them.
        workflows: The tenant's workflows.
        vault: The tenant's secrets.
        vendors: How vendors are reached.
        clock: The real time.
        new_id: Makes ids of executions.
    """

    def __init__(
        self,
        registry: Registry,
        documents: Documents,
        planner: Planner,
        workflows: SqlWorkflows,
        vault: Vault,
        vendors: Vendors,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._registry = registry
        self._documents = documents
        self._planner = planner
        self._workflows = workflows
        self._vault = vault
        self._vendors = vendors
        self._clock = clock
        self._new_id = new_id

    async def new(self, request: ExecutionRequest) -> tuple[Plan, Execution]:
        """A new execution of a workflow, and its plan.

        Raises:
            InvalidWorkflow: The document cannot be run.
            UsageError: The execution's id is unusable, the input is not an object or is refused by the input block (a
                webhook's signature), a mock is of nothing, or there is no such workflow.
            StorageError: The database cannot be read.
        """
        await self._load_secrets(request.mode)
        document = await self._document(request)
        trigger = {} if request.input is None else request.input
        if not isinstance(trigger, Mapping):
            raise UsageError(f"the input must be a JSON object, found {type(trigger).__name__}")
        check_mocks(request.mocks or {}, document, self._registry)
        made = replace(request, input=trigger)
        execution = self._execution(made, document.workflow_id, document.version, document.as_json())
        return await self._admitted(document, execution, named=request.execution_id is not None)

    def search(self, request: ExecutionRequest) -> Execution:
        """A new execution of the pipeline that is written in code.

        Raises:
            UsageError: A workflow is named, the input names no audience, or the id is unusable.
        """
        if request.workflow is not None or request.workflow_id is not None:
            raise UsageError("SEARCH is written in code and takes no workflow: leave it out, or submit a WORKFLOW")
        given = request.input or {}
        if not isinstance(given, Mapping) or not isinstance(given.get("sourceAudienceId", given.get("id")), str):
            raise UsageError('the input must name the audience, as in {"sourceAudienceId": "abc-123"}')
        return self._execution(request, SEARCH_ID, 1, search_definition())

    async def rerun(
        self, earlier: Execution, from_node: str | None, new_id: str | None, limits: JsonObject
    ) -> tuple[Plan, Execution]:
        """A new execution of a part of an earlier one, and its plan: of the failed records, or from a node on.

        Args:
            earlier: The earlier one.
            from_node: The node; None for the failed records.
            new_id: Id of the new one; None to make one.
            limits: Limits in place of the document's of the same name.

        Raises:
            InvalidWorkflow: Its document cannot be run any more.
            UsageError: The id is unusable.
            StorageError: The database cannot be read.
        """
        execution = replace(
            earlier,
            id=self._new_id() if new_id is None else checked_id(new_id),
            status=Status.RUNNING,
            started_at=self._clock.now(),
            completed_at=None,
            output=None,
            error=None,
            rerun=Rerun(earlier.id, from_node),
        )
        await self._load_secrets(execution.mode)
        document = await self._load(with_limits(execution.definition, limits), execution.mode)
        return await self._plan(document, execution), execution

    async def again(self, execution: Execution, definition: Mapping[str, Any]) -> Plan | Globals:
        """What there is to run of an execution that was made before; of `SEARCH` its settings.

        Args:
            execution: The execution.
            definition: Its document, or the same with other limits.

        Raises:
            InvalidWorkflow: The document cannot be run, or a limit is not one.
            UsageError: A template of a configuration gives a value that its block does not take.
            StorageError: The database cannot be read.
        """
        await self._load_secrets(execution.mode)
        if is_search(definition):
            return search_settings(definition)
        return await self._plan(await self._load(definition, execution.mode), execution)

    async def _load_secrets(self, mode: Mode) -> None:
        if self._vendors.is_real(mode):
            await self._vault.load()

    async def _document(self, request: ExecutionRequest) -> Workflow:
        workflow = request.workflow
        if workflow is None and request.workflow_id is not None:
            workflow = await find_document(self._workflows, request.workflow_id, request.version)
        elif workflow is None or request.workflow_id is not None:
            raise UsageError("which workflow? Give either a document or a workflow_id")
        return workflow if isinstance(workflow, Workflow) else await self._load(workflow, request.mode)

    async def _load(self, source: Mapping[str, Any] | bytes, mode: Mode) -> Workflow:
        secrets = self._vault.latest if self._vendors.is_real(mode) else None
        if self._documents.is_large(source):
            return await asyncio.to_thread(self._documents.load, source, secrets)
        return self._documents.load(source, secrets)

    async def _plan(self, document: Workflow, execution: Execution) -> Plan:
        """Plan an execution before anything is written down: what cannot be planned has not begun.

        Raises:
            UsageError: A template of a node's configuration gives a value that the block does not take.
        """
        if self._documents.is_large(execution.definition):
            return await asyncio.to_thread(make_plan, document, self._registry, static_roots(execution))
        return self._planner.plan(document, static_roots(execution))

    def _execution(
        self, request: ExecutionRequest, workflow_id: str, version: int, definition: Mapping[str, Any]
    ) -> Execution:
        started = self._clock.now()
        return Execution(
            id=self._new_id() if request.execution_id is None else checked_id(request.execution_id),
            workflow_id=workflow_id,
            workflow_version=version,
            definition=definition,
            mode=request.mode,
            input=request.input or {},
            variables=request.variables or {},
            mocks=request.mocks or {},
            now=request.now or started,
            pinned=request.now is not None,
            status=Status.RUNNING,
            started_at=started,
            demo=self._vendors.demo_settings if request.mode is Mode.DEMO else {},
        )

    async def _admitted(self, document: Workflow, execution: Execution, *, named: bool) -> tuple[Plan, Execution]:
        """The plan, and the execution under the id that its input asks for, if it does.

        Raises:
            UsageError: The input is refused, or the execution was given another id.
        """
        plan = await self._plan(document, execution)
        wanted = admitted_id(plan, execution, self._vendors.secrets(execution.mode, self._vault.latest))
        if wanted is None or wanted == execution.id:
            return plan, execution
        if named:
            raise NamedByInput(wanted, execution.id)
        execution = replace(execution, id=wanted)
        return await self._plan(document, execution), execution
