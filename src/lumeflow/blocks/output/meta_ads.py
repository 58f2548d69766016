"""Output: a custom audience at Meta."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.alias_generators import to_camel

from lumeflow.kit.audience_keys import AUDIENCE_KEYS, audience_row
from lumeflow.kit.conditions import meets
from lumeflow.kit.outputs import mapped
from lumeflow.plugin import (
    Block,
    BlockConfig,
    BlockContext,
    BlockType,
    CallError,
    ConditionField,
    JsonObject,
    NodeError,
    Outcome,
    Params,
    RecordError,
    Skip,
    TemplateField,
    derived_id,
    did_you_mean,
    iso,
)

MOST_ROWS = 10_000
"""Rows that Meta takes in one call."""

_EVERYBODY = {
    "EMAIL": "{{input.email}}",
    "PHONE": "{{input.phone}}",
    "FN": "{{input.firstName}}",
    "LN": "{{input.lastName}}",
}


def _account_id(text: str) -> str:
    digits = text.removeprefix("act_")
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("expected the id of an ad account, such as act_1234567890")
    return f"act_{digits}"


def _country_code(text: str) -> str:
    from lumeflow.kit.normalize.countries import country_code

    code = country_code(text)
    if code is None:
        raise ValueError("expected a country, such as IT or Italy")
    return code


class NewAudience(BaseModel):
    """An audience to be created."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)

    name: str = Field(min_length=1, max_length=200, description="Name of the audience in the Ads Manager.")
    description: str = Field(default="", max_length=80, description="Words for whoever finds it there.")
    customer_file_source: Literal["USER_PROVIDED_ONLY", "PARTNER_PROVIDED_ONLY", "BOTH_USER_AND_PARTNER_PROVIDED"] = (
        Field(description="What you declare to Meta: the people themselves gave the data, partners did, or both.")
    )


