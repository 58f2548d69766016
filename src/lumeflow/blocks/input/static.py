"""Input: data written in the workflow itself."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.payload_input import PayloadInput
from lumeflow.kit.payloads import SplitPayload, checked_records, json_type, split_payload
from lumeflow.plugin import BlockConfig, BlockContext, BlockType, ErrorClass, NodeError, TemplateField, UsageError


class StaticInputConfig(BlockConfig):
    """Configuration of `input/static`."""

    source: Literal["static"] = Field(description="Selects this block.")
    data: TemplateField = Field(
        description="The payload: an object, or a list of objects. Strings may hold {{trigger.x}} and {{variables.x}}."
    )


class StaticInput(PayloadInput[StaticInputConfig]):
    """Start a workflow with data that its document holds.

    Input: none.
    Output: `data` with its expressions resolved. In an object, the list of objects called `collection`, or else the
        only one there is, holds the records. A bare list holds the records, under the name `records` unless
        `collection` or the output schema gives another.
    Errors: VALIDATION if `data` turns out to be neither an object nor a list of objects.
    Cost: none.
    """

    type = BlockType.INPUT
    name = "static"
    when = ({"source": "static"},)
    Config = StaticInputConfig
    example: ClassVar[Mapping[str, Any]] = {
        "source": "static",
        "data": {
            "audience": "Spring launch",
            "contacts": [
                {"firstName": "Mira", "lastName": "Holt", "email": "mira.holt@example.com"},
                {"firstName": "Tomás", "lastName": "Quiroga", "email": "tomas.quiroga@example.org"},
            ],
        },
    }

    async def load(self, ctx: BlockContext, collection: str | None) -> SplitPayload:
        """Resolve `data`."""
        data = ctx.render(self.config.data)
        try:
            if isinstance(data, list):
                return SplitPayload({}, collection or "records", checked_records(data, "data"))
            if isinstance(data, Mapping):
                return split_payload(data, collection)
        except UsageError as error:
            raise self._unusable(str(error)) from error
        raise self._unusable(f"it must be an object or a list of objects; found {json_type(data)}")

    @staticmethod
    def _unusable(reason: str) -> NodeError:
        message = f"config.data cannot be the payload: {reason}"
        return NodeError(ErrorClass.VALIDATION, message, field="data")
