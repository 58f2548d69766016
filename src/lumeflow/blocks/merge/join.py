"""Merge: records of two sources that have one key become one record."""

import asyncio
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from lumeflow.kit.duplicates.keys import digest_of_values
from lumeflow.kit.join_index import JoinIndex
from lumeflow.kit.merging import Lazily, collection_name, fields_beside, in_pieces, merge_data, record_streams
from lumeflow.kit.objects import deep_merge
from lumeflow.plugin import (
    MISSING,
    Block,
    BlockConfig,
    BlockContext,
    BlockType,
    JsonObject,
    PathField,
    Record,
    RecordError,
    Skip,
    SkippedRecord,
    TemplateField,
    Whole,
)

_NO_COUNTERPART = Skip("it has no counterpart")


class JoinKey(BaseModel):
    """What records must have in common: a field, or an expression for each side."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    field: PathField | None = Field(default=None, description="A field that both sides have.")
    left: TemplateField | None = Field(
        default=None, description="Value of the first source's records, such as {{emailDomain(input.email)}}."
    )
    right: TemplateField | None = Field(
        default=None, description="Value of the second source's records, such as {{input.company.domain}}."
    )

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        sides = [side for side in (self.left, self.right) if side is not None]
        if len(sides) != (0 if self.field is not None else 2):
            raise ValueError("give 'field', or 'left' and 'right'")
        for side in sides:
            if side.is_constant:
                raise ValueError("a key is an expression, such as {{input.email}}")
        return self

    def value(self, record: JsonObject, ctx: BlockContext, *, is_left: bool) -> Any:
        """The value of a record.

        Raises:
            ValueError, RecordError: An expression cannot be computed for it.
        """
        if self.field is not None:
            value = self.field.get(record)
            return None if value is MISSING else value
        template = self.left if is_left else self.right
        assert template is not None
        return ctx.render(template, record)


def _spelt_out(key: Any) -> Any:
    return {"field": key} if isinstance(key, str) else key


def _two(sources: Sequence[str]) -> Sequence[str]:
    if len(set(sources)) != 2 or len(sources) != 2:
        raise ValueError("a join has two different sources; join the result with a third one by another node")
    return sources


class JoinMergeConfig(BlockConfig):
    """Configuration of `merge/join`."""

    strategy: Literal["join"] = Field(description="Selects this block.")
    sources: Annotated[Sequence[str], AfterValidator(_two)] = Field(
        description="Ids of the two nodes to join; the first gives the order."
    )
    keys: Sequence[Annotated[JoinKey, BeforeValidator(_spelt_out)]] = Field(
        min_length=1,
        description="What records that belong together have in common, all of it: names of fields, or objects with "
        "`left` and `right`.",
    )
    how: Literal["inner", "left", "outer"] = Field(
        default="left",
        description="`inner`: records that have a counterpart; those of the first source that have none are left out. "
        "`left`: all of the first source. `outer`: all of both.",
    )
    several: Literal["all", "first"] = Field(
        default="all",
        description="What becomes of a record with several counterparts: one record with each of them, or with the "
        "first alone.",
    )
    shape: Literal["merged", "object"] = Field(
        default="merged",
        alias="as",
        description="One object with the fields of both, or an object that holds each record under its source's id.",
    )
    prefer: Literal["first", "second"] = Field(
        default="second", description="With `merged`: whose value a field gets that both sources have."
    )
    prefix: str = Field(
        default="",
        max_length=50,
        description="With `merged`: goes before the names of the second source's fields, so that none collide.",
    )
    match_case: bool = Field(default=False, description="True if capitals and small letters make a difference in keys.")

    @model_validator(mode="after")
    def _options_fit(self) -> Self:
        if self.shape == "object" and {"prefer", "prefix"} & self.model_fields_set:
            raise ValueError("'prefer' and 'prefix' are for 'as' 'merged'")
        return self


class JoinMerge(Block[JoinMergeConfig]):
    """Join two lists by a key: contacts with their companies, leads with what the CRM knows of them.

    Keys are compared as `transform/deduplicate` does: spaces around and capitals don't count, a number equals its text.
    A record that lacks a part of its key has no counterpart.

    Input: two payloads; if one comes from a skipped node, the other's records have no counterparts.
    Output: joined records in the order of the first source, counterparts in the order of the second; with `outer`, then
        the second source's records without counterpart. With `as` `merged`, one flat object: where both have a field,
        `prefer` says whose value stays, and `prefix` keeps both. With `as` `object`, `{"source-id": record, …}`. Fields
        beside the records are merged object by object. The collection has the name that `collection`, the output
        schema, or else the first source gives it.
    Errors: none; how many records have a key that cannot be computed is told in a warning.
    Cost: none. It waits for both sources. More than 5,000 records of the second wait on disk, so that memory does not
        grow with their number; 10 to 20 microseconds a record.
    """

    type = BlockType.MERGE
    name = "join"
    when = ({"strategy": "join"},)
    Config = JoinMergeConfig
    example: ClassVar[Mapping[str, Any]] = {
        "strategy": "join",
        "sources": ["contacts", "companies"],
        "keys": [{"left": "{{emailDomain(input.email)}}", "right": "{{input.domain}}"}],
        "how": "left",
        "prefix": "company_",
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": {"people": [{"email": "mira@freight.example.com"}, {"email": "tomas@example.org"}]},
        "companies": {"rows": [{"domain": "freight.example.com", "size": 40}]},
    }

    def __init__(self, config: JoinMergeConfig) -> None:
        super().__init__(config)
        self._index = JoinIndex()
        self._without_key = 0
        self._alone = array("q")

    def sources(self) -> Sequence[str]:
        """The sources that the configuration names."""
        return self.config.sources

    async def run(self, payloads: Mapping[str, Whole], ctx: BlockContext) -> Whole:
        """Put the second source's records by their keys, then go through the first."""
        collection = collection_name(payloads, self.config.collection)
        fields = merge_data((whole.fields for whole in payloads.values()), deep_merge)
        streams = record_streams(payloads)
        left, right = (streams.get(source, ()) for source in self.config.sources)
        await in_pieces(right, lambda piece: self._add(piece, ctx))
        return Whole(
            fields_beside(fields, collection, ctx),
            collection,
            Lazily(lambda: self._joined(left, ctx)),
            Lazily(lambda: self._skipped(left)),
        )

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Tell what had no key, and free memory and disk."""
        if self._without_key:
            ctx.warn(f"keys: those of {self._without_key:,} records could not be computed")
        await self.abort()
        return {}

    async def abort(self) -> None:
        """Free memory and disk."""
        await asyncio.to_thread(self._index.close)

    def _add(self, records: Sequence[Record], ctx: BlockContext) -> None:
        for record in records:
            self._index.add(self._digest(record, ctx, is_left=False), record)

    def _digest(self, record: Record, ctx: BlockContext, *, is_left: bool) -> bytes | None:
        try:
            values = [key.value(record.data, ctx, is_left=is_left) for key in self.config.keys]
        except (ValueError, RecordError):
            self._without_key += 1
            return None
        return digest_of_values(values, match_case=self.config.match_case)

    def _joined(self, left: Iterable[Record], ctx: BlockContext) -> Iterator[Record]:
        self._index.forget_matches()
        most = 1 if self.config.several == "first" else None
        for ordinal, record in enumerate(left):
            digest = self._digest(record, ctx, is_left=True)
            number = 0
            for number, data in enumerate(self._pairs(record, digest, most), 1):
                yield Record(data, record.lineage if most else (*record.lineage, number - 1))
            if not number and self.config.how == "inner":
                self._alone.append(ordinal)
            elif not number:
                yield Record(self._made(record.data, None), record.lineage)
        if self.config.how == "outer":
            for other in self._index.unmatched():
                yield Record(self._made(None, other.data), other.lineage)

    def _skipped(self, left: Iterable[Record]) -> Iterator[SkippedRecord]:
        alone = iter(self._alone)
        wanted = next(alone, None)
        for ordinal, record in enumerate(left if self._alone else ()):
            if ordinal == wanted:
                yield SkippedRecord(ordinal, record, _NO_COUNTERPART)
                wanted = next(alone, None)

    def _pairs(self, record: Record, digest: bytes | None, most: int | None) -> Iterator[JsonObject]:
        if digest is not None:
            for other in self._index.matches(digest, most):
                yield self._made(record.data, other.data)

    def _made(self, left: JsonObject | None, right: JsonObject | None) -> JsonObject:
        if self.config.shape == "object":
            pairs = zip(self.config.sources, (left, right), strict=True)
            return {source: data for source, data in pairs if data is not None}
        prefix = self.config.prefix
        named = {f"{prefix}{name}": value for name, value in (right or {}).items()} if prefix else (right or {})
        return {**(left or {}), **named} if self.config.prefer == "second" else {**named, **(left or {})}
