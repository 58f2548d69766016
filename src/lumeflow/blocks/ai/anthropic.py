"""`ai/anthropic`: any question to a model of Anthropic, about each record."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.models.chat import OPERATIONS
from lumeflow.kit.models.question import QuestionBlock, QuestionConfig
from lumeflow.plugin import BlockType


class AnthropicConfig(QuestionConfig):
    """Configuration of `ai/anthropic`."""

    provider: Literal["anthropic"] = Field(default="anthropic", description="Through whom models are reached.")


class Anthropic(QuestionBlock[AnthropicConfig]):
    """Ask a language model of Anthropic about each record.

    Input: records. With `batchSize` 1 each is a question of its own: `prompt` rendered with the record as `input`, or a
    prompt file fed by `mapping`. With more, the question is followed by a line of JSON for each record, holding what
    `mapping` gives (a prompt file gets the lines as `items`).
    Output: the records with the answer in `outputField`, or taken apart by `fieldMapping`. With `answerSchema` it is
    JSON that satisfies the schema, otherwise text.
    Errors: a record without a usable answer, even when asked again, is one failed record. An unknown prompt or model, a
    model without known price, a bad key, or no credit stop the node.
    Cost: tokens times the published price of the model, or `prices`; tokens out of the vendor's cache at their own.
    """

    type = BlockType.AI
    name = "anthropic"
    when = ({"provider": "anthropic"},)
    Config = AnthropicConfig
    operations = OPERATIONS["anthropic"]
    example: ClassVar[Mapping[str, Any]] = {
        "provider": "anthropic",
        "model": "claude-haiku-4-5",
        "prompt": "Write one friendly sentence to {{input.firstName}} of {{input.company}} about a first meeting.",
        "outputField": "opening",
    }
    example_input: ClassVar[Mapping[str, Any]] = {"contacts": [{"firstName": "Lena", "company": "Example Freight"}]}
