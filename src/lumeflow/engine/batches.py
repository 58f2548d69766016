"""What a node remembers of its batches, so that a resume asks for the same records together.

A batch's request, and with it its key in the ledger, follows from the batch's members. Where a record failed in one run
and comes through in the next, cutting by count alone would move every batch behind it, and each would be paid again.
See ADR 7.
"""

from collections.abc import AsyncIterator, Sequence

from lumeflow.core.journal import Journal, KeptRecord, RecordKind
from lumeflow.core.records import Lineage


def place_of(lineage: Lineage) -> str:
    """A lineage as text: `2.3.0` for the first record that was made from the fourth of the third node."""
    return ".".join(map(str, lineage))


class BatchMemory:
    """The batches of one node for which calls were made, by the place of their first record.

    Held as text: ten bytes a record, and only in a resume.

    Args:
        journal: Where they are written down.
        execution_id: The execution.
        node_id: The node.
        inherited: Earlier executions whose answers the node uses.
    """

    def __init__(self, journal: Journal, execution_id: str, node_id: str, inherited: Sequence[str] = ()) -> None:
        self._journal = journal
        self._execution_id = execution_id
        self._node_id = node_id
        self._inherited = inherited
        self._known: dict[str, str] = {}

    def __bool__(self) -> bool:
        """True if an earlier run has made batches."""
        return bool(self._known)

    async def load(self) -> None:
        """Read what earlier runs have written down."""
        for execution_id in (self._execution_id, *self._inherited):
            kept: AsyncIterator[KeptRecord] = self._journal.kept(execution_id, RecordKind.BATCH, self._node_id)
            async for record in kept:
                # The first batch that began with a record is the one whose answer is most likely there.
                self._known.setdefault(place_of(record.lineage), record.data["members"])

    def members(self, place: str) -> Sequence[str]:
        """Places of the records of the batch that began with this one; empty if none did."""
        return self._known.get(place, "").split()

    async def note(self, position: int, members: Sequence[Lineage]) -> None:
        """Write a batch down before its first call: the claim of a call is never on disk without its batch.

        Args:
            position: Ordinal of its first record in the node's input.
            members: Lineages of its records, in order.
        """
        if place_of(members[0]) in self._known:
            return
        data = {"members": " ".join(map(place_of, members))}
        batch = KeptRecord(self._node_id, RecordKind.BATCH, position, members[0], data)
        # Handed over before anything is waited for, so that it goes to disk before or with the claim.
        await self._journal.keep(self._execution_id, [batch])
