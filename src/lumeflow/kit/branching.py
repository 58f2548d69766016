"""Base of the branch blocks: records, or the whole payload, leave by a port that the block names."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import Field

from lumeflow.plugin import Block, BlockConfig, BlockContext, JsonObject, Outcome, Route, Skip


class BranchConfig(BlockConfig):
    """What all branches can be told."""

    scope: Literal["record", "payload"] = Field(
        default="record", description="Decide for each record, or once for the whole payload by its fields."
    )


ConfigT = TypeVar("ConfigT", bound=BranchConfig)


class Branch(Block[ConfigT]):
    """A branch overrides `way`, and `out_ports` and `routes` as its configuration says."""

    def __init__(self, config: ConfigT) -> None:
        super().__init__(config)
        self._way: str | Skip | None = None

    @abstractmethod
    def way(self, subject: JsonObject, ctx: BlockContext) -> str | Skip:
        """The port for a record, or for a payload by its fields; `Skip` if no way is open to it."""

    async def open(self, ctx: BlockContext) -> Mapping[str, Any]:
        """With scope `payload`, decide for all records. A payload without a collection is its own one record."""
        if self.config.scope == "payload" and ctx.collection is not None:
            self._way = self.way(ctx.fields, ctx)
        return {}

    def process(self, record: JsonObject, ctx: BlockContext) -> Outcome:
        """Send the record its way, unchanged."""
        way = self._way if self._way is not None else self.way(record, ctx)
        return Route(way, record) if isinstance(way, str) else way
