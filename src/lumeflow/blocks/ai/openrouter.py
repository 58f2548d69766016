"""`ai/openrouter`: any question to a language model, about each record."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.models.chat import OPERATIONS
from lumeflow.kit.models.question import QuestionBlock, QuestionConfig
from lumeflow.plugin import BlockType


class OpenRouterConfig(QuestionConfig):
    """Configuration of `ai/openrouter`."""

    provider: Literal["openrouter"] = Field(default="openrouter", description="Through whom models are reached.")


class OpenRouter(QuestionBlock[OpenRouterConfig]):
    """Ask a language model about each record.

    Input: records. With `batchSize` 1 each is a question of its own: `prompt` rendered with the record as `input`, or a
    prompt file fed by `mapping`. With more, the question is followed by a line of JSON for each record, holding what
    `mapping` gives (a prompt file gets the lines as `items`).
    Output: the records with the answer in `outputField`, or taken apart by `fieldMapping`. With `answerSchema` it is
    JSON that satisfies the schema, otherwise text.
    Errors: a record without a usable answer, even when asked again, is one failed record. An unknown prompt or model, a
    bad key, or no credit stop the node.
    Cost: what the vendor reports for each question; nothing for models that end in `:free`.
    """

    type = BlockType.AI
    name = "openrouter"
    when = ({"provider": "openrouter"},)
    Config = OpenRouterConfig
    operations = OPERATIONS["openrouter"]
    example: ClassVar[Mapping[str, Any]] = {
        "provider": "openrouter",
        "model": ["mistralai/mistral-7b-instruct:free", "openai/gpt-5-mini"],
        "prompt": "Say in one sentence what {{input.company}} may need from a logistics partner.",
        "outputField": "need",
    }
    example_input: ClassVar[Mapping[str, Any]] = {"contacts": [{"firstName": "Lena", "company": "Example Freight"}]}
