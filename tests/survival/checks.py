"""What must hold after a crash and a resume."""

import json
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.survival.world import SAME_OPERATION, Bill, Desk, Ended


@dataclass(frozen=True)
class Undisturbed:
    """What an execution gives if nothing happens to it."""

    result: dict[str, Any]
    records: bytes
    bill: Bill


def assert_survived(desk: Desk, ended: Ended, expected: Undisturbed, in_flight: int) -> None:
    """The execution completed as if nothing had happened, and nothing was paid without need or without a word.

    Args:
        desk: Where it ran.
        ended: The resume that completed it.
        expected: The same execution without a crash.
        in_flight: Calls that were in flight at the crashes, together.
    """
    assert ended.code == 0, ended
    result = ended.result
    assert desk.records() == expected.records
    assert json.dumps(result["output"]) == json.dumps(expected.result["output"])
    assert result["failedRecords"] == expected.result["failedRecords"]
    assert_only_calls_in_flight_were_repeated(result, desk.simulator.bill(), expected.bill, in_flight)
    assert_every_charge_is_told(result, desk.simulator.bill(), expected.bill)


def assert_only_calls_in_flight_were_repeated(
    result: dict[str, Any], bill: Bill, undisturbed: Bill, in_flight: int
) -> None:
    """No answered and stored call was made again; the others that were are listed, each with its price."""
    lost = lost_calls(result)
    assert sum(lost.values()) == result["repeatedCalls"] <= in_flight
    assert all(call["settled"] for call in result["inDoubt"])
    for ours, theirs in SAME_OPERATION.items():
        assert bill.count(theirs, "distinct") == undisturbed.count(theirs, "distinct")
        assert bill.count(theirs, "repeats") <= lost[ours]
    assert bill.count("apify/run-start", "repeats") == 0, "a paid run was started twice"


def assert_every_charge_is_told(result: dict[str, Any], bill: Bill, undisturbed: Bill) -> None:
    """The cost is never below the bill, and what is above it are calls that were lost before they were sent."""
    cost = result["cost"]
    doubtful = sum((Decimal(call["price"]) for call in result["inDoubt"]), Decimal(0))
    assert cost["possiblyPaidTwice"] == doubtful
    assert cost["totalCost"] - doubtful == undisturbed.usd
    assert undisturbed.usd <= bill.usd <= cost["totalCost"]
    lost = lost_calls(result)
    if all(bill.count(theirs, "repeats") == lost[ours] for ours, theirs in SAME_OPERATION.items()):
        assert bill.usd == cost["totalCost"]


def lost_calls(result: dict[str, Any]) -> Counter[str]:
    """Number of lost answers by operation."""
    lost: Counter[str] = Counter()
    for call in result["inDoubt"]:
        lost[call["operation"]] += call["lost"]
    return lost
