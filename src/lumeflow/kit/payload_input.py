"""Base of the input blocks that have their whole payload at hand before the first record leaves."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, TypeVar

from lumeflow.kit.payloads import SplitPayload
from lumeflow.plugin import Block, BlockConfig, BlockContext, JsonObject, Outcome

ConfigT = TypeVar("ConfigT", bound=BlockConfig)


class PayloadInput(Block[ConfigT]):
    """An input block that overrides `load`; the fields it returns are sent at once, its records one by one."""

    def __init__(self, config: ConfigT) -> None:
        super().__init__(config)
        self._collection: str | None = None
        self._records: Sequence[JsonObject] = ()

    @abstractmethod
    async def load(self, ctx: BlockContext, collection: str | None) -> SplitPayload:
        """Get the payload; `collection` is the name that the config or the output schema gives its records."""

    def output_collection(self, incoming: str | None) -> str | None:
        """The collection that was found; before `open`, the one that the config names."""
        return self._collection or super().output_collection(incoming)

    async def open(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Get the payload and return its fields."""
        fields, self._collection, self._records = await self.load(ctx, self.config.collection or ctx.collection)
        return fields

    async def produce(self, ctx: BlockContext) -> AsyncIterator[Outcome]:
        """Send the records."""
        for record in self._records:
            yield record
