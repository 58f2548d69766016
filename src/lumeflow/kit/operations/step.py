"""What all steps have in common."""

from abc import ABC, abstractmethod
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from lumeflow.kit.objects import without
from lumeflow.plugin import BlockContext, JsonObject, Path, PathField


class Step(BaseModel, ABC):
    """One step. Subclasses add what they need and override `apply`."""

    # There are many kinds of steps, of which a workflow uses few: what checks them is built when it is first needed.
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        arbitrary_types_allowed=True,
        defer_build=True,
    )

    @abstractmethod
    def apply(self, record: JsonObject, ctx: BlockContext) -> JsonObject:
        """The changed record; the given one is never changed.

        Raises:
            ValueError: The record does not have the shape that the step needs; the message holds none of its data.
        """


def put(record: JsonObject, path: Path, value: Any) -> JsonObject:
    """A copy of `record` with `value` at `path`.

    Raises:
        ValueError: Something on the way is neither object nor list.
    """
    if path.top is not None:
        return {**record, path.top: value}
    changed: JsonObject = path.set(record, value)
    return changed


def take_out(record: JsonObject, path: Path) -> JsonObject:
    """A copy of `record` without what stands at `path`; itself if there is nothing."""
    name = path.top
    if name is not None:
        if name not in record:
            return record
        copy = dict(record)
        del copy[name]
        return copy
    changed: JsonObject = without(record, path.parts)
    return changed


def _named(path: Path) -> Path:
    if not isinstance(path.parts[-1], str):
        owner = Path(path.parts[:-1])
        raise ValueError(f"'{path}' is an item of a list; expected a field, such as {owner}")
    return path


NamedField = Annotated[PathField, AfterValidator(_named)]
"""A field of an object. An item of a list can't be taken out: those behind it would move."""
