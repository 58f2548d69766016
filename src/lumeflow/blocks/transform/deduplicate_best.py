"""Transform: of records that mean the same, keep the last, the most complete, or all of them as one."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, count
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.duplicates.groups import Groups
from lumeflow.kit.duplicates.joining import Lists, Prefer
from lumeflow.kit.duplicates.keeping import Keeping, KeepJoined, KeepLast, KeepMostComplete
from lumeflow.kit.duplicates.matching import INCOMPARABLE, Matcher, MatchingConfig, duplicate_of
from lumeflow.kit.merging import Lazily, collection_name, fields_beside, in_pieces, merge_data, record_streams
from lumeflow.kit.objects import deep_merge
from lumeflow.plugin import Block, BlockContext, BlockType, JsonObject, PathField, Record, SkippedRecord, Whole


class DeduplicateBestConfig(MatchingConfig):
    """Configuration of `transform/deduplicate-best`."""

    keep: Literal["last", "mostComplete", "merge"] = Field(
        description="The last record; the one with the most values, of several the first; or all of them as one."
    )
    prefer: Prefer = Field(
        default="first", description="With `merge`: whose value a field gets that several records have."
    )
    lists: Lists = Field(
        default="whole",
        description="With `merge`: whether a list is taken from one record, or has the items of all, each once.",
    )
    count_field: PathField | None = Field(
        default=None, description="Field that gets the number of records that meant the same, 1 for a single one."
    )


class DeduplicateBest(Block[DeduplicateBestConfig]):
    """Keep the best of records that mean the same: the last, the most complete, or one that has what any of them has.

    Records mean the same if they are equal in all fields of `keys` (or in one of them, with `match` `any`: then also if
    a third one connects them), and, with `fuzzy`, if their names are alike besides.

    Input: any payload with records.
    Output: the records that are kept, in the order of the input: `last` and `mostComplete` in their own place, a merged
        one in the place of the first. Records that cannot be compared are kept, unless `missing` is `skip`. With
        `last` and `mostComplete` the others are left out with the number of the record that stays, counted from 0.
    Errors: VALIDATION for the node if more than 10,000 different names have the same keys.
    Cost: none. It waits for all records, which lie on disk, and reads them two to four times. Memory grows by 32 bytes
        a record at most.
    """

    type = BlockType.TRANSFORM
    name = "deduplicate-best"
    when: ClassVar[Sequence[Mapping[str, str]]] = (
        {"operation": "deduplicate", "keep": "last"},
        {"operation": "deduplicate", "keep": "mostComplete"},
        {"operation": "deduplicate", "keep": "merge"},
    )
    Config = DeduplicateBestConfig
    example: ClassVar[Mapping[str, Any]] = {
        "operation": "deduplicate",
        "keys": ["email", "phone"],
        "match": "any",
        "keep": "merge",
        "lists": "union",
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [
            {"name": "Mira Holt", "email": "mira@example.com", "tags": ["fair"]},
            {"email": "MIRA@example.com", "phone": "+390255501234", "tags": ["newsletter", "fair"]},
            {"name": "Tomás Quiroga", "email": "tomas@example.org"},
        ]
    }

    def __init__(self, config: DeduplicateBestConfig) -> None:
        super().__init__(config)
        self._matcher = Matcher(config)
        self._keeping: Keeping | None = None
        self._left_out = False

    async def run(self, payloads: Mapping[str, Whole], ctx: BlockContext) -> Whole:
        """Find out which records mean the same, then send what is kept."""
        collection = collection_name(payloads, self.config.collection)
        fields = merge_data((whole.fields for whole in payloads.values()), deep_merge)
        streams = record_streams(payloads)
        records = Lazily(lambda: chain.from_iterable(streams.values()))
        groups = Groups()
        await in_pieces(records, lambda piece: self._group(groups, piece))
        self._keeping = keeping = self._keeping_of(groups)
        if keeping.looks_first:
            ordinals = count()
            await in_pieces(records, lambda piece: _look(keeping, zip(piece, ordinals, strict=False)))
        return Whole(
            fields_beside(fields, collection, ctx),
            collection,
            Lazily(lambda: self._kept(records, keeping)),
            Lazily(lambda: self._skipped(records, keeping)),
        )

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Free memory and disk."""
        await self.abort()
        return {}

    async def abort(self) -> None:
        """Free memory and disk, when the thread that works on a piece has finished it."""
        await asyncio.to_thread(self._matcher.close)
        if self._keeping is not None:
            await asyncio.to_thread(self._keeping.close)

    def _group(self, groups: Groups, records: Sequence[Record]) -> None:
        for earlier in self._matcher.place([record.data for record in records]):
            if earlier is None and self.config.missing == "skip":
                groups.leave_out()
            else:
                groups.add(earlier or ())

    def _keeping_of(self, groups: Groups) -> Keeping:
        if self.config.keep == "merge":
            return KeepJoined(groups, self.config.prefer, self.config.lists)
        return KeepLast(groups) if self.config.keep == "last" else KeepMostComplete(groups)

    def _kept(self, records: Iterable[Record], keeping: Keeping) -> Iterator[Record]:
        for ordinal, record in enumerate(records):
            size = keeping.groups.size_of(ordinal)
            data = record.data if size == 1 else keeping.kept(ordinal, record.data) if size else None
            if data is not None:
                yield Record(self._counted(data, size), record.lineage)
            elif size == 0 or self.config.keep != "merge":
                self._left_out = True

    def _skipped(self, records: Iterable[Record], keeping: Keeping) -> Iterator[SkippedRecord]:
        """What does not go on; a record that was merged does, in another."""
        for ordinal, record in enumerate(records if self._left_out else ()):
            if not keeping.groups.size_of(ordinal):
                yield SkippedRecord(ordinal, record, INCOMPARABLE)
            elif self.config.keep != "merge" and (keeper := keeping.keeper(ordinal)) != ordinal:
                yield SkippedRecord(ordinal, record, duplicate_of(keeper))

    def _counted(self, data: JsonObject, size: int) -> JsonObject:
        if self.config.count_field is None:
            return data
        counted: JsonObject = self.config.count_field.set(data, size)
        return counted


def _look(keeping: Keeping, records: Iterable[tuple[Record, int]]) -> None:
    for record, ordinal in records:
        if keeping.groups.size_of(ordinal) > 1:
            keeping.look(ordinal, record.data)
