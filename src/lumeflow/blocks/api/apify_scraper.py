"""`api/apify-scraper`: comments under posts on Facebook and Instagram, by Apify's actors."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from decimal import Decimal
from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from lumeflow.kit.actor_runs import OPERATIONS, ActorRun
from lumeflow.kit.calling import CallBlock, CallConfig
from lumeflow.kit.payloads import json_type
from lumeflow.kit.replies import identifier
from lumeflow.kit.social_comments import READERS, finished_comment, nested_replies
from lumeflow.kit.text import text_of
from lumeflow.plugin import (
    BlockContext,
    BlockType,
    ErrorClass,
    NodeError,
    Outcome,
    RecordError,
    did_you_mean,
)

ACTORS: Mapping[str, str] = {
    "facebook": "apify/facebook-comments-scraper",
    "instagram": "apify/instagram-comment-scraper",
}
_WEB_ADDRESS = re.compile(r"https?://[^\s/]", re.IGNORECASE)


class ApifyConfig(CallConfig):
    """Configuration of `api/apify-scraper`."""

    mapping_keys: ClassVar[tuple[str, ...]] = ("url", "platform")

    provider: Literal["apify"] = Field(default="apify", description="The vendor.")
    actor: str | Mapping[str, str] = Field(
        default_factory=lambda: dict(ACTORS), description="The actor, or the actor of each platform."
    )
    limits: int | Mapping[str, int] | None = Field(
        default=None, description="Most comments for each post, or that number for each platform."
    )
    max_total_charge_usd: Decimal | None = Field(
        default=None, gt=0, description="Most that a run may cost; it then ends early, with what it has."
    )
    run_timeout: int | None = Field(default=None, ge=1, description="Seconds after which Apify stops the run.")
    include_replies: bool = Field(default=False, description="Fetch replies to comments too, at the same price each.")
    input: Mapping[str, Any] = Field(default_factory=dict, description="More input for the actor, as it wants it.")

    @field_validator("limits")
    @classmethod
    def _positive(cls, value: int | Mapping[str, int] | None) -> int | Mapping[str, int] | None:
        numbers = value.values() if isinstance(value, Mapping) else () if value is None else (value,)
        if any(number < 1 for number in numbers):
            raise ValueError("limits must be at least 1")
        return value

    @field_validator("actor", "limits")
    @classmethod
    def _known_platforms(cls, value: Any, info: ValidationInfo) -> Any:
        return cls._known(str(info.field_name), value, READERS) if isinstance(value, Mapping) else value


class ApifyScraper(CallBlock[ApifyConfig]):
    """Scrape the comments under posts, in one actor run for all of them.

    Input: a payload with the addresses of posts and the platform; `mapping` says where (`url`: an address or a list of
    them; `platform`: facebook or instagram, needed unless `actor` is one actor of a known platform).
    Output: `comments`, each {id, text, from: {username, name}, timestamp, url, likes, platform}, absent where unknown;
    they are handed on while the run still goes on. `metadata`: totalComments, urlsProcessed, platform.
    Errors: no addresses, or an unknown platform, stop the node. A post that is gone or private is one failed record; an
    item without a comment in it is another. A run that fails or times out hands over what it has and then fails the
    node. Interrupted, the block finds its run again and never starts a second one.
    Cost: what Apify reports for the run: about $0.002 a comment.
    """

    type = BlockType.API
    name = "apify-scraper"
    when = ({"provider": "apify"},)
    Config = ApifyConfig
    operations = OPERATIONS
    example: ClassVar[Mapping[str, Any]] = {
        "provider": "apify",
        "limits": {"facebook": 100, "instagram": 1000},
        "mapping": {"url": "{{input.urls}}", "platform": "{{input.type}}"},
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "id": "audience-1",
        "type": "instagram",
        "urls": ["https://www.instagram.com/p/CexampleA1b/"],
    }

    def __init__(self, config: ApifyConfig) -> None:
        super().__init__(config)
        self._comments = 0
        self._urls: list[str] = []
        self._unread: set[str] = set()
        self._platform = ""

    def output_collection(self, incoming: str | None) -> str | None:
        """`comments`, unless the configuration names another."""
        return self.config.collection or "comments"

    async def produce(self, ctx: BlockContext) -> AsyncIterator[Outcome]:
        """Start a run, hand its items on as they come, book its cost."""
        if not self.applies(ctx.input, ctx):
            return
        self._platform = self._chosen_platform(ctx)
        given = self._addresses(ctx)
        self._urls = list(dict.fromkeys(url for url in given if _is_web_address(url)))
        for number, url in enumerate(given, start=1):
            if not _is_web_address(url):
                message = f"address {number} of {len(given)} that 'mapping.url' gives does not begin with http(s)://"
                yield RecordError(ErrorClass.VALIDATION, message)
        if not self._urls:
            raise NodeError(ErrorClass.VALIDATION, "none of the addresses in 'mapping.url' begins with http(s)://")
        actor = self._actor().replace("/", "~")
        run = await ActorRun.start(self._start_params(actor), ctx)
        async for item in run.items(ctx):
            for outcome in self._outcomes(item):
                yield outcome
        await run.finish(ctx)

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Sum up."""
        metadata = {
            "totalComments": self._comments,
            "urlsProcessed": len(self._urls) - len(self._unread),
            "platform": self._platform,
        }
        return {"metadata": metadata}

    # --- what to ask for

    def _chosen_platform(self, ctx: BlockContext) -> str:
        template = self.config.mapping.get("platform")
        if template is not None:
            platform = text_of(ctx.render(template)).lower()
            where = f"'mapping.platform' ({template.source})"
        else:
            named = self.config.actor
            actors = [named] if isinstance(named, str) else list(named)
            platform = next((name for name in READERS if len(actors) == 1 and name in actors[0]), "")
            where = "the configuration"
        if platform not in READERS:
            told = "another text" if platform else "no platform"
            hint = did_you_mean(platform, READERS)
            other = ' Any other actor than a scraper of their comments is run with "operation": "run-actor".'
            raise NodeError(ErrorClass.VALIDATION, f"{where} gives {told}.{hint}{other}", field="mapping.platform")
        return platform

    def _actor(self) -> str:
        actor = self.config.actor
        if isinstance(actor, str):
            return actor
        if self._platform not in actor:
            there = ", ".join(sorted(actor))
            raise NodeError(
                ErrorClass.VALIDATION,
                f"'actor' has no actor for the platform '{self._platform}', only for {there}",
                field="actor",
            )
        return actor[self._platform]

    def _addresses(self, ctx: BlockContext) -> list[str]:
        template = self.config.mapping.get("url")
        if template is None:
            message = "'mapping.url' is missing: say where the addresses of the posts are, e.g. \"{{input.urls}}\""
            raise NodeError(ErrorClass.VALIDATION, message, field="mapping.url")
        value = ctx.render(template)
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list) or not found or not all(isinstance(url, str) for url in found):
            what = "an empty list" if found == [] else json_type(value)
            message = f"'mapping.url' ({template.source}) must give an address or a list of them; it gives {what}"
            raise NodeError(ErrorClass.VALIDATION, message, field="mapping.url")
        return [url.strip() for url in found]

    def _start_params(self, actor: str) -> dict[str, Any]:
        config, given = self.config, dict(self.config.input)
        limit = config.limits.get(self._platform) if isinstance(config.limits, Mapping) else config.limits
        if limit is not None:
            given["resultsLimit"] = limit
        given.setdefault("includeNestedComments", config.include_replies)
        if self._platform == "facebook":
            given["startUrls"] = [{"url": url} for url in self._urls]
        else:
            given["directUrls"] = list(self._urls)
        params: dict[str, Any] = {"actor": actor, "input": given}
        if config.max_total_charge_usd is not None:
            params["maxTotalChargeUsd"] = format(config.max_total_charge_usd, "f")
        if config.run_timeout is not None:
            params["timeout"] = config.run_timeout
        return params

    # --- items

    def _outcomes(self, item: Any) -> Iterator[Outcome]:
        if not isinstance(item, dict):
            yield RecordError(ErrorClass.INVALID_RESPONSE, f"Apify delivered {json_type(item)} in place of a comment")
        elif item.get("error"):
            yield self._unreadable_post(item)
        else:
            yield self._comment(item)
            if self.config.include_replies:
                for reply in nested_replies(item):
                    yield self._comment(reply)

    def _comment(self, item: Mapping[str, Any]) -> Outcome:
        read = finished_comment if isinstance(item.get("from"), dict) else READERS[self._platform]
        comment = read(item)
        if "id" not in comment and "text" not in comment:
            return RecordError(ErrorClass.INVALID_RESPONSE, "Apify delivered an item with neither id nor text")
        self._comments += 1
        return comment

    def _unreadable_post(self, item: Mapping[str, Any]) -> RecordError:
        """An error that stands among the comments: the run succeeds, one post was private, gone or blocked."""
        named = next((url for url in (item.get("inputUrl"), item.get("url")) if url in self._urls), None)
        place = "a post"
        if named is not None:
            self._unread.add(named)
            place = f"post {self._urls.index(named) + 1} of {len(self._urls)}"
        code = identifier(item["error"]) or "an error"
        return RecordError(ErrorClass.NOT_FOUND, f"Apify could not read {place}: {code}")


def _is_web_address(url: str) -> bool:
    return _WEB_ADDRESS.match(url) is not None
