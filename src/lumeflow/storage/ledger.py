"""The ledger of one execution, bound to the owner that runs it."""

from collections.abc import Sequence
from decimal import Decimal

from lumeflow.core.effects import AnsweredEffect, Claim, EffectKey, InDoubt, LedgerTotals, Stored
from lumeflow.core.http import HttpResponse
from lumeflow.storage import effects
from lumeflow.storage.outbox import Urgency
from lumeflow.storage.owners import find_owner
from lumeflow.storage.scoped import TenantReader, TenantWriter
from lumeflow.storage.seen import SeenFilter
from lumeflow.storage.totals import sum_up


class SqlLedger:
    """See `lumeflow.core.effects.Ledger`.

    Args:
        writer: Writes, and reads what must be in order with the writes.
        reader: Reads sums.
        execution_id: The execution; keys of others are refused.
        owner: Token of its owner.
        seen: Holds every effect that the execution has.
    """

    def __init__(
        self, writer: TenantWriter, reader: TenantReader, execution_id: str, owner: str, seen: SeenFilter
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._execution_id = execution_id
        self._owner = owner
        self._seen = seen

    async def find(self, key: EffectKey) -> Stored | InDoubt | None:
        """Look an effect up: answered, in doubt, or unknown."""
        self._check(key)
        # Nobody but this owner adds effects to the execution, so what was never seen here is not there.
        if key.digest not in self._seen:
            return None
        # Not paced: a resume asks for thousands of them, each after the one before.
        job = self._writer.submit(effects.FIND, (self._owner, key), key.digest, urgency=Urgency.NOW)
        found: Stored | InDoubt | None = await job.future
        return found

    async def claim(self, claim: Claim) -> None:
        """Write down that the call is about to go out."""
        self._check(claim.key)
        self._seen.add(claim.key.digest)
        await self._writer.bulk(effects.CLAIM, (self._owner, claim), claim.key.digest)

    async def answer(self, key: EffectKey, answered: AnsweredEffect) -> None:
        """Store the raw answer and its cost."""
        self._check(key)
        await self._writer.bulk(effects.ANSWER, (self._owner, key, answered), key.digest)

    async def lose(self, key: EffectKey, price: Decimal, *, unusable: HttpResponse | None = None) -> None:
        """Note that an answer was lost, or arrived unusable (it is kept), and may have cost `price`."""
        self._check(key)
        await self._writer.bulk(effects.LOSE, (self._owner, key, price, unusable), key.digest)

    async def release(self, key: EffectKey, attempts: int, *, answered: bool = False) -> None:
        """Note that the claim ended without effect; if `answered`, what was lost before is no longer in doubt."""
        self._check(key)
        await self._writer.bulk(effects.RELEASE, (self._owner, key, attempts, answered), key.digest)

    async def unusable(self, key: EffectKey) -> Sequence[tuple[HttpResponse, Decimal]]:
        """The unusable answers that were kept, each with its price, in order of arrival."""
        self._check(key)
        rows = await self._reader.rows(effects.ATTEMPTS, (self._reader.tenant, key.execution_id, key.digest))
        return [(effects.response_of(*row[2:]), Decimal(row[1])) for row in rows]

    async def totals(self, execution_id: str) -> LedgerTotals:
        """Sum up an execution; claims of anybody but its owner, who may still be answered, count as lost."""
        if execution_id == self._execution_id and self._seen.is_empty:
            return LedgerTotals()
        return await self._reader.read(lambda tx: sum_up(tx, execution_id, find_owner(tx, execution_id)))

    def _check(self, key: EffectKey) -> None:
        if key.execution_id != self._execution_id:
            raise ValueError(f"the ledger of execution '{self._execution_id}' was asked about '{key.execution_id}'")
