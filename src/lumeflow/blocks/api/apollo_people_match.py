"""`api/apollo-people-match`: professional data of a person, from Apollo."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.calling import CallBlock, LookupConfig, filled, found_at, mapped
from lumeflow.kit.text import bare_domain
from lumeflow.plugin import BlockContext, BlockType, JsonObject, Path, iso

OPERATION = "apollo/people-match"

_PARAMETERS: Mapping[str, str] = {
    "email": "email",
    "firstName": "first_name",
    "lastName": "last_name",
    "name": "name",
    "company": "organization_name",
    "organizationName": "organization_name",
    "domain": "domain",
    "linkedinUrl": "linkedin_url",
    "id": "id",
}
_BY_DEFAULT = ("email", "firstName", "lastName", "company", "domain", "linkedinUrl")
"""Fields that are asked by if there is no mapping: a record's own `name` and `id` may mean anything."""

_DEFAULT_FIELDS: Mapping[str, str] = {
    "email": "email",
    "title": "title",
    "company": "organization.name",
    "linkedinUrl": "linkedin_url",
    "phone": "contact.phone_numbers[0].raw_number",
}


class ApolloConfig(LookupConfig):
    """Configuration of `api/apollo-people-match`."""

    mapping_keys: ClassVar[tuple[str, ...]] = tuple(_PARAMETERS)
    endpoints: ClassVar[tuple[str, ...]] = ("/api/v1/people/match",)
    methods: ClassVar[tuple[str, ...]] = ("POST",)

    provider: Literal["apollo"] = Field(default="apollo", description="The vendor.")


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
        self._fields = config.field_mapping or _default_fields()
        self._asked = 0
        self._matched = 0

    async def process(self, record: JsonObject, ctx: BlockContext) -> JsonObject:
        """Ask for one person."""
        if self.config.limits is not None and ctx.position >= self.config.limits:
            return record
        params = _params(self.config, ctx, record)
        if not params:
            return {**record, "enriched": False}
        self._asked += 1
        person = (await ctx.call(OPERATION, params)).value
        if person is None:
            return {**record, "enriched": False}
        self._matched += 1
        enriched = filled(record, found_at(self._fields, person), overwrite=self.config.overwrite)
        return {**enriched, "enriched": True, "enrichedAt": iso(ctx.now)}

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Sum up."""
        stats = {
            "totalEnriched": self._asked,
            "successfulEnrichments": self._matched,
            "failedEnrichments": self._asked - self._matched,
            "cost": float(await ctx.charged()),
        }
        return {"enrichmentStats": stats}


def _params(config: ApolloConfig, ctx: BlockContext, record: JsonObject) -> dict[str, str]:
    given = mapped(config, ctx, record)
    if not config.mapping:
        given = {name: value for name, value in given.items() if name in _BY_DEFAULT}
    params = {_PARAMETERS[name]: value for name, value in given.items()}
    if "domain" in params:
        params["domain"] = bare_domain(params["domain"])
    return {name: params[name] for name in sorted(params) if params[name]}


@lru_cache(maxsize=1)
def _default_fields() -> Mapping[str, Path]:
    return ApolloConfig.model_validate({"fieldMapping": _DEFAULT_FIELDS}).field_mapping
