"""Transform: change the fields of records, one operation after the other."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from lumeflow.kit.operations.any import AnyStep
from lumeflow.plugin import (
    Block,
    BlockConfig,
    BlockContext,
    BlockType,
    ErrorClass,
    JsonObject,
    RecordError,
)


class FieldsConfig(BlockConfig):
    """Configuration of `transform/fields`."""

    model_config = ConfigDict(defer_build=True)

    operations: Sequence[AnyStep] = Field(
        min_length=1, description="Steps, applied in this order; each sees what the ones before it made."
    )


class FieldsTransform(Block[FieldsConfig]):
    """Set, move, compute, format, keep, drop, flatten, split and normalise fields of every record.

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
            {"type": "rename", "from": "employer", "to": "company.name"},
            {"type": "map", "field": "name", "transformation": "{{input.firstName}} {{input.lastName}}"},
            {"type": "calculate", "field": "score", "transformation": "{{input.opens * 2 + input.replies * 10}}"},
            {"type": "format", "field": "company.name", "transformation": ["collapse", "uppercase"]},
            {"type": "normalize", "field": "phone", "as": "phone", "country": "IT"},
            {"type": "split", "field": "tags", "separators": [","]},
            {"type": "flatten", "field": "company"},
            {"type": "drop", "fields": ["firstName", "lastName"]},
        ]
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [
            {
                "firstName": "Mira",
                "lastName": "Holt",
                "employer": "Example  Freight",
                "opens": 3,
                "replies": 1,
                "phone": "02 5550 1234",
                "tags": "trade fair, Milan",
            }
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
