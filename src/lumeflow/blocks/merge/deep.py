"""Merge: versions of one record become one record."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.merging import (
    Lazily,
    Streams,
    by_position,
    collection_name,
    fields_beside,
    first_of,
    in_order_of_lineage,
    merge_data,
    record_streams,
)
from lumeflow.kit.objects import deep_merge
from lumeflow.plugin import Block, BlockConfig, BlockContext, BlockType, Record, Whole


class DeepMergeConfig(BlockConfig):
    """Configuration of `merge/deep`."""

    strategy: Literal["deepMerge"] = Field(description="Selects this block.")
    sources: Sequence[str] = Field(
        default=(), description="Ids of the nodes to merge; later ones win. The order of the edges if absent."
    )


class DeepMerge(Block[DeepMergeConfig]):
    """Put together again what several arms of the workflow made of the same records.

    Input: any number of payloads; those of skipped nodes are left out.
    Output: fields and records merged object by object: of a value that several sources have, the last one's wins;
        lists are replaced whole. Records belong together if they come from the same record of the same origin. Where
        the sources' records are not in the order of their origin (behind a merge of another kind), those at the same
        position belong together. A record without counterpart is kept as it is. The collection has the name that
        `collection`, the output schema, or else the first source gives it.
    Errors: none.
    Cost: none. It waits for all sources; large ones wait on disk.
    """

    type = BlockType.MERGE
    name = "deep"
    when = ({"strategy": "deepMerge"},)
    Config = DeepMergeConfig
    example: ClassVar[Mapping[str, Any]] = {"strategy": "deepMerge", "sources": ["enrich", "score"]}
    example_input: ClassVar[Mapping[str, Any]] = {
        "enrich": {"contacts": [{"name": "Mira Holt", "company": {"name": "Example Freight"}}]},
        "score": {"contacts": [{"name": "Mira Holt", "company": {"size": 40}, "score": 0.8}]},
    }

    def sources(self) -> Sequence[str]:
        """The sources that the configuration names."""
        return self.config.sources

    async def run(self, payloads: Mapping[str, Whole], ctx: BlockContext) -> Whole:
        """Merge the payloads."""
        streams = record_streams(payloads)
        collection = collection_name(payloads, self.config.collection)
        fields = merge_data((whole.fields for whole in payloads.values()), deep_merge)
        join = by_lineage if await in_order_of_lineage(streams) else by_position
        return Whole(fields_beside(fields, collection, ctx), collection, Lazily(lambda: _merged(join, streams)))


def by_lineage(streams: Streams) -> Iterator[Sequence[Record]]:
    """Records of one lineage, in the order of the streams, by ascending lineage. The streams ascend by lineage."""
    numbered = [_numbered(number, records) for number, records in enumerate(streams.values())]
    merged = heapq.merge(*numbered, key=lambda entry: (entry[1].lineage, entry[0]))
    for _, entries in groupby(merged, key=lambda entry: entry[1].lineage):
        yield [record for _, record in entries]


def _numbered(number: int, records: Iterable[Record]) -> Iterator[tuple[int, Record]]:
    return ((number, record) for record in records)


def _merged(join: Callable[[Streams], Iterator[Sequence[Record | None]]], streams: Streams) -> Iterator[Record]:
    for records in join(streams):
        data = merge_data((record.data for record in records if record is not None), deep_merge)
        yield Record(data, first_of(records).lineage)
