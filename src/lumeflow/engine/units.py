"""Cutting a node's input into units of work."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lumeflow.core.records import JsonObject, Record
from lumeflow.engine.batches import BatchMemory, place_of
from lumeflow.engine.context import View
from lumeflow.engine.node import NodeRun

LONGEST = 4096
"""Records in one unit at most, those that pass by untouched included: what waits for a batch to fill is bounded."""

MOST_BATCHES = 8
"""Batches in a unit that an earlier run has cut otherwise."""


@dataclass(slots=True)
class Unit:
    """A record, or some, on their way through a block.

    Attributes:
        records: In input order.
        positions: Their ordinals in the node's input.
        view: What was known of the payload when the unit was cut.
        outcomes: What became of each; None while it is to be worked on.
        task: Finds the missing outcomes; None if none is missing or nobody works yet.
        groups: Indexes of the records of each of its batches, where an earlier run has cut it otherwise; None for one
            batch of all that are to be worked on.
    """

    view: View
    records: list[Record] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    outcomes: list[Any] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    open_count: int = 0
    groups: list[list[int]] | None = None

    def add(self, record: Record, position: int, outcome: Any = None) -> None:
        """Add a record; one with an outcome is not worked on."""
        self.records.append(record)
        self.positions.append(position)
        self.outcomes.append(outcome)
        self.open_count += outcome is None

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


async def units(run: NodeRun, size: int | None) -> AsyncIterator[Unit]:
    """Cut the input into units of exactly `size` records to work on (the last may be smaller), whatever the pieces in
    which they arrive: so that a batch's request is the same in every run. None cuts as they arrive.

    Records that are refused, or that the block does not apply to, have their outcome already and do not fill a batch;
    after `LONGEST` records it ends all the same. What an earlier run has asked together stays together.
    """
    if size and run.world.batches:
        async for unit in Recut(run, size, run.world.batches).units():
            yield unit
        return
    position = 0
    unit = Unit(run.view())
    async for records in run.inbound.batches():
        for arrived in records:
            if not unit.records:
                unit.view = run.view()
            record, refused = run.admit(arrived)
            unit.add(record, position, refused or run.passes_by(record, position))
            position += 1
            if unit.open_count in (size, 0) or len(unit.records) >= LONGEST:
                yield unit
                unit = Unit(run.view())
        if size is None and unit.records:
            yield unit
            unit = Unit(run.view())
    if unit.records:
        yield unit


class Recut:
    """Cuts the input of a resumed node as earlier runs cut it, so that their answers are found again.

    A record that failed before it came here, and now comes, must not move the batches behind it. It goes into a batch
    of its own, with others like it that come near.

    Args:
        run: The node.
        size: Records in a batch.
        known: Batches of earlier runs.
    """

    def __init__(self, run: NodeRun, size: int, known: BatchMemory) -> None:
        self._run = run
        self._size = size
        self._known = known
        self._begin()

    async def units(self) -> AsyncIterator[Unit]:
        """The input, cut where no batch of an earlier run is open."""
        position = 0
        async for records in self._run.inbound.batches():
            for arrived in records:
                self._add(arrived, position)
                position += 1
                if self._is_complete():
                    yield self._unit
                    self._begin()
        if self._unit.records:
            yield self._unit

    def _begin(self) -> None:
        self._unit = Unit(self._run.view(), groups=[])
        self._expected: dict[str, list[int]] = {}
        self._others: list[int] = []

    def _add(self, arrived: Record, position: int) -> None:
        if not self._unit.records:
            self._unit.view = self._run.view()
        record, refused = self._run.admit(arrived)
        outcome = refused or self._run.passes_by(record, position)
        if outcome is None:
            self._group(place_of(record.lineage)).append(len(self._unit.records))
        self._unit.add(record, position, outcome)

    def _group(self, place: str) -> list[int]:
        """The batch of a record."""
        group = self._expected.pop(place, None)
        if group is not None:
            return group
        members = self._known.members(place)
        if members:
            group = self._new_group()
            self._expected.update((member, group) for member in members if member != place)
            return group
        if len(self._others) in (0, self._size):
            self._others = self._new_group()
        return self._others

    def _new_group(self) -> list[int]:
        group: list[int] = []
        assert self._unit.groups is not None
        self._unit.groups.append(group)
        return group

    def _is_complete(self) -> bool:
        unit = self._unit
        long = max(len(unit.records) / LONGEST, unit.open_count / (self._size * MOST_BATCHES))
        if self._expected:
            # Twice too long: somebody who was there in an earlier run does not come.
            return long >= 2
        return long >= 1 or not unit.open_count or len(self._others) in (0, self._size)
