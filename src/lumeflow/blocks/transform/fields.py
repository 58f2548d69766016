"""Transform: change the fields of records, one operation after the other."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from lumeflow.kit.objects import without
from lumeflow.plugin import (
    MISSING,
    Block,
    BlockConfig,
    BlockContext,
    BlockType,
    ErrorClass,
    JsonObject,
    PathField,
    RecordError,
    TemplateField,
)


class Operation(BaseModel, ABC):
    """One step. Subclasses add what they need and override `apply`."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    @abstractmethod
    def apply(self, record: JsonObject, ctx: BlockContext) -> JsonObject:
        """The changed record; the given one is never changed.

        Raises:
            ValueError: The record does not have the shape that the step needs.
        """


class MapOperation(Operation):
    """Set a field to a value. A value of null takes the field out: in records, absent is the one form of nothing."""

    type: Literal["map"] = Field(description="Selects this operation.")
    field: PathField = Field(description="Field to set; objects on the way to it are made.")
    transformation: TemplateField = Field(
        description="The new value; {{input}} is the record as the operations before this one left it."
    )

    def apply(self, record: JsonObject, ctx: BlockContext) -> JsonObject:
        """Set the field."""
        value = ctx.render(self.transformation, record)
        changed: JsonObject = without(record, self.field.parts) if value is None else self.field.set(record, value)
        return changed


class RenameOperation(Operation):
    """Move a field to another name. A record without the field stays as it is; a field at the new name is replaced."""

    type: Literal["rename"] = Field(description="Selects this operation.")
    source: PathField = Field(
        validation_alias=AliasChoices("from", "field"), serialization_alias="from", description="Field to move."
    )
    to: PathField = Field(description="Where to.")

    def apply(self, record: JsonObject, ctx: BlockContext) -> JsonObject:
        """Move the field."""
        value = self.source.get(record)
        if value is MISSING:
            return record
        changed: JsonObject = self.to.set(without(record, self.source.parts), value)
        return changed


AnyOperation = Annotated[MapOperation | RenameOperation, Field(discriminator="type")]


class FieldsConfig(BlockConfig):
    """Configuration of `transform/fields`."""

    operations: Sequence[AnyOperation] = Field(
        min_length=1, description="Steps, applied in this order; each sees what the ones before it made."
    )


class FieldsTransform(Block[FieldsConfig]):
    """Set and rename fields of every record.

    Input: any record.
    Output: the record with all operations applied.
    Errors: VALIDATION for a record whose shape forbids an operation, such as setting `company.name` where `company`
        is a string; its message names the operation.
    Cost: none.
    """

    type = BlockType.TRANSFORM
    name = "fields"
    when: ClassVar[Sequence[Mapping[str, str]]] = ({},)
    Config = FieldsConfig
    example: ClassVar[Mapping[str, Any]] = {
        "operations": [
            {"type": "map", "field": "name", "transformation": "{{input.firstName}} {{input.lastName}}"},
            {"type": "map", "field": "email", "transformation": "{{lowercase(input.email)}}"},
            {"type": "rename", "from": "employer", "to": "company.name"},
        ]
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [
            {"firstName": "Mira", "lastName": "Holt", "email": "Mira.Holt@Example.com", "employer": "Example Freight"}
        ]
    }

    def process(self, record: JsonObject, ctx: BlockContext) -> JsonObject:
        """Apply the operations in order."""
        for index, operation in enumerate(self.config.operations):
            try:
                record = operation.apply(record, ctx)
            except (ValueError, RecordError) as error:
                place = f"config.operations[{index}] ({operation.type})"
                raise RecordError(ErrorClass.VALIDATION, f"{place}: {error}") from error
        return record
