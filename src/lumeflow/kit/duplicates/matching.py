"""Telling which records mean the same, as a node's configuration says."""

from collections.abc import Sequence
from threading import Lock
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lumeflow.kit.duplicates.key_index import IN_MEMORY, KeyIndex
from lumeflow.kit.duplicates.keys import digest_of_all, digests_of_each
from lumeflow.kit.duplicates.name_index import NameIndex, comparable_name
from lumeflow.kit.text import text_of
from lumeflow.plugin import BlockConfig, JsonObject, PathField, Skip

Earlier = tuple[int, ...] | None
"""Ordinals of earlier records that mean the same: empty for the first of its kind, None if it can't be compared."""


INCOMPARABLE = Skip("it can't be compared: it lacks a key or the name")


def duplicate_of(ordinal: int) -> Skip:
    """The outcome of a record that is left out because another one stays."""
    return Skip(f"a duplicate of record {ordinal}")


class FuzzyNames(BaseModel):
    """Names that need not be equal, only alike."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    fields: tuple[PathField, ...] = Field(min_length=1, description="Fields that make up the name, such as firstName.")
    threshold: float = Field(
        default=0.9, ge=0.5, le=1, description="How alike names must be; 0.9 takes Jon Smith for John Smith."
    )


class MatchingConfig(BlockConfig):
    """What the blocks against duplicates have in common."""

    operation: Literal["deduplicate"] = Field(description="Selects this block.")
    keys: tuple[PathField, ...] = Field(
        min_length=1,
        description="Fields in which records that mean the same are equal; spaces around and capitals don't count.",
    )
    match: Literal["all", "any"] = Field(
        default="all", description="Whether records must be equal in all keys, or in one: the same email or phone."
    )
    fuzzy: FuzzyNames | None = Field(
        default=None, description="Records must have names alike besides equal keys: the same person in a company."
    )
    match_case: bool = Field(default=False, description="True if capitals and small letters make a difference in keys.")
    missing: Literal["keep", "skip"] = Field(
        default="keep",
        description="What becomes of records that cannot be compared, since they lack a key (with `any`: all of them) "
        "or the name.",
    )

    @model_validator(mode="after")
    def _fuzzy_goes_with_all(self) -> Self:
        if self.fuzzy is not None and self.match == "any":
            raise ValueError("'fuzzy' goes with 'match' 'all': names are compared where all keys are equal")
        return self


class Matcher:
    """Looks at records one after the other and tells of each which earlier ones it means the same as."""

    def __init__(self, config: MatchingConfig, in_memory: int = IN_MEMORY) -> None:
        self._config = config
        self._keys = KeyIndex(in_memory)
        self._names = NameIndex(config.fuzzy.threshold) if config.fuzzy is not None else None
        self._count = 0
        self._lock = Lock()

    def place(self, records: Sequence[JsonObject]) -> list[Earlier]:
        """The earlier records of each of the next ones. Ordinals count from 0, over all calls.

        Raises:
            NodeError: The keys don't tell enough records apart for names to be compared.
        """
        with self._lock:
            start = self._count
            self._count += len(records)
            if self._names is not None:
                return [self._by_name(record, ordinal) for ordinal, record in enumerate(records, start)]
            if self._config.match == "any":
                return self._by_any_key(records, start)
            return self._by_all_keys(records, start)

    def close(self) -> None:
        """Free memory and disk; waits for another thread that places records."""
        with self._lock:
            self._keys.close()
            if self._names is not None:
                self._names.close()

    def _by_all_keys(self, records: Sequence[JsonObject], start: int) -> list[Earlier]:
        keys, match_case = self._config.keys, self._config.match_case
        digests = [digest_of_all(record, keys, match_case=match_case) for record in records]
        ordinals = [ordinal for ordinal, digest in enumerate(digests, start) if digest is not None]
        firsts = self._keys.first_with([digest for digest in digests if digest is not None], ordinals)
        placed: list[Earlier] = [None] * len(records)
        for ordinal, first in zip(ordinals, firsts, strict=True):
            placed[ordinal - start] = () if first == ordinal else (first,)
        return placed

    def _by_any_key(self, records: Sequence[JsonObject], start: int) -> list[Earlier]:
        keys, match_case = self._config.keys, self._config.match_case
        digests = [digests_of_each(record, keys, match_case=match_case) for record in records]
        flat = [(digest, ordinal) for ordinal, each in enumerate(digests, start) for digest in each]
        firsts = iter(self._keys.first_with([digest for digest, _ in flat], [ordinal for _, ordinal in flat]))
        placed: list[Earlier] = []
        for ordinal, each in enumerate(digests, start):
            found = [next(firsts) for _ in each]
            placed.append(tuple(sorted({first for first in found if first != ordinal})) if each else None)
        return placed

    def _by_name(self, record: JsonObject, ordinal: int) -> Earlier:
        assert self._names is not None
        assert self._config.fuzzy is not None
        digest = digest_of_all(record, self._config.keys, match_case=self._config.match_case)
        name = comparable_name([text_of(path.get(record)) for path in self._config.fuzzy.fields])
        if digest is None or not name:
            return None
        first = self._names.first_like(digest, name, ordinal)
        return () if first == ordinal else (first,)
