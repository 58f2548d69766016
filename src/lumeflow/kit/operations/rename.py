"""Step: move a field."""

from typing import Literal

from pydantic import AliasChoices, Field

from lumeflow.kit.operations.step import Step, put, take_out
from lumeflow.plugin import MISSING, BlockContext, JsonObject, PathField


class RenameStep(Step):
    """Move a field to another name. A record without the field stays as it is; a field at the new name is replaced."""

    type: Literal["rename"] = Field(description="Selects this operation.")
    source: PathField = Field(
        validation_alias=AliasChoices("from", "field"), serialization_alias="from", description="Field to move."
    )
    to: PathField = Field(description="Where to.")

    def apply(self, record: JsonObject, ctx: BlockContext) -> JsonObject:
        """Move the field."""
        source, to = self.source.top, self.to.top
        if source is not None and to is not None:
            if source not in record:
                return record
            copy = dict(record)
            copy[to] = copy.pop(source)
            return copy
        value = self.source.get(record)
        return record if value is MISSING else put(take_out(record, self.source), self.to, value)