class MetaAdsOutputConfig(BlockConfig):
    """Configuration of `output/meta-ads`."""

    destination: Literal["meta-ads"] = Field(description="Selects this block.")
    audience_id: Annotated[str, Field(pattern=r"^\d+$")] | None = Field(
        default=None, description="Audience to add to; or give `audience`, to create one."
    )
    audience: NewAudience | None = Field(
        default=None, description="Audience to create, once in an execution, when the first person is to be added."
    )
    ad_account_id: Annotated[str, AfterValidator(_account_id)] | None = Field(
        default=None, description="Ad account in which the audience is created: act_1234567890."
    )
    mapping: Mapping[str, TemplateField] = Field(
        default=_EVERYBODY,
        validate_default=True,
        min_length=1,
        description="What people are matched by, and where to take it from: EMAIL, PHONE, FN (first name), LN (last "
        "name), FI (first initial), GEN (gender), DOBY, DOBM, DOBD (year, month, day of birth), CT (city), ST (state), "
        "ZIP, COUNTRY, MADID (a phone's advertising id), EXTERN_ID (your own id). {{input}} is the record.",
    )
    country: Annotated[str, AfterValidator(_country_code)] | None = Field(
        default=None,
        description="Country of those for whom `mapping` gives none: whose calling code a number lacks, whose state "
        "and postcode it is. Without it, numbers without calling code are left out.",
    )
    condition: ConditionField | None = Field(
        default=None, description="Records that do not meet it are left out of the audience, and pass through."
    )
    batch_size: int = Field(default=MOST_ROWS, ge=1, le=MOST_ROWS, description="People sent in one call.")
    dry_run: bool = Field(
        default=False, description="Normalise, check and count, but create no audience and send nothing."
    )
    api_version: Annotated[str, Field(pattern=r"^v\d+\.\d+$")] = Field(
        default="v26.0", description="Version of Meta's API; each lives for about two years."
    )

    @field_validator("mapping", mode="before")
    @classmethod
    def _known_keys(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        for key in value:
            if key not in AUDIENCE_KEYS:
                raise ValueError(f"mapping has the unknown key '{key}'." + did_you_mean(key, AUDIENCE_KEYS))
        return {key: value[key] for key in AUDIENCE_KEYS if key in value}

    @model_validator(mode="after")
    def _one_audience(self) -> Self:
        if (self.audience_id is None) == (self.audience is None):
            raise ValueError("give either 'audienceId', to add to an audience, or 'audience', to create one")
        if self.audience is not None and self.ad_account_id is None:
            raise ValueError("'audience' needs 'adAccountId', the ad account in which it is created")
        return self


class MetaAdsOutput(Block[MetaAdsOutputConfig]):
    """Add people to a custom audience at Meta: normalised by its rules and hashed here, so that no address leaves.

    Input: any record.
    Output: the records, and as the node's result `{audienceId, sessionId, recordsCount, skippedCount, receivedCount,
        invalidCount, batchesCount, dryRun, storedAt}`: people sent, records left out, and what Meta says it received
        and could not use. Whom it found among its users it never says. A value that is missing or unusable is sent
        empty. A record without address, number and id that has no full name either is skipped with the reason.
        People are sent in calls of exactly `batchSize`, the last of which is marked as such; a resumed execution sends
        the same calls, and none that was answered. Meta keeps sets: who is sent twice is there once.
    Errors: VALIDATION for a record whose mapping cannot be computed. The node ends when Meta refuses a call for good,
        since an upload is one session: AUTH for the token or its permissions, NOT_FOUND for the audience, VALIDATION
        for terms that were not accepted or a version that has expired. A resume goes on with the call that failed.
    Cost: none. Memory does not grow with the number of records; the ledger keeps the hashed rows.
    """

    type = BlockType.OUTPUT
    name = "meta-ads"
    when = ({"destination": "meta-ads"},)
    Config = MetaAdsOutputConfig
    operations: ClassVar[Sequence[str]] = ("meta/create-audience", "meta/add-users")
    ordered = True
    example: ClassVar[Mapping[str, Any]] = {
        "destination": "meta-ads",
        "adAccountId": "act_1234567890",
        "audience": {"name": "Leads of {{execution.id}}", "customerFileSource": "PARTNER_PROVIDED_ONLY"},
        "mapping": {"EMAIL": "{{input.email}}", "PHONE": "{{input.phone}}", "COUNTRY": "{{input.country}}"},
        "country": "IT",
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [
            {"firstName": "Mira", "email": "mira.holt@example.com", "phone": "02 5550 1234", "country": "Italy"},
            {"firstName": "Tomás", "email": "tomas@example.org"},
        ],
    }

    def __init__(self, config: MetaAdsOutputConfig) -> None:
        super().__init__(config)
        self._schema = list(config.mapping)
        self._rows: list[list[str]] = []
        self._audience = config.audience_id
        self._calls: BlockContext
        self._session = 0
        self._sent = 0
        self._skipped = 0
        self._batches = 0
        self._received = 0
        self._invalid = 0

    @property
    def batch_size(self) -> int:
        """Records as they come: the calls are cut by people, not by records."""
        return 0

    def applies(self, record: JsonObject, ctx: BlockContext) -> bool:
        """True if the record meets `config.condition`."""
        return self.config.condition is None or meets(self.config.condition, record, ctx)

    async def open(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Begin the session. All calls are made as the node's, so that their keys do not hang on how records arrive."""
        self._calls = ctx
        # 53 bits: every JSON reader on the way keeps such a number as it is.
        self._session = (UUID(derived_id(ctx.execution_id, ctx.node_id, "session")).int >> 75) or 1
        return {}

    async def process_batch(self, records: Sequence[JsonObject], ctx: BlockContext) -> Sequence[Outcome]:
        """Hash some records, and send what is full. One row at least stays behind, for the call marked as the last."""
        outcomes = await asyncio.to_thread(self._take, records, ctx)
        size = self.config.batch_size
        while len(self._rows) > size:
            await self._send(self._rows[:size], last=False)
            del self._rows[:size]
        return outcomes

    def _take(self, records: Sequence[JsonObject], ctx: BlockContext) -> list[Outcome]:
        """An outcome for each record, and the rows of those that are somebody."""
        outcomes: list[Outcome] = []
        for record in records:
            try:
                row = audience_row(mapped(self.config.mapping, record, ctx), self.config.country)
            except RecordError as error:
                outcomes.append(error)
                continue
            if row is None:
                self._skipped += 1
                outcomes.append(Skip("nothing that config.mapping names tells who this is"))
            else:
                self._rows.append(row)
                outcomes.append(record)
        return outcomes

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Send the rest, as the last call."""
        if self._rows:
            await self._send(self._rows, last=True)
        if self._invalid:
            ctx.warn(f"Meta could not use {self._invalid} of {self._received} rows")
        return {
            "audienceId": self._audience,
            "sessionId": str(self._session),
            "recordsCount": self._sent,
            "skippedCount": self._skipped,
            "receivedCount": self._received,
            "invalidCount": self._invalid,
            "batchesCount": self._batches,
            "dryRun": self.config.dry_run,
            "storedAt": iso(ctx.now),
        }

    async def _send(self, rows: Sequence[list[str]], *, last: bool) -> None:
        self._batches += 1
        if not self.config.dry_run:
            if self._audience is None:
                self._audience = await self._create()
            session = {"session_id": self._session, "batch_seq": self._batches, "last_batch_flag": last}
            params = {
                "version": self.config.api_version,
                "audience": self._audience,
                "session": session,
                "schema": self._schema,
                "data": rows,
            }
            answer = await self._call("meta/add-users", params)
            self._received += answer["received"]
            self._invalid += answer["invalid"]
        self._sent += len(rows)

    async def _create(self) -> str:
        wanted = self.config.audience
        assert wanted is not None
        mark = f"lumeflow-{derived_id(self._calls.execution_id, self._calls.node_id, 'audience')[:13]}"
        params = {
            "version": self.config.api_version,
            "ad_account": self.config.ad_account_id,
            "name": wanted.name,
            "description": f"{wanted.description} [{mark}]".strip(),
            "mark": mark,
            "source": wanted.customer_file_source,
        }
        return str(await self._call("meta/create-audience", params))

    async def _call(self, operation: str, params: Params) -> Any:
        try:
            return (await self._calls.call(operation, params)).value
        except CallError as error:
            # The session has a gap from here on: nothing behind it may be sent.
            done = f"Before it, {self._sent} people were sent; resume the execution to go on from there"
            raise NodeError(error.error_class, f"{error} {done}.") from error
