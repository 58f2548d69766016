"""Cutting a node's input into units of work."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lumeflow.core.records import JsonObject, Lineage, Record
from lumeflow.engine.context import View
from lumeflow.engine.node import NodeRun


@dataclass(slots=True)
class Unit:
    """A record, or some, on their way through a block.

    Attributes:
        records: In input order.
        positions: Their ordinals in the node's input.
        view: What was known of the payload when the unit was cut.
        outcomes: What became of each; None while it is to be worked on.
        task: Finds the missing outcomes; None if none is missing or nobody works yet.
    """

    view: View
    records: list[Record] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    outcomes: list[Any] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    open_count: int = 0

    def add(self, record: Record, position: int, outcome: Any = None) -> None:
        """Add a record; one with an outcome is not worked on."""
        self.records.append(record)
        self.positions.append(position)
        self.outcomes.append(outcome)
        self.open_count += outcome is None

    def place(self, index: int) -> str:
        """Identity of a record in the node: its lineage."""
        return place_of(self.records[index].lineage)

    def open_indexes(self) -> list[int]:
        """Indexes of the records that are to be worked on."""
        return [index for index, outcome in enumerate(self.outcomes) if outcome is None]

    def data(self, indexes: Sequence[int]) -> list[JsonObject]:
        """The data of some records."""
        return [self.records[index].data for index in indexes]

    def settle(self, indexes: Sequence[int], outcomes: Sequence[Any]) -> None:
        """Fill in outcomes."""
        for index, outcome in zip(indexes, outcomes, strict=True):
            self.outcomes[index] = outcome


def place_of(lineage: Lineage) -> str:
    """A lineage as text: `3.0` for the first record that was made from the fourth."""
    return ".".join(map(str, lineage))


async def units(run: NodeRun, size: int | None) -> AsyncIterator[Unit]:
    """Cut the input into units of exactly `size` records to work on (the last may be smaller), whatever the pieces in
    which they arrive: so that a batch's request is the same in every run. None cuts as they arrive.

    Records that are refused, or that the block does not apply to, have their outcome already and count for nothing.
    """
    position = 0
    unit = Unit(run.view())
    async for records in run.inbound.batches():
        for arrived in records:
            if not unit.records:
                unit.view = run.view()
            record, refused = run.admit(arrived)
            unit.add(record, position, refused or run.passes_by(record, position))
            position += 1
            if unit.open_count in (size, 0):
                yield unit
                unit = Unit(run.view())
        if size is None and unit.records:
            yield unit
            unit = Unit(run.view())
    if unit.records:
        yield unit
