"""Transform: a record for each part of a text."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.fanning import FanConfig, fan_out
from lumeflow.kit.payloads import json_type
from lumeflow.kit.splitting import Separators, split_text
from lumeflow.kit.text import is_blank
from lumeflow.plugin import MISSING, Block, BlockContext, BlockType, ErrorClass, JsonObject, Outcome, RecordError


class SplitConfig(FanConfig):
    """Configuration of `transform/split`."""

    operation: Literal["split"] = Field(description="Selects this block.")
    separators: Separators = Field(default=(",", ";", "\n"), description="Texts, any of which parts.")


class Split(Block[SplitConfig]):
    """Make a record of each part of a text: of `mira@example.com; tomas@example.com` two.

    Input: any record. A list of texts is split text by text; parts are trimmed, empty ones don't count.
    Output: a record for each part, with all other fields of the record that it comes from. A number or a boolean is its
        own only part.
    Errors: VALIDATION for a record with an object there, whose shape forbids to set a field, and, with `empty` `error`,
        for one without a part.
    Cost: none.
    """

    type = BlockType.TRANSFORM
    name = "split"
    when = ({"operation": "split"},)
    Config = SplitConfig
    example: ClassVar[Mapping[str, Any]] = {
        "operation": "split",
        "field": "emails",
        "separators": [";", ","],
        "to": "email",
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [{"company": "Example Freight", "emails": "mira@example.com; tomas@example.com"}]
    }

    def process(self, record: JsonObject, ctx: BlockContext) -> Outcome:
        """Make a record of each part."""
        value = self.config.field.get(record)
        texts: Sequence[Any] = value if isinstance(value, list) else [value]
        return fan_out(record, [part for text in texts for part in self._parts(text)], self.config)

    def _parts(self, text: Any) -> Sequence[Any]:
        if text is MISSING or is_blank(text):
            return ()
        if isinstance(text, str):
            return split_text(text, self.config.separators)
        if isinstance(text, bool | int | float):
            return (text,)
        message = f"{self.config.field} must be a string, found {json_type(text)}"
        raise RecordError(ErrorClass.VALIDATION, message, field=str(self.config.field))
