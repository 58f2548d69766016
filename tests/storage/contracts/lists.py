"""Lists: filters, pages, and what was deleted."""

import pytest

from lumeflow.core.errors import UsageError
from lumeflow.core.journal import ExecutionFilter, RecordKind, RecordPlace, Status
from lumeflow.storage import Database
from tests.storage.build import DEFINITION, EXECUTION, NOON, at, execution, record


class ListsContract:
    @pytest.mark.parametrize(
        ("chosen", "found"),
        [
            (ExecutionFilter(), "e5 e4 e3 e2 e1 e0"),
            (ExecutionFilter(workflow_id="other"), "e5 e3 e1"),
            (ExecutionFilter(status=Status.FAILED), "e4 e0"),
            (ExecutionFilter(workflow_id="other", status=Status.RUNNING), "e5 e3 e1"),
            (ExecutionFilter(since=at(2), until=at(4)), "e3 e2"),
            (ExecutionFilter(status=Status.FAILED, since=at(1)), "e4"),
            (ExecutionFilter(workflow_id="nope"), ""),
        ],
        ids=str,
    )
    async def test_executions_are_filtered_and_paged(self, storage: Database, chosen: ExecutionFilter, found: str):
        for number in range(6):
            name = "other" if number % 2 else "leads"
            definition = {**DEFINITION, "workflowId": name}
            await storage.journal.begin(
                execution(f"e{number}", workflow_id=name, definition=definition, started_at=at(number))
            )
            if number % 4 == 0:
                await storage.journal.finish(
                    f"e{number}", Status.FAILED, [], completed_at=at(9), output=None, error="x"
                )
        await storage.of("acme").journal.begin(execution("theirs"))
        pages, before = [], None
        while page := await storage.journal.list(limit=2, before=before, chosen=chosen):
            pages += [one.id for one in page]
            before = page[-1].id
        assert " ".join(pages) == found

    async def test_a_page_behind_what_there_is_not_is_empty(self, storage: Database):
        await storage.journal.begin(execution())
        assert await storage.journal.list(limit=9, before="nope") == []

    async def test_kept_records_are_paged(self, storage: Database):
        await storage.journal.begin(execution())
        for node_id in ("zeta", "alpha"):
            for start in (0, 300, 100, 200):
                records = [record(n, RecordKind.FAILED, node_id) for n in range(start, start + 100)]
                await storage.journal.keep(EXECUTION, records)
                await storage.journal.flush()
        found: list[tuple[str, int]] = []
        place = None
        while True:
            page = []
            async for one in storage.journal.kept(EXECUTION, RecordKind.FAILED, after=place):
                page.append(one)
                if len(page) == 77:
                    break
            if not page:
                break
            found += [(one.node_id, one.position) for one in page]
            place = RecordPlace(page[-1].node_id, page[-1].position, page[-1].lineage)
        assert found == [("zeta", n) for n in range(400)] + [("alpha", n) for n in range(400)]

    async def test_a_deleted_workflow_is_not_found_until_it_is_saved_again(self, storage: Database):
        workflows = storage.workflows
        await workflows.save(DEFINITION, at=NOON)
        await storage.journal.begin(execution())
        assert not await storage.of("acme").workflows.delete("leads", at=at(1))
        assert await workflows.delete("leads", at=at(1))
        assert not await workflows.delete("leads", at=at(1))
        assert await workflows.list() == []
        assert await workflows.versions("leads") == []
        for number in (None, 3):
            with pytest.raises(UsageError, match="no workflow 'leads'"):
                await workflows.get("leads", number)
        ran = await storage.journal.get(EXECUTION)
        assert ran is not None
        assert ran.definition == DEFINITION
        await workflows.save(DEFINITION, at=at(2))
        assert (await workflows.get("leads")).version == 3

    async def test_workflows_are_paged_by_id(self, storage: Database):
        for name in ("c", "a", "b"):
            await storage.workflows.save({**DEFINITION, "workflowId": name}, at=NOON)
        assert [one.workflow_id for one in await storage.workflows.list(limit=2)] == ["a", "b"]
        assert [one.workflow_id for one in await storage.workflows.list(limit=2, after="b")] == ["c"]
