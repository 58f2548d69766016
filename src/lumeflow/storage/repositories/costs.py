"""What executions cost, by workflow, node, provider account and day.

A row for each execution, node, account and day of UTC is written with the execution's end (and written anew with its
next end), from the ledger: so sums over a year read thousands of rows, not millions of calls, and equal the ledger's.
Of executions that have begun and not ended, the ledger itself is summed up.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from lumeflow.core.money import ZERO
from lumeflow.storage.jobs import Transaction
from lumeflow.storage.owners import Holdings, Owner
from lumeflow.storage.scoped import TenantReader
from lumeflow.storage.statements import RowStatement, execute_rows

# Calls that are alike in all their numbers fall into one row, so that few are added up here, in exact decimals.
_SUMS = """
SELECT node_id, account, {day}, amount, lost_amount, credits, attempts, refused, lost,
  CASE WHEN state = 'claimed' AND owner <> ? THEN price END, count(*)
FROM effects
WHERE tenant = ? AND execution_id = ? AND operation NOT LIKE 'memory/%'
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10"""

_DELETE = "DELETE FROM execution_costs WHERE tenant = ? AND execution_id = ?"

_INSERT = RowStatement(
    """
INSERT INTO execution_costs
  (tenant, execution_id, workflow_id, node_id, account, day, calls, lost, amount, possible, credits)
{rows}""",
    ("text", "text", "text", "text", "text", "text", "int", "int", "money", "money", "money"),
)

_RUNNING = "SELECT id, workflow_id FROM workflow_executions WHERE tenant = ? AND status = 'running'"

_HAS_ENDED = "execution_id NOT IN (SELECT id FROM workflow_executions WHERE tenant = ? AND status = 'running')"

_WORKFLOW = "SELECT workflow_id FROM workflow_executions WHERE tenant = ? AND id = ?"


class CostGroup(StrEnum):
    """What costs are summed up by: columns of the table."""

    WORKFLOW = "workflow_id"
    NODE = "node_id"
    PROVIDER = "account"
    DAY = "day"
    EXECUTION = "execution_id"


@dataclass(slots=True)
class CostSum:
    """Costs of everything that has a key in common.

    Attributes:
        key: The workflow, node, account, day (`2026-01-09`) or execution.
        calls: Requests sent, lost and refused ones included.
        lost: Answers that were lost.
        amount: Money, `possible` included.
        possible: Of that, money of calls whose answer was lost.
        credits: Vendor credits, where counted.
    """

    key: str
    calls: int = 0
    lost: int = 0
    amount: Decimal = ZERO
    possible: Decimal = ZERO
    credits: Decimal = ZERO

    def add(self, other: "CostSum") -> None:
        """Add what has another key."""
        self.calls += other.calls
        self.lost += other.lost
        self.amount += other.amount
        self.possible += other.possible
        self.credits += other.credits


@dataclass(frozen=True, slots=True)
class CostFilter:
    """Which costs are summed: those to which everything applies that is not None.

    Attributes:
        workflow_id: Of this workflow.
        execution_id: Of this execution.
        since: From this day on, `2026-01-09`.
        until: Before this day.
    """

    workflow_id: str | None = None
    execution_id: str | None = None
    since: str | None = None
    until: str | None = None


ALL_COSTS = CostFilter()


class SqlCosts:
    """The costs of one tenant's executions.

    Args:
        reader: Of the tenant.
        holdings: Tells which executions run: what they have in flight is not lost.
    """

    def __init__(self, reader: TenantReader, holdings: Holdings) -> None:
        self._reader = reader
        self._holdings = holdings

    async def by(
        self, group: CostGroup, chosen: CostFilter = ALL_COSTS, *, limit: int = 1000, after: str = ""
    ) -> Sequence[CostSum]:
        """Sums by key, those after `after`."""

        def query(tx: Transaction) -> Sequence[CostSum]:
            running = list(self._of_running(tx, group, chosen))
            terms, values = conditions(tx.tenant, chosen)
            rows = tx.db.execute(statement(tx, group, terms), [*values, after, limit])
            sums = {row[0]: CostSum(row[0], int(row[1]), int(row[2]), *map(Decimal, row[3:])) for row in rows}
            # Those that come behind the page fall out of it again: all keys before its end are in it.
            for key, one in running:
                if key > after:
                    sums.setdefault(key, CostSum(key)).add(one)
            return [sums[key] for key in sorted(sums)][:limit]

        return await self._reader.read(query)

    def _of_running(self, tx: Transaction, group: CostGroup, chosen: CostFilter) -> Iterator[tuple[str, CostSum]]:
        """Sums of executions that have not ended, each with its key; a key may come several times."""
        for execution_id, workflow_id in tx.db.execute(_RUNNING, (tx.tenant,)).fetchall():
            if chosen.execution_id not in {None, execution_id} or chosen.workflow_id not in {None, workflow_id}:
                continue
            owner = self._holdings.living_owner(tx, execution_id)
            for (node_id, account, day), one in _sums(tx, execution_id, owner).items():
                if (chosen.since is None or day >= chosen.since) and (chosen.until is None or day < chosen.until):
                    keys = {
                        CostGroup.WORKFLOW: workflow_id,
                        CostGroup.NODE: node_id,
                        CostGroup.PROVIDER: account,
                        CostGroup.DAY: day,
                        CostGroup.EXECUTION: execution_id,
                    }
                    yield keys[group], one


def conditions(tenant: str, chosen: CostFilter) -> tuple[list[str], list[str]]:
    """SQL of the filters, and what to bind."""
    given = (
        ("workflow_id = ?", chosen.workflow_id),
        ("execution_id = ?", chosen.execution_id),
        ("day >= ?", chosen.since),
        ("day < ?", chosen.until),
    )
    used = [(term, value) for term, value in given if value is not None]
    terms = ["tenant = ?", *(term for term, _ in used), _HAS_ENDED]
    return terms, [tenant, *(value for _, value in used), tenant]


def statement(tx: Transaction, group: CostGroup, terms: Sequence[str]) -> str:
    """The query of one page of sums."""
    money = ", ".join(tx.sql.total.format(column) for column in ("amount", "possible", "credits"))
    return f"""
