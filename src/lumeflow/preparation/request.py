"""What somebody asks to have executed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lumeflow.core.document import Workflow
from lumeflow.core.journal import Mode
from lumeflow.core.records import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRequest:
    """A new execution, as it is asked for.

    Attributes:
        workflow: The document; None where `workflow_id` names it, and for `SEARCH`.
        workflow_id: Id of a workflow that was saved, or else of one that is installed with lumeflow.
        version: Version of the saved workflow; None for the current one.
        input: Raw input of the execution, e.g. `{"sourceAudienceId": "abc-123"}`; None for nothing.
        mode: `LIVE` calls the vendors; `DEMO` needs no network and no keys, and costs nothing.
        mocks: Answers by provider or node id that take the place of the demo's own.
        variables: Values of `{{variables.x}}`.
        execution_id: Its id; None for a new one or the one that its input asks for.
        now: The time that the execution sees; None for the real one.
    """

    workflow: Workflow | Mapping[str, Any] | bytes | None = None
    workflow_id: str | None = None
    version: int | None = None
    input: JsonObject | None = None
    mode: Mode = Mode.LIVE
    mocks: JsonObject | None = None
    variables: JsonObject | None = None
    execution_id: str | None = None
    now: datetime | None = None


def with_limits(definition: Mapping[str, Any], limits: JsonObject) -> Mapping[str, Any]:
    """A document with some of its limits replaced."""
    settings = definition.get("globals", {})
    return {**definition, "globals": {**settings, "limits": {**settings.get("limits", {}), **limits}}}
