"""`api/hunter-email-finder`: a person's professional e-mail address, from Hunter."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.calling import CallBlock, LookupConfig, filled, found_at, mapped
from lumeflow.kit.text import bare_domain, is_blank, profile_handle
from lumeflow.plugin import BlockContext, BlockType, JsonObject, Skip

OPERATION = "hunter/email-finder"

_OPTED_OUT = "the person has asked not to have their data processed"


class HunterConfig(LookupConfig):
    """Configuration of `api/hunter-email-finder`."""

    mapping_keys: ClassVar[tuple[str, ...]] = (
        "firstName",
        "lastName",
        "fullName",
        "company",
        "domain",
        "linkedinHandle",
    )
    endpoints: ClassVar[tuple[str, ...]] = ("/v2/email-finder",)
    methods: ClassVar[tuple[str, ...]] = ("GET",)

    provider: Literal["hunter"] = Field(default="hunter", description="The vendor.")


class HunterEmailFinder(CallBlock[HunterConfig]):
    """Find the e-mail address of each record's person.

    Input: records with firstName and lastName (or fullName), and domain or company; or with a linkedinHandle.
    Output: the same records; where an address was found with `email`, `emailScore` (0 to 100) and `emailStatus`
    (valid, accept_all, unknown), and what `fieldMapping` takes out of the answer besides.
    Errors: no address is no error. A person who has asked Hunter not to be processed is left out, and the record's data
    are not kept. A bad key or a used-up plan stop the node.
    Cost: one credit for each address found ($0.0245 unless configured otherwise); none found costs nothing. Records
    that already have an `email` (unless `overwrite` is set), or lack a name or an employer, pass through unpaid.
    """

    type = BlockType.API
    name = "hunter-email-finder"
    when = ({"provider": "hunter"}, {"provider": "hunter", "endpoint": "/v2/email-finder"})
    Config = HunterConfig
    operations = (OPERATION,)
    example: ClassVar[Mapping[str, Any]] = {
        "provider": "hunter",
        "condition": {"field": "email", "operator": "empty"},
        "mapping": {
            "firstName": "{{input.firstName}}",
            "lastName": "{{input.lastName}}",
            "company": "{{input.company}}",
        },
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [
            {"firstName": "Lena", "lastName": "Okafor", "company": "Example Freight"},
            {"firstName": "Tomas", "lastName": "Lindqvist", "email": "tomas@example.net"},
        ]
    }

    async def process(self, record: JsonObject, ctx: BlockContext) -> JsonObject | Skip:
        """Ask for one address."""
        config = self.config
        if config.limits is not None and ctx.position >= config.limits:
            return record
        if not config.overwrite and not is_blank(record.get("email")):
            return record
        params = _params(mapped(config, ctx, record))
        if params is None:
            return record
        data = (await ctx.call(OPERATION, params)).value
        if data.get("optedOut"):
            return Skip(_OPTED_OUT, forget=True)
        if data["email"] is None:
            return record
        result = filled(record, found_at(config.field_mapping, data), overwrite=config.overwrite)
        return {**result, **_address(data)}


def _params(given: Mapping[str, str]) -> dict[str, str] | None:
    """The vendor's parameters; None if they would not do. Of the ways to name an employer only the best is used."""
    handle = profile_handle(given.get("linkedinHandle", ""))
    name = _name(given)
    for place, value in (("domain", bare_domain(given.get("domain", ""))), ("company", given.get("company"))):
        if name and value:
            return {**name, place: value}
    return {**(name or {}), "linkedin_handle": handle} if handle else None


def _name(given: Mapping[str, str]) -> dict[str, str] | None:
    if "firstName" in given and "lastName" in given:
        return {"first_name": given["firstName"], "last_name": given["lastName"]}
    return {"full_name": given["fullName"]} if "fullName" in given else None


def _address(data: Mapping[str, Any]) -> dict[str, Any]:
    verification = data.get("verification")
    status = verification.get("status") if isinstance(verification, dict) else None
    values = {"email": data["email"], "emailScore": data.get("score"), "emailStatus": status}
    return {name: value for name, value in values.items() if not is_blank(value)}
