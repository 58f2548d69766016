"""The SQL of the tables `effects` and `effect_attempts`.

States of an effect, as the ledger's port draws them:

    claimed ──► answered            final
       │  └───► lost                an answer was lost or unusable; a new claim follows, or nothing
       └──────► released            refused, or never sent; a new claim may follow
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

import orjson

from lumeflow.core.effects import AnsweredEffect, Claim, EffectKey, InDoubt, Stored
from lumeflow.core.errors import StorageError
from lumeflow.core.http import HttpResponse
from lumeflow.core.money import ZERO, Basis, Charge
from lumeflow.storage.codec import decode_json, pack, unpack, unstamp
from lumeflow.storage.dialect import Dialect
from lumeflow.storage.jobs import Transaction, Work
from lumeflow.storage.owners import require_owner
from lumeflow.storage.statements import RowStatement, execute_rows, run_rows, sized

_CLAIM = """
INSERT INTO effects
  (tenant, execution_id, digest, account, operation, node_id, params, params_packed, state, owner, claimed_at, price)
{{rows}}
ON CONFLICT (tenant, execution_id, digest) DO UPDATE SET
  lost = effects.lost + CASE WHEN effects.state = 'claimed' AND effects.owner <> excluded.owner THEN 1 ELSE 0 END,
  lost_amount = CASE WHEN effects.state = 'claimed' AND effects.owner <> excluded.owner
                     THEN {sum} ELSE effects.lost_amount END,
  state = excluded.state, owner = excluded.owner, claimed_at = excluded.claimed_at, node_id = excluded.node_id,
  price = excluded.price
WHERE effects.state <> 'answered'"""

_ANSWER = RowStatement(
    """
UPDATE effects SET
  state = 'answered', answered_at = given.column3, duration_ms = given.column4, status = given.column5,
  headers = given.column6, body = given.column7, body_packed = given.column8, amount = given.column9,
  credits = given.column10, basis = given.column11, lost_amount = given.column12, attempts = given.column13
FROM ({rows}) AS given
WHERE effects.execution_id = given.column1 AND effects.digest = given.column2 AND effects.tenant = ?
  AND effects.state <> 'answered'""",
    (
        *("text", "bytes", "time", "int", "int", "json", "bytes", "int"),
        *("money", "money", "text", "money", "int"),
    ),
)

_FIND = RowStatement(
    """
SELECT execution_id, digest, state, owner, lost, claimed_at, status, headers, body, body_packed, answered_at,
  duration_ms, amount, credits, basis
FROM ({rows}) AS given JOIN effects
  ON effects.execution_id = given.column1 AND effects.digest = given.column2 AND effects.tenant = ?""",
    ("text", "bytes"),
)

_PLACE = "WHERE tenant = ? AND execution_id = ? AND digest = ?"

_LOST = f"SELECT lost, lost_amount FROM effects {_PLACE} AND state <> 'answered'"  # noqa: S608 - constants, as below

_LOSE = f"UPDATE effects SET state = 'lost', lost = ?, lost_amount = ? {_PLACE}"  # noqa: S608

_KEEP_ATTEMPT = """
INSERT INTO effect_attempts (tenant, execution_id, digest, ordinal, amount, status, headers, body, body_packed)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""

_RELEASE = f"""
UPDATE effects SET state = 'released', refused = refused + ? {_PLACE} AND state <> 'answered'"""  # noqa: S608

_MAKE_GOOD = f"""
UPDATE effects SET refused = refused + lost, lost = 0, lost_amount = ? {_PLACE}"""  # noqa: S608

ATTEMPTS = f"""
SELECT ordinal, amount, status, headers, body, body_packed
FROM effect_attempts {_PLACE} ORDER BY ordinal"""  # noqa: S608

_ASKED = """
SELECT params, params_packed FROM effects
WHERE tenant = ? AND execution_id = ? AND operation = ? AND state = 'answered' ORDER BY claimed_at, digest"""

_DIGESTS = "SELECT digest FROM effects WHERE tenant = ? AND execution_id = ?"

Owned = tuple[str, Claim]
Answering = tuple[str, EffectKey, AnsweredEffect]
Losing = tuple[str, EffectKey, Decimal, HttpResponse | None]
Releasing = tuple[str, EffectKey, int, bool]
Finding = tuple[str, EffectKey]


@cache
def _claiming(sql: Dialect) -> RowStatement:
    text = _CLAIM.format(sum=sql.sum.format("effects.lost_amount", "effects.price"))
    types = ("text", "text", "bytes", "text", "text", "text", "bytes", "int", "text", "text", "time", "money")
    return RowStatement(text, types)


def _claim(tx: Transaction, claims: Sequence[Owned]) -> Sequence[None]:
    rows = []
    sql = tx.sql
    for owner, claim in claims:
        key = claim.key
        require_owner(tx, key.execution_id, owner)
        params, packed = pack(claim.params)
        rows.append(
            (
                *(tx.tenant, key.execution_id, key.digest, key.account, key.operation, claim.node_id),
                *(params, packed, "claimed", owner, sql.time(claim.at), sql.money(claim.price)),
            )
        )
    if execute_rows(tx, _claiming(sql), rows) != len(rows):
        raise _misuse("claimed, but has been answered already", [claim.key for _, claim in claims])
    return [None] * len(rows)


