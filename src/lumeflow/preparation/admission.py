"""Whether what was sent may start an execution, and under which id."""

from collections.abc import Callable, Iterable

from lumeflow.core.block import Admission
from lumeflow.core.document import Workflow
from lumeflow.core.errors import NodeError, UsageError
from lumeflow.core.findings import did_you_mean
from lumeflow.core.journal import Execution, Mode
from lumeflow.core.registry import Registry
from lumeflow.core.secret import Secret
from lumeflow.engine.plan import Plan


def check_mocks(names: Iterable[str], document: Workflow, registry: Registry) -> None:
    """Check that each name of a mock is one: else the demo's own answer would be taken for the mock.

    Names of operations, which have a slash, are checked where the mocks are read.

    Raises:
        UsageError: A name is of no node and no provider; the message names the nearest.
    """
    known = {node.id for node in document.nodes} | {entry.provider for entry in registry.operations().values()}
    for name in names:
        if name not in known and "/" not in name:
            raise UsageError(
                f"mocks name '{name}', which is neither a node nor a provider." + did_you_mean(name, known)
            )


class NamedByInput(UsageError):
    """The execution was given an id, but its input asks for another: what it holds may start one execution only.

    Attributes:
        wanted: The id that it asks for.
    """

    def __init__(self, wanted: str, given: str) -> None:
        super().__init__(
            f"what starts this execution may do so only once, under the id '{wanted}': leave out '{given}'"
        )
        self.wanted = wanted


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
