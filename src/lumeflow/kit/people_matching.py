"""What the blocks that look people up at Apollo have in common: whom to ask for, what to take over, the head count."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.calling import LookupConfig, filled, found_at, mapped
from lumeflow.kit.text import bare_domain
from lumeflow.plugin import BlockContext, JsonObject, Path, iso

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


class PeopleMatchConfig(LookupConfig):
    """Configuration that the single and the bulk look-up share."""

    mapping_keys: ClassVar[tuple[str, ...]] = tuple(_PARAMETERS)
    methods: ClassVar[tuple[str, ...]] = ("POST",)

    provider: Literal["apollo"] = Field(default="apollo", description="The vendor.")


class PeopleLookup:
    """Whom to ask for, what to take over, and how many there were; one for a block."""

    def __init__(self, config: PeopleMatchConfig) -> None:
        self._config = config
        self._fields = config.field_mapping or _default_fields()
        self._asked = 0
        self._matched = 0

    def params(self, record: JsonObject, ctx: BlockContext) -> dict[str, str]:
        """What a record's person is asked for by, under the vendor's names; empty if there is nothing to ask by."""
        given = mapped(self._config, ctx, record)
        if not self._config.mapping:
            given = {name: value for name, value in given.items() if name in _BY_DEFAULT}
        params = {_PARAMETERS[name]: value for name, value in given.items()}
        if "domain" in params:
            params["domain"] = bare_domain(params["domain"])
        return {name: params[name] for name in sorted(params) if params[name]}

    def ask(self, people: int = 1) -> None:
        """So many people are about to be asked for."""
        self._asked += people

    def enriched(self, record: JsonObject, person: Mapping[str, Any] | None, ctx: BlockContext) -> JsonObject:
        """The record with what is known of its person; None for nobody."""
        if person is None:
            return {**record, "enriched": False}
        self._matched += 1
        result = filled(record, found_at(self._fields, person), overwrite=self._config.overwrite)
        return {**result, "enriched": True, "enrichedAt": iso(ctx.now)}

    async def stats(self, ctx: BlockContext) -> Mapping[str, Any]:
        """`enrichmentStats`, for the end of the payload."""
        stats = {
            "totalEnriched": self._asked,
            "successfulEnrichments": self._matched,
            "failedEnrichments": self._asked - self._matched,
            "cost": float(await ctx.charged()),
        }
        return {"enrichmentStats": stats}


@lru_cache(maxsize=1)
def _default_fields() -> Mapping[str, Path]:
    return PeopleMatchConfig.model_validate({"fieldMapping": _DEFAULT_FIELDS}).field_mapping
