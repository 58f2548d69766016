"""Making several records of one."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from lumeflow.kit.objects import without
from lumeflow.kit.operations.step import NamedField
from lumeflow.plugin import BlockConfig, ErrorClass, JsonObject, Outcome, PathField, RecordError, Skip


class FanConfig(BlockConfig):
    """What the blocks that make several records of one have in common."""

    field: NamedField = Field(description="Field with the values.")
    to: PathField | None = Field(default=None, description="Where each record has its value; in `field` if absent.")
    number_field: PathField | None = Field(
        default=None, description="Field that gets the number of the value among those of its record, from 0."
    )
    empty: Literal["keep", "skip", "error"] = Field(
        default="keep",
        description="What becomes of a record without a value: it goes on without the field, is left out, or fails.",
    )


def fan_out(record: JsonObject, values: Sequence[Any], config: FanConfig, *, spread: bool = False) -> Outcome:
    """One record for each value, or what the configuration says of none.

    Args:
        record: The record; all its fields but `config.field` go on.
        values: The values.
        config: Where each goes.
        spread: True to lay them over the record; they must be objects.

    Raises:
        RecordError: (VALIDATION) a value can't be put into its place.
    """
    rest: JsonObject = without(record, config.field.parts)
    if values:
        try:
            return [_made(rest, value, number, config, spread=spread) for number, value in enumerate(values)]
        except ValueError as error:
            raise RecordError(ErrorClass.VALIDATION, str(error)) from error
    if config.empty == "keep":
        return rest
    reason = f"there is no value in {config.field}"
    if config.empty == "skip":
        return Skip(reason)
    return RecordError(ErrorClass.VALIDATION, reason, field=str(config.field))


def _made(rest: JsonObject, value: Any, number: int, config: FanConfig, *, spread: bool) -> JsonObject:
    made: JsonObject = {**rest, **value} if spread else (config.to or config.field).set(rest, value)
    if config.number_field is not None:
        made = config.number_field.set(made, number)
    return made
