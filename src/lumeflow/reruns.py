"""Executions that run a part of an earlier one anew: what each node has to do, and whose answers it may use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lumeflow.core.effects import EffectKey, Stored
from lumeflow.core.errors import UsageError
from lumeflow.core.findings import did_you_mean
from lumeflow.core.journal import Execution, RecordKind
from lumeflow.core.records import Lineage
from lumeflow.engine.parts import Part, combined, parts_from, parts_of_failed
from lumeflow.engine.plan import Plan
from lumeflow.storage import Database

LONGEST_CHAIN = 50
"""Re-runs of re-runs."""


@dataclass(frozen=True, slots=True)
class Inherited:
    """See `lumeflow.core.effects.Inheritance`.

    Attributes:
        database: Where the earlier executions are.
        executions: Their ids, the newest first; none for an execution that stands alone.
        parts: What each node has to do.
    """

    database: Database
    executions: Sequence[str]
    parts: Mapping[str, Part]

    async def find(self, key: EffectKey, node_id: str) -> Stored | None:
        """The answer that an earlier execution got to the same call."""
        if not self.parts[node_id].inherits:
            return None
        for execution_id in self.executions:
            stored = await self.database.answered(replace(key, execution_id=execution_id))
            if stored is not None:
                return stored
        return None

    def is_all(self, node_id: str) -> bool:
        """True if the node may use inherited answers alone."""
        return self.parts[node_id].only


async def inherited(database: Database, plan: Plan, execution: Execution) -> Inherited | None:
    """What an execution takes over from earlier ones; None if it stands alone.

    Raises:
        UsageError: An earlier execution is gone, or nothing of it failed any more.
        StorageError: The database cannot be read.
    """
    chain: list[str] = []
    parts: list[Mapping[str, Part]] = []
    rerun = execution.rerun
    while rerun is not None:
        parts.append(await _parts(database, plan, rerun.of, rerun.from_node))
        chain.append(rerun.of)
        earlier = await database.journal.get(rerun.of)
        if earlier is None or len(chain) > LONGEST_CHAIN:
            raise UsageError(f"execution '{rerun.of}' is gone, and '{execution.id}' runs a part of it anew")
        rerun = earlier.rerun
    return Inherited(database, chain, combined(parts[0], parts[1:])) if chain else None


def check_node(execution: Execution, node_id: str) -> None:
    """Make sure that a node is there to begin with.

    Raises:
        UsageError: It is not.
    """
    names = [node["id"] for node in execution.definition.get("nodes", ())]
    if node_id not in names:
        raise UsageError(
            f"the workflow of execution '{execution.id}' has no node '{node_id[:60]}'." + did_you_mean(node_id, names)
        )


async def _parts(database: Database, plan: Plan, execution_id: str, from_node: str | None) -> Mapping[str, Part]:
    if from_node is not None:
        return parts_from(plan, from_node)
    failed: dict[str, list[Lineage]] = {}
    async for record in database.journal.kept(execution_id, RecordKind.FAILED):
        failed.setdefault(record.node_id, []).append(record.lineage)
    if not failed:
        raise UsageError(f"no record of execution '{execution_id}' has failed: nothing is left to run again")
    return parts_of_failed(plan, failed)
