"""lumeflow: a deterministic workflow engine for lead enrichment.

The public names. Each is imported when it is first asked for, so that `import lumeflow` itself costs next to nothing:

    async with lumeflow.open_app() as app:
        result = await app.execute(workflow_id="lead-enrichment-v1", input={"sourceAudienceId": "aud-1"})

Authors of blocks and providers import `lumeflow.plugin`, and `lumeflow.testing` in their tests.
"""

TYPE_CHECKING = False  # type checkers take it for True; the real one would cost importing `typing`
if TYPE_CHECKING:
    from lumeflow.app import App, open_app
    from lumeflow.core.block import BlockResult
    from lumeflow.core.document import Workflow
    from lumeflow.core.errors import (
        CallError,
        ErrorClass,
        LumeflowError,
        NodeError,
        RecordError,
        RunError,
        StorageError,
        UsageError,
    )
    from lumeflow.core.findings import Finding, InvalidWorkflow, Report
    from lumeflow.core.journal import ExecutionSummary, KeptRecord, Mode, RecordKind, Status
    from lumeflow.core.progress import NodeProgress, Progress
    from lumeflow.core.result import ExecutionCost, ExecutionResult, ExecutionTime, FailedRecord, NodeResult
    from lumeflow.execution_context import ExecutionContext
    from lumeflow.settings import Settings

    __version__: str

__all__ = [
    "App",
    "BlockResult",
    "CallError",
    "ErrorClass",
    "ExecutionContext",
    "ExecutionCost",
    "ExecutionResult",
    "ExecutionSummary",
    "ExecutionTime",
    "FailedRecord",
    "Finding",
    "InvalidWorkflow",
    "KeptRecord",
    "LumeflowError",
    "Mode",
    "NodeError",
    "NodeProgress",
    "NodeResult",
    "Progress",
    "RecordError",
    "RecordKind",
    "Report",
    "RunError",
    "Settings",
    "Status",
    "StorageError",
    "UsageError",
    "Workflow",
    "__version__",
    "open_app",
]

_MODULES = {
    "app": ("App", "open_app"),
    "core.block": ("BlockResult",),
    "core.document": ("Workflow",),
    "core.errors": (
        "CallError",
        "ErrorClass",
        "LumeflowError",
        "NodeError",
        "RecordError",
        "RunError",
        "StorageError",
        "UsageError",
    ),
    "core.findings": ("Finding", "InvalidWorkflow", "Report"),
    "core.journal": ("ExecutionSummary", "KeptRecord", "Mode", "RecordKind", "Status"),
    "core.progress": ("NodeProgress", "Progress"),
    "core.result": ("ExecutionCost", "ExecutionResult", "ExecutionTime", "FailedRecord", "NodeResult"),
    "execution_context": ("ExecutionContext",),
    "settings": ("Settings",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a public name, once.

    Raises:
        AttributeError: There is no such name.
    """
    if name == "__version__":
        found: object = _installed_version()
    elif name in _HOMES:
        from importlib import import_module

        found = getattr(import_module(f"lumeflow.{_HOMES[name]}"), name)
    else:
        raise AttributeError(f"module 'lumeflow' has no attribute '{name}'")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _installed_version() -> str:
    """The installed version; `unknown` when run from sources that were never installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("lumeflow")
    except PackageNotFoundError:
        return "unknown"
