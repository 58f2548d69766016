"""Transform: a record for each item of a list."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.fanning import FanConfig, fan_out
from lumeflow.kit.payloads import json_type
from lumeflow.kit.text import is_blank
from lumeflow.plugin import MISSING, Block, BlockContext, BlockType, ErrorClass, JsonObject, Outcome, RecordError


class UnnestConfig(FanConfig):
    """Configuration of `transform/unnest`."""

    operation: Literal["unnest"] = Field(description="Selects this block.")
    spread: bool = Field(
        default=False,
        description="True to lay the properties of each item over the record; items must be objects.",
    )


class Unnest(Block[UnnestConfig]):
    """Make a record of each item of a list: of a company with three people, three people with their company.

    Input: any record. A value that is no list counts as a list of one; blank items don't count.
    Output: a record for each item, with all other fields of the record that it comes from.
    Errors: VALIDATION for a record whose items are no objects where `spread` is set, whose shape forbids to set a
        field, and, with `empty` `error`, for one without items.
    Cost: none.
    """

    type = BlockType.TRANSFORM
    name = "unnest"
    when = ({"operation": "unnest"},)
    Config = UnnestConfig
    example: ClassVar[Mapping[str, Any]] = {
        "operation": "unnest",
        "field": "people",
        "spread": True,
        "numberField": "personNumber",
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "companies": [
            {"company": "Example Freight", "people": [{"name": "Mira Holt"}, {"name": "Tomás Quiroga"}]},
            {"company": "Example Foods", "people": [{"name": "Aiko Mori"}]},
        ]
    }

    def process(self, record: JsonObject, ctx: BlockContext) -> Outcome:
        """Make a record of each item."""
        value = self.config.field.get(record)
        given: Sequence[Any] = value if isinstance(value, list) else [value]
        items = [item for item in given if item is not MISSING and not is_blank(item)]
        if self.config.spread:
            self._check(items)
        return fan_out(record, items, self.config, spread=self.config.spread)

    def _check(self, items: Sequence[Any]) -> None:
        for place, item in enumerate(items):
            if not isinstance(item, Mapping):
                message = f"{self.config.field}: item {place} must be an object to be spread, found {json_type(item)}"
                raise RecordError(ErrorClass.VALIDATION, message, field=str(self.config.field))
