"""What is sent elsewhere survives `kill -9` and faults: nothing twice under another name, nothing shifted, nothing lost."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.survival.world import DEFAULTS, EXECUTION, NOW, THOROUGH, Desk, Simulator

RECORDS = [{"email": f"person{number}@example.com", "n": number} for number in range(25)]
META = {
    "destination": "meta-ads",
    "adAccountId": "act_1",
    "audience": {"name": "Survivors", "customerFileSource": "USER_PROVIDED_ONLY"},
    "mapping": {"EMAIL": "{{input.email}}"},
    "batchSize": 4,
}
HOOK = {"destination": "webhook", "url": "https://hooks.example.com/webhooks/leads", "secret": "{{secrets.hook}}"}
API = {
    "destination": "api",
    "method": "POST",
    "url": "https://crm.example.com/crm/v1/notes/{{input.email}}",
    "auth": {"type": "bearer", "token": "{{secrets.crm}}"},
    "costPerCall": "0.001",
}
OUTPUTS: Mapping[str, Mapping[str, Any]] = {
    "meta": META,
    "webhook": {**HOOK, "concurrency": 4},
    "webhook-batches": {**HOOK, "batchSize": 4, "concurrency": 2},
    "api": {**API, "concurrency": 4},
}
SENDING = {
    "meta": "meta/add-users",
    "webhook": "webhook/deliver",
    "webhook-batches": "webhook/deliver",
    "api": "crm/note",
}
POINTS = ("gateway.claimed", "gateway.sent", "gateway.answered", "gateway.stored", "ledger.before-commit")
VISITS = (2, 3, 5, 8) if THOROUGH else (4,)
EARLY = ("gateway.sent:2", "gateway.answered:2")
"""While an audience is created: the first request of a process asks the simulator itself."""
PAUSES = {("meta", "rate_limit")}
"""After which all calls pause for 20 s each time: in the long form alone. What the gateway does upon such an answer is
shown in tests/gateway, and how Meta's is told from others in tests/providers/test_meta_operations.py.
"""


@dataclass
class OutletDesk(Desk):
    """A desk whose workflow sends records somewhere."""

    def run_words(self) -> list[str]:
        given = json.dumps({"contacts": RECORDS})
        return [
            *("run", str(self.document), "--input", given, "--execution-id", EXECUTION, "--now", NOW),
            *("--simulator", self.simulator.url, "--json"),
        ]


def workflow(output: Mapping[str, Any]) -> dict[str, Any]:
    nodes = [
        {"id": "in", "type": "input", "config": {"source": "api", "collection": "contacts"}},
        {"id": "out", "type": "output", "config": output},
    ]
    retry = {"maxRetries": 8, "initialDelay": 10, "backoffMultiplier": 1}
    edges = [{"source": "in", "target": "out"}]
    return {"workflowId": "w", "name": "w", "globals": {"retryPolicy": retry}, "nodes": nodes, "edges": edges}


@pytest.fixture
def make_outlet_desk(tmp_path: Path, environ: Mapping[str, str], simulator: Simulator) -> Callable[[str], OutletDesk]:
    """Makes a desk for one of the outputs; the simulator has forgotten whatever was before."""

    def made(name: str, **settings: Any) -> OutletDesk:
        simulator.reset(latencies={"meta": 0.01, "webhook": 0.01, "crm": 0.01}, **settings)
        folder = tmp_path / f"{name}-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        document = folder / "workflow.json"
        document.write_text(json.dumps(workflow(OUTPUTS[name])))
        return OutletDesk(folder, simulator, {**environ, "LUMEFLOW_SECRET_hook": "sim-key"}, document)

    return made


_UNDISTURBED: dict[str, tuple[Any, int]] = {}


def undisturbed(make: Callable[..., OutletDesk], name: str) -> tuple[Any, int]:
    """What the output says, and how many different deliveries there were."""
    if name not in _UNDISTURBED:
        _UNDISTURBED[name] = _run_undisturbed(make(name), name)
    return _UNDISTURBED[name]


def _run_undisturbed(desk: OutletDesk, name: str) -> tuple[Any, int]:
    ended = desk.run()
    assert ended.code == 0, ended
    bill = desk.simulator.bill()
    assert bill.count(SENDING[name], "repeats") == 0
    return ended.result["output"], bill.count(SENDING[name], "distinct")


def kills() -> list[tuple[str, str]]:
    """Outputs and where the process is killed; the two most telling points for those that are like another."""
    whole = [f"{point}:{visit}" for point in POINTS for visit in VISITS]
    few = whole if THOROUGH else ["gateway.answered:4", "ledger.before-commit:4"]
    chosen = {"meta": [*EARLY, *whole], "webhook": whole, "webhook-batches": few, "api": few}
    return [(name, fault) for name, faults in chosen.items() for fault in faults]


@pytest.mark.parametrize(("name", "fault"), kills())
def test_after_a_kill_the_same_is_sent_under_the_same_names(name, fault, make_outlet_desk):
    wanted, distinct = undisturbed(make_outlet_desk, name)
    desk = make_outlet_desk(name)
    desk.kill(fault=fault)
    in_flight = desk.open_claims()

    ended = desk.resume()

    assert ended.code == 0, ended
    assert ended.result["output"] == wanted
    bill = desk.simulator.bill()
    assert bill.count(SENDING[name], "distinct") == distinct
    assert bill.count(SENDING[name], "repeats") <= in_flight
    assert bill.usd <= Decimal(ended.result["cost"]["totalCost"])
    assert bill.count("meta/create-audience", "answered") == (name == "meta")


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_fault_plan_changes_nothing_of_what_arrives(name, make_outlet_desk):
    wanted, distinct = undisturbed(make_outlet_desk, name)
    kinds = [kind for kind in DEFAULTS["faultKinds"] if (name, kind) not in PAUSES or THOROUGH]
    desk = make_outlet_desk(name, faultRate=0.3, faultHang=0.1, faultKinds=kinds)

    ended = desk.run()

    assert ended.code == 0, ended
    assert ended.result["output"] == wanted
    bill = desk.simulator.bill()
    assert bill.count(SENDING[name], "distinct") == distinct
    assert bill.count(SENDING[name], "repeats") == bill.count(SENDING[name], "repeatsAfterFault")
    assert bill.count("meta/create-audience", "answered") == (name == "meta")
    assert sum(bill.data["totals"]["faults"].values()) > 0
    assert bill.usd <= Decimal(ended.result["cost"]["totalCost"])
