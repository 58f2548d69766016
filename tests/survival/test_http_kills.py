"""`kill -9` while generic HTTP reads pages, asks for many and asks one by one: nothing answered is asked for again."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from lumeflow.workflows import source
from tests.survival.world import Bill, Desk, Ended, Simulator

CRM = {
    "limits": {"crm/contacts": [[100, 1.0]], "crm/people-batch": [[100, 1.0]], "crm/person": [[200, 1.0]]},
    "tokenUses": 2,
}
OPERATIONS = ("crm/contacts", "crm/people-batch", "crm/person")


@pytest.fixture(scope="module")
def document(base: Path) -> Path:
    """The shipped example, with limits that don't hold the tests up, and its secrets in no environment."""
    workflow = json.loads(source("crm-enrichment"))
    workflow["nodes"][1]["config"]["url"] = "https://crm.example.com/crm/v1/contacts/cursor"
    for node in workflow["nodes"]:
        node["config"].pop("rateLimit", None)
    path = base / "crm.json"
    path.write_text(json.dumps(workflow), encoding="utf-8")
    return path


@pytest.fixture
def crm_desk(desk: Desk, document: Path, simulator: Simulator) -> Desk:
    """A desk with this workflow."""
    simulator.reset(**CRM)
    desk.document = document
    return desk


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory,
    make_desk: Callable[[Path], Desk],
    document: Path,
    simulator: Simulator,
) -> tuple[Ended, bytes, Bill]:
    """The execution without a crash."""
    simulator.reset(**CRM)
    desk = make_desk(tmp_path_factory.mktemp("crm"))
    desk.document = document
    ended = desk.run()
    assert ended.code == 0, ended
    bill = simulator.bill()
    assert Decimal(str(ended.result["cost"]["totalCost"])) == bill.usd
    return ended, desk.records(), bill


@pytest.mark.parametrize(
    "fault",
    ["gateway.claimed:3", "gateway.sent:2", "gateway.sent:9", "gateway.answered:4", "gateway.answered:40", "gateway.stored:2", "gateway.stored:20", "engine.emit:3", "ledger.before-commit:5", "ledger.after-commit:8"],
)  # fmt: skip
def test_a_killed_execution_goes_on_without_asking_again(
    fault: str, crm_desk: Desk, simulator: Simulator, whole: tuple[Ended, bytes, Bill]
) -> None:
    undisturbed, records, expected = whole
    crm_desk.kill(fault=fault)
    in_flight = crm_desk.open_claims()
    ended = crm_desk.resume()
    assert ended.code == 0, ended
    assert crm_desk.records() == records
    assert ended.result["output"] == undisturbed.result["output"]
    bill = simulator.bill()
    repeats = sum(bill.count(operation, "repeats") for operation in OPERATIONS)
    assert repeats <= ended.result["repeatedCalls"] <= in_flight
    assert [bill.count(operation, "distinct") for operation in OPERATIONS] == [
        expected.count(operation, "distinct") for operation in OPERATIONS
    ]
    cost = ended.result["cost"]
    assert expected.usd <= bill.usd <= Decimal(str(cost["totalCost"]))
    assert Decimal(str(cost["totalCost"])) - Decimal(str(cost["possiblyPaidTwice"])) == expected.usd
