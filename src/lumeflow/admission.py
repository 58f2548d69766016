"""Whether what was sent may start an execution, and under which id."""

from collections.abc import Callable

from lumeflow.core.block import Admission
from lumeflow.core.errors import NodeError, UsageError
from lumeflow.core.journal import Execution, Mode
from lumeflow.core.secret import Secret
from lumeflow.engine.plan import Plan


def admitted_id(plan: Plan, execution: Execution, find: Callable[[str], Secret | None]) -> str | None:
    """The id that the input blocks ask for; None if any will do, as always in demo mode.

    Raises:
        UsageError: An input block refuses what was sent; the message names its node.
    """

    def secret(name: str) -> Secret:
        found = find(name)
        if found is None:
            raise UsageError(
                f"the secret '{name}' is not configured: set the environment variable LUMEFLOW_SECRET_{name}"
            )
        return found

    if execution.mode is Mode.DEMO:
        return None
    wanted: str | None = None
    for node in plan.nodes:
        if node.is_input:
            admission = Admission(execution.workflow_id, node.id, execution.input, execution.now, secret)
            try:
                wanted = node.make_block().admit(admission) or wanted
            except (UsageError, NodeError) as error:
                raise UsageError(f"node '{node.id}' does not start an execution: {error}") from error
    return wanted
