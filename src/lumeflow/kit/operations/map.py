"""Step: set a field."""

from typing import Literal

from pydantic import Field

from lumeflow.kit.operations.step import Step, put, take_out
from lumeflow.plugin import BlockContext, JsonObject, PathField, TemplateField


class MapStep(Step):
    """Set a field to a value. A value of null takes the field out: in records, absent is the one form of nothing."""

    type: Literal["map"] = Field(description="Selects this operation.")
    field: PathField = Field(description="Field to set; objects on the way to it are made.")
    transformation: TemplateField = Field(
        description="The new value; {{input}} is the record as the operations before this one left it."
    )

    def apply(self, record: JsonObject, ctx: BlockContext) -> JsonObject:
        """Set the field."""
        value = ctx.render(self.transformation, record)
        return take_out(record, self.field) if value is None else put(record, self.field, value)
