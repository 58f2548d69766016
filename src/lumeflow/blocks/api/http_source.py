"""`api/http-source`: records from any vendor over HTTP, page by page."""

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.calling import found_at
from lumeflow.kit.http.answers import content_of
from lumeflow.kit.http.asking import OPERATION, Asker, Step
from lumeflow.kit.http.config import HttpConfig
from lumeflow.kit.http.paging import Paging, pager_of
from lumeflow.kit.payloads import json_type
from lumeflow.plugin import Block, BlockContext, BlockType, ErrorClass, NodeError, Outcome, PathField, RecordError


class HttpSourceConfig(HttpConfig):
    """Configuration of `api/http-source`."""

    mode: Literal["source"] = Field(description="The answer holds the records.")
    paging: Paging | None = Field(default=None, description="How further pages are asked for; left out, there is one.")
    max_pages: int = Field(default=1000, ge=1, le=1_000_000, description="Most pages to read.")
    limits: int | None = Field(default=None, ge=0, description="Most records to read.")
    field_mapping: Mapping[str, PathField] = Field(
        default_factory=dict,
        description="Fields of a record, and where each stands in an item; left out, items are records as they are.",
    )


class HttpSource(Block[HttpSourceConfig]):
    """Read records from any HTTP API, as many pages as there are.

    Input: any payload; `{{input}}` is the whole of it, asked once.
    Output: the payload's fields, and a record for each item of the list at `responsePath`, in the vendor's order. Pages
    are handed on while the next is read.
    Errors: as of `api/http`; they end the node, and the pages before are kept. An item that is no object fails alone.
    A vendor that gives the same page twice is an error, and so is a next page on another host.
    Cost: as of `api/http`, for each page. A page that was read is not read again by a resumed execution.
    """

    type = BlockType.API
    name = "http-source"
    when = ({"provider": "http", "mode": "source"}, {"provider": "custom", "mode": "source"})
    Config = HttpSourceConfig
    operations = (OPERATION,)
    example: ClassVar[Mapping[str, Any]] = {
        "provider": "http",
        "mode": "source",
        "url": "https://crm.example.com/crm/v1/contacts/cursor",
        "auth": {
            "type": "oauth2",
            "tokenUrl": "https://crm.example.com/crm/oauth/token",
            "clientId": "{{secrets.crmClientId}}",
            "clientSecret": "{{secrets.crmClientSecret}}",
        },
        "paging": {"kind": "cursor", "param": "cursor", "path": "next", "size": 50, "sizeParam": "limit"},
        "responsePath": "contacts",
        "collection": "contacts",
        "limits": 80,
        "costPath": "usage.cost",
    }
    example_input: ClassVar[Mapping[str, Any]] = {"campaign": "spring"}

    def __init__(self, config: HttpSourceConfig) -> None:
        super().__init__(config)
        self._asker = Asker(config)

    def cautions(self) -> Iterable[tuple[tuple[str | int, ...], str]]:
        """Secrets that are written out."""
        return self.config.cautions()

    def output_collection(self, incoming: str | None) -> str | None:
        """`collection`, or else `records`."""
        return self.config.collection or "records"

    async def produce(self, ctx: BlockContext) -> AsyncIterator[Outcome]:
        """Read page after page."""
        left = self.config.limits
        async for items in self._pages(ctx):
            for item in items if left is None else items[:left]:
                yield self._record(item)
            if left is not None:
                left -= min(left, len(items))
                if not left:
                    return

    async def _pages(self, ctx: BlockContext) -> AsyncIterator[list[Any]]:
        config = self.config
        if config.limits == 0:
            return
        pager = pager_of(config.paging, self._asker.params(ctx)["request"]["url"])
        step: Step | None = pager.first()
        asked: set[bytes] = set()
        before: list[Any] = []
        for _ in range(config.max_pages):
            if step is None:
                return
            answer = await self._asker.ask(ctx, None, step)
            items = self._items(answer, first=not asked)
            asked.add(step.identity())
            if items and items == before:
                if ctx.demo:  # a mock or an example has no second page
                    return
                raise _again("gave the same page twice")
            yield items
            before = items
            step = pager.after(answer, len(items)) if answer["found"] else None
            if step is not None and step.identity() in asked:
                if ctx.demo:
                    return
                raise _again("named a next page that was read before")
        if step is not None:
            ctx.warn(f"there are more than {config.max_pages} pages; the others were not read (maxPages)")

    def _items(self, answer: Mapping[str, Any], *, first: bool) -> list[Any]:
        if not answer["found"]:
            if first:
                raise NodeError(ErrorClass.NOT_FOUND, "there is nothing at this address", field="url")
            return []
        content = content_of(self.config, answer)
        if content is None and not first:
            return []
        if not isinstance(content, list):
            raise NodeError(
                ErrorClass.INVALID_RESPONSE,
                f"the answer must hold a list at responsePath; found {json_type(content)}",
                field="responsePath",
            )
        return content

    def _record(self, item: Any) -> Outcome:
        if not isinstance(item, dict):
            return RecordError(
                ErrorClass.INVALID_RESPONSE, f"an item of the answer must be an object; found {json_type(item)}"
            )
        return found_at(self.config.field_mapping, item) if self.config.field_mapping else item


def _again(what: str) -> NodeError:
    return NodeError(
        ErrorClass.INVALID_RESPONSE, f"the vendor {what}: it may not know the parameters of paging", field="paging"
    )
