"""Transform: of records that mean the same, let the first pass."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from lumeflow.kit.duplicates.matching import INCOMPARABLE, Earlier, Matcher, MatchingConfig, duplicate_of
from lumeflow.plugin import Block, BlockContext, BlockType, JsonObject, Outcome

_KEEPS = ("first", "last", "mostComplete", "merge")


class DeduplicateConfig(MatchingConfig):
    """Configuration of `transform/deduplicate`."""

    keep: Literal["first"] = Field(
        default="first",
        description="The first record goes on, at once. `last`, `mostComplete` and `merge` are of "
        "`transform/deduplicate-best`, which waits for all records.",
    )

    @field_validator("keep", mode="before")
    @classmethod
    def _is_known(cls, value: Any) -> Any:
        if value not in _KEEPS:
            raise ValueError(f"expected one of {', '.join(_KEEPS)}")
        return value


class Deduplicate(Block[DeduplicateConfig]):
    """Let the first of records that mean the same pass, and leave out the others.

    Records mean the same if they are equal in all fields of `keys` (or in one of them, with `match` `any`), and, with
    `fuzzy`, if their names are alike besides. What went on can't be called back: with `any` two records that a later
    one shows to be the same both stay.

    Input: any record.
    Output: the first record of each kind, unchanged; also records that cannot be compared, unless `missing` is `skip`.
        The others are left out with the number of the record that they repeat, counted from 0.
    Errors: VALIDATION for the node if more than 10,000 different names have the same keys.
    Cost: none. It looks at each record once. 500,000 keys stay in memory, further ones and all names lie in a temporary
        file, so that memory does not grow with their number.
    """

    type = BlockType.TRANSFORM
    name = "deduplicate"
    when: ClassVar[Sequence[Mapping[str, str]]] = (
        {"operation": "deduplicate"},
        {"operation": "deduplicate", "keep": "first"},
    )
    Config = DeduplicateConfig
    ordered = True
    example: ClassVar[Mapping[str, Any]] = {
        "operation": "deduplicate",
        "keys": ["company.domain"],
        "fuzzy": {"fields": ["firstName", "lastName"], "threshold": 0.9},
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [
            {"firstName": "John", "lastName": "Smith", "company": {"domain": "example.com"}},
            {"firstName": "SMITH", "lastName": "Jon", "company": {"domain": "Example.com"}},
            {"firstName": "John", "lastName": "Smith", "company": {"domain": "example.org"}},
        ]
    }

    def __init__(self, config: DeduplicateConfig) -> None:
        super().__init__(config)
        self._matcher = Matcher(config)

    @property
    def batch_size(self) -> int:
        """Records are taken as they come."""
        return 0

    def process_batch(self, records: Sequence[JsonObject], ctx: BlockContext) -> Sequence[Outcome]:
        """Let those pass that are the first of their kind."""
        return [
            self._outcome(record, earlier)
            for record, earlier in zip(records, self._matcher.place(records), strict=True)
        ]

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Free memory and disk."""
        await self.abort()
        return {}

    async def abort(self) -> None:
        """Free memory and disk, when the thread that works on records has finished them."""
        await asyncio.to_thread(self._matcher.close)

    def _outcome(self, record: JsonObject, earlier: Earlier) -> Outcome:
        if earlier is None:
            return record if self.config.missing == "keep" else INCOMPARABLE
        return duplicate_of(earlier[0]) if earlier else record
