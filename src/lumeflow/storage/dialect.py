"""What the two databases say differently. Everything else is one SQL, which both understand."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from lumeflow.core.money import plain
from lumeflow.storage.codec import stamp
from lumeflow.storage.migrations.types import Kind


class Cursor(Protocol):
    """What a statement gave: of `sqlite3.Cursor`, as much as the storage uses."""

    @property
    def rowcount(self) -> int:
        """Rows that were changed."""
        ...

    def fetchone(self) -> Any:
        """The next row, or None."""
        ...

    def fetchall(self) -> list[Any]:
        """All rows that are left."""
        ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """A connection inside a transaction: of `sqlite3.Connection`, as much as the storage uses."""

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Cursor:
        """Run one statement; `?` stands for a value, in order."""
        ...


class RowRefused(Exception):
    """A row does not fit its table; the text says why, without the row's values."""


class StatementRefused(RowRefused):
    """A statement cannot be run: it names what is not there, or does what may not be done."""


class NoSuchKey(Exception):
    """The columns of an `ON CONFLICT` are no key of the table."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one database spells what the other spells otherwise.

    Attributes:
        kind: Which database.
        time: A time as it is bound.
        money: An amount as it is bound.
        text: A text of anybody's as it is bound, such as an error's.
        sum: SQL of the exact sum of two amounts.
        total: SQL of the exact sum of a column of amounts.
        day: SQL of the day, in UTC, to which an effect belongs.
        for_share: Ends a SELECT whose rows must not change until this transaction ends.
        for_claim: Ends a SELECT of one row that this transaction will change; rows that others hold are passed over.
        enter: Tells the database whose rows this transaction may see from here on.
    """

    kind: Kind
    time: Callable[[datetime], Any]
    money: Callable[[Decimal], Any]
    text: Callable[[str], str]
    sum: str
    total: str
    day: str
    for_share: str
    for_claim: str
    enter: Callable[[Connection, str], None]

    def optional_text(self, text: str | None) -> str | None:
        """`text`, or None."""
        return None if text is None else self.text(text)

    def optional_time(self, at: datetime | None) -> Any:
        """`time`, or None."""
        return None if at is None else self.time(at)


def _stay(db: Connection, tenant: str) -> None:
    """SQLite does not look: each statement names the tenant itself."""


SQLITE = Dialect(
    kind=Kind.SQLITE,
    time=stamp,
    money=plain,
    text=str,
    sum="decimal_sum({}, {})",
    total="decimal_total({})",
    day="substr(coalesce(answered_at, claimed_at), 1, 10)",
    for_share="",
    for_claim="",
    enter=_stay,
)

_ENTER = "SELECT set_config('lumeflow.tenant', ?, true)"


def _enter(db: Connection, tenant: str) -> None:
    db.execute(_ENTER, (tenant,))


def _without_nul(text: str) -> str:
    """PostgreSQL has no place for U+0000."""
    return text.replace("\0", "\ufffd")


def _itself(value: Any) -> Any:
    return value


POSTGRES = Dialect(
    kind=Kind.POSTGRES,
    time=_itself,
    money=_itself,
    text=_without_nul,
    sum="({} + {})",
    total="sum({})",
    day="to_char(coalesce(answered_at, claimed_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
    for_share=" FOR SHARE",
    for_claim=" FOR UPDATE SKIP LOCKED",
    enter=_enter,
)

ARRAYS: Mapping[str, str] = {
    "bool": "boolean[]",
    "bytes": "bytea[]",
    "int": "bigint[]",
    "json": "json[]",
    "money": "numeric[]",
    "text": "text[]",
    "time": "timestamptz[]",
}
"""Types of columns, as row statements name them, as PostgreSQL's arrays."""
