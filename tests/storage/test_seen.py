"""The filter of effects that were seen."""

import hashlib

from lumeflow.storage.seen import SeenFilter
from tests.storage.build import EXECUTION, key


def digest(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


def test_what_was_added_is_always_found():
    seen = SeenFilter()
    for number in range(50_000):
        seen.add(digest(number))
    assert all(digest(number) in seen for number in range(50_000))


def test_what_was_not_added_is_hardly_ever_found():
    seen = SeenFilter()
    assert digest(1) not in seen
    for number in range(100_000):
        seen.add(digest(number))
    wrong = sum(digest(number) in seen for number in range(100_000, 120_000))
    assert wrong < 20


async def test_an_effect_that_is_wrongly_taken_for_seen_is_looked_up_and_not_found(database):
    ledger = (await database.take(EXECUTION)).ledger
    ledger._seen.add(key().digest)
    assert await ledger.find(key()) is None
