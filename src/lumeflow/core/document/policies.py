"""How failures are met and where an execution ends: retries, error handling, limits."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lumeflow.core.document.codes import Code
from lumeflow.core.document.fields import (
    DocumentModel,
    Factor,
    Id,
    Money,
    NotNegative,
    Positive,
    RetryableError,
    Share,
    Whole,
)
from lumeflow.core.errors import ErrorClass

DEFAULT_RETRYABLE = (
    ErrorClass.TIMEOUT,
    ErrorClass.RATE_LIMIT,
    ErrorClass.SERVER_ERROR,
    ErrorClass.NETWORK,
    ErrorClass.INVALID_RESPONSE,
)

_MaxRetries = Annotated[Whole, Field(ge=0, le=20, description="Retries after the first attempt.")]
_Multiplier = Annotated[Factor, Field(description="Each delay is this many times the one before.")]
_InitialDelay = Annotated[NotNegative, Field(description="Milliseconds before the first retry.")]
_MaxDelay = Annotated[NotNegative, Field(description="Milliseconds that no computed delay exceeds.")]
_Jitter = Annotated[Share, Field(description="Share of a delay that is drawn at random: 0 for none, 1 for all of it.")]
_Retryable = Annotated[tuple[RetryableError, ...], Field(description="Classes of errors after which to try again.")]


class ErrorHandling(StrEnum):
    """What a failed record means for the rest of the execution."""

    CONTINUE = "continue"
    """It leaves by the node's error port, or is kept with the execution; the others go on."""
    STOP = "stop"
    """It ends the execution."""


class OnError(StrEnum):
    """What a failed record means in one node."""

    CONTINUE = "continue"
    STOP = "stop"
    FALLBACK = "fallback"
    """It goes on as the node's `fallback` says."""


class RetryPolicy(DocumentModel):
    """When and how often a failed call is tried again; complete, with defaults."""

    max_retries: _MaxRetries = 3
    backoff_multiplier: _Multiplier = 2.0
    initial_delay: _InitialDelay = 1000.0
    max_delay: _MaxDelay = 30_000.0
    jitter: _Jitter = 0.5
    retryable_errors: _Retryable = DEFAULT_RETRYABLE


class NodeRetry(DocumentModel):
    """What a node does differently from the document's retry policy; what is left out is inherited."""

    max_retries: _MaxRetries | None = None
    backoff_multiplier: _Multiplier | None = None
    initial_delay: _InitialDelay | None = None
    max_delay: _MaxDelay | None = None
    jitter: _Jitter | None = None
    retryable_errors: _Retryable | None = None

    def over(self, policy: RetryPolicy) -> RetryPolicy:
        """The policy with this node's differences."""
        own = {name: getattr(self, name) for name in type(self).model_fields}
        return policy.model_copy(update={name: value for name, value in own.items() if value is not None})


class Fallback(DocumentModel):
    """What takes the place of a failed record: a value, or what another node makes of it."""

    value: dict[str, Any] | None = Field(default=None, description="Fields to put into the record, which then goes on.")
    node: Id | None = Field(default=None, description="Id of the node that takes over the failed record.")

    @model_validator(mode="after")
    def _one_of_two(self) -> "Fallback":
        if (self.value is None) == (self.node is None):
            raise PydanticCustomError(
                Code.INVALID_VALUE.value,
                "expected either 'value' or 'node', found {found}",
                {"found": "neither" if self.value is None else "both"},
            )
        return self


class Limits(DocumentModel):
    """Where an execution is stopped; what is left out is not limited by the document."""

    records: Annotated[Whole, Field(gt=0)] | None = Field(default=None, description="Records that enter the workflow.")
    calls: Annotated[Whole, Field(gt=0)] | None = Field(default=None, description="Outgoing calls.")
    cost_usd: Money | None = Field(default=None, description="Money, in USD.")
    seconds: Positive | None = Field(default=None, description="Time from start to end.")
    memory_mb: Positive | None = Field(default=None, description="Memory in megabytes.")


class Globals(DocumentModel):
    """Settings of the whole execution."""

    timeout: Positive | None = Field(default=None, description="Seconds that the whole execution may take.")
    retry_policy: RetryPolicy = Field(default=RetryPolicy(), description="Retries of failed calls, for all nodes.")
    error_handling: ErrorHandling = Field(
        default=ErrorHandling.CONTINUE, description="Whether a failed record ends the execution."
    )
    limits: Limits = Field(default=Limits(), description="Where the execution is stopped.")
