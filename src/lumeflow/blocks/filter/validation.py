"""Filter: keep the records whose values are what they should be."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator
from pydantic.alias_generators import to_camel

from lumeflow.kit.country_field import CountryField
from lumeflow.kit.normalize.countries import country_code
from lumeflow.kit.schema_check import Shortfall, record_shortfall
from lumeflow.kit.text import is_blank, text_of
from lumeflow.kit.validity import WANTED, ValueKind, is_valid
from lumeflow.plugin import (
    MISSING,
    Block,
    BlockConfig,
    BlockContext,
    BlockType,
    ErrorClass,
    JsonObject,
    Outcome,
    PathField,
    RecordError,
    Skip,
)


class FieldRule(BaseModel):
    """What a field should hold."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True, arbitrary_types_allowed=True
    )

    field: PathField = Field(description="Field to check; of a list, each item.")
    kind: ValueKind = Field(alias="as", description="What it should hold.")
    required: bool = Field(default=True, description="False to let records pass that have no value there.")
    country: CountryField | None = Field(
        default=None, description="For phones: country of numbers without a calling code, as ISO code or name."
    )
    country_field: PathField | None = Field(
        default=None, description="For phones: field that holds the record's own country; `country` where it has none."
    )

    @model_validator(mode="after")
    def _countries_are_for_phones(self) -> Self:
        if self.kind != "phone" and (self.country or self.country_field):
            raise ValueError("'country' and 'countryField' are for phones")
        return self

    def shortfall(self, record: JsonObject) -> str | None:
        """Why a record does not satisfy the rule; None if it does."""
        value = self.field.get(record)
        if value is MISSING or is_blank(value):
            return f"{self.field} is missing" if self.required else None
        country = self._country(record)
        for item in value if isinstance(value, list) else [value]:
            if not is_valid(self.kind, text_of(item), country):
                return f"{self.field} is not {WANTED[self.kind]}"
        return None

    def _country(self, record: JsonObject) -> str | None:
        own = None if self.country_field is None else country_code(text_of(self.country_field.get(record)))
        return own or self.country


class ValidationFilterConfig(BlockConfig):
    """Configuration of `filter/validation`."""

    operation: Literal["validate"] = Field(description="Selects this block.")
    fields: Sequence[FieldRule] = Field(default=(), description="What fields should hold; all must be right.")
    record_schema: Mapping[str, Any] | None = Field(
        default=None,
        alias="schema",
        description="JSON Schema (2020-12) that records must satisfy as they are. References lead into itself, not "
        "into the workflow.",
    )
    on_fail: Literal["skip", "error"] = Field(
        default="skip",
        description="What becomes of a record that is not right: left out and kept for inspection, or failed.",
    )

    _schema_shortfall: Shortfall | None = PrivateAttr(default=None)

    def model_post_init(self, context: Any, /) -> None:
        """Compile the schema.

        Raises:
            ValueError: It is no JSON Schema, or there is nothing to check.
        """
        if not self.fields and self.record_schema is None:
            raise ValueError("nothing to check: give 'fields' or 'schema'")
        if self.record_schema is not None:
            self._schema_shortfall = record_shortfall(self.record_schema)

    def shortfall(self, record: JsonObject) -> str | None:
        """The first thing that is wrong with a record; None if all is right."""
        for rule in self.fields:
            reason = rule.shortfall(record)
            if reason is not None:
                return reason
        return self._schema_shortfall(record) if self._schema_shortfall is not None else None


class ValidationFilter(Block[ValidationFilterConfig]):
    """Let records pass whose values are right by themselves: e-mail addresses, phones, web addresses, a JSON Schema.

    Addresses are checked by their syntax, nothing is looked up. Values are taken as they are, apart from spaces around
    them; `transform/normalize` brings them to one form before.

    Input: any record.
    Output: the records that satisfy all rules, and the schema, unchanged.
    Errors: with `onFail` `error`, VALIDATION for a record that does not; the reason names the first field that is wrong
        and what it should be, never the value.
    Cost: none.
    """

    type = BlockType.FILTER
    name = "validation"
    when = ({"operation": "validate"},)
    Config = ValidationFilterConfig
    example: ClassVar[Mapping[str, Any]] = {
        "operation": "validate",
        "fields": [
            {"field": "email", "as": "email"},
            {"field": "phone", "as": "phone", "country": "IT", "required": False},
        ],
        "schema": {"properties": {"score": {"type": "number", "minimum": 0.5}}, "required": ["score"]},
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [
            {"email": "mira.holt@example.com", "phone": "02 5550 1234", "score": 0.8},
            {"email": "tomas@example", "score": 0.9},
            {"email": "aiko@example.net", "score": 0.1},
        ]
    }

    def process(self, record: JsonObject, ctx: BlockContext) -> Outcome:
        """Let the record pass, or say why not."""
        reason = self.config.shortfall(record)
        if reason is None:
            return record
        return Skip(reason) if self.config.on_fail == "skip" else RecordError(ErrorClass.VALIDATION, reason)
