"""`api/apollo-bulk-match`: what Apollo knows of people, ten in one call."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field, field_validator

from lumeflow.kit.calling import CallBlock
from lumeflow.kit.people_matching import PeopleLookup, PeopleMatchConfig
from lumeflow.plugin import BlockContext, BlockType, JsonObject

OPERATION = "apollo/people-bulk-match"
MOST = 10
"""People that the vendor takes in one call."""


class ApolloBulkConfig(PeopleMatchConfig):
    """Configuration of `api/apollo-bulk-match`."""

    endpoints: ClassVar[tuple[str, ...]] = ("/api/v1/people/bulk_match", "/people/bulk_match")
    batches: ClassVar[bool] = True

    batch_mode: bool | None = Field(default=None, description="Selects this block; `true` if it is given.")
    batch_size: int | None = Field(default=MOST, ge=1, le=MOST, description="People in one call.")

    @field_validator("batch_mode")
    @classmethod
    def _in_batches(cls, value: bool | None) -> bool | None:
        if value is False:
            raise ValueError("this endpoint takes several people; the one that takes people one by one is people/match")
        return value


class ApolloBulkMatch(CallBlock[ApolloBulkConfig]):
    """Look people up at Apollo, ten in one call, and fill in what is known.

    Apollo does not promise to keep the order of the people, or to leave room for those it does not know. So a record
    gets a person only if id, profile, an address, or the name together with the employer says that it is the same one.

    Input: records with any of email, firstName and lastName, company, domain, linkedinUrl (or what `mapping` says).
    Output: the same records with the fields of `fieldMapping` (default: email, title, company, linkedinUrl, phone),
    `enriched` (true or false) and, if true, `enrichedAt`. Values that a record has are kept unless `overwrite` is set.
    At the end the payload gets `enrichmentStats`: totalEnriched (people asked for), successfulEnrichments,
    failedEnrichments, cost (USD).
    Errors: a person whom Apollo does not know is no error; one that cannot be told to belong to a record is left out
    with a warning. A refused call fails its ten records. A bad key or used-up credits stop the node.
    Cost: the credits that Apollo reports for the call, one for each person found as a rule ($0.025 unless configured
    otherwise). A record with nothing to ask by passes through unpaid with `enriched` false; people who are asked for
    twice in one call are asked for once.
    """

    type = BlockType.API
    name = "apollo-bulk-match"
    when = (
        {"provider": "apollo", "batchMode": True},
        *({"provider": "apollo", "endpoint": endpoint} for endpoint in ApolloBulkConfig.endpoints),
    )
    Config = ApolloBulkConfig
    operations = (OPERATION,)
    example: ClassVar[Mapping[str, Any]] = {
        "provider": "apollo",
        "endpoint": "/api/v1/people/bulk_match",
        "batchMode": True,
        "mapping": {
            "firstName": "{{input.firstName}}",
            "lastName": "{{input.lastName}}",
            "company": "{{input.company}}",
        },
        "fieldMapping": {"title": "title", "email": "email"},
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [
            {"firstName": "Lena", "lastName": "Okafor", "company": "Example Freight"},
            {"firstName": "Tomas", "lastName": "Lindqvist", "company": "Example Rail"},
        ]
    }

    def __init__(self, config: ApolloBulkConfig) -> None:
        super().__init__(config)
        self._people = PeopleLookup(config)

    def applies(self, record: JsonObject, ctx: BlockContext) -> bool:
        """True for the first records, up to `limits`, that meet `condition`."""
        within = self.config.limits is None or ctx.position < self.config.limits
        return within and super().applies(record, ctx)

    async def process_batch(self, records: Sequence[JsonObject], ctx: BlockContext) -> list[JsonObject]:
        """Ask for the people of up to ten records, each person once."""
        wanted = [self._people.params(record, ctx) for record in records]
        details: list[dict[str, str]] = []
        for params in wanted:
            if params and params not in details:
                details.append(params)
        if not details:
            return [self._people.enriched(record, None, ctx) for record in records]
        self._people.ask(sum(map(bool, wanted)))
        answer = (await ctx.call(OPERATION, {"details": details})).value
        if answer["strangers"]:
            ctx.warn(f"Apollo sent {answer['strangers']} people who fit none of those that were asked for")
        people = [answer["people"][details.index(params)] if params else None for params in wanted]
        return [self._people.enriched(record, person, ctx) for record, person in zip(records, people, strict=True)]

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Sum up."""
        return await self._people.stats(ctx)
