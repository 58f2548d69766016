"""Filter: keep the records that meet conditions."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.conditions import meets, shortfall
from lumeflow.plugin import (
    Block,
    BlockConfig,
    BlockContext,
    BlockType,
    ConditionField,
    ErrorClass,
    JsonObject,
    Outcome,
    RecordError,
    Skip,
)


class FieldFilterConfig(BlockConfig):
    """Configuration of `filter/fields`."""

    conditions: ConditionField = Field(description="What a record has to meet; of a list, all.")
    on_fail: Literal["skip", "error"] = Field(
        default="skip",
        description="What becomes of a record that does not: left out and kept for inspection, or failed.",
    )


class FieldFilter(Block[FieldFilterConfig]):
    """Let records pass that meet all conditions.

    Input: any record.
    Output: the records that meet the conditions, unchanged.
    Errors: with `onFail` `error`, VALIDATION for a record that does not meet them; the reason names the field and the
        operator, never the value.
    Cost: none.
    """

    type = BlockType.FILTER
    name = "fields"
    when: ClassVar[Sequence[Mapping[str, str]]] = ({},)
    Config = FieldFilterConfig
    example: ClassVar[Mapping[str, Any]] = {
        "conditions": [
            {"field": "email", "operator": "exists"},
            {
                "operator": "or",
                "conditions": [
                    {"field": "firstName", "operator": "exists"},
                    {"field": "lastName", "operator": "exists"},
                ],
            },
        ],
        "onFail": "skip",
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [{"firstName": "Mira", "email": "mira.holt@example.com"}, {"firstName": "Tomás"}]
    }

    def process(self, record: JsonObject, ctx: BlockContext) -> Outcome:
        """Let the record pass, or say why not."""
        if meets(self.config.conditions, record, ctx):
            return record
        reason = shortfall(self.config.conditions, record, ctx)
        return Skip(reason) if self.config.on_fail == "skip" else RecordError(ErrorClass.VALIDATION, reason)
