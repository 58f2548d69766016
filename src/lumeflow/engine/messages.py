"""What travels from node to node: a payload, cut into its fields and its records.

    Start ── fields known at the beginning, name of the collection
    Batch ── records, any number of times
    End   ── all fields, those known only at the end included

or, instead of all these, `Skipped`: nothing will come.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lumeflow.core.records import JsonObject, Record

Seen = Mapping[str, Mapping[str, JsonObject]]
"""Fields of the payloads of the nodes on the way here, by node id, under `output`: what `nodes['x'].output` shows.

They travel with the payload, so that what an expression sees never depends on who was quicker.
"""


@dataclass(frozen=True, slots=True)
class Start:
    """The payload begins.

    Attributes:
        fields: Its fields besides the collection, as far as they are known.
        collection: Name of its collection; None if it has none.
        seen: Fields of the nodes on the way here, as known when their payloads began.
    """

    fields: JsonObject
    collection: str | None
    seen: Seen = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some of its records, in order."""

    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class End:
    """The payload is complete; `fields` are all of its fields, `seen` all of those of the nodes on the way here."""

    fields: JsonObject
    seen: Seen = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Skipped:
    """No payload will come on this edge."""


Message = Start | Batch | End | Skipped


def merge_fields(below: JsonObject, above: JsonObject) -> JsonObject:
    """Fields of a node over those that reached it: objects of one name are joined, so `metadata` of several blocks
    stands side by side; of everything else the later one wins.
    """
    if not above:
        return below
    merged: dict[str, Any] = dict(below)
    for name, value in above.items():
        old = merged.get(name)
        both_objects = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[name] = {**old, **value} if both_objects else value  # type: ignore[dict-item]
    return merged
