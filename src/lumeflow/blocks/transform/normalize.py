"""Transform: bring values to one form."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from lumeflow.kit.operations.any import AnyNormalizeStep
from lumeflow.plugin import (
    Block,
    BlockConfig,
    BlockContext,
    BlockType,
    ErrorClass,
    JsonObject,
    RecordError,
)


class NormalizeConfig(BlockConfig):
    """Configuration of `transform/normalize`."""

    model_config = ConfigDict(defer_build=True)

    operation: Literal["normalize"] = Field(description="Selects this block.")
    fields: Sequence[AnyNormalizeStep] = Field(
        min_length=1, description="Fields to bring to a form, in this order; `as` says what each holds."
    )


class Normalize(Block[NormalizeConfig]):
    """Bring phones, e-mail addresses, dates, names, countries and web addresses to one form each.

    Phones become E.164, dates ISO 8601, countries ISO 3166 alpha-2 codes; addresses lose what surrounds them; names get
    their capitals. A value is never guessed: what can be read in two ways, or in none, stays as it is, unless
    `onInvalid` says otherwise, and is counted in a warning at the end.

    Input: any record.
    Output: the record with these fields in their form; absent and blank ones stay as they are.
    Errors: with `onInvalid` `error`, VALIDATION for a record with a value that cannot be read, and for one with an
        object where a value belongs; the message names the field and what it should be, never the value.
    Cost: none.
    """

    type = BlockType.TRANSFORM
    name = "normalize"
    when = ({"operation": "normalize"},)
    Config = NormalizeConfig
    example: ClassVar[Mapping[str, Any]] = {
        "operation": "normalize",
        "fields": [
            {"field": "name", "as": "name", "titles": "remove"},
            {"field": "email", "as": "email", "case": "all"},
            {"field": "country", "as": "country"},
            {"field": "phone", "as": "phone", "countryField": "country", "onInvalid": "remove"},
            {"field": "born", "as": "date", "order": "dayFirst"},
            {"field": "profile", "as": "url"},
        ],
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [
            {
                "name": "DOTT.SSA MIRA VAN DER HOLT",
                "email": "Mira Holt <Mira.Holt@Example.COM>",
                "country": "Italia",
                "phone": "(02) 5550-1234",
                "born": "9.1.1985",
                "profile": "it.linkedin.com/in/mira-holt?trk=people",
            }
        ]
    }

    def __init__(self, config: NormalizeConfig) -> None:
        super().__init__(config)
        self._values = [0] * len(config.fields)
        self._unread = [0] * len(config.fields)

    def process(self, record: JsonObject, ctx: BlockContext) -> JsonObject:
        """Bring the fields to their form."""
        for place, step in enumerate(self.config.fields):
            try:
                record, values, unread = step.reading(record)
            except ValueError as error:
                message = f"config.fields[{place}] ({step.kind}): {error}"
                raise RecordError(ErrorClass.VALIDATION, message, field=str(step.field)) from error
            self._values[place] += values
            self._unread[place] += unread
        return record

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Tell how many values could not be read."""
        for step, values, unread in zip(self.config.fields, self._values, self._unread, strict=True):
            if unread:
                ctx.warn(f"{step.field}: {unread:,} of {values:,} values could not be read as {step.wanted}")
        return {}
