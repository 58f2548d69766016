"""Executions, their nodes, their timeline, and the records kept with them."""

from array import array
from dataclasses import replace

import pytest

from lumeflow.core.errors import StorageError, UsageError
from lumeflow.core.events import Event, EventKind
from lumeflow.core.journal import AlreadyExists, KeptRecord, RecordKind, Status
from lumeflow.storage import Database
from tests.storage.build import DEFINITION, EXECUTION, NOON, at, execution, node_row, record


async def kept(storage: Database, kind: RecordKind = RecordKind.OUTPUT, node_id: str | None = None):
    return [one async for one in storage.journal.kept(EXECUTION, kind, node_id)]


class ExecutionContract:
    async def test_an_execution_comes_back_as_it_was_begun(self, storage: Database):
        await storage.journal.begin(execution())
        assert await storage.journal.get(EXECUTION) == execution()

    async def test_an_unknown_one_is_none(self, storage: Database):
        assert await storage.journal.get("nope") is None

    async def test_an_id_is_taken_once(self, storage: Database):
        await storage.journal.begin(execution())
        with pytest.raises(AlreadyExists, match="exec-1"):
            await storage.journal.begin(execution(input={}))
        assert await storage.journal.get(EXECUTION) == execution()

    async def test_it_is_begun_as_running(self, storage: Database):
        await storage.journal.begin(execution(status=Status.QUEUED))
        found = await storage.journal.get(EXECUTION)
        assert found is not None
        assert found.status is Status.RUNNING

    async def test_the_document_that_it_ran_stays_though_the_file_changes(self, storage: Database):
        await storage.journal.begin(execution())
        changed = {**DEFINITION, "name": "Leads, edited"}
        await storage.journal.begin(execution("exec-2", definition=changed))
        for execution_id, definition in ((EXECUTION, DEFINITION), ("exec-2", changed)):
            found = await storage.journal.get(execution_id)
            assert found is not None
            assert found.definition == definition
            assert list(found.definition) == list(definition), "keys keep their order"

    async def test_the_end_is_written_with_the_nodes_in_order(self, storage: Database):
        await storage.journal.begin(execution())
        nodes = [node_row("zeta"), node_row("alpha", status=Status.SKIPPED, started_at=None, counts={})]
        await storage.journal.finish(
            EXECUTION, Status.FAILED, nodes, completed_at=at(2), output={"contactsCount": 3}, error="no key"
        )
        ended = replace(
            execution(), status=Status.FAILED, completed_at=at(2), output={"contactsCount": 3}, error="no key"
        )
        assert await storage.journal.get(EXECUTION) == ended
        assert await storage.journal.nodes(EXECUTION) == nodes

    async def test_a_resume_takes_the_place_of_what_was_there_when_it_ends(self, storage: Database):
        await storage.journal.begin(execution())
        await storage.journal.keep(EXECUTION, [record(n) for n in range(3)])
        await storage.journal.finish(
            EXECUTION, Status.FAILED, [node_row()], completed_at=at(2), output={"n": 1}, error="x"
        )
        await storage.journal.reopen(EXECUTION)
        await storage.journal.keep(EXECUTION, [record(7)])
        assert await storage.journal.get(EXECUTION) == execution()
        assert await storage.journal.nodes(EXECUTION) == [node_row()]
        assert [one.position for one in await kept(storage)] == [0, 1, 2]
        await storage.journal.finish(EXECUTION, Status.COMPLETED, [], completed_at=at(9), output=None, error=None)
        found = await storage.journal.get(EXECUTION)
        assert found is not None
        assert (found.status, found.completed_at, found.output) == (Status.COMPLETED, at(9), None)
        assert await storage.journal.nodes(EXECUTION) == []
        assert [one.position for one in await kept(storage)] == [7]

    @pytest.mark.parametrize(
        ("earlier", "now", "stays"),
        [
            ((Status.COMPLETED, 3), (Status.CANCELLED, 1), True),
            ((Status.COMPLETED, 3), (Status.FAILED, 5), True),
            ((Status.COMPLETED, 3), (Status.COMPLETED, 1), False),
            ((Status.FAILED, 3), (Status.CANCELLED, 1), True),
            ((Status.FAILED, 3), (Status.CANCELLED, 3), False),
            ((Status.CANCELLED, 3), (Status.FAILED, 5), False),
            ((Status.CANCELLED, 3), (Status.COMPLETED, 0), False),
        ],
        ids=str,
    )
    async def test_what_came_further_stays(self, earlier, now, stays: bool, storage: Database):
        nodes = {earlier: [node_row("before")], now: [node_row("after")]}
        await storage.journal.begin(execution())
        for attempt in (earlier, now):
            status, records = attempt
            if attempt is now:
                await storage.journal.reopen(EXECUTION)
            await storage.journal.keep(EXECUTION, [record(n, run=str(status)) for n in range(records)])
            await storage.journal.finish(
                EXECUTION, status, nodes[attempt], completed_at=at(2), output={"n": records}, error=str(status)
            )
        status, records = earlier if stays else now
        found = await storage.journal.get(EXECUTION)
        assert found is not None
        assert (found.status, found.output, found.error) == (status, {"n": records}, str(status))
        assert await storage.journal.nodes(EXECUTION) == nodes[earlier if stays else now]
        assert [one.data["run"] for one in await kept(storage)] == [str(status)] * records

    async def test_a_resume_that_is_cut_off_leaves_what_was_there(self, storage: Database):
        await storage.journal.begin(execution())
        await storage.journal.keep(EXECUTION, [record(n) for n in range(3)])
        await storage.journal.finish(EXECUTION, Status.FAILED, [], completed_at=at(2), output=None, error="x")
        for _ in range(3):
            await storage.journal.reopen(EXECUTION)
            await storage.journal.keep(EXECUTION, [record(n) for n in range(5, 9)])
            assert [one.position for one in await kept(storage)] == [0, 1, 2]
        await storage.journal.finish(EXECUTION, Status.COMPLETED, [], completed_at=at(2), output=None, error=None)
        assert [one.position for one in await kept(storage)] == [5, 6, 7, 8]

    async def test_a_resume_drops_its_own_records_only_however_many(self, storage: Database):
        for execution_id in (EXECUTION, "exec-2"):
            await storage.journal.begin(execution(execution_id))
            for start in range(0, 40_000, 1000):
                await storage.journal.keep(execution_id, [record(n) for n in range(start, start + 1000)])
        await storage.journal.reopen("exec-2")
        assert len(await kept(storage)) == 40_000
        assert [one async for one in storage.journal.kept("exec-2", RecordKind.OUTPUT)] == []

    async def test_a_resume_still_knows_the_batches(self, storage: Database):
        await storage.journal.begin(execution())
        batches = [replace(record(n, kind=RecordKind.BATCH), data={"members": f"0.{n} 0.{n + 1}"}) for n in range(3)]
        await storage.journal.keep(EXECUTION, [*batches, record(7)])
        await storage.journal.reopen(EXECUTION)
        assert await kept(storage, RecordKind.BATCH) == batches
        assert await kept(storage) == []

    async def test_an_unknown_execution_cannot_go_on(self, storage: Database):
        journal = storage.journal
        for attempt in (
            journal.reopen("nope"),
            journal.finish("nope", Status.FAILED, [], completed_at=NOON, output=None, error=None),
        ):
            with pytest.raises(UsageError, match="'nope'"):
                await attempt

    async def test_the_list_is_paged_from_the_newest(self, storage: Database):
        for number in range(7):
            # Two started at each instant: the id decides between them.
            await storage.journal.begin(execution(f"e{number}", started_at=at(number // 2)))
        first = await storage.journal.list(limit=3)
        second = await storage.journal.list(limit=3, before=first[-1].id)
        third = await storage.journal.list(limit=3, before=second[-1].id)
        assert [one.id for page in (first, second, third) for one in page] == ["e6", "e5", "e4", "e3", "e2", "e1", "e0"]
        assert (first[0].workflow_id, first[0].workflow_version, first[0].started_at) == ("leads", 3, at(3))


class TimelineContract:
    async def test_events_come_back_in_order_and_by_page(self, storage: Database):
        await storage.journal.begin(execution())
        events = [Event(EventKind.NODE_STARTED, at(n), f"n{n}", "started", {"n": n}) for n in range(10)]
        storage.journal.note(EXECUTION, events[:4])
        storage.journal.note("exec-2", events[:1])
        storage.journal.note(EXECUTION, events[4:])
        first = await storage.journal.timeline(EXECUTION, limit=6)
        rest = await storage.journal.timeline(EXECUTION, after=first.events[-1][0])
        assert [event for _, event in [*first.events, *rest.events]] == events
        assert [ordinal for ordinal, _ in [*first.events, *rest.events]] == list(range(1, 11))

    async def test_ordinals_go_on_after_a_resume(self, storage: Database):
        await storage.journal.begin(execution())
        storage.journal.note(EXECUTION, [Event(EventKind.EXECUTION_STARTED, NOON)])
        await storage.journal.reopen(EXECUTION)
        storage.journal.note(EXECUTION, [Event(EventKind.EXECUTION_RESUMED, NOON)])
        await storage.journal.flush()
        timeline = await storage.journal.timeline(EXECUTION)
        assert [(n, event.kind) for n, event in timeline.events] == [
            (1, EventKind.EXECUTION_STARTED),
            (2, EventKind.EXECUTION_RESUMED),
        ]


class RecordsContract:
    async def test_records_come_back_by_node_of_the_document_then_position(self, storage: Database):
        await storage.journal.begin(execution())
        await storage.journal.keep(EXECUTION, [record(n, node_id="unlisted") for n in (1, 0)])
        await storage.journal.keep(EXECUTION, [record(n, node_id="alpha") for n in (4, 2)])
        await storage.journal.keep(EXECUTION, [record(n, node_id="zeta") for n in (9, 3)])
        await storage.journal.keep(EXECUTION, [record(n, node_id="alpha") for n in (3, 1)])
        found = await kept(storage)
        assert [(one.node_id, one.position) for one in found] == [
            *(("zeta", n) for n in (3, 9)),
            *(("alpha", n) for n in (1, 2, 3, 4)),
            *(("unlisted", n) for n in (0, 1)),
        ]

    async def test_lineage_decides_between_records_of_one_position(self, storage: Database):
        await storage.journal.begin(execution())
        lineages = [(5, 300), (5, 2), (5,), (5, 2, 0), (4, 9)]
        for lineage in lineages:
            await storage.journal.keep(EXECUTION, [replace(record(7), lineage=lineage)])
            await storage.journal.flush()
        assert [one.lineage for one in await kept(storage)] == sorted(lineages)

    async def test_kinds_and_nodes_are_told_apart(self, storage: Database):
        await storage.journal.begin(execution())
        failed = KeptRecord("zeta", RecordKind.FAILED, 2, (2,), {"n": 2}, "TIMEOUT", "no answer in 30 s")
        skipped = KeptRecord("zeta", RecordKind.SKIPPED, 3, (3,), {"n": 3}, None, "email is empty")
        await storage.journal.keep(EXECUTION, [record(1), failed, skipped])
        assert await kept(storage) == [record(1)]
        assert await kept(storage, RecordKind.FAILED) == [failed]
        assert await kept(storage, RecordKind.SKIPPED, "zeta") == [skipped]
        assert await kept(storage, RecordKind.FAILED, "alpha") == []

    async def test_embeddings_come_back_as_arrays(self, storage: Database):
        await storage.journal.begin(execution())
        numbers = array("f", [0.1, -2.5, float("inf"), 1e-40])
        data = {"name": "Ada", "embedding": numbers, "more": [{"e": array("f")}], "text": "float32.0:0+4"}
        await storage.journal.keep(EXECUTION, [record(1, **data), record(2, plain=[1, 2])])
        found = await kept(storage)
        assert found[0].data == data
        assert isinstance(found[0].data["embedding"], array)
        assert found[1].data == {"plain": [1, 2]}

    async def test_many_records_given_out_of_order_come_back_in_order(self, storage: Database):
        await storage.journal.begin(execution())
        positions = [(n * 7919) % 20_011 for n in range(20_011)]
        for start in range(0, len(positions), 500):
            await storage.journal.keep(EXECUTION, [record(n) for n in positions[start : start + 500]])
        assert [one.position for one in await kept(storage)] == list(range(20_011))

    async def test_a_record_that_is_not_json_fails_the_finish_and_is_named(self, storage: Database):
        await storage.journal.begin(execution())
        await storage.journal.keep(EXECUTION, [record(1), record(2, bad={1, 2}), record(3)])
        await storage.journal.keep("exec-2", [record(1)])
        with pytest.raises(StorageError, match=r"'alpha': the output record at position 2 cannot be stored.*set"):
            await storage.journal.finish(EXECUTION, Status.COMPLETED, [], completed_at=NOON, output=None, error=None)
        found = await storage.journal.get(EXECUTION)
        assert found is not None
        assert found.status is Status.RUNNING
        await storage.journal.begin(execution("exec-2"))
        await storage.journal.finish("exec-2", Status.COMPLETED, [], completed_at=NOON, output=None, error=None)

    async def test_keeping_nothing_is_nothing(self, storage: Database):
        await storage.journal.keep(EXECUTION, [])
        await storage.journal.flush()
        assert await kept(storage) == []


class AnyTextContract:
    async def test_texts_with_any_character_end_no_execution(self, storage: Database):
        await storage.journal.begin(execution(definition={**DEFINITION, "name": "a\0b"}, input={"q": "\0"}))
        storage.journal.note(EXECUTION, [Event(EventKind.WARNING, NOON, None, "odd \0", {"x": "\0"})])
        await storage.journal.keep(EXECUTION, [record(1, text="\0'\"")])
        await storage.journal.finish(
            EXECUTION,
            Status.FAILED,
            [node_row(error="bad \0")],
            completed_at=at(1),
            output={"t": "\0"},
            error="\0 found",
        )
        found = await storage.journal.get(EXECUTION)
        assert found is not None
        assert (found.input, found.output) == ({"q": "\0"}, {"t": "\0"})
        assert found.error in {"\0 found", "\ufffd found"}
        assert (await kept(storage))[0].data == {"text": "\0'\""}
