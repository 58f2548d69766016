"""Input: the body of the call that started the execution."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.payload_input import PayloadInput
from lumeflow.kit.payloads import SplitPayload, split_payload
from lumeflow.plugin import BlockConfig, BlockContext, BlockType, ErrorClass, NodeError, UsageError


class ApiInputConfig(BlockConfig):
    """Configuration of `input/api`."""

    source: Literal["api"] = Field(description="Selects this block.")


class ApiInput(PayloadInput[ApiInputConfig]):
    """Start a workflow with what its caller sent.

    Input: none; it reads the execution's input.
    Output: the execution's input. The list of objects called `collection` (by the config or the output schema), or
        else the only one there is, holds the records; without such a list the payload has none.
    Errors: VALIDATION if the named property is not a list of objects.
    Cost: none.
    """

    type = BlockType.INPUT
    name = "api"
    when = ({"source": "api"},)
    Config = ApiInputConfig
    example: ClassVar[Mapping[str, Any]] = {"source": "api", "collection": "contacts"}
    example_input: ClassVar[Mapping[str, Any]] = {
        "campaign": "Spring launch",
        "contacts": [{"firstName": "Mira", "lastName": "Holt"}, {"firstName": "Tomás", "lastName": "Quiroga"}],
    }

    async def load(self, ctx: BlockContext, collection: str | None) -> SplitPayload:
        """Take the execution's input apart."""
        try:
            return split_payload(ctx.trigger, collection)
        except UsageError as error:
            message = f"the input of the execution cannot be the payload: {error}"
            raise NodeError(ErrorClass.VALIDATION, message, field=collection) from error
