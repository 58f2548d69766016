"""A `BlockContext` in memory."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from lumeflow.core.clock import iso
from lumeflow.core.context import Files, Prompts, Tables
from lumeflow.core.errors import ErrorClass, NodeError, RecordError, UsageError
from lumeflow.core.expressions import Template
from lumeflow.core.money import FREE, ZERO
from lumeflow.core.operation import Params, Response
from lumeflow.core.records import JsonObject
from lumeflow.core.secret import Secret
from lumeflow.testing.memory import MemoryFiles, MemoryTables

NOON = datetime(2026, 1, 9, 12, tzinfo=UTC)


@dataclass(slots=True)
class MemoryContext:
    """What a block under test can ask of the world. Give what the test needs, look at the rest afterwards.

    Attributes:
        answers: Answers to calls by operation id: a value, or a function of the call's parameters.
        secrets: Secrets by name.
        variables: What `{{variables.x}}` sees.
        workflow_input: What `{{workflow.input.x}}` sees.
        nodes: What `{{nodes['id'].output.x}}` sees: payload fields by node id.
        remembered: Values that `remember` has read; fill it to act as a resumed execution.
        calls: The calls that were made: operation id and parameters.
        warnings: The warnings that were given.
    """

    execution_id: str = "execution-1"
    workflow_id: str = "workflow-1"
    node_id: str = "node-1"
    now: datetime = NOON
    elapsed_ms: int = 0
    demo: bool = False
    position: int = 0
    fields: JsonObject = field(default_factory=dict)
    collection: str | None = None
    trigger: JsonObject = field(default_factory=dict)
    input: Any = None
    tables: Tables = field(default_factory=MemoryTables)
    files: Files = field(default_factory=MemoryFiles)
    answers: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    variables: JsonObject = field(default_factory=dict)
    workflow_input: JsonObject = field(default_factory=dict)
    nodes: Mapping[str, JsonObject] = field(default_factory=dict)
    library: Prompts | None = None
    remembered: dict[str, Any] = field(default_factory=dict)
    calls: list[tuple[str, Params]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def at(self, value: Any, position: int, fields: JsonObject, collection: str | None) -> "MemoryContext":
        """The context for one unit of work; what is noted in it is noted in this one too."""
        return replace(self, input=value, position=position, fields=fields, collection=collection)

    @property
    def place(self) -> str:
        """The position: here, nothing fails before a record comes."""
        return str(self.position)

    @property
    def prompts(self) -> Prompts:
        """The prompts of the test.

        Raises:
            UsageError: The test gave none.
        """
        if self.library is None:
            raise UsageError("this test has no prompts; give MemoryContext(library=…)")
        return self.library

    def render(self, template: Template, value: Any = None) -> Any:
        """Resolve a template; `{{input}}` is `value` if given, else `self.input`."""
        scope = {
            "input": self.input if value is None else value,
            "trigger": self.trigger,
            "variables": self.variables,
            "workflow": {"id": self.workflow_id, "input": self.workflow_input},
            "nodes": {node_id: {"output": fields} for node_id, fields in self.nodes.items()},
            "execution": {"id": self.execution_id, "now": iso(self.now)},
            "secrets": {name: Secret(text) for name, text in self.secrets.items()},
            "env": {},
        }
        try:
            return template.render(scope)
        except ValueError as error:
            raise RecordError(ErrorClass.VALIDATION, str(error)) from error

    def secret(self, name: str) -> Secret:
        """A secret of the test, opaque.

        Raises:
            NodeError: (AUTH) the test gave none of this name.
        """
        if name not in self.secrets:
            raise NodeError(ErrorClass.AUTH, f"the secret '{name}' is not configured")
        return Secret(self.secrets[name])

    async def call(self, operation: str, params: Params) -> Response:
        """Answer a call from `answers`, free of charge.

        Raises:
            UsageError: There is no answer for this operation.
            CallError: The answer is this error.
        """
        self.calls.append((operation, params))
        if operation not in self.answers:
            raise UsageError(f"this test has no answer for '{operation}'; give MemoryContext(answers={{…}})")
        answer = self.answers[operation]
        value = answer(params) if callable(answer) else answer
        if isinstance(value, Exception):
            raise value
        return Response(value, FREE, replayed=False)

    async def remember(self, name: str, read: Callable[[], Awaitable[Any]]) -> Any:
        """Read something once."""
        if name not in self.remembered:
            self.remembered[name] = await read()
        return self.remembered[name]

    async def charged(self) -> Decimal:
        """Calls of a test cost nothing."""
        return ZERO

    def warn(self, message: str) -> None:
        """Note a warning."""
        self.warnings.append(message)
