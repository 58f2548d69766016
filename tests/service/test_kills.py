"""A server with twenty executions of two tenants under way is killed, ended, or loses its database: the next one, or the
same, finishes all without being asked, with the outputs of undisturbed runs, and pays again for no more than what was in
flight.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import httpx2
import pytest

from lumeflow import Settings, open_app
from lumeflow.server.keys import make_key
from lumeflow.workflows import source
from tests.survival.world import FREE_MODEL, PAID_MODEL, THOROUGH, Simulator

NOW = "2026-01-09T10:00:00+00:00"
EXECUTIONS = 20
SEARCHES = (0, 5, 10, 15)
PAID = ("apify", "apollo", "hunter", "openrouter")
TENANTS = ("acme", "globex")
SETTINGS = {"commentsPerUrl": 25, "latencyScale": 0.5, "itemsPerSecond": 200.0, "rateScale": 100.0}
WAIT = 120.0
DOCUMENT = source("lead-enrichment-v1").replace(FREE_MODEL, PAID_MODEL)
WORKFLOW = json.loads(DOCUMENT)["workflowId"]
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    made = Simulator(os.environ)
    yield made
    made.close()


@dataclass
class Installation:
    """A database, and a server on it now and then.

    Attributes:
        folder: The data folder.
        db: The database.
        simulator: Stands for every vendor.
        keys: An API key of each tenant.
    """

    folder: object
    db: str
    simulator: Simulator
    keys: dict[str, str]

    @contextmanager
    def server(self) -> Iterator["Served"]:
        """`lumeflow serve` in a process of its own."""
        command = [sys.executable, "-m", "lumeflow", "serve", "--port", "0", "--json", "--db", self.db]
        command += ["--simulator", self.simulator.url, "--concurrency", str(EXECUTIONS)]
        environ = {**os.environ, "LUMEFLOW_DATA_DIR": str(self.folder)}
        with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE) as process:
            try:
                url = json.loads(process.stdout.readline())["url"]
                with httpx2.Client(base_url=url, timeout=WAIT) as client:
                    yield Served(process, client, self.keys)
            finally:
                process.kill()


@dataclass
class Served:
    """A server that runs."""

    process: subprocess.Popen
    client: httpx2.Client
    keys: dict[str, str]

    def ask(self, tenant, path, method="GET", **more):
        headers = {"X-API-Key": self.keys[tenant], **more.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **more)

    def statuses(self):
        lists = [self.ask(tenant, "/api/workflows/executions?limit=100").json()["items"] for tenant in TENANTS]
        return [entry["status"] for items in lists for entry in items]

    def end(self, how):
        self.process.send_signal(how)
        return self.process.wait(WAIT)


def audience(number):
    url = f"https://www.instagram.com/p/Ckill{number}/"
    return {"id": f"a{number}", "name": "A", "type": "instagram", "urls": [url]}


def names():
    """The executions: tenant, id, and what runs them."""
    return [(TENANTS[number % 2], f"e{number}", number) for number in range(EXECUTIONS)]


def install(folder, db, simulator):
    """An installation with two tenants and their audiences."""
    simulator.reset(**SETTINGS)

    async def live():
        async with open_app(Settings(data_dir=folder, db=db)) as app:
            keys = {}
            for tenant in TENANTS:
                database = app.database.of(tenant)
                keys[tenant], _ = await make_key(database, name="test", at=datetime.now(UTC))
                rows = [audience(number) for owner, _, number in names() if owner == tenant]
                await database.tables.upsert("source_audiences", rows, key=["id"])
        return keys

    return Installation(folder, db, simulator, asyncio.run(live()))


def given(number):
    return {"sourceAudienceId": f"a{number}"}


def submit(served):
    """Twenty executions, four of them of the old kind."""
    for tenant in TENANTS:
        assert served.ask(tenant, "/api/workflows", "POST", content=DOCUMENT, headers=JSON).status_code == 201

    def execute(tenant, name, number):
        more = {"executionId": name, "now": NOW}
        if number in SEARCHES:
            return served.ask(tenant, "/api/searches", "POST", json={**given(number), **more})
        return served.ask(tenant, f"/api/workflows/{WORKFLOW}/execute", "POST", json={"input": given(number), **more})

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(execute, *zip(*names(), strict=True)))
    assert {answer.status_code for answer in answers} == {202}, answers


def finished(served):
    """Every execution's contacts, and what is told of calls that were lost and of costs."""
    contacts, lost, cost = {}, 0, Decimal(0)
    deadline = time.monotonic() + WAIT
    for tenant, name, _ in names():
        found = served.ask(tenant, f"/api/workflows/executions/{name}?wait=60")
        while found.status_code == 200 and found.json()["status"] in {"queued", "running"}:
            assert time.monotonic() < deadline, found.text
            found = served.ask(tenant, f"/api/workflows/executions/{name}?wait=60")
        told = json.loads(found.text, parse_float=Decimal)
        assert told["status"] == "completed", told
        contacts[name] = served.ask(
            tenant, f"/api/workflows/executions/{name}/records/output/download?format=jsonl"
        ).content
        assert contacts[name].count(b"\n") > 1
        # A free page of a run that was still at work may be read otherwise afterwards.
        assert all(call["settled"] or not call["price"] for call in told["inDoubt"]), told["inDoubt"]
        lost += sum(call["lost"] for call in told["inDoubt"])
        cost += told["cost"]["totalCost"] - told["cost"]["possiblyPaidTwice"]
    return contacts, lost, cost


