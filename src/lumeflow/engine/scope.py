"""What `{{expressions}}` can see in one execution."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lumeflow.core.clock import iso
from lumeflow.core.errors import ErrorClass, NodeError
from lumeflow.core.journal import Execution
from lumeflow.core.records import JsonObject
from lumeflow.core.secret import Secret
from lumeflow.engine.messages import Seen
from lumeflow.engine.services import Services

NOTHING: Mapping[str, JsonObject] = {"output": {}}


def static_roots(execution: Execution) -> dict[str, Any]:
    """Roots that do not change while an execution runs."""
    return {
        "trigger": execution.input,
        "variables": execution.variables,
        "execution": {"id": execution.id, "now": iso(execution.now), "mode": str(execution.mode)},
    }


class Scope:
    """The roots besides `input`; one for each execution.

    Args:
        services: What the execution may use.
        inputs: Ids of the input nodes, in document order; their fields together are `workflow.input`.
    """

    def __init__(self, services: Services, inputs: Sequence[str]) -> None:
        execution = services.execution
        self._services = services
        self._inputs = inputs
        self._secrets: dict[str, Secret] = {}
        self._workflow_id = execution.workflow_id
        self._static: dict[str, Any] = {**static_roots(execution), "secrets": self._secrets}

    def view(self, seen: Seen) -> dict[str, Any]:
        """All roots but `input`, for one who sees these fields of the nodes before him."""
        given: JsonObject = {}
        for node_id in self._inputs:
            given = {**given, **seen.get(node_id, NOTHING)["output"]}
        return {
            **self._static,
            "workflow": {"id": self._workflow_id, "input": given},
            "nodes": seen,
        }

    def need_secrets(self, names: Iterable[str]) -> None:
        """Look secrets up before the first record.

        Raises:
            NodeError: One is not configured.
        """
        for name in names:
            secret = self._services.secrets.find(name)
            if secret is None:
                message = f"the secret '{name}' is not configured: set the environment variable LUMEFLOW_SECRET_{name}"
                raise NodeError(ErrorClass.AUTH, message)
            self._secrets[name] = secret
