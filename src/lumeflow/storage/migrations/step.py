"""One step of the schema's history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from lumeflow.storage.migrations.types import Kind


class Sight(Enum):
    """Who may see the rows of a table, besides the tenant whose they are."""

    OWN = auto()
    """Nobody."""
    SHARED = auto()
    """Who acts for all tenants."""
    PUBLIC = auto()
    """Everybody may read what belongs to all, which only who acts for all may write."""


@dataclass(frozen=True, slots=True)
class Step:
    """What leads from one version of the schema to the next, and back.

    Attributes:
        name: What it is about, in a word.
        up: Statements by database; none where the step does nothing there.
        down: Statements that undo it; a database that is not named cannot go back behind this step.
        tables: Tables that it makes: on PostgreSQL each gets row level security and the application role's rights.
        sight: Who may see them; the tenant alone, where nothing is said.
        vectors: Columns of PostgreSQL that become `vector(N)` where the extension is there: table, column, N.
        down_needs: Queries that must find nothing before it is undone, each with what it means if one does.
    """

    name: str
    up: Mapping[Kind, Sequence[str]]
    down: Mapping[Kind, Sequence[str]]
    tables: Sequence[str] = ()
    sight: Mapping[str, Sight] = field(default_factory=dict)
    vectors: Sequence[tuple[str, str, int]] = ()
    down_needs: Sequence[tuple[str, str]] = ()
