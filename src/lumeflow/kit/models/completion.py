"""What a language model answered, in terms that hold for every vendor of models."""

from dataclasses import dataclass
from enum import Enum


class Finish(Enum):
    """Why the model stopped."""

    STOP = "stop"
    """It said all it had to say."""
    LENGTH = "length"
    """The limit of output tokens cut it off: what there is must not be parsed."""
    FILTERED = "filtered"
    """A content filter or moderation stopped it, or refused the input."""
    REFUSED = "refused"
    """The model itself declined."""
    TOO_LONG = "too-long"
    """The input is longer than the model can take."""
    UNSUPPORTED = "unsupported"
    """It was not asked: it does not take a parameter of the request. The same question without it may be answered."""


class Parameter(Enum):
    """Parts of a request that some models do not take."""

    TEMPERATURE = "temperature"
    LIMIT = "maxTokens"
    """The limit of the answer, by the name under which it was sent."""
    FORMAT = "answerSchema"
    """The form of the answer: by JSON Schema, or as any JSON object."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer.

    Attributes:
        text: What it said; may be empty even if it stopped by itself.
        finish: Why it stopped.
        model: The model that answered, which may be a fallback; empty if none did.
        parameter: With `Finish.UNSUPPORTED`, what it does not take.
    """

    text: str
    finish: Finish
    model: str
    parameter: Parameter | None = None
