"""Records and what can become of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lumeflow.core.errors import RecordError

JsonObject = Mapping[str, Any]
"""A record's data, a payload's fields: string keys, JSON values (plus `array('f')` for embeddings)."""

Lineage = tuple[int, ...]
"""Where a record comes from: the node that made it (its ordinal in the document), its ordinal there, then its ordinal
in each record it was made from.

Two records of one lineage are versions of the same thing, whichever arms of the graph they came through, and sorting
by lineage restores the order of the source.
"""


@dataclass(slots=True)
class Record:
    """One record on its way: `data` is never changed in place, blocks return new objects."""

    data: JsonObject
    lineage: Lineage


@dataclass(frozen=True, slots=True)
class Skip:
    """Outcome: the record is left out on purpose; it is counted and kept for inspection with its reason.

    Attributes:
        reason: Why; no personal data.
        forget: True if the record's data must not be kept, only the reason (a person who asked to be forgotten).
    """

    reason: str
    forget: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """Outcome: the record leaves by `port` instead of `out`."""

    port: str
    record: JsonObject


Outcome = JsonObject | Sequence[JsonObject] | Skip | Route | RecordError
"""What becomes of one record: itself changed, several records (maybe none), left out, another port, or failed."""


@dataclass(frozen=True, slots=True)
class SkippedRecord:
    """A record that a block of whole payloads leaves out on purpose.

    Attributes:
        position: Its ordinal in the block's input.
        record: The record.
        skip: Why.
    """

    position: int
    record: Record
    skip: Skip


@dataclass(slots=True)
class Whole:
    """A whole payload, for blocks that need everything at once.

    Attributes:
        fields: The payload's fields besides its collection.
        collection: Name of the collection; None if the payload has none.
        records: The collection. It may be read several times and may lie on disk; what a block returns may be lazy.
        skipped: Of what a block returns: the records that it leaves out, counted and kept like those that `Skip` names.
            It is read once, after `records`, and may be lazy.
    """

    fields: JsonObject
    collection: str | None
    records: Iterable[Record]
    skipped: Iterable[SkippedRecord] = ()