SELECT {group.value}, sum(calls), sum(lost), {money} FROM execution_costs
WHERE {" AND ".join(terms)} AND {group.value} > ? GROUP BY {group.value} ORDER BY {group.value} LIMIT ?"""  # noqa: S608 - constants of this module


def sum_up_costs(tx: Transaction, execution_id: str) -> None:
    """Write the costs of an execution that ends now; what is still claimed by then counts as possibly paid."""
    place = (tx.tenant, execution_id)
    sums = _sums(tx, execution_id, None)
    tx.db.execute(_DELETE, place)
    if not sums:
        return
    (workflow_id,) = tx.db.execute(_WORKFLOW, place).fetchone()
    money = tx.sql.money
    rows = [
        (*place, workflow_id, *key, one.calls, one.lost, money(one.amount), money(one.possible), money(one.credits))
        for key, one in sorted(sums.items())
    ]
    execute_rows(tx, _INSERT, rows)


def _sums(tx: Transaction, execution_id: str, owner: Owner) -> dict[tuple[str, str, str], CostSum]:
    """Sums of the ledger by node, account and day; claims of anybody but `owner`, the living one, count as lost."""
    sums: dict[tuple[str, str, str], CostSum] = {}
    for row in tx.db.execute(_SUMS.format(day=tx.sql.day), (owner or "", tx.tenant, execution_id)):
        node_id, account, day, amount, lost_amount, units, attempts, refused, lost, at_stake, count = row
        one = sums.setdefault((node_id, account, day), CostSum(day))
        possible = Decimal(lost_amount) + Decimal(at_stake or 0)
        lost += at_stake is not None
        one.calls += (attempts + refused + lost) * count
        one.lost += lost * count
        one.amount += (Decimal(amount) + possible) * count
        one.possible += possible * count
        one.credits += Decimal(units or 0) * count
    return sums
