"""What the outputs have in common that send records to an address: each under a key of its own, at most once."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import Field, field_validator, model_validator

from lumeflow.kit.conditions import meets
from lumeflow.kit.http.asking import OPERATION, Asker
from lumeflow.kit.http.config import WITHOUT_BODY, HttpConfig
from lumeflow.kit.http.statuses import checked_statuses
from lumeflow.kit.webhooks import DELIVERY_HEADER
from lumeflow.plugin import Block, BlockContext, ConditionField, JsonObject, Outcome, PathField, iso

_NOT_THERE = {"404": "error", "410": "error"}
_NO_ANSWER: Mapping[str, Any] = {"text": "", "json": {}}


class DeliveryConfig(HttpConfig):
    """Configuration that all outputs share that send to an address."""

    default_body: ClassVar[Any] = "{{input}}"
    """What is sent if neither `body` nor `mapping` says it."""

    method: Literal["POST", "PUT", "PATCH", "DELETE", "GET"] = Field(default="POST", description="The HTTP method.")
    batch_size: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="Records in one call: {{input}} is then the payload with these in its collection. Left out, each "
        "record is sent by itself, and {{input}} is the record.",
    )
    condition: ConditionField | None = Field(
        default=None, description="Records that do not meet it are not sent, and pass through."
    )
    answer_type: Literal["json", "text"] = Field(
        default="text", description="How the answer is read: `json` if `errorPath` or `costPath` looks into it."
    )
    idempotency_header: str | None = Field(
        default=DELIVERY_HEADER,
        description="Header for the delivery's key, by which the receiver tells one that comes again from a new one. "
        "It follows from execution, node, place of the record and content, so it is the same after every resume. With "
        "null, a delivery whose answer was lost is not sent again.",
    )
    response_path: PathField | None = Field(default=None, description="Outputs take nothing over; leave it out.")

    @model_validator(mode="before")
    @classmethod
    def _with_body(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and not {"body", "mapping"} & value.keys():
            method = str(value.get("method", "POST")).upper()
            return value if method in WITHOUT_BODY else {**value, "body": cls.default_body}
        return value

    @field_validator("response_path")
    @classmethod
    def _takes_nothing(cls, value: Any) -> Any:
        if value is not None:
            raise ValueError("an output takes nothing over from answers: leave it out, or use api/http")
        return value


DeliveryConfigT = TypeVar("DeliveryConfigT", bound=DeliveryConfig)


class DeliveryBlock(Block[DeliveryConfigT]):
    """An output that sends records, or batches of them, to an address."""

    operations = (OPERATION,)

    def __init__(self, config: DeliveryConfigT) -> None:
        super().__init__(config)
        self._asker = Asker(config, more=self.more_settings())
        self._deliveries = 0
        self._records = 0

    def more_settings(self) -> Mapping[str, Any]:
        """Settings of the calls besides those of all.

        An address that is not there is an error for whoever sends. In demo mode nothing is sent: the answer is empty.
        """
        statuses = {**_NOT_THERE, **checked_statuses(self.config.statuses)}
        example = (
            {} if "example" in self.config.model_fields_set else {"example": [_NO_ANSWER[self.config.answer_type]]}
        )
        return {"statuses": statuses, **example}

    @property
    def batch_size(self) -> int:
        """Records in one call."""
        return self.config.batch_size or 1

    def cautions(self) -> Iterable[tuple[tuple[str | int, ...], str]]:
        """Secrets that are written out."""
        return self.config.cautions()

    def applies(self, record: JsonObject, ctx: BlockContext) -> bool:
        """True if the record meets `condition`."""
        return self.config.condition is None or meets(self.config.condition, record, ctx)

    async def process_batch(self, records: Sequence[JsonObject], ctx: BlockContext) -> Sequence[Outcome]:
        """Send one delivery."""
        plain = [as_json(record) for record in records]
        if self.config.batch_size is None:
            value = plain[0]
        else:
            value = {**ctx.fields, ctx.collection: plain} if ctx.collection else plain[0]
        await self._asker.ask(ctx, value)
        self._deliveries += 1
        self._records += len(records)
        return records

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Say how much was sent."""
        return {"recordsCount": self._records, "deliveriesCount": self._deliveries, "deliveredAt": iso(ctx.now)}


def as_json(record: JsonObject) -> JsonObject:
    """The record with its vectors, also those inside, as lists of numbers."""
    return {name: _plain(value) for name, value in record.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, array):
        return value.tolist()
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
