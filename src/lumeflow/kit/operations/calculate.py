"""Step: compute a number."""

from typing import Any, Literal

from pydantic import Field, field_validator

from lumeflow.core.expressions import FUNCTIONS
from lumeflow.kit.operations.step import Step, put, take_out
from lumeflow.kit.payloads import json_type
from lumeflow.plugin import BlockContext, JsonObject, PathField, Template, TemplateField


class CalculateStep(Step):
    """Set a field to a number, or to true or false, computed from other fields.

    Unlike `map` it refuses texts: in data from a file `"3"` and `"4"` may be texts, whose sum is `"34"`. What cannot be
    computed because a field is missing is null, and takes the field out.
    """

    type: Literal["calculate"] = Field(description="Selects this operation.")
    field: PathField = Field(description="Field to set; objects on the way to it are made.")
    transformation: TemplateField = Field(
        description="How to compute it: one expression, such as {{input.opens * 2 + number(input.replies)}}."
    )
    decimals: int | None = Field(
        default=None, ge=0, le=15, description="Round to so many digits behind the point, halves away from zero."
    )

    @field_validator("transformation")
    @classmethod
    def _reads_something(cls, template: Template) -> Template:
        if template.is_constant and isinstance(template.source, str) and "{{" not in template.source:
            raise ValueError(f"an expression stands in braces: {{{{{template.source}}}}}")
        return template

    def apply(self, record: JsonObject, ctx: BlockContext) -> JsonObject:
        """Set the field."""
        value = ctx.render(self.transformation, record)
        if value is None:
            return take_out(record, self.field)
        return put(record, self.field, value if isinstance(value, bool) else self._rounded(value))

    def _rounded(self, value: Any) -> Any:
        if not isinstance(value, int | float):
            hint = "; number(…) reads a number out of a text" if isinstance(value, str) else ""
            raise ValueError(f"expected a number or true or false, found {json_type(value)}{hint}")
        return value if self.decimals is None else FUNCTIONS["round"].call(value, self.decimals)
