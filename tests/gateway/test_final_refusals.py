"""Calls whose repetition could not help: an address that must not be called, an answer that is too large."""

from decimal import Decimal

import pytest

from lumeflow.core.errors import AnswerTooLarge, CallError, ErrorClass, ForbiddenAddress
from tests.gateway.virtual import simulated
from tests.gateway.world import Wire, World


@simulated
async def test_a_forbidden_address_is_not_tried_again_and_costs_nothing():
    world = World(Wire(ForbiddenAddress("intranet.example is not on the public internet")))
    with pytest.raises(CallError, match=r"intranet\.example is not on the public internet") as caught:
        await world.call()
    assert caught.value.error_class is ErrorClass.VALIDATION
    assert world.wire.requests == []
    assert (world.ledger.log, world.ledger.only.state) == (["claim", "release"], "released")
    assert world.ledger.amount == 0
    assert world.heard.named("retried") == []


@simulated
async def test_a_forbidden_address_does_not_open_the_circuit_for_others():
    world = World(Wire(ForbiddenAddress("no")))
    for number in range(40):
        with pytest.raises(CallError):
            await world.call(id=str(number))
    assert world.heard.named("circuit_opened") == []


@simulated
async def test_an_answer_that_is_too_large_is_booked_once_and_not_asked_for_again():
    world = World(Wire(AnswerTooLarge("the answer of vendor.example.com is larger than 1 MB")))
    with pytest.raises(CallError, match="larger than 1 MB") as caught:
        await world.call()
    assert caught.value.error_class is ErrorClass.INVALID_RESPONSE
    assert len(world.wire.requests) == 1
    assert (world.ledger.only.lost, world.ledger.amount) == (1, Decimal("0.025"))
