"""Merge: one source after the other."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.plugin import Block, BlockConfig, BlockContext, BlockType, JsonObject


class AppendMergeConfig(BlockConfig):
    """Configuration of `merge/append`."""

    strategy: Literal["append"] = Field(description="Selects this block.")
    sources: Sequence[str] = Field(
        default=(), description="Ids of the nodes to merge, in the order of their records; that of the edges if absent."
    )


class AppendMerge(Block[AppendMergeConfig]):
    """Join records of several nodes into one collection: all of the first source, then all of the second, and so on.

    Input: any number of payloads; those of skipped nodes are left out.
    Output: their records, unchanged; of fields with one name the later source's wins, objects are joined.
    Errors: none.
    Cost: none. Streams: a record leaves as soon as those before it have left.
    """

    type = BlockType.MERGE
    name = "append"
    when = ({"strategy": "append"},)
    Config = AppendMergeConfig
    example: ClassVar[Mapping[str, Any]] = {"strategy": "append", "sources": ["instagram", "facebook"]}
    example_input: ClassVar[Mapping[str, Any]] = {
        "instagram": {"contacts": [{"firstName": "Mira", "instagram": "mira.holt"}]},
        "facebook": {"contacts": [{"firstName": "Tomás", "facebook": "tomas.quiroga"}]},
    }

    def sources(self) -> Sequence[str]:
        """The sources that the configuration names."""
        return self.config.sources

    def process(self, record: JsonObject, ctx: BlockContext) -> JsonObject:
        """Pass the record on; the order is made by the order in which the sources are read."""
        return record
