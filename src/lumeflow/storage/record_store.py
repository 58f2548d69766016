"""The SQL of `execution_records`: records kept with an execution, in runs.

A row holds the records that one commit brought for one node and kind, sorted. Runs may overlap (records fail out of
order), so reading merges them: it holds the runs that overlap the present position, and no more.
"""

import heapq
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lumeflow.core.journal import KeptRecord, RecordKind, RecordPlace
from lumeflow.storage.jobs import Transaction, Work
from lumeflow.storage.owners import Owner, require_owner
from lumeflow.storage.record_codec import decode_run, encode_runs
from lumeflow.storage.scoped import TenantReader
from lumeflow.storage.statements import RowStatement, execute_rows

PAGE = 4
"""Runs read at once; with runs of a megabyte, a few megabytes."""

_DROP_ROWS = 50

_INSERT = RowStatement(
    """
INSERT INTO execution_records
  (tenant, execution_id, kind, node_id, run, first_position, last_position, record_count, float_mark, records, floats)
{rows}""",
    ("text", "text", "text", "text", "int", "int", "int", "int", "text", "json", "bytes"),
)

_READ = "run IN (0, coalesce((SELECT e.run FROM workflow_executions AS e WHERE e.tenant = ? AND e.id = ?), 1))"

_NODES = f"""
SELECT DISTINCT node_id FROM execution_records
WHERE tenant = ? AND execution_id = ? AND kind = ? AND {_READ}"""  # noqa: S608 - a constant of this module

_PAGE = f"""
SELECT first_position, id, records, float_mark, floats
FROM execution_records
WHERE tenant = ? AND execution_id = ? AND kind = ? AND node_id = ?
  AND {_READ} AND last_position >= ? AND (first_position, id) > (?, ?)
ORDER BY first_position, id LIMIT {PAGE}"""  # noqa: S608 - a constant of this module

_DROP = f"""
DELETE FROM execution_records WHERE tenant = ? AND id IN (
  SELECT id FROM execution_records WHERE tenant = ? AND execution_id = ? AND run NOT IN (0, ?) LIMIT {_DROP_ROWS})"""  # noqa: S608 - as above

_COUNT = """
SELECT coalesce(sum(record_count), 0) FROM execution_records WHERE tenant = ? AND execution_id = ? AND run = ?"""

ALL_RUNS = 0
"""Number of records that belong to no run alone."""

Keeping = tuple[Owner, str, int, Sequence[KeptRecord]]
"""Owner, execution, run, records."""


def _keep(tx: Transaction, given: Sequence[Keeping]) -> Sequence[None]:
    groups: dict[tuple[str, str, RecordKind, str, int], list[KeptRecord]] = {}
    for owner, execution_id, number, records in given:
        require_owner(tx, execution_id, owner)
        for record in records:
            run = ALL_RUNS if record.kind is RecordKind.BATCH else number
            groups.setdefault((tx.tenant, execution_id, record.kind, record.node_id, run), []).append(record)
    rows = [
        (*place, part.first, part.last, part.count, part.mark, part.text.decode(), part.floats)
        for place, records in groups.items()
        for part in encode_runs(records)
    ]
    execute_rows(tx, _INSERT, rows)
    return [None] * len(given)


KEEP: Work[Keeping, None] = Work(_keep, fault="records")


def drop_some(tx: Transaction, execution_id: str, spared: int) -> int:
    """Delete a bounded number of an execution's rows, but those of one run; returns how many, 0 when none is left."""
    return tx.db.execute(_DROP, (tx.tenant, tx.tenant, execution_id, spared)).rowcount


def count_records(tx: Transaction, execution_id: str, run: int) -> int:
    """How many records a run of an execution has kept."""
    return int(tx.db.execute(_COUNT, (tx.tenant, execution_id, run)).fetchone()[0])


def has_records(tx: Transaction, execution_id: str, kind: RecordKind) -> bool:
    """True if an execution has kept a record of this kind."""
    return (
        tx.db.execute(_NODES + " LIMIT 1", (tx.tenant, execution_id, kind.value, tx.tenant, execution_id)).fetchone()
        is not None
    )


async def nodes_with_records(reader: TenantReader, execution_id: str, kind: RecordKind) -> set[str]:
    """Ids of the nodes at which records of this kind ended."""
    return {
        row[0]
        for row in await reader.rows(_NODES, (reader.tenant, execution_id, kind.value, reader.tenant, execution_id))
    }


async def kept_at(
    reader: TenantReader, execution_id: str, kind: RecordKind, node_id: str, after: RecordPlace | None = None
) -> AsyncIterator[KeptRecord]:
    """Records of one kind and node, by position, then lineage, those behind `after`."""
    async for record in _all_from(reader, execution_id, kind, node_id, -1 if after is None else after.position):
        if after is None or (record.position, tuple(record.lineage)) > (after.position, tuple(after.lineage)):
            yield record


async def _all_from(
    reader: TenantReader, execution_id: str, kind: RecordKind, node_id: str, start: int
) -> AsyncIterator[KeptRecord]:
    """As above, from a position on or a little before it."""
    merge = _Merge()
    place: tuple[int, int] = (-1, -1)
    while runs := await reader.read(_page(execution_id, kind, node_id, start, place)):
        for first, _, records in runs:
            # Later runs start at `first` or after it: what lies before is complete.
            for record in merge.take_before(first):
                yield record
            merge.add(records)
        place = runs[-1][:2]
    for record in merge.take_before(None):
        yield record


_Run = tuple[int, int, list[KeptRecord]]


def _page(execution_id: str, kind: RecordKind, node_id: str, start: int, after: tuple[int, int]) -> Any:
    def query(tx: Transaction) -> list[_Run]:
        place = (tx.tenant, execution_id, kind.value, node_id, tx.tenant, execution_id, start, *after)
        return [
            (first, run_id, decode_run(text, mark, floats, node_id, kind))
            for first, run_id, text, mark, floats in tx.db.execute(_PAGE, place)
        ]

    return query


@dataclass(slots=True)
class _Merge:
    """Open runs, the one with the smallest next record first."""

    heap: list[tuple[int, tuple[int, ...], int, int, list[KeptRecord]]] = field(default_factory=list)
    added: int = 0

    def add(self, records: list[KeptRecord]) -> None:
        self.added += 1
        self._push(records, 0, self.added)

    def _push(self, records: list[KeptRecord], index: int, run: int) -> None:
        # The run's number decides between equal records, and keeps the lists themselves from being compared.
        record = records[index]
        heapq.heappush(self.heap, (record.position, record.lineage, run, index, records))

    def take_before(self, position: int | None) -> Sequence[KeptRecord]:
        """All records of the open runs before `position`; all that are left, for None."""
        taken = []
        while self.heap and (position is None or self.heap[0][0] < position):
            _, _, run, index, records = heapq.heappop(self.heap)
            taken.append(records[index])
            if index + 1 < len(records):
                self._push(records, index + 1, run)
        return taken
