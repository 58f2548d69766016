"""Step: take fields out."""

from typing import Literal

from pydantic import Field

from lumeflow.kit.operations.step import NamedField, Step, take_out
from lumeflow.plugin import BlockContext, JsonObject


class DropStep(Step):
    """Take fields out. An object that loses its last field stays, empty."""

    type: Literal["drop"] = Field(description="Selects this operation.")
    fields: list[NamedField] = Field(min_length=1, description="Fields to take out; those a record lacks are no error.")

    def apply(self, record: JsonObject, ctx: BlockContext) -> JsonObject:
        """Take the fields out."""
        for path in self.fields:
            record = take_out(record, path)
        return record
