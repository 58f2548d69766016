"""Sums over the effects of an execution: calls and money, by node and by provider account."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from lumeflow.core.effects import DoubtfulCall, LedgerTotals, NodeTotals
from lumeflow.core.money import ZERO
from lumeflow.storage.jobs import Transaction
from lumeflow.storage.owners import Owner

# Calls of one price fall into one row, so that few rows are added up here, in exact decimals. Values remembered from
# outside (`memory/…`) are effects too, but no calls.
_SUMS = """
SELECT node_id, account, amount, lost_amount, credits, attempts, refused, lost,
  CASE WHEN state = 'claimed' AND owner <> ? THEN price END AS at_stake, count(*)
FROM effects
WHERE tenant = ? AND execution_id = ? AND operation NOT LIKE 'memory/%'
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9"""

_DOUBTFUL = """
SELECT node_id, operation, lost, lost_amount, state = 'answered',
  CASE WHEN state = 'claimed' AND owner <> ? THEN price END AS at_stake
FROM effects
WHERE tenant = ? AND execution_id = ? AND operation NOT LIKE 'memory/%' AND (lost > 0 OR state = 'claimed')
ORDER BY node_id, operation, digest"""


@dataclass(frozen=True, slots=True)
class _Alike:
    """Effects that have all their numbers in common."""

    node_id: str
    account: str
    amount: Decimal
    lost_amount: Decimal
    credits: Decimal
    calls: int
    lost: int
    count: int


def sum_up(tx: Transaction, execution_id: str, owner: Owner) -> LedgerTotals:
    """Sum up an execution; claims of anybody but `owner`, the living one, count as lost, at their price."""
    totals = LedgerTotals()
    any_lost = False
    for alike in _groups(tx, execution_id, owner):
        any_lost = any_lost or alike.lost > 0
        _add(totals.nodes.setdefault(alike.node_id, NodeTotals()), alike)
        _add(totals.accounts.setdefault(alike.account, NodeTotals()), alike)
    if not any_lost:
        return totals
    place = (owner or "", tx.tenant, execution_id)
    for node_id, operation, lost, lost_amount, settled, at_stake in tx.db.execute(_DOUBTFUL, place):
        if not lost and at_stake is None:
            continue  # in flight
        price = Decimal(lost_amount) + _money(at_stake)
        totals.doubtful.append(DoubtfulCall(node_id, operation, lost + (at_stake is not None), price, bool(settled)))
    return totals


def _groups(tx: Transaction, execution_id: str, owner: Owner) -> Iterator[_Alike]:
    for row in tx.db.execute(_SUMS, (owner or "", tx.tenant, execution_id)):
        node_id, account, amount, lost_amount, units, attempts, refused, lost, at_stake, count = row
        lost += at_stake is not None
        yield _Alike(
            node_id,
            account,
            Decimal(amount),
            Decimal(lost_amount) + _money(at_stake),
            _money(units),
            attempts + refused + lost,
            lost,
            count,
        )


def _money(cell: str | Decimal | None) -> Decimal:
    return ZERO if cell is None else Decimal(cell)


def _add(sums: NodeTotals, alike: _Alike) -> None:
    sums.calls += alike.calls * alike.count
    sums.amount += (alike.amount + alike.lost_amount) * alike.count
    sums.possible += alike.lost_amount * alike.count
    sums.lost += alike.lost * alike.count
    sums.credits += alike.credits * alike.count
