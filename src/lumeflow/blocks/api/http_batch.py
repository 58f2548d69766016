"""`api/http-batch`: any vendor over HTTP, asked about many records at once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.conditions import meets
from lumeflow.kit.http.answers import content_of, enriched
from lumeflow.kit.http.asking import OPERATION, Asker
from lumeflow.kit.http.auth import Part
from lumeflow.kit.http.config import EnrichingConfig
from lumeflow.kit.payloads import json_type
from lumeflow.kit.text import text_of
from lumeflow.plugin import (
    Block,
    BlockContext,
    BlockType,
    ErrorClass,
    JsonObject,
    Outcome,
    PathField,
    RecordError,
)


class Matching(Part):
    """How parts of an answer find their records."""

    record: PathField = Field(description="Path in the record to what tells it from others.")
    answer: PathField | None = Field(
        default=None, description="Path in a part of the answer to the same; left out, the answer is an object by it."
    )


class HttpBatchConfig(EnrichingConfig):
    """Configuration of `api/http-batch`."""

    mode: Literal["batch"] = Field(default="batch", description="One call for many records.")
    batch_mode: Literal[True] | None = Field(default=None, description="The same as `mode` batch.")
    batch_size: int = Field(default=50, ge=1, le=10_000, description="Records in one call.")
    match_by: Matching | None = Field(
        default=None,
        description="How parts of the answer find their records; left out, the answer is a list in the records' order.",
    )


class HttpForBatches(Block[HttpBatchConfig]):
    """Ask any HTTP API about many records in one call, and take over what it says of each.

    Input: records; `{{input}}` is the batch's payload, so `{{pluck(input.contacts, 'email')}}` is the list of all
    addresses.
    Output: the same records with the fields of `fieldMapping`, and their part of the answer under `saveAs`. A record
    that the answer does not mention passes through unchanged.
    Errors: as of `api/http`; an error of the call is one of all its records. Without `matchBy`, an answer of another
    length than the batch is an error, since it can't be told whose is whose.
    Cost: as of `api/http`, for each call.
    """

    type = BlockType.API
    name = "http-batch"
    when = (
        {"provider": "http", "mode": "batch"},
        {"provider": "custom", "mode": "batch"},
        {"provider": "http", "batchMode": True},
        {"provider": "custom", "batchMode": True},
    )
    Config = HttpBatchConfig
    operations = (OPERATION,)
    example: ClassVar[Mapping[str, Any]] = {
        "provider": "http",
        "mode": "batch",
        "batchSize": 25,
        "url": "https://crm.example.com/crm/v1/people/batch",
        "method": "POST",
        "repeat": "booked",
        "auth": {"type": "apiKey", "in": "header", "name": "X-API-Key", "key": "{{secrets.crmKey}}"},
        "body": {"emails": "{{pluck(input.contacts, 'email')}}"},
        "responsePath": "people",
        "matchBy": {"record": "email", "answer": "email"},
        "fieldMapping": {"jobTitle": "title"},
        "costPath": "usage.cost",
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [{"email": "lena.okafor@example.com"}, {"email": "tomas.lindqvist@example.com"}]
    }

    def __init__(self, config: HttpBatchConfig) -> None:
        super().__init__(config)
        self._asker = Asker(config)

    def cautions(self) -> Iterable[tuple[tuple[str | int, ...], str]]:
        """Secrets that are written out."""
        return self.config.cautions()

    def applies(self, record: JsonObject, ctx: BlockContext) -> bool:
        """True if the record meets `condition`."""
        return self.config.condition is None or meets(self.config.condition, record, ctx)

    async def process_batch(self, records: Sequence[JsonObject], ctx: BlockContext) -> Sequence[Outcome]:
        """Ask about one batch."""
        limits = self.config.limits
        asked = records if limits is None else records[: max(limits - ctx.position, 0)]
        if not asked:
            return records
        payload = {**ctx.fields, ctx.collection: asked} if ctx.collection else asked[0]
        answer = await self._asker.ask(ctx, payload)
        if not answer["found"]:
            return records
        parts = self._parts(asked, content_of(self.config, answer))
        outcomes: list[Outcome] = [
            enriched(self.config, record, part) for record, part in zip(asked, parts, strict=True)
        ]
        return [*outcomes, *records[len(asked) :]]

    def _parts(self, records: Sequence[JsonObject], content: Any) -> Sequence[Any]:
        """The part of the answer for each record; None for none."""
        match_by = self.config.match_by
        if match_by is None:
            if not isinstance(content, list) or len(content) != len(records):
                raise _unexpected(f"a list of {len(records)}", content)
            return content
        if match_by.answer is None:
            if not isinstance(content, dict):
                raise _unexpected("an object", content)
            known = {_name(key): part for key, part in content.items()}
        else:
            if not isinstance(content, list):
                raise _unexpected("a list", content)
            known = {_name(match_by.answer.get(part)): part for part in reversed(content)}
        known.pop("", None)
        return [known.get(_name(match_by.record.get(record))) for record in records]


def _name(value: Any) -> str:
    return text_of(value).casefold()


def _unexpected(expected: str, content: Any) -> RecordError:
    found = f"a list of {len(content)}" if isinstance(content, list) else json_type(content)
    return RecordError(ErrorClass.INVALID_RESPONSE, f"the answer must hold {expected} at responsePath; found {found}")
