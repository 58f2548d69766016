"""Step: split a text into parts."""

from typing import Literal

from pydantic import Field

from lumeflow.kit.operations.step import Step, put
from lumeflow.kit.payloads import json_type
from lumeflow.kit.splitting import Separators, split_text
from lumeflow.plugin import MISSING, BlockContext, JsonObject, PathField


class SplitStep(Step):
    """Split a text into a list, or into several fields.

    Into fields, the last one takes what is left: `Mira Anna Holt` at spaces into two is `Mira` and `Anna Holt`. Parts
    are trimmed, empty ones are left out. A record without the field stays as it is.
    """

    type: Literal["split"] = Field(description="Selects this operation.")
    field: PathField = Field(description="The text to split; it becomes the list, or stays if `into` is given.")
    separators: Separators = Field(default=(",", ";", "\n"), description="Texts, any of which parts.")
    into: list[PathField] | None = Field(
        default=None, min_length=1, description="Fields for the first parts, in order."
    )

    def apply(self, record: JsonObject, ctx: BlockContext) -> JsonObject:
        """Split the text."""
        value = self.field.get(record)
        if value is MISSING or value is None:
            return record
        if not isinstance(value, str):
            raise ValueError(f"expected a string in {self.field}, found {json_type(value)}")
        if self.into is None:
            return put(record, self.field, split_text(value, self.separators))
        for path, part in zip(self.into, split_text(value, self.separators, most=len(self.into)), strict=False):
            record = put(record, path, part)
        return record
