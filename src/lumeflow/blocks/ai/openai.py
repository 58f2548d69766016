"""`ai/openai`: any question to a model of OpenAI, or of any endpoint that speaks its form, about each record."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.models.chat import OPERATIONS
from lumeflow.kit.models.question import QuestionBlock, QuestionConfig
from lumeflow.plugin import BlockType


class OpenAIConfig(QuestionConfig):
    """Configuration of `ai/openai`."""

    provider: Literal["openai"] = Field(default="openai", description="Through whom models are reached.")


class OpenAI(QuestionBlock[OpenAIConfig]):
    """Ask a language model of OpenAI, or any endpoint that speaks its form (`baseUrl`), about each record.

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
    name = "openai"
    when = ({"provider": "openai"},)
    Config = OpenAIConfig
    operations = OPERATIONS["openai"]
    example: ClassVar[Mapping[str, Any]] = {
        "provider": "openai",
        "model": ["gpt-5-mini", "gpt-4.1-mini"],
        "prompt": "Which trade is {{input.company}} in?",
        "answerSchema": {
            "type": "object",
            "properties": {"trade": {"type": "string"}, "confidence": {"type": "number"}},
            "required": ["trade", "confidence"],
            "additionalProperties": False,
        },
        "outputField": "trade",
    }
    example_input: ClassVar[Mapping[str, Any]] = {"contacts": [{"firstName": "Lena", "company": "Example Freight"}]}