def _answer(tx: Transaction, answers: Sequence[Answering]) -> Sequence[None]:
    rows = []
    sql = tx.sql
    for owner, key, answer in answers:
        require_owner(tx, key.execution_id, owner)
        charge = answer.charge
        units = None if charge.credits is None else sql.money(charge.credits)
        rows.append(
            (
                *(key.execution_id, key.digest, sql.time(answer.at), answer.duration_ms),
                *_response_columns(answer.response),
                *(sql.money(charge.amount), units, charge.basis.value, sql.money(answer.lost_charge), answer.attempts),
            )
        )
    if execute_rows(tx, _ANSWER, rows, tx.tenant) != len(rows):
        raise _misuse("answered, but is not claimed, or has an answer already", [key for _, key, _ in answers])
    return [None] * len(rows)


def _response_columns(response: HttpResponse) -> tuple[int, str, bytes, int]:
    headers = orjson.dumps(dict(response.headers)).decode()
    return (response.status, headers, *pack(response.body))


def _find(tx: Transaction, wanted: Sequence[Finding]) -> Sequence[Stored | InDoubt | None]:
    found: dict[tuple[str, bytes], Sequence[Any]] = {}
    size = sized(tx.sql, 2)
    for start in range(0, len(wanted), size):
        part = [(key.execution_id, key.digest) for _, key in wanted[start : start + size]]
        for row in run_rows(tx, _FIND, part, tx.tenant):
            found[row[0], row[1]] = row
    return [_effect(found.get((key.execution_id, key.digest)), owner) for owner, key in wanted]


def _effect(row: Sequence[Any] | None, owner: str) -> Stored | InDoubt | None:
    if row is None:
        return None
    state, claimed_by, lost, claimed_at = row[2:6]
    if state == "answered":
        return _stored(row)
    lost += state == "claimed" and claimed_by != owner
    return InDoubt(lost, unstamp(claimed_at)) if lost else None


def _stored(row: Sequence[Any]) -> Stored:
    status, headers, body, packed, answered_at, duration_ms, amount, units, basis = row[6:]
    charge = Charge(Decimal(amount), None if units is None else Decimal(units), Basis(basis))
    return Stored(response_of(status, headers, body, packed), unstamp(answered_at), charge, duration_ms)


def load_digests(tx: Transaction, execution_id: str, add: Callable[[bytes], None]) -> None:
    """Give the digests of all effects of an execution to `add`."""
    for (digest,) in tx.db.execute(_DIGESTS, (tx.tenant, execution_id)):
        add(digest)


def asked(tx: Transaction, execution_id: str, operation: str) -> list[Any]:
    """The parameters of an execution's answered calls of one operation, the oldest first."""
    return [orjson.loads(unpack(*row)) for row in tx.db.execute(_ASKED, (tx.tenant, execution_id, operation))]


def response_of(status: int, headers: str, body: bytes, packed: int) -> HttpResponse:
    """An answer from its columns."""
    return HttpResponse(status, decode_json(headers), unpack(body, packed))


def _lose(tx: Transaction, losses: Sequence[Losing]) -> Sequence[None]:
    for owner, key, price, unusable in losses:
        require_owner(tx, key.execution_id, owner)
        place = (tx.tenant, key.execution_id, key.digest)
        row = tx.db.execute(_LOST, place).fetchone()
        if row is None:
            raise _misuse("lost, but is not claimed, or is answered", [key])
        lost = row[0] + 1
        tx.db.execute(_LOSE, (lost, tx.sql.money(Decimal(row[1]) + price), *place))
        if unusable is not None:
            tx.db.execute(_KEEP_ATTEMPT, (*place, lost, tx.sql.money(price), *_response_columns(unusable)))
    return [None] * len(losses)


def _release(tx: Transaction, releases: Sequence[Releasing]) -> Sequence[None]:
    for owner, key, attempts, answered in releases:
        require_owner(tx, key.execution_id, owner)
        place = (tx.tenant, key.execution_id, key.digest)
        if tx.db.execute(_RELEASE, (attempts, *place)).rowcount != 1:
            raise _misuse("released, but is not claimed, or is answered", [key])
        if answered:
            tx.db.execute(_MAKE_GOOD, (tx.sql.money(ZERO), *place))
    return [None] * len(releases)


def _misuse(what: str, keys: Sequence[EffectKey]) -> StorageError:
    # With several keys the writer runs them again one by one, so that the message reaches the right caller.
    key = keys[0]
    return StorageError(
        f"ledger of execution '{key.execution_id}': an effect of {key.operation} ({key.digest.hex()[:12]}) is being"
        f" {what}"
    )


CLAIM: Work[Owned, None] = Work(_claim, fault="ledger")
ANSWER: Work[Answering, None] = Work(_answer, fault="ledger")
LOSE: Work[Losing, None] = Work(_lose, fault="ledger")
RELEASE: Work[Releasing, None] = Work(_release, fault="ledger")
FIND: Work[Finding, Stored | InDoubt | None] = Work(_find)
