"""A question out of a prompt file about several items at once, as `Survey` asks it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from lumeflow.kit.models.asking import Item, json_lines, listed_parts
from lumeflow.kit.models.chat import MOST_TOKENS, Message
from lumeflow.kit.models.prompts import messages_of

T = TypeVar("T")

TOKENS_AROUND = 200


class PromptTask(Generic[T]):
    """Implements `lumeflow.kit.models.asking.Task`.

    Args:
        prompt: The prompt file; it takes the items as `lines_name`, and `problem`.
        schema_name: Name of the answer's schema.
        lines_name: Its variable for the items: a JSON object a line.
        variables: Values of its other variables.
        read: Reads the part of the answer about one item; raises `ValueError` for one that is unusable.
        tokens_each: Tokens that the answer about one item may take.
        max_tokens: Limit of the whole answer in place of that.
    """

    def __init__(
        self,
        prompt: Any,
        *,
        schema_name: str,
        lines_name: str,
        read: Callable[[Any], T],
        tokens_each: int,
        max_tokens: int | None,
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        self.schema: Mapping[str, Any] = prompt.answer_schema
        self.schema_name = schema_name
        self._prompt = prompt
        self._lines_name = lines_name
        self._variables = variables or {}
        self._read = read
        self._tokens_each = tokens_each
        self._max_tokens = max_tokens

    def messages(self, items: Sequence[Item], problem: str) -> Sequence[Message]:
        """The prompt with a line for each item."""
        values = {**self._variables, self._lines_name: json_lines(items), "problem": problem}
        return messages_of(self._prompt, values)

    def max_tokens(self, items: Sequence[Item]) -> int:
        """Enough for so many items."""
        return self._max_tokens or min(TOKENS_AROUND + self._tokens_each * len(items), MOST_TOKENS)

    def parts(self, text: str, items: Sequence[Item]) -> Iterable[tuple[str, Any]]:
        """The entries of the answer's list."""
        return listed_parts(text)

    def read(self, part: Any) -> T:
        """One entry."""
        return self._read(part)
