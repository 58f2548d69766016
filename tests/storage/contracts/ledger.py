"""The ledger: what was claimed and answered is found again, and nothing is paid twice unnoticed."""

import asyncio
from decimal import Decimal

import pytest

from lumeflow.core.effects import DoubtfulCall, InDoubt, NodeTotals, Stored
from lumeflow.core.errors import StorageError
from lumeflow.core.http import HttpResponse
from lumeflow.core.journal import Status
from lumeflow.storage import Database
from tests.storage.build import EXECUTION, NOON, answered, at, claim, execution, key


class LedgerContract:
    async def test_an_unknown_effect_is_not_found(self, storage: Database):
        ledger = (await storage.take(EXECUTION)).ledger
        assert await ledger.find(key()) is None

    async def test_an_answer_is_found_as_it_was_given(self, storage: Database):
        ledger = (await storage.take(EXECUTION)).ledger
        await ledger.claim(claim())
        given = answered("0.0200", b"\x00\xff raw", units="1.5")
        await ledger.answer(key(), given)
        assert await ledger.find(key()) == Stored(given.response, at(1), given.charge, 350)

    @pytest.mark.parametrize("body", [b"", b"x" * 1024, b"x" * 100_000, bytes(range(256)) * 40])
    async def test_bodies_come_back_byte_for_byte(self, storage: Database, body: bytes):
        ledger = (await storage.take(EXECUTION)).ledger
        await ledger.claim(claim(params=body))
        await ledger.answer(key(), answered(body=body))
        found = await ledger.find(key())
        assert isinstance(found, Stored)
        assert found.response.body == body

    async def test_a_claim_of_this_owner_is_in_flight_not_in_doubt(self, storage: Database):
        ledger = (await storage.take(EXECUTION)).ledger
        await ledger.claim(claim())
        assert await ledger.find(key()) is None

    async def test_a_claim_of_an_owner_that_is_gone_is_in_doubt(self, storage: Database):
        first = await storage.take(EXECUTION)
        await first.ledger.claim(claim())
        first.release()
        second = await storage.take(EXECUTION)
        assert await second.ledger.find(key()) == InDoubt(1, NOON)

    async def test_a_claim_over_a_doubtful_one_counts_its_loss_once(self, storage: Database):
        for _ in range(3):
            lock = await storage.take(EXECUTION)
            await lock.ledger.claim(claim())
            await lock.ledger.claim(claim())
            lock.release()
        lock = await storage.take(EXECUTION)
        assert await lock.ledger.find(key()) == InDoubt(3, NOON)

    async def test_a_claim_over_a_loss_of_the_same_owner_adds_none(self, storage: Database):
        ledger = (await storage.take(EXECUTION)).ledger
        await ledger.claim(claim())
        await ledger.lose(key(), Decimal("0.02"))
        await ledger.claim(claim())
        assert await ledger.find(key()) == InDoubt(1, NOON)

    async def test_a_loss_stays_known_after_a_refusal(self, storage: Database):
        # Otherwise a later answer would be booked as if the lost one had never been sent.
        ledger = (await storage.take(EXECUTION)).ledger
        await ledger.claim(claim())
        await ledger.lose(key(), Decimal("0.02"))
        await ledger.claim(claim())
        await ledger.release(key(), 1)
        assert await ledger.find(key()) == InDoubt(1, NOON)

    async def test_an_answer_that_is_not_final_ends_the_doubt_about_lost_ones(self, storage: Database):
        ledger = (await storage.take(EXECUTION)).ledger
        await ledger.claim(claim())
        await ledger.lose(key(), Decimal(0))
        await ledger.claim(claim())
        await ledger.release(key(), 1, answered=True)
        assert await ledger.find(key()) is None
        totals = await ledger.totals(EXECUTION)
        assert totals.doubtful == []
        assert [(node.calls, node.lost) for node in totals.nodes.values()] == [(2, 0)]

    async def test_a_released_claim_is_unknown_again_also_to_the_next_owner(self, storage: Database):
        first = await storage.take(EXECUTION)
        await first.ledger.claim(claim())
        await first.ledger.release(key(), 2)
        assert await first.ledger.find(key()) is None
        first.release()
        assert await (await storage.take(EXECUTION)).ledger.find(key()) is None

    async def test_answers_are_found_by_the_next_owner(self, storage: Database):
        first = await storage.take(EXECUTION)
        for number in range(200):
            await first.ledger.claim(claim(key(number)))
        await asyncio.gather(*(first.ledger.answer(key(n), answered(body=b"%d" % n)) for n in range(200)))
        first.release()
        ledger = (await storage.take(EXECUTION)).ledger
        found = await asyncio.gather(*(ledger.find(key(n)) for n in range(200)))
        assert [int(stored.response.body) for stored in found] == list(range(200))

    async def test_an_effect_belongs_to_its_execution(self, storage: Database):
        first = (await storage.take(EXECUTION)).ledger
        await first.claim(claim())
        await first.answer(key(), answered())
        other = (await storage.take("exec-2")).ledger
        assert await other.find(key(execution_id="exec-2")) is None
        with pytest.raises(ValueError, match="exec-1"):
            await other.find(key())

    async def test_an_answer_is_never_overwritten(self, storage: Database):
        ledger = (await storage.take(EXECUTION)).ledger
        await ledger.claim(claim())
        await ledger.answer(key(), answered(body=b"first"))
        for misuse in (
            ledger.claim(claim()),
            ledger.answer(key(), answered(body=b"second")),
            ledger.lose(key(), Decimal(1)),
            ledger.release(key(), 1),
        ):
            with pytest.raises(StorageError, match="apollo/people-match"):
                await misuse
        found = await ledger.find(key())
        assert isinstance(found, Stored)
        assert found.response.body == b"first"

    async def test_what_was_never_claimed_cannot_be_answered_and_harms_no_neighbour(self, storage: Database):
        ledger = (await storage.take(EXECUTION)).ledger
        await ledger.claim(claim(key(1)))
        results = await asyncio.gather(
            ledger.answer(key(1), answered()), ledger.answer(key(2), answered()), return_exceptions=True
        )
        assert results[0] is None
        assert isinstance(results[1], StorageError)
        assert isinstance(await ledger.find(key(1)), Stored)

    async def test_a_claim_that_nobody_waited_for_comes_before_the_release_that_follows(self, storage: Database):
        ledger = (await storage.take(EXECUTION)).ledger
        waiting = asyncio.ensure_future(ledger.claim(claim()))
        await asyncio.sleep(0)
        waiting.cancel()
        await ledger.release(key(), 0)
        assert await ledger.find(key()) is None

    async def test_unusable_answers_are_kept(self, storage: Database):
        ledger = (await storage.take(EXECUTION)).ledger
        torn = HttpResponse(200, {"x-request-id": "r1"}, b'{"choices": [' + b" " * 5000)
        await ledger.claim(claim())
        await ledger.lose(key(), Decimal("0.02"), unusable=torn)
        await ledger.lose(key(), Decimal("0.03"))
        await ledger.lose(key(), Decimal("0.04"), unusable=HttpResponse(502, {}, b""))
        assert await ledger.unusable(key()) == [
            (torn, Decimal("0.02")),
            (HttpResponse(502, {}, b""), Decimal("0.04")),
        ]


