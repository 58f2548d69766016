"""`api/hunter-email-verifier`: whether each record's e-mail address can be written to, from Hunter."""

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.calling import CallBlock, LookupConfig, filled, found_at
from lumeflow.kit.text import text_of
from lumeflow.plugin import BlockContext, BlockType, ErrorClass, JsonObject, RecordError, Skip, TemplateField

OPERATION = "hunter/email-verifier"

_OPTED_OUT = "the person behind the address has asked not to have their data processed"


class HunterVerifierConfig(LookupConfig):
    """Configuration of `api/hunter-email-verifier`."""

    mapping_keys: ClassVar[tuple[str, ...]] = ("email",)
    endpoints: ClassVar[tuple[str, ...]] = ("/v2/email-verifier",)
    methods: ClassVar[tuple[str, ...]] = ("GET",)

    provider: Literal["hunter"] = Field(default="hunter", description="The vendor.")
    endpoint: str = Field(description="Selects this block among those of Hunter: /v2/email-verifier.")
    mapping: Mapping[str, TemplateField] = Field(
        default_factory=dict, description="Where the address is: `email`; by default the record's field of that name."
    )
    recheck_after: float = Field(
        default=5.0, ge=0, le=60, description="Seconds until an unfinished or failed verification is asked for again."
    )
    recheck_pending: int = Field(
        default=24, ge=0, description="How often at most, while Hunter is still at it (its status 202)."
    )
    recheck_failed: int = Field(
        default=2, ge=0, description="How often at most, after a mail server's odd answer (222); then it is `unknown`."
    )


class HunterEmailVerifier(CallBlock[HunterVerifierConfig]):
    """Verify the e-mail address of each record.

    Hunter takes its time for some addresses, and some mail servers give odd answers: such records are asked for again
    later, all repetitions count as one request, and no other record waits for them.

    Input: records with `email`, or an address that `mapping` points at.
    Output: the same records; those with an address get `emailStatus` (valid, invalid, accept_all, webmail, disposable,
    unknown) and `emailScore` (0 to 100), which replace those of an earlier step, and what `fieldMapping` takes out of
    the answer besides (`mx_records`, `smtp_check`, `gibberish`…). A text without `@` is `invalid` without a call.
    Errors: a person who has asked Hunter not to be processed is left out, and the record's data are not kept. A
    verification that does not come to an end fails its record with TIMEOUT. A bad key or a used-up plan stop the node.
    Cost: half a credit for each address ($0.01225 unless configured otherwise), nothing for webmail, disposable and
    unknown ones. Records without address pass through unpaid. The finder's status `valid` needs no verification; a
    `condition` can keep such records out.
    """

    type = BlockType.API
    name = "hunter-email-verifier"
    when = ({"provider": "hunter", "endpoint": "/v2/email-verifier"},)
    Config = HunterVerifierConfig
    operations = (OPERATION,)
    example: ClassVar[Mapping[str, Any]] = {
        "provider": "hunter",
        "endpoint": "/v2/email-verifier",
        "condition": {"field": "emailStatus", "operator": "notEquals", "value": "valid"},
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [
            {"firstName": "Lena", "email": "lena.okafor@example.com"},
            {"firstName": "Tomas", "email": "tomas.lindqvist@example.net", "emailStatus": "valid"},
        ]
    }

    async def process(self, record: JsonObject, ctx: BlockContext) -> JsonObject | Skip:
        """Verify one address."""
        config = self.config
        if config.limits is not None and ctx.position >= config.limits:
            return record
        template = config.mapping.get("email")
        email = text_of(record.get("email") if template is None else ctx.render(template, record))
        if not email:
            return record
        data = await self._verified(email, ctx) if "@" in email else {"status": "invalid"}
        if data.get("optedOut"):
            return Skip(_OPTED_OUT, forget=True)
        result = filled(record, found_at(config.field_mapping, data), overwrite=config.overwrite)
        result["emailStatus"] = data["status"]
        result.pop("emailScore", None)
        score = data.get("score")
        return result if score is None else {**result, "emailScore": score}

    async def _verified(self, email: str, ctx: BlockContext) -> Mapping[str, Any]:
        """The final answer. A failed verification is remembered, so each next one is a question of its own."""
        for again in range(self.config.recheck_failed + 1):
            params = {"email": email, "again": again} if again else {"email": email}
            data, replayed = await self._finished(params, ctx)
            if data["status"] != "failed":
                return data
            if not replayed and again < self.config.recheck_failed:
                await self._pause(ctx)
        return {"status": "unknown"}

    async def _finished(self, params: Mapping[str, Any], ctx: BlockContext) -> tuple[Mapping[str, Any], bool]:
        """The answer when Hunter is no longer at it, and whether it was known before."""
        for attempt in range(self.config.recheck_pending + 1):
            if attempt:
                await self._pause(ctx)
            response = await ctx.call(OPERATION, params)
            if response.value["status"] != "pending":
                return response.value, response.replayed
        message = f"Hunter did not finish verifying the address in {self.config.recheck_pending + 1} calls"
        raise RecordError(ErrorClass.TIMEOUT, message)

    async def _pause(self, ctx: BlockContext) -> None:
        """Wait, with nothing but this record; simulated mail servers need no time."""
        if not ctx.demo:
            await asyncio.sleep(self.config.recheck_after)
