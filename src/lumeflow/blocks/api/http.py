"""`api/http`: any vendor over HTTP, asked about each record."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.conditions import meets
from lumeflow.kit.http.answers import content_of, enriched
from lumeflow.kit.http.asking import OPERATION, Asker
from lumeflow.kit.http.config import EnrichingConfig
from lumeflow.plugin import Block, BlockContext, BlockType, JsonObject


class HttpRecordConfig(EnrichingConfig):
    """Configuration of `api/http`."""

    mode: Literal["record"] = Field(default="record", description="One call for each record.")
    batch_mode: Literal[False] | None = Field(default=None, description="True means `api/http-batch`.")


class HttpForEachRecord(Block[HttpRecordConfig]):
    """Ask any HTTP API about each record, and take over what it says.

    Input: records; `url`, `query`, `headers`, `mapping` and `body` say what of them is sent.
    Output: the same records with the fields of `fieldMapping`, and the whole answer under `saveAs`; what the vendor
    does not know passes through unchanged.
    Errors: by status, in the usual meaning or in that of `statuses`. A missing value in the address fails the record.
    Bad credentials and a used-up quota stop the node. Addresses that are not on the public internet are refused.
    Cost: `costPerCall` for each answer, or what stands in it at `costPath`. Records that don't meet `condition` are
    not asked about.
    """

    type = BlockType.API
    name = "http"
    when = ({"provider": "http"}, {"provider": "custom"})
    Config = HttpRecordConfig
    operations = (OPERATION,)
    example: ClassVar[Mapping[str, Any]] = {
        "provider": "http",
        "url": "https://crm.example.com/crm/v1/people/{{input.email}}",
        "auth": {"type": "bearer", "token": "{{secrets.crmToken}}"},
        "responsePath": "person",
        "fieldMapping": {"company": "company.name", "jobTitle": "title"},
        "costPath": "usage.cost",
        "rateLimit": [{"calls": 20, "seconds": 1}],
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [{"email": "lena.okafor@example.com"}, {"email": "nobody@example.com"}]
    }

    def __init__(self, config: HttpRecordConfig) -> None:
        super().__init__(config)
        self._asker = Asker(config)

    def cautions(self) -> Iterable[tuple[tuple[str | int, ...], str]]:
        """Secrets that are written out."""
        return self.config.cautions()

    def applies(self, record: JsonObject, ctx: BlockContext) -> bool:
        """True if the record meets `condition`."""
        return self.config.condition is None or meets(self.config.condition, record, ctx)

    async def process(self, record: JsonObject, ctx: BlockContext) -> JsonObject:
        """Ask about one record."""
        if self.config.limits is not None and ctx.position >= self.config.limits:
            return record
        answer = await self._asker.ask(ctx, record)
        return enriched(self.config, record, content_of(self.config, answer)) if answer["found"] else record