def begun(served, simulator):
    """Submit all, and return when all are under way."""
    deadline = time.monotonic() + WAIT
    with simulator.frozen():  # so that none ends before the last begins
        submit(served)
        while (statuses := served.statuses()) != ["running"] * EXECUTIONS:
            assert time.monotonic() < deadline, statuses
            time.sleep(0.05)


def called(simulator, calls):
    """Return when the vendors were called so often."""
    deadline = time.monotonic() + WAIT
    while simulator._ask("GET", "bill")["totals"]["calls"] < calls:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def processed(simulator):
    simulator.wait_for_calls()
    bill = simulator._ask("GET", "bill")["providers"]
    return sum(bill[name]["distinct"] + bill[name]["repeats"] for name in PAID)


@dataclass
class Undisturbed:
    contacts: dict[str, bytes]
    cost: Decimal
    paid: int
    calls: int


@pytest.fixture(scope="module")
def undisturbed(simulator, tmp_path_factory) -> Undisturbed:
    """The same executions where nothing happens."""
    folder = tmp_path_factory.mktemp("undisturbed")
    installation = install(folder, str(folder / "x.db"), simulator)
    with installation.server() as served:
        submit(served)
        contacts, lost, cost = finished(served)
    assert lost == 0
    return Undisturbed(contacts, cost, processed(simulator), simulator.bill().calls)


def assert_as_undisturbed(served, simulator, undisturbed):
    """All end by themselves, and give and cost what they should; returns how many calls were lost."""
    contacts, lost, cost = finished(served)
    assert contacts == undisturbed.contacts
    assert cost == undisturbed.cost
    assert 0 <= processed(simulator) - undisturbed.paid <= lost
    return lost


def test_killed_it_is_as_if_nothing_had_happened(db, tmp_path, simulator, undisturbed):
    installation = install(tmp_path, db, simulator)
    with installation.server() as first:
        begun(first, simulator)
        called(simulator, undisturbed.calls * 0.3)
        assert first.end(signal.SIGKILL) == -signal.SIGKILL
    with installation.server() as second:
        assert_as_undisturbed(second, simulator, undisturbed)


@pytest.mark.skipif(not THOROUGH, reason="PostgreSQL's is below")
def test_ended_it_loses_nothing(db, tmp_path, simulator, undisturbed):
    installation = install(tmp_path, db, simulator)
    with installation.server() as first:
        begun(first, simulator)
        called(simulator, undisturbed.calls * 0.3)
        assert first.end(signal.SIGTERM) == 0
    with installation.server() as second:
        assert assert_as_undisturbed(second, simulator, undisturbed) == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT] if THOROUGH else [signal.SIGQUIT])
def test_its_database_may_go_away_and_then_it_may_end(how, postgres, new_postgres, tmp_path, simulator, undisturbed):
    installation = install(tmp_path, new_postgres(), simulator)
    with installation.server() as first:
        begun(first, simulator)
        postgres.stop(how)
        try:
            for answer in (first.ask("acme", "/api/workflows/executions"), first.client.get("/ready")):
                assert answer.status_code == 503, answer.text
                assert answer.json()["type"] == "urn:lumeflow:problem:storage-unavailable"
                assert answer.headers["retry-after"]
            assert first.client.get("/health").status_code == 200
        finally:
            postgres.start()
        deadline = time.monotonic() + WAIT
        while first.client.get("/ready").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        called(simulator, undisturbed.calls * 0.6)
        assert first.end(signal.SIGTERM) == 0
    with installation.server() as second:
        assert assert_as_undisturbed(second, simulator, undisturbed) == 0