class TotalsContract:
    async def test_an_execution_without_calls_has_no_sums(self, storage: Database):
        totals = await (await storage.take(EXECUTION)).ledger.totals(EXECUTION)
        assert (totals.nodes, totals.accounts, totals.doubtful) == ({}, {}, [])

    async def test_money_is_summed_exactly_by_node_and_account(self, storage: Database):
        ledger = (await storage.take(EXECUTION)).ledger
        for number in range(30):
            effect = key(number)
            await ledger.claim(claim(effect, node_id=f"node-{number % 2}"))
            await ledger.answer(effect, answered("0.1", units="0.3"))
        llm = key(operation="openrouter/chat")
        await ledger.claim(claim(llm, node_id="node-0"))
        await ledger.answer(llm, answered("0.000000000000000001"))
        totals = await ledger.totals(EXECUTION)
        assert totals.nodes["node-0"] == NodeTotals(16, Decimal("1.500000000000000001"), credits=Decimal("4.5"))
        assert totals.nodes["node-1"] == NodeTotals(15, Decimal("1.5"), credits=Decimal("4.5"))
        assert totals.accounts["apollo"].amount == 3
        assert totals.accounts["openrouter"].calls == 1

    async def test_refused_and_lost_requests_are_calls(self, storage: Database):
        ledger = (await storage.take(EXECUTION)).ledger
        await ledger.claim(claim())
        await ledger.release(key(), 2)
        await ledger.claim(claim())
        await ledger.lose(key(), Decimal("0.02"))
        await ledger.claim(claim())
        await ledger.answer(key(), answered("0.02", lost="0.02"))
        totals = await ledger.totals(EXECUTION)
        assert totals.nodes["enrich"] == NodeTotals(4, Decimal("0.04"), Decimal("0.02"), 1)
        assert totals.doubtful == [DoubtfulCall("enrich", "apollo/people-match", 1, Decimal("0.02"), settled=True)]

    async def test_the_answer_corrects_the_assumed_price_of_what_was_lost(self, storage: Database):
        ledger = (await storage.take(EXECUTION)).ledger
        await ledger.claim(claim())
        await ledger.lose(key(), Decimal("0.05"))
        before = await ledger.totals(EXECUTION)
        await ledger.claim(claim())
        await ledger.answer(key(), answered("0.03", lost="0.03"))
        after = await ledger.totals(EXECUTION)
        assert before.nodes["enrich"] == NodeTotals(1, Decimal("0.05"), Decimal("0.05"), 1)
        assert after.nodes["enrich"] == NodeTotals(2, Decimal("0.06"), Decimal("0.03"), 1)

    async def test_losses_without_an_answer_add_up(self, storage: Database):
        ledger = (await storage.take(EXECUTION)).ledger
        await ledger.claim(claim())
        await ledger.lose(key(), Decimal("0.1"))
        await ledger.lose(key(), Decimal("0.2"))
        totals = await ledger.totals(EXECUTION)
        assert totals.doubtful == [DoubtfulCall("enrich", "apollo/people-match", 2, Decimal("0.3"), settled=False)]

    async def test_claims_of_an_owner_that_is_gone_are_listed(self, storage: Database):
        first = await storage.take(EXECUTION)
        await first.ledger.claim(claim())
        assert (await first.ledger.totals(EXECUTION)).doubtful == []
        assert (await storage.totals(EXECUTION)).doubtful == []
        first.release()
        listed = [DoubtfulCall("enrich", "apollo/people-match", 1, Decimal(0), settled=False)]
        assert (await storage.totals(EXECUTION)).doubtful == listed
        second = await storage.take(EXECUTION)
        totals = await second.ledger.totals(EXECUTION)
        assert totals.doubtful == listed
        assert totals.nodes["enrich"] == NodeTotals(calls=1, lost=1)

    async def test_a_claim_that_was_never_resumed_is_listed_with_its_price(self, storage: Database):
        first = await storage.take(EXECUTION)
        await first.ledger.claim(claim(price="0.1"))
        await first.ledger.claim(claim(key(2), price="0.03"))
        assert (await storage.totals(EXECUTION)).nodes["enrich"] == NodeTotals(), "in flight, and may yet be refused"
        first.release()
        totals = await storage.totals(EXECUTION)
        assert totals.nodes["enrich"] == NodeTotals(2, Decimal("0.13"), Decimal("0.13"), 2)
        assert sorted(call.price for call in totals.doubtful) == [Decimal("0.03"), Decimal("0.1")]
        assert {(call.lost, call.settled) for call in totals.doubtful} == {(1, False)}

    async def test_every_claim_that_died_adds_its_price_exactly(self, storage: Database):
        for price in ("0.1", "0.2", "0.000000000000000001"):
            lock = await storage.take(EXECUTION)
            await lock.ledger.claim(claim(price=price))
            lock.release()
        expected = Decimal("0.300000000000000001")
        totals = await storage.totals(EXECUTION)
        assert totals.doubtful == [DoubtfulCall("enrich", "apollo/people-match", 3, expected, settled=False)]
        assert totals.nodes["enrich"] == NodeTotals(3, expected, expected, 3)

    async def test_a_loss_adds_to_the_prices_of_claims_that_died(self, storage: Database):
        first = await storage.take(EXECUTION)
        await first.ledger.claim(claim(price="0.1"))
        first.release()
        second = await storage.take(EXECUTION)
        await second.ledger.claim(claim(price="0.2"))
        await second.ledger.lose(key(), Decimal("0.2"))
        totals = await storage.totals(EXECUTION)
        assert totals.doubtful == [DoubtfulCall("enrich", "apollo/people-match", 2, Decimal("0.3"), settled=False)]

    async def test_a_refused_claim_has_no_price(self, storage: Database):
        lock = await storage.take(EXECUTION)
        await lock.ledger.claim(claim(price="0.1"))
        await lock.ledger.release(key(), 1)
        lock.release()
        totals = await storage.totals(EXECUTION)
        assert totals.doubtful == []
        assert totals.nodes["enrich"] == NodeTotals(calls=1)

    async def test_the_end_of_an_execution_gives_up_what_is_still_claimed(self, storage: Database):
        lock = await storage.begin(execution())
        await lock.ledger.claim(claim(price="0.1"))
        assert (await lock.ledger.totals(EXECUTION)).doubtful == []
        await storage.journal.finish(EXECUTION, Status.CANCELLED, [], completed_at=NOON, output=None, error=None)
        assert (await lock.ledger.totals(EXECUTION)).doubtful == (await storage.totals(EXECUTION)).doubtful
        assert [call.price for call in (await storage.totals(EXECUTION)).doubtful] == [Decimal("0.1")]

    async def test_remembered_values_are_no_calls(self, storage: Database):
        ledger = (await storage.take(EXECUTION)).ledger
        memory = key(operation="memory/rows")
        await ledger.claim(claim(memory))
        await ledger.answer(memory, answered("0"))
        assert isinstance(await ledger.find(memory), Stored)
        assert (await ledger.totals(EXECUTION)).nodes == {}
