"""`api/apollo-people-match`: professional data of a person, from Apollo."""

from collections.abc import Mapping
from typing import Any, ClassVar

from lumeflow.kit.calling import CallBlock
from lumeflow.kit.people_matching import PeopleLookup, PeopleMatchConfig
from lumeflow.plugin import BlockContext, BlockType, JsonObject

OPERATION = "apollo/people-match"


class ApolloConfig(PeopleMatchConfig):
    """Configuration of `api/apollo-people-match`."""

    endpoints: ClassVar[tuple[str, ...]] = ("/api/v1/people/match",)


class ApolloPeopleMatch(CallBlock[ApolloConfig]):
    """Look each record's person up at Apollo and fill in what is known.

    Input: records with any of email, firstName and lastName, company, domain, linkedinUrl (or what `mapping` says).
    Output: the same records with the fields of `fieldMapping` (default: email, title, company, linkedinUrl, phone),
    `enriched` (true or false) and, if true, `enrichedAt`. Values that a record has are kept unless `overwrite` is set.
    At the end the payload gets `enrichmentStats`: totalEnriched (people asked for), successfulEnrichments,
    failedEnrichments, cost (USD).
    Errors: a person whom Apollo does not know is no error. A bad key or used-up credits stop the node.
    Cost: one credit for each person found ($0.025 unless configured otherwise); nobody found costs nothing. A record
    with nothing to ask by passes through unpaid with `enriched` false.
    """

    type = BlockType.API
    name = "apollo-people-match"
    when = ({"provider": "apollo"}, {"provider": "apollo", "endpoint": "/api/v1/people/match"})
    Config = ApolloConfig
    operations = (OPERATION,)
    example: ClassVar[Mapping[str, Any]] = {
        "provider": "apollo",
        "mapping": {"email": "{{input.email}}", "firstName": "{{input.firstName}}", "lastName": "{{input.lastName}}"},
        "fieldMapping": {"title": "title", "company": "employment_history[0].organization_name"},
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [
            {"firstName": "Lena", "lastName": "Okafor", "email": "lena.okafor@example.com"},
            {"firstName": "Tomas", "lastName": "Lindqvist"},
        ]
    }

    def __init__(self, config: ApolloConfig) -> None:
        super().__init__(config)
        self._people = PeopleLookup(config)

    async def process(self, record: JsonObject, ctx: BlockContext) -> JsonObject:
        """Ask for one person."""
        if self.config.limits is not None and ctx.position >= self.config.limits:
            return record
        params = self._people.params(record, ctx)
        if not params:
            return self._people.enriched(record, None, ctx)
        self._people.ask()
        person = (await ctx.call(OPERATION, params)).value
        return self._people.enriched(record, person, ctx)

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Sum up."""
        return await self._people.stats(ctx)
