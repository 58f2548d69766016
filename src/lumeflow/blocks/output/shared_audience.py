"""Output: contacts as a shared audience."""

import re
from array import array
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.outputs import refusals
from lumeflow.kit.payloads import checked_records
from lumeflow.plugin import (
    Block,
    BlockConfig,
    BlockContext,
    BlockType,
    ErrorClass,
    JsonObject,
    NodeError,
    Outcome,
    RecordError,
    TemplateField,
    UsageError,
    derived_id,
    iso,
)

AUDIENCES = "shared_audiences"
CONTACTS = "shared_audience_contacts"
RELATIONS = "audience_relations"

_INNER_CAPITAL = re.compile(r"(?<=[a-z0-9])([A-Z])")


class SharedAudienceConfig(BlockConfig):
    """Configuration of `output/shared-audience`."""

    destination: Literal["database"] = Field(description="Selects this block, together with `table`.")
    table: Literal["shared_audiences"] = Field(description="Selects this block, together with `destination`.")
    mapping: dict[str, TemplateField] = Field(
        description="Properties of the audience, such as sourceAudienceId, name and metadata; {{input}} is the whole "
        "payload. The one that is just {{input.<collection>}} holds the contacts."
    )
    create_relation: bool = Field(
        default=False, description="Link the shared audience to its source audience; needs sourceAudienceId."
    )
    embedding_field: str = Field(
        default="embedding", min_length=1, description="Property of a contact whose vector gets a column of its own."
    )


class SharedAudienceOutput(Block[SharedAudienceConfig]):
    """Store contacts as a shared audience: a row for the audience, a row for each contact.

    Contacts are written as they come, the audience when all are there, so that whoever finds an audience finds it
    complete. Its id is derived from execution and node: a resume writes the same rows again, it never doubles them.

    Input: contacts as records, or a payload without a collection that `mapping` takes a list of contacts from.
    Output: the contacts, and as the node's result `{sharedAudienceId, contactsCount, storedAt}`.
    Errors: VALIDATION for the node if `mapping` uses the collection in another way than whole, if `createRelation` is
        set and sourceAudienceId is missing, or if a mapped property has no column.
    Cost: none. Memory does not grow with the number of contacts.
    """

    type = BlockType.OUTPUT
    name = "shared-audience"
    when = ({"destination": "database", "table": AUDIENCES},)
    Config = SharedAudienceConfig
    example: ClassVar[Mapping[str, Any]] = {
        "destination": "database",
        "table": "shared_audiences",
        "mapping": {
            "sourceAudienceId": "{{workflow.input.id}}",
            "contacts": "{{input.contacts}}",
            "metadata": "{{input.metadata}}",
        },
        "createRelation": False,
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [{"firstName": "Mira", "lastName": "Holt", "email": "mira.holt@example.com"}],
        "metadata": {"totalContacts": 1},
    }

    def __init__(self, config: SharedAudienceConfig) -> None:
        super().__init__(config)
        self._id = ""
        self._count = 0
        self._contacts_from: str | None = None

    async def open(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Find the mapping entry that holds the contacts."""
        self._id = derived_id(ctx.execution_id, ctx.node_id)
        if ctx.collection is not None:
            self._contacts_from = self._entry_of(ctx.collection)
        elif "contacts" in self.config.mapping:
            self._contacts_from = "contacts"
        return {}

    async def process_batch(self, records: Sequence[JsonObject], ctx: BlockContext) -> Sequence[Outcome]:
        """Write one batch of contacts. Batches begin in order, so that each contact has its place in every run."""
        contacts = records if ctx.collection is not None else self._contacts_of(records[0], ctx)
        first, self._count = self._count, self._count + len(contacts)
        if contacts:
            rows = [self._row(contact, first + offset) for offset, contact in enumerate(contacts)]
            with refusals("table"):
                await ctx.tables.upsert(CONTACTS, rows, key=("shared_audience_id", "position"))
        return list(records)

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Write the audience, now that all of its contacts are there, and its relation."""
        await self._clear_behind(ctx)
        stored_at = iso(ctx.now)
        audience = {
            _column(name): ctx.render(template, ctx.fields)
            for name, template in self.config.mapping.items()
            if name != self._contacts_from
        }
        source_id = audience.get("source_audience_id")
        if self.config.create_relation and source_id is None:
            message = "config.createRelation needs mapping.sourceAudienceId, which is empty"
            raise NodeError(ErrorClass.VALIDATION, message, field="mapping.sourceAudienceId")
        row = {
            "status": "completed",
            **audience,
            "id": self._id,
            "workflow_execution_id": ctx.execution_id,
            "contacts_count": self._count,
            "created_at": stored_at,
            "stored_at": stored_at,
        }
        with refusals("mapping"):
            await ctx.tables.upsert(AUDIENCES, [row], key=("id",))
            if self.config.create_relation:
                relation = {"source_audience_id": source_id, "shared_audience_id": self._id}
                await ctx.tables.upsert(RELATIONS, [relation], key=tuple(relation))
        return {"sharedAudienceId": self._id, "contactsCount": self._count, "storedAt": stored_at}

    async def _clear_behind(self, ctx: BlockContext) -> None:
        """Delete what an earlier attempt left behind the last contact. Not before the end: till then it is what there
        is. Contacts are written in order, so theirs has no gaps.
        """
        behind = self._count
        with refusals("table"):
            while await ctx.tables.delete(CONTACTS, {"shared_audience_id": self._id, "position": behind}):
                behind += 1

    def _contacts_of(self, payload: JsonObject, ctx: BlockContext) -> Sequence[JsonObject]:
        """The contacts that the mapping takes from a payload without a collection."""
        if self._contacts_from is None:
            return ()
        rendered = ctx.render(self.config.mapping[self._contacts_from], payload)
        try:
            return checked_records(rendered or [], self._contacts_from)
        except UsageError as error:
            field = f"mapping.{self._contacts_from}"
            raise RecordError(ErrorClass.VALIDATION, f"config.{field}: {error}", field=field) from error

    def _entry_of(self, collection: str) -> str | None:
        """The mapping entry that is `{{input.<collection>}}`; None if no entry uses the collection."""
        found: str | None = None
        for name, template in self.config.mapping.items():
            if not any(item.root == "input" and item.path[:1] in ((), (collection,)) for item in template.references):
                continue
            if not _is_whole(template.source, collection) or found is not None:
                message = (
                    f"config.mapping.{name} is computed from '{collection}', whose records are stored "
                    f"one by one; exactly one property can take them, written as {{{{input.{collection}}}}}"
                )
                raise NodeError(ErrorClass.VALIDATION, message, field=f"mapping.{name}")
            found = name
        return found

    def _row(self, contact: JsonObject, position: int) -> JsonObject:
        name = self.config.embedding_field
        vector = contact.get(name)
        is_vector = isinstance(vector, array)
        data = {key: value for key, value in contact.items() if key != name} if is_vector else contact
        return {
            "shared_audience_id": self._id,
            "position": position,
            "data": data,
            "embedding": vector if is_vector else None,
        }


def _is_whole(source: Any, collection: str) -> bool:
    return isinstance(source, str) and source.replace(" ", "") == f"{{{{input.{collection}}}}}"


def _column(name: str) -> str:
    """`sourceAudienceId` as the column it is stored in: `source_audience_id`."""
    return _INNER_CAPITAL.sub(r"_\1", name).lower()
