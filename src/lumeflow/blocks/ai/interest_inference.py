"""`ai/interest-inference`: what people are interested in, inferred by a language model."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.models.annotating import AnnotatingBlock, AnnotatingConfig
from lumeflow.kit.models.chat import ALL_OPERATIONS
from lumeflow.kit.models.tasks import task_discriminators
from lumeflow.kit.shares import confidence_in
from lumeflow.kit.text import text_of
from lumeflow.plugin import BlockType

PROMPT = "infer-interests"


class InterestInferenceConfig(AnnotatingConfig):
    """Configuration of `ai/interest-inference`."""

    operation: Literal["interest-inference"] = Field(default="interest-inference", description="What to do.")
    prompt_template: str = Field(default=PROMPT, description="The prompt: `name` for the newest, or `name@version`.")
    output_field: str = Field(default="interests", min_length=1, description="Where the interests go.")
    most_interests: int = Field(default=5, ge=1, le=20, description="Interests of one record at most, surest first.")
    min_confidence: float = Field(default=0, ge=0, le=1, description="Interests below it are left out.")
    choices: tuple[str, ...] = Field(
        default=(), description="The only interests that may be given, such as a campaign's; by default any."
    )


class InterestInference(AnnotatingBlock[InterestInferenceConfig]):
    """Infer what people are interested in, from what is known of them.

    Input: records. The model sees what `mapping` gives, by default those of text, bio, headline, about, title, company,
    industry, keywords, city and country that a record has; names and addresses are not sent.
    Output: the records with `interests`: a list of {name, confidence (0 to 1)}, surest first; empty if nothing can be
    inferred. `metadata`: totalInterests, modelUsed, processingTime (ms). Records that hold none of these fields, or do
    not meet `condition`, pass through unasked.
    Errors: a record about which the model gives no usable answer, even when asked again, is one failed record. An
    unknown prompt or model, a model without known price, a bad key, or no credit stop the node.
    Cost: for each question of `batchSize` records what OpenRouter reports (nothing for models that end in `:free`), or
    at OpenAI and Anthropic its tokens times the model's price.
    """

    type = BlockType.AI
    name = "interest-inference"
    when = task_discriminators("interest-inference", PROMPT)
    Config = InterestInferenceConfig
    operations = ALL_OPERATIONS
    schema_name = "interests"
    tokens_each = 120
    seen = ("text", "bio", "headline", "about", "title", "company", "industry", "keywords", "city", "country")
    example: ClassVar[Mapping[str, Any]] = {
        "provider": "openai",
        "model": "gpt-4.1-mini",
        "promptTemplate": PROMPT,
        "mostInterests": 3,
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [
            {"firstName": "Lena", "title": "Head Baker", "bio": "Sourdough, trail running and my two dogs."},
            {"firstName": "Tomás", "company": "Example Cycles"},
            {"firstName": "Mira"},
        ]
    }

    def __init__(self, config: InterestInferenceConfig) -> None:
        super().__init__(config)
        self._choices = {choice.casefold(): choice for choice in config.choices}
        self._total = 0

    def prompt_reference(self) -> str:
        """As configured."""
        return self.config.prompt_template

    def output_field(self) -> str:
        """As configured."""
        return self.config.output_field

    def prompt_variables(self) -> Mapping[str, Any]:
        """How many interests, and which."""
        return {"most": self.config.most_interests, "choices": list(self.config.choices)}

    def read(self, part: Any) -> list[dict[str, Any]]:
        """The interests in `{"id": …, "interests": [{"name", "confidence"}, …]}`; each name once."""
        given = part.get("interests")
        if not isinstance(given, list) or not all(isinstance(interest, Mapping) for interest in given):
            raise ValueError("'interests' must be a list of objects")
        found: dict[str, dict[str, Any]] = {}
        for interest in given:
            name = self._name(interest.get("name"))
            confidence = confidence_in(interest.get("confidence"))
            if name and (confidence or 0.0) >= self.config.min_confidence:
                sure = {} if confidence is None else {"confidence": confidence}
                found.setdefault(name.casefold(), {"name": name, **sure})
        surest = sorted(found.values(), key=lambda interest: -interest.get("confidence", 0.0))
        return surest[: self.config.most_interests]

    def note(self, value: Any) -> None:
        """Count interests."""
        self._total += len(value)

    def summary(self) -> Mapping[str, Any]:
        """How many there are."""
        return {"totalInterests": self._total}

    def _name(self, value: Any) -> str:
        name = " ".join(text_of(value).split())[:80]
        return self._choices.get(name.casefold(), "") if self._choices else name
