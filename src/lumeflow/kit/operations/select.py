"""Step: keep some fields."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from lumeflow.kit.operations.step import Step, put
from lumeflow.plugin import MISSING, BlockContext, JsonObject, Path, PathField


def _without_indexes(paths: list[Path]) -> list[Path]:
    for path in paths:
        if not all(isinstance(part, str) for part in path.parts):
            raise ValueError(
                f"'{path}' leads into a list, of which only all can be kept; a 'map' can take one item over"
            )
    return paths


class SelectStep(Step):
    """Keep the fields that are named, in this order, and nothing else. Those a record lacks are left out."""

    type: Literal["select"] = Field(description="Selects this operation.")
    fields: Annotated[list[PathField], AfterValidator(_without_indexes)] = Field(
        min_length=1, description="Fields to keep; also a part of an object, such as company.name."
    )

    def apply(self, record: JsonObject, ctx: BlockContext) -> JsonObject:
        """Take the fields over."""
        kept: JsonObject = {}
        for path in self.fields:
            value: Any = path.get(record)
            if value is not MISSING:
                kept = put(kept, path, value)
        return kept
