"""The answers' shapes, for the OpenAPI document. Amounts are exact numbers; times are ISO 8601 in UTC."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from lumeflow.vault.tenant_secrets import Source


class Model(BaseModel):
    """camelCase in JSON; unknown keys are refused."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class FindingModel(Model):
    """One problem of a workflow."""

    code: str
    severity: Literal["error", "warning"]
    pointer: str = Field(description="JSON pointer into the document.")
    message: str
    node: str | None = None
    edge: str | None = None


class ReportModel(Model):
    """What validation found."""

    valid: bool
    findings: list[FindingModel]


class WorkflowSummary(Model):
    """A line of the list of workflows."""

    workflow_id: str
    version: int
    name: str
    saved_at: datetime


class WorkflowModel(WorkflowSummary):
    """A version of a workflow, whole."""

    definition: dict[str, Any]


class WorkflowPage(Model):
    """Workflows by id."""

    items: list[WorkflowSummary]
    next_cursor: str | None = Field(description="What `cursor` takes for the next page; null on the last.")


class VersionList(Model):
    """Saved versions, the newest first."""

    items: list[WorkflowSummary]
    next_cursor: str | None


class KeyModel(Model):
    """An API key, without the key itself."""

    id: str
    name: str
    prefix: str = Field(description="The key's first characters.")
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class KeyPage(Model):
    """API keys by id."""

    items: list[KeyModel]
    next_cursor: str | None


class NewKeyModel(KeyModel):
    """A key that was just made."""

    key: str = Field(description="The key. It is shown this once and never again.")


class SecretModel(Model):
    """A secret, without its value."""

    name: str
    source: Source = Field(description="Where its value comes from: the first of these that has the name.")
    created_at: datetime | None = Field(description="When it was first stored in the database; null if it was not.")
    updated_at: datetime | None = Field(description="When it was last set there.")
    problem: str | None = Field(description="Why it cannot be used at present; null if it can.")


class SecretPage(Model):
    """Secrets by name."""

    items: list[SecretModel]
    next_cursor: str | None


class BlockModel(Model):
    """A block."""

    id: str
    type: str
    name: str
    when: list[dict[str, Any]] = Field(description="What `config` holds where a node means this block.")
    summary: str
    works: str = Field(description="On a record, a batch, or the whole payload.")
    operations: list[str]
    config: dict[str, Any] = Field(description="JSON Schema of `config`.")
    example: dict[str, Any]
    example_input: dict[str, Any]


class BlockPageModel(BlockModel):
    """All that is known of a block."""

    description: str = Field(description="Input, output, errors and cost.")
    workflows: list[str] = Field(description="Installed workflows that use it.")
    reference: str = Field(description="Its page of the reference, in Markdown.")


class BlockList(Model):
    """All installed blocks."""

    items: list[BlockModel]


class HealthModel(Model):
    """The server answers."""

    status: Literal["ok"]


class ReadyModel(Model):
    """The server can work."""

    status: Literal["ready"]
    version: str


class TemplateModel(Model):
    """A template of workflows."""

    placeholders: dict[str, Any] = Field(description="JSON Schemas by name: what a workflow made of it can be given.")

    id: str
    name: str
    description: str | None
    category: str | None
    version: int
    definition: dict[str, Any]
    created_at: datetime | None
    updated_at: datetime | None


class TemplatePage(Model):
    """Templates by id."""

    items: list[TemplateModel]
    next_cursor: str | None


class CostSumModel(Model):
    """Costs of everything that has a key in common; amounts are exact."""

    key: str = Field(description="The workflow, node, provider, day or execution.")
    calls: int = Field(description="Requests sent, lost and refused ones included.")
    lost: int = Field(description="Answers that were lost.")
    amount: int | float
    possibly_paid_twice: int | float
    credits: int | float = Field(description="The vendors' credits, where they count in them.")
    currency: str


class CostPage(Model):
    """Sums by key."""

    items: list[CostSumModel]
    next_cursor: str | None


class BlockTestModel(Model):
    """How a block did alone."""

    status: Literal["success", "failed"]
    output: dict[str, Any]
    failed: list[str] = Field(description="Why records failed.")
    skipped: list[str] = Field(description="Why records were left out.")
    cost: int | float
    error: str | None


class RowPage(Model):
    """Rows of a table, by their key."""

    items: list[dict[str, Any]]
    next_cursor: str | None = Field(description="What `cursor` takes for the next page; null on the last.")


class RowCount(Model):
    """How many rows it was."""

    rows: int
