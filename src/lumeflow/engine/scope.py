"""What `{{expressions}}` can see in one execution."""

from collections.abc import Iterable, Mapping
from typing import Any

from lumeflow.core.clock import iso
from lumeflow.core.errors import ErrorClass, NodeError
from lumeflow.core.journal import Execution
from lumeflow.core.records import JsonObject
from lumeflow.core.secret import Secret
from lumeflow.engine.services import Services


def static_roots(execution: Execution, environ: Mapping[str, str]) -> dict[str, Any]:
    """Roots that do not change while an execution runs."""
    return {
        "trigger": execution.input,
        "variables": execution.variables,
        "execution": {"id": execution.id, "now": iso(execution.now), "mode": str(execution.mode)},
        "env": environ,
    }


class Scope:
    """The roots besides `input`. One for each execution; nodes write the fields of their payloads into it.

    A node's fields are published when its payload starts and again when it ends. Whoever reads them stands behind the
    node, so it sees the first set while records stream, and the whole set where the payload is complete: the same in
    every run.
    """

    def __init__(self, services: Services) -> None:
        execution = services.execution
        self._services = services
        self._nodes: dict[str, dict[str, Any]] = {}
        self._workflow: dict[str, Any] = {"id": execution.workflow_id, "input": {}}
        self._secrets: dict[str, Secret] = {}
        self._roots: dict[str, Any] = {
            **static_roots(execution, services.environ),
            "workflow": self._workflow,
            "nodes": self._nodes,
            "secrets": self._secrets,
        }

    def publish(self, node_id: str, fields: JsonObject, *, is_input: bool) -> None:
        """Make a payload's fields visible as `nodes[id].output`, and as `workflow.input` for an input node."""
        self._nodes[node_id] = {"output": fields}
        if is_input:
            self._workflow["input"] = {**self._workflow["input"], **fields}

    def need_secrets(self, names: Iterable[str]) -> None:
        """Look secrets up before the first record.

        Raises:
            NodeError: One is not configured.
        """
        for name in names:
            secret = self._services.secret(name)
            if secret is None:
                message = f"the secret '{name}' is not configured: set the environment variable LUMEFLOW_SECRET_{name}"
                raise NodeError(ErrorClass.AUTH, message)
            self._secrets[name] = secret

    def roots(self, value: Any) -> Mapping[str, Any]:
        """All roots, with `value` as `input`."""
        return {**self._roots, "input": value}
