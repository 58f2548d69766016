"""Merge: record by record, side by side."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.merging import (
    Lazily,
    Streams,
    by_position,
    collection_name,
    fields_beside,
    first_of,
    lengths,
    record_streams,
)
from lumeflow.plugin import (
    Block,
    BlockConfig,
    BlockContext,
    BlockType,
    ErrorClass,
    JsonObject,
    NodeError,
    Record,
    Skip,
    SkippedRecord,
    Whole,
)

_NO_COUNTERPART = Skip("it has no counterpart")


class ZipMergeConfig(BlockConfig):
    """Configuration of `merge/zip`."""

    strategy: Literal["zip"] = Field(description="Selects this block.")
    sources: Sequence[str] = Field(
        default=(), description="Ids of the nodes to merge; later ones win. The order of the edges if absent."
    )
    shape: Literal["merged", "object"] = Field(
        default="merged",
        alias="as",
        description="One object with the properties of all, or an object that holds each record under its source's id.",
    )
    unequal: Literal["keep", "drop", "error"] = Field(
        default="keep",
        description="What becomes of records that have no counterpart, because a source has fewer records.",
    )


class ZipMerge(Block[ZipMergeConfig]):
    """Put the first records of all sources together, then the second ones, and so on.

    Input: any number of payloads; those of skipped nodes are left out.
    Output: with `as` `merged`, one flat object of each pair: of a property that several sources have, the last one's
        wins. With `as` `object`, `{"source-id": record, …}`. The payload's fields are put together in the same way if
        no source has a collection, else side by side as in `merged`. The collection has the name that `collection`,
        the output schema, or else the first source gives it.
    Errors: with `unequal` `error`, VALIDATION if the sources have different numbers of records.
    Cost: none. It waits for all sources; large ones wait on disk.
    """

    type = BlockType.MERGE
    name = "zip"
    when = ({"strategy": "zip"},)
    Config = ZipMergeConfig
    example: ClassVar[Mapping[str, Any]] = {"strategy": "zip", "sources": ["people", "companies"], "as": "object"}
    example_input: ClassVar[Mapping[str, Any]] = {
        "people": {"rows": [{"name": "Mira Holt"}, {"name": "Tomás Quiroga"}]},
        "companies": {"rows": [{"name": "Example Freight"}, {"name": "Example Foods"}]},
    }

    def sources(self) -> Sequence[str]:
        """The sources that the configuration names."""
        return self.config.sources

    async def run(self, payloads: Mapping[str, Whole], ctx: BlockContext) -> Whole:
        """Merge the payloads."""
        streams = record_streams(payloads)
        collection = collection_name(payloads, self.config.collection)
        if self.config.unequal == "error":
            await self._check_lengths(streams)
        by_source = {source: whole.fields for source, whole in payloads.items()}
        as_object = self.config.shape == "object" and collection is None
        fields = dict(by_source) if as_object else _side_by_side(by_source)
        return Whole(
            fields_beside(fields, collection, ctx),
            collection,
            Lazily(lambda: self._zipped(streams)),
            Lazily(lambda: self._skipped(streams)),
        )

    def _zipped(self, streams: Streams) -> Iterator[Record]:
        for records in by_position(streams):
            if None in records and self.config.unequal == "drop":
                return
            present = {
                source: record.data for source, record in zip(streams, records, strict=True) if record is not None
            }
            data: JsonObject = present if self.config.shape == "object" else _side_by_side(present)
            yield Record(data, first_of(records).lineage)

    def _skipped(self, streams: Streams) -> Iterator[SkippedRecord]:
        for position, records in enumerate(by_position(streams) if self.config.unequal == "drop" else ()):
            if None in records:
                alone = (record for record in records if record is not None)
                yield from (SkippedRecord(position, record, _NO_COUNTERPART) for record in alone)

    async def _check_lengths(self, streams: Streams) -> None:
        counts = await lengths(streams)
        if len(set(counts.values())) > 1:
            found = ", ".join(f"'{source}' {count}" for source, count in counts.items())
            message = f"the sources must have equally many records; found {found}"
            raise NodeError(ErrorClass.VALIDATION, message, field="unequal")


def _side_by_side(objects: Mapping[str, JsonObject]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for item in objects.values():
        merged.update(item)
    return merged
