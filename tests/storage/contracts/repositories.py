"""What an API server keeps: keys, secrets, the queue, costs, artifacts, templates, tenants."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from lumeflow.core.errors import UsageError
from lumeflow.core.events import EventKind
from lumeflow.core.journal import AlreadyExists, Rerun, Status
from lumeflow.storage import Database, executions
from lumeflow.storage.repositories.api_keys import ApiKey
from lumeflow.storage.repositories.artifacts import Artifact
from lumeflow.storage.repositories.costs import CostFilter, CostGroup, CostSum
from lumeflow.storage.repositories.idempotency import EarlierRequest
from lumeflow.storage.repositories.queue import JobKind, JobState
from lumeflow.storage.repositories.templates import Template
from tests.storage.build import EXECUTION, NOON, answered, at, claim, execution, key

KEY = ApiKey("default", "k1", "CI", "lf_abc", "hash-1", ("execute", "read"), NOON, at(100))


class ApiKeysContract:
    async def test_a_key_is_found_by_its_hash_whosever_it_is(self, storage: Database):
        await storage.of("acme").api_keys.add(replace(KEY, tenant="acme"))
        found = await storage.installation.keys.find("hash-1")
        assert found == replace(KEY, tenant="acme", scopes=["execute", "read"])
        assert await storage.installation.keys.find("hash-2") is None
        assert await storage.api_keys.list() == []

    async def test_a_key_ends_once(self, storage: Database):
        await storage.api_keys.add(KEY)
        await storage.api_keys.used("k1", at=at(1))
        assert not await storage.of("acme").api_keys.revoke("k1", at=at(2)), "another's key"
        assert await storage.api_keys.revoke("k1", at=at(2))
        assert not await storage.api_keys.revoke("k1", at=at(3))
        (found,) = await storage.api_keys.list()
        assert (found.last_used_at, found.revoked_at) == (at(1), at(2))
        assert not found.is_valid(at(2))
        assert KEY.is_valid(at(99))
        assert not KEY.is_valid(at(100))

    async def test_an_id_is_taken_once_and_keys_are_paged(self, storage: Database):
        for number in range(3):
            await storage.api_keys.add(replace(KEY, id=f"k{number}", key_hash=f"hash-{number}"))
        with pytest.raises(UsageError, match="an API key 'k1' already"):
            await storage.api_keys.add(replace(KEY, key_hash="hash-9"))
        assert [one.id for one in await storage.api_keys.list(limit=2, after="k0")] == ["k1", "k2"]


class SecretsContract:
    async def test_a_secret_is_kept_as_it_was_given(self, storage: Database):
        await storage.secrets.put("apiKey", b"\x00\xffcipher", key_id="2026", at=NOON)
        await storage.of("acme").secrets.put("apiKey", b"theirs", key_id="2026", at=NOON)
        await storage.secrets.put("apiKey", b"other", key_id="2027", at=at(1))
        found = await storage.secrets.get("apiKey")
        assert found is not None
        assert (found.value, found.key_id, found.created_at, found.updated_at) == (b"other", "2027", NOON, at(1))
        assert "other" not in repr(found)
        assert [one.name for one in await storage.secrets.list()] == ["apiKey"]
        assert await storage.secrets.get("nope") is None
        assert await storage.secrets.delete("apiKey")
        assert not await storage.secrets.delete("apiKey")
        theirs = await storage.of("acme").secrets.get("apiKey")
        assert theirs is not None
        assert theirs.value == b"theirs"

    async def test_a_secret_is_sealed_anew_unless_it_was_changed_meanwhile(self, storage: Database):
        await storage.secrets.put("apiKey", b"cipher", key_id="2026", at=NOON)
        row = await storage.secrets.get("apiKey")
        assert row is not None
        assert await storage.secrets.reseal(row, b"new cipher", key_id="2027")
        assert not await storage.secrets.reseal(row, b"late cipher", key_id="2027")
        assert not await storage.of("acme").secrets.reseal(row, b"another's", key_id="2027")
        found = await storage.secrets.get("apiKey")
        assert found is not None
        assert (found.value, found.key_id, found.updated_at) == (b"new cipher", "2027", NOON)


class QueueContract:
    async def test_a_queued_execution_waits_and_is_run_by_who_takes_it(self, storage: Database):
        await storage.queue.enqueue(execution(), kind=JobKind.SEARCH, options={"limits": {"calls": 3}})
        found = await storage.journal.get(EXECUTION)
        assert found is not None
        assert found.status is Status.QUEUED
        (job,) = await storage.installation.dispatch.claim(5, at=at(9))
        assert (job.tenant, job.execution_id, job.kind, job.options) == (
            *("default", EXECUTION, JobKind.SEARCH),
            {"limits": {"calls": 3}},
        )
        assert await storage.installation.dispatch.claim(5, at=at(9)) == []
        lock = await storage.take(EXECUTION)
        await storage.journal.reopen(EXECUTION, at=at(9))
        running = await storage.journal.get(EXECUTION)
        assert running is not None
        assert (running.status, running.started_at) == (Status.RUNNING, at(9))
        await storage.journal.finish(EXECUTION, Status.COMPLETED, [], completed_at=at(11), output={}, error=None)
        lock.release()
        assert await storage.installation.dispatch.done(job, at=at(11))
        assert not await storage.installation.dispatch.done(job, at=at(11))
        ended = await storage.queue.get(EXECUTION)
        assert ended is not None
        assert (ended.state, ended.attempts, ended.finished_at) == (JobState.DONE, 1, at(11))

    async def test_what_never_began_is_taken_and_set_running_at_once(self, storage: Database):
        await storage.queue.enqueue(execution())
        lock = await storage.start(EXECUTION, at=at(9))
        assert lock is not None
        found = await storage.standing(EXECUTION)
        assert found is not None
        assert (found.execution.status, found.execution.started_at) == (Status.RUNNING, at(9))
        assert found.alive
        with pytest.raises(UsageError, match="is still running"):
            await storage.start(EXECUTION, at=at(10))
        lock.release()
        assert await storage.start(EXECUTION, at=at(10)) is None
        left = await storage.standing(EXECUTION)
        assert left is not None
        assert (left.execution.started_at, left.alive) == (at(9), False)
        assert await storage.standing("nope") is None
        (await storage.take(EXECUTION)).release()

    async def test_where_it_stands_is_told_without_document_and_input(self, storage: Database, monkeypatch):
        await storage.queue.enqueue(execution(rerun=Rerun("first", "alpha")), kind=JobKind.SEARCH, priority=3)
        whole = await storage.outcome(EXECUTION)
        assert whole is not None
        monkeypatch.setattr(executions, "execution_of", None)
        found = await storage.standing(EXECUTION)
        assert found == whole.standing
        assert (found.rerun, found.execution.kind, found.owner) == (Rerun("first", "alpha"), "SEARCH", None)
        assert found.job is not None
        assert found.job.priority == 3

    async def test_an_id_is_queued_once(self, storage: Database):
        await storage.queue.enqueue(execution())
        with pytest.raises(AlreadyExists):
            await storage.queue.enqueue(execution())
        assert len(await storage.queue.list(JobState.QUEUED)) == 1

    async def test_turns_are_fair_between_tenants_and_follow_priority_within_one(self, storage: Database):
        for number in range(4):
            await storage.queue.enqueue(execution(f"d{number}", started_at=at(number)), priority=number == 3)
        for number in range(2):
            await storage.of("acme").queue.enqueue(execution(f"a{number}", started_at=at(50 + number)))
        await storage.of("late").queue.enqueue(execution("l0"), available_at=at(1000))
        taken = await storage.installation.dispatch.claim(5, at=at(100))
        assert [(job.tenant, job.execution_id) for job in taken] == [
            *(("acme", "a0"), ("default", "d3"), ("acme", "a1"), ("default", "d0"), ("default", "d1")),
        ]

    async def test_who_was_served_last_waits_for_the_others(self, storage: Database):
        for number in range(2):
            for tenant in ("default", "acme"):
                await storage.of(tenant).queue.enqueue(execution(f"e{number}", started_at=at(number)))
        turns = []
        for second in range(4):
            (job,) = await storage.installation.dispatch.claim(1, at=at(100 + second))
            await storage.installation.dispatch.done(job, at=at(100 + second))
            turns.append(job.tenant)
        assert turns == ["acme", "default", "acme", "default"]

    async def test_a_tenants_limit_holds_and_one_that_is_not_active_waits(self, storage: Database):
        tenants = storage.installation.tenants
        await tenants.create("acme", at=NOON, concurrency=1)
        off = await tenants.create("off", at=NOON)
        await tenants.change(replace(off, is_active=False))
        for tenant in ("acme", "off"):
            for number in range(2):
                await storage.of(tenant).queue.enqueue(execution(f"e{number}", started_at=at(number)))
        taken = await storage.installation.dispatch.claim(9, at=at(100))
        assert [(job.tenant, job.execution_id) for job in taken] == [("acme", "e0")]

    async def test_what_waits_is_cancelled_at_once_and_what_runs_is_asked_to_stop(self, storage: Database):
        for name in ("e0", "e1"):
            await storage.queue.enqueue(execution(name))
        assert await storage.queue.cancel("e1", at=at(1)) is JobState.CANCELLED
        found = await storage.journal.get("e1")
        assert found is not None
        assert found.status is Status.CANCELLED
        (job,) = await storage.installation.dispatch.claim(5, at=at(9))
        assert await storage.installation.dispatch.cancel_requests() == []
        assert await storage.of("acme").queue.cancel("e0", at=at(1)) is None
        assert await storage.queue.cancel("e0", at=at(1)) is JobState.RUNNING
        assert await storage.installation.dispatch.cancel_requests() == [("default", "e0")]
        assert await storage.installation.dispatch.give_back(job)
        assert await storage.queue.cancel("nope", at=at(1)) is None

    async def test_what_a_living_worker_has_is_neither_queued_again_nor_set_free(self, storage: Database):
        await storage.queue.enqueue(execution())
        (job,) = await storage.installation.dispatch.claim(1, at=at(9))
        with pytest.raises(UsageError, match="'exec-1' is running"):
            await storage.queue.requeue(EXECUTION, at=at(10))
        assert await storage.installation.dispatch.recover() == []
        await storage.installation.dispatch.done(job, at=at(10))
        await storage.queue.requeue(EXECUTION, at=at(11), options={"failedOnly": True})
        (again,) = await storage.installation.dispatch.claim(1, at=at(12))
        assert (again.options, again.attempts) == ({"failedOnly": True}, 1)

    async def test_what_is_given_back_may_rest_and_counts_only_if_it_is_said(self, storage: Database):
        dispatch = storage.installation.dispatch
        await storage.queue.enqueue(execution())
        (job,) = await dispatch.claim(1, at=at(9))
        assert await dispatch.give_back(job, until=at(20))
        assert await dispatch.claim(1, at=at(19)) == []
        (job,) = await dispatch.claim(1, at=at(20))
        assert job.attempts == 1
        assert await dispatch.give_back(job, counts=True)
        (job,) = await dispatch.claim(1, at=at(20))
        assert job.attempts == 2
        assert [event.kind for _, event in (await storage.journal.timeline(EXECUTION)).events] == [
            EventKind.EXECUTION_QUEUED
        ]


class IdempotencyContract:
    async def test_the_second_request_gets_the_answer_of_the_first(self, storage: Database):
        async def reserve(second: float, tenant: str = "default"):
            keys = storage.of(tenant).idempotency
            return await keys.reserve("k", "digest", at=at(second), expires_at=at(second + 60))

        assert await reserve(0) is None
        assert await reserve(0, "acme") is None
        assert await reserve(1) == EarlierRequest("digest", None, None, None)
        await storage.idempotency.complete("k", execution_id="e", status=202, response=b"{}")
        assert await reserve(59) == EarlierRequest("digest", "e", 202, b"{}")
        assert await reserve(60) is None, "expired"
        await storage.idempotency.release("k")
        assert await reserve(61) is None
        assert await storage.installation.purge(at=at(60)) == 1
        assert await storage.installation.purge(at=at(121)) == 1


class CostsContract:
    async def spend(self, storage: Database, execution_id: str, workflow_id: str = "leads") -> None:
        definition = {"workflowId": workflow_id, "name": workflow_id, "nodes": [], "edges": []}
        lock = await storage.begin(
            execution(execution_id, workflow_id=workflow_id, workflow_version=1, definition=definition)
        )
        for number in range(3):
            effect = key(number, execution_id)
            await lock.ledger.claim(claim(effect, node_id=f"n{number % 2}", price="0.5"))
            if number < 2:
                await lock.ledger.answer(effect, answered("0.1", units="2"))
        llm = key(operation="openrouter/chat", execution_id=execution_id)
        await lock.ledger.claim(claim(llm, node_id="n1"))
        later = replace(answered("0.000000000000000001"), at=NOON + timedelta(days=1))
        await lock.ledger.answer(llm, later)
        await storage.journal.finish(execution_id, Status.COMPLETED, [], completed_at=at(5), output=None, error=None)
        lock.release()

    async def test_costs_are_summed_by_everything(self, storage: Database):
        await self.spend(storage, "e1")
        await self.spend(storage, "e2", "other")
        await self.spend(storage.of("acme"), "e1")
        tiny = Decimal("0.000000000000000001")
        lost = {"possible": Decimal("0.5"), "lost": 1}
        by = storage.costs.by
        assert await by(CostGroup.NODE, CostFilter(workflow_id="leads")) == [
            CostSum("n0", 2, amount=Decimal("0.6"), credits=Decimal(2), **lost),
            CostSum("n1", 2, amount=Decimal("0.1") + tiny, credits=Decimal(2)),
        ]
        assert [(one.key, one.calls, one.amount) for one in await by(CostGroup.PROVIDER)] == [
            ("apollo", 6, Decimal("1.4")),
            ("openrouter", 2, tiny * 2),
        ]
        assert [(one.key, one.amount) for one in await by(CostGroup.DAY, CostFilter(execution_id="e1"))] == [
            ("2026-01-09", Decimal("0.7")),
            ("2026-01-10", tiny),
        ]
        assert [one.key for one in await by(CostGroup.DAY, CostFilter(since="2026-01-10"))] == ["2026-01-10"]
        assert [one.key for one in await by(CostGroup.DAY, CostFilter(until="2026-01-10"))] == ["2026-01-09"]
        assert [one.key for one in await by(CostGroup.WORKFLOW)] == ["leads", "other"]
        assert [one.key for one in await by(CostGroup.EXECUTION, limit=1, after="e1")] == ["e2"]

    async def test_a_resume_writes_them_anew(self, storage: Database):
        await self.spend(storage, "e1")
        lock = await storage.take("e1")
        await storage.journal.reopen("e1")
        await lock.ledger.claim(claim(key(2, "e1"), node_id="n0", price="0.5"))
        await lock.ledger.answer(key(2, "e1"), answered("0.5", lost="0.5"))
        await storage.journal.finish("e1", Status.COMPLETED, [], completed_at=at(9), output=None, error=None)
        (total,) = await storage.costs.by(CostGroup.WORKFLOW)
        assert (total.calls, total.lost, total.amount, total.possible) == (
            *(5, 1),
            Decimal("1.200000000000000001"),
            Decimal("0.5"),
        )
        ledger = (await storage.totals("e1")).nodes.values()
        assert total.amount == sum(node.amount for node in ledger), "as the ledger says"
        lock.release()

    async def test_what_has_not_ended_counts_with_what_it_has_spent(self, storage: Database):
        await self.spend(storage, "e2", "other")
        lock = await storage.begin(execution("e3", workflow_id="leads", definition={"workflowId": "leads"}))
        for number in range(2):
            await lock.ledger.claim(claim(key(number, "e3"), node_id="n0", price="0.5"))
        await lock.ledger.answer(key(0, "e3"), answered("0.25"))
        by = storage.costs.by
        assert await by(CostGroup.EXECUTION, CostFilter(workflow_id="leads")) == [
            CostSum("e3", 1, amount=Decimal("0.25"))
        ], "what is in flight is not lost"
        assert [(one.key, one.amount) for one in await by(CostGroup.NODE)] == [
            ("n0", Decimal("0.85")),
            ("n1", Decimal("0.100000000000000001")),
        ], "with what has ended"
        pages = [await by(CostGroup.EXECUTION, limit=1, after=after) for after in ("", "e2", "e3")]
        assert [[one.key for one in page] for page in pages] == [["e2"], ["e3"], []]
        assert await by(CostGroup.DAY, CostFilter(execution_id="e3", until="2026-01-09")) == []
        assert await storage.of("acme").costs.by(CostGroup.NODE) == []
        lock.release()
        (gone,) = await by(CostGroup.PROVIDER, CostFilter(execution_id="e3"))
        assert (gone.calls, gone.lost, gone.amount, gone.possible) == (2, 1, Decimal("0.75"), Decimal("0.5"))
        (total,) = (await storage.totals("e3")).nodes.values()
        assert (total.calls, total.amount) == (gone.calls, gone.amount), "as the ledger says"

    async def test_what_runs_again_is_counted_once(self, storage: Database):
        await self.spend(storage, "e1")
        (before,) = await storage.costs.by(CostGroup.WORKFLOW)
        lock = await storage.take("e1")
        await storage.journal.reopen("e1")
        assert await storage.costs.by(CostGroup.WORKFLOW) == [before]
        lock.release()


class ArtifactsContract:
    async def test_files_are_listed_by_execution_and_found_by_their_own_only(self, storage: Database):
        one = Artifact("f1", "output", EXECUTION, "out", "b.csv", "/data/b.csv", "text/csv", 10, "ab" * 32, NOON)
        two = replace(one, id="f2", name="a.csv", expires_at=at(10))
        for artifact in (one, two):
            await storage.artifacts.put(artifact)
        await storage.artifacts.put(replace(one, size=11))
        assert await storage.artifacts.list(EXECUTION) == [two, replace(one, size=11)]
        assert await storage.artifacts.list(EXECUTION, after=("a.csv", "f2")) == [replace(one, size=11)]
        assert await storage.of("acme").artifacts.get("f1") is None
        assert await storage.installation.expired_artifacts(at=at(10)) == [("default", two)]
        assert await storage.installation.expired_artifacts(at=at(9)) == []
        assert await storage.artifacts.delete("f2")
        assert not await storage.artifacts.delete("f2")


class TemplatesContract:
    async def test_templates_are_stored_whole_and_found_by_category(self, storage: Database):
        templates = storage.templates
        for name, category in (("b", "email"), ("a", "email"), ("c", None)):
            await templates.put(Template(name, name.upper(), {"z": 1, "a": [2]}, category=category), at=NOON)
        await templates.put(Template("a", "A2", {"z": 2}, category="email", version=2), at=at(1))
        assert [one.id for one in await templates.list()] == ["a", "b", "c"]
        assert [one.id for one in await templates.list(category="email", after="a")] == ["b"]
        found = await templates.get("a")
        assert found == Template("a", "A2", {"z": 2}, None, "email", False, 2, NOON, at(1))
        assert await storage.of("acme").templates.get("a") is None
        assert await templates.delete("a")
        assert await templates.get("a") is None


class TenantsContract:
    async def test_tenants_are_made_once(self, storage: Database):
        tenants = storage.installation.tenants
        made = await tenants.create("acme", name="Acme Inc.", at=NOON)
        assert await tenants.get("acme") == made
        with pytest.raises(UsageError, match="'acme' exists already"):
            await tenants.create("acme", at=NOON)
        await tenants.change(replace(made, concurrency=3))
        assert [(one.tenant, one.concurrency) for one in await tenants.list()] == [("acme", 3)]
        with pytest.raises(UsageError, match="no tenant 'nope'"):
            await tenants.change(replace(made, tenant="nope"))

    @pytest.mark.parametrize("name", ["", "*", "Acme", "a b", "-a", "a" * 64, "a'b"])
    async def test_names_that_are_none(self, storage: Database, name: str):
        with pytest.raises(UsageError, match="cannot be used: expected 1 to 63"):
            await storage.installation.tenants.create(name, at=NOON)
        with pytest.raises(UsageError, match="cannot be used"):
            storage.of(name)
