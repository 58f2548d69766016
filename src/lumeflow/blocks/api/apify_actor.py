"""`api/apify-actor`: any actor of Apify, run once for a payload, its items as records."""

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from lumeflow.kit.actor_runs import OPERATIONS, ActorRun
from lumeflow.kit.calling import CallBlock, CallConfig, found_at
from lumeflow.kit.payloads import json_type
from lumeflow.kit.replies import identifier
from lumeflow.kit.text import text_of
from lumeflow.plugin import (
    BlockContext,
    BlockType,
    ErrorClass,
    NodeError,
    Outcome,
    PathField,
    RecordError,
    TemplateField,
    did_you_mean,
)


class ApifyActorConfig(CallConfig):
    """Configuration of `api/apify-actor`."""

    mapping_keys: ClassVar[tuple[str, ...]] = ("platform",)

    provider: Literal["apify"] = Field(default="apify", description="The vendor.")
    operation: Literal["run-actor"] = Field(description="Selects this block among those of Apify.")
    actor: str | Mapping[str, str] = Field(
        min_length=1, description="The actor, as in apify/website-content-crawler, or the actor of each platform."
    )
    mapping: Mapping[str, TemplateField] = Field(
        default_factory=dict, description="`platform`: which of the actors to run, where `actor` names several."
    )
    input: TemplateField = Field(description="The actor's own input; {{input}} is the whole payload.")
    field_mapping: Mapping[str, PathField] = Field(
        default_factory=dict,
        description="What to take over: names of fields, and paths into an item. Without it items stay as they are.",
    )
    error_field: str | None = Field(
        default="error", description="Items with something in this field are failed records; null lets all pass."
    )
    limits: int | None = Field(default=None, ge=1, description="Most items that are handed on.")
    max_items: int | None = Field(
        default=None, ge=1, description="Most items that Apify charges for, with actors that are paid by result."
    )
    max_total_charge_usd: Decimal | None = Field(
        default=None, gt=0, description="Most that the run may cost; it then ends early, with what it has."
    )
    timeout: int | None = Field(default=None, ge=1, description="Seconds after which Apify stops the run.")
    memory: int | None = Field(default=None, ge=128, description="Memory of the run in MB, a power of two.")
    build: str | None = Field(default=None, min_length=1, description="Build of the actor; its default if left out.")

    @field_validator("memory")
    @classmethod
    def _power_of_two(cls, value: int | None) -> int | None:
        if value is not None and value & (value - 1):
            raise ValueError("memory must be a power of two, such as 1024")
        return value


class ApifyActor(CallBlock[ApifyActorConfig]):
    """Run any actor of Apify once for the payload and hand on what it finds.

    The scrapers of comments have a block of their own, `api/apify-scraper`.

    Input: a payload; `input` says what the actor gets of it.
    Output: `items` (or what `collection` names), each as the actor made it, or with the fields of `fieldMapping` only;
    they are handed on while the run still goes on. `metadata`: actor, totalItems.
    Errors: an `input` that gives no object, or an unknown platform, stops the node. An item in which the actor tells of
    an error, or which is no object, is one failed record. A run that fails or times out hands over what it has and then
    fails the node. Interrupted, the block finds its run again and never starts a second one.
    Cost: what Apify reports for the run; else its events or items times the prices that the run names; else its items
    times the configured price of the actor (`apify~website-content-crawler`) or of a `result`. Before the run nobody
    knows how many items it will have: `maxTotalChargeUsd` is what bounds its cost.
    """

    type = BlockType.API
    name = "apify-actor"
    when = ({"provider": "apify", "operation": "run-actor"},)
    Config = ApifyActorConfig
    operations = OPERATIONS
    example: ClassVar[Mapping[str, Any]] = {
        "provider": "apify",
        "operation": "run-actor",
        "actor": "example/business-directory",
        "input": {"queries": "{{input.trades}}", "resultsLimit": 3},
        "maxTotalChargeUsd": 0.5,
        "collection": "companies",
        "fieldMapping": {"company": "title", "domain": "website", "contact": "owner.name"},
    }
    example_input: ClassVar[Mapping[str, Any]] = {"trades": ["bakery", "freight"]}

    def __init__(self, config: ApifyActorConfig) -> None:
        super().__init__(config)
        self._actor = ""
        self._items = 0

    def output_collection(self, incoming: str | None) -> str | None:
        """`items`, unless the configuration names another."""
        return self.config.collection or "items"

    async def produce(self, ctx: BlockContext) -> AsyncIterator[Outcome]:
        """Start a run, hand its items on as they come, book its cost."""
        if not self.applies(ctx.input, ctx):
            return
        self._actor = self._chosen(ctx)
        run = await ActorRun.start(self._start_params(ctx), ctx)
        async for item in run.items(ctx, self.config.limits):
            yield self._outcome(item)
        await run.finish(ctx)

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Sum up."""
        return {"metadata": {"actor": self._actor, "totalItems": self._items}}

    def _chosen(self, ctx: BlockContext) -> str:
        actor = self.config.actor
        if isinstance(actor, str):
            return actor
        template = self.config.mapping.get("platform")
        if template is None:
            message = "'actor' names one for each platform; 'mapping.platform' must say which to run"
            raise NodeError(ErrorClass.VALIDATION, message, field="mapping.platform")
        platform = text_of(ctx.render(template))
        found = next((name for name in actor if name.lower() == platform.lower()), None)
        if found is None:
            told = f"'{platform}', for which 'actor' has no actor" if platform else "no platform"
            message = f"'mapping.platform' ({template.source}) gives {told}.{did_you_mean(platform, actor)}"
            raise NodeError(ErrorClass.VALIDATION, message, field="mapping.platform")
        return actor[found]

    def _start_params(self, ctx: BlockContext) -> dict[str, Any]:
        config = self.config
        given = ctx.render(config.input)
        if not isinstance(given, dict):
            message = f"'input' must give an object, the actor's input; it gives {json_type(given)}"
            raise NodeError(ErrorClass.VALIDATION, message, field="input")
        charge = config.max_total_charge_usd
        options = {
            "maxItems": config.max_items,
            "maxTotalChargeUsd": None if charge is None else format(charge, "f"),
            "timeout": config.timeout,
            "memory": config.memory,
            "build": config.build,
        }
        told = {name: value for name, value in options.items() if value is not None}
        return {"actor": self._actor.replace("/", "~"), "input": given, **told}

    def _outcome(self, item: Any) -> Outcome:
        if not isinstance(item, dict):
            return RecordError(
                ErrorClass.INVALID_RESPONSE, f"the actor delivered {json_type(item)} in place of an item"
            )
        trouble = item.get(self.config.error_field) if self.config.error_field else None
        if trouble:
            code = identifier(trouble) or "an error"
            return RecordError(ErrorClass.NOT_FOUND, f"the actor delivered an error in place of an item: {code}")
        self._items += 1
        return found_at(self.config.field_mapping, item) if self.config.field_mapping else item
