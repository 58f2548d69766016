"""`ai/sentiment-analysis`: how people feel about what they write, judged by a language model."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.models.annotating import AnnotatingBlock, AnnotatingConfig
from lumeflow.kit.models.chat import ALL_OPERATIONS
from lumeflow.kit.models.tasks import task_discriminators
from lumeflow.kit.shares import between, confidence_in
from lumeflow.kit.text import text_of
from lumeflow.plugin import BlockType

PROMPT = "analyze-sentiment"
LABELS = ("positive", "neutral", "negative", "mixed")


class SentimentAnalysisConfig(AnnotatingConfig):
    """Configuration of `ai/sentiment-analysis`."""

    operation: Literal["sentiment-analysis"] = Field(default="sentiment-analysis", description="What to do.")
    prompt_template: str = Field(default=PROMPT, description="The prompt: `name` for the newest, or `name@version`.")
    output_field: str = Field(default="sentiment", min_length=1, description="Where the sentiment goes.")
    topic: str = Field(
        default="",
        description="What the sentiment is about, such as a product; by default whatever is written of.",
    )


class SentimentAnalysis(AnnotatingBlock[SentimentAnalysisConfig]):
    """Judge the sentiment of texts.

    Input: records. The model sees `text` of each, or what `mapping` gives.
    Output: the records with `sentiment`: {label (positive, neutral, negative or mixed), score (-1 to 1), confidence (0
    to 1)}. `metadata`: `sentiments` (how many of each label), modelUsed, processingTime (ms). Records without text, or
    that do not meet `condition`, pass through unasked.
    Errors: a record about which the model gives no usable answer, even when asked again, is one failed record. An
    unknown prompt or model, a model without known price, a bad key, or no credit stop the node.
    Cost: for each question of `batchSize` records what OpenRouter reports (nothing for models that end in `:free`), or
    at OpenAI and Anthropic its tokens times the model's price.
    """

    type = BlockType.AI
    name = "sentiment-analysis"
    when = task_discriminators("sentiment-analysis", PROMPT)
    Config = SentimentAnalysisConfig
    operations = ALL_OPERATIONS
    schema_name = "sentiments"
    lines_name = "texts"
    tokens_each = 60
    seen = ("text",)
    example: ClassVar[Mapping[str, Any]] = {
        "provider": "anthropic",
        "model": "claude-haiku-4-5",
        "promptTemplate": PROMPT,
        "mapping": {"text": "{{input.text}}"},
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "comments": [
            {"id": "c-1", "text": "Love it, best bread in town!"},
            {"id": "c-2", "text": "Two weeks late and broken. Never again."},
            {"id": "c-3", "text": "When do you open on Sundays?"},
        ]
    }

    def __init__(self, config: SentimentAnalysisConfig) -> None:
        super().__init__(config)
        self._labels: Counter[str] = Counter()

    def prompt_reference(self) -> str:
        """As configured."""
        return self.config.prompt_template

    def output_field(self) -> str:
        """As configured."""
        return self.config.output_field

    def prompt_variables(self) -> Mapping[str, Any]:
        """What the sentiment is about."""
        return {"topic": self.config.topic}

    def read(self, part: Any) -> dict[str, Any]:
        """The sentiment in `{"id": …, "label": …, "score": …, "confidence": …}`."""
        label = text_of(part.get("label")).lower()
        if label not in LABELS:
            raise ValueError(f"'label' must be one of {', '.join(LABELS)}")
        score = between(part.get("score"), -1.0, 1.0)
        if score is None:
            raise ValueError("'score' must be a number from -1 to 1")
        confidence = confidence_in(part.get("confidence"))
        sure = {} if confidence is None else {"confidence": confidence}
        return {"label": label, "score": score, **sure}

    def note(self, value: Any) -> None:
        """Count labels."""
        self._labels[value["label"]] += 1

    def summary(self) -> Mapping[str, Any]:
        """How many texts have each label."""
        return {"sentiments": {label: self._labels[label] for label in LABELS}}
