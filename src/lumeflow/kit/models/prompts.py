"""The prompt of a node, the same in every run of an execution."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from lumeflow.kit.models.chat_style import Message
from lumeflow.plugin import BlockContext, ErrorClass, NodeError, UsageError


async def pinned_prompt(ctx: BlockContext, reference: str) -> Any:
    """Load the prompt `name` or `name@3`.

    Where the newest is followed, a resume gets the version that the first run got: another text would be another
    question, and paid for again.

    Raises:
        NodeError: (VALIDATION) there is none, or its file is not a prompt; the message names it and the place.
    """

    async def load(exact: str) -> Any:
        # Off the loop: the first one imports the template engine, and calls are under way meanwhile.
        return await asyncio.to_thread(ctx.prompts.load, exact)

    async def newest() -> int:
        return int((await load(reference)).version)

    try:
        if "@" in reference:
            return await load(reference)
        return await load(f"{reference}@{await ctx.remember('prompt', newest)}")
    except UsageError as error:
        raise NodeError(ErrorClass.VALIDATION, str(error), field="promptTemplate") from error


def messages_of(prompt: Any, values: Mapping[str, Any]) -> Sequence[Message]:
    """The messages of a prompt.

    Raises:
        NodeError: (VALIDATION) a variable has no value, or a text cannot be rendered; the message names it.
    """
    try:
        messages: Sequence[Message] = prompt.messages(values)
    except UsageError as error:
        raise NodeError(ErrorClass.VALIDATION, str(error), field="mapping") from error
    return messages
