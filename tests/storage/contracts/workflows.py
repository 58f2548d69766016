"""Saved workflows and their versions."""

import pytest

from lumeflow.core.errors import UsageError
from lumeflow.storage import Database, workflows
from tests.storage.build import DEFINITION, NOON, at, execution


def version(number: int, **changes):
    return {**DEFINITION, "version": number, **changes}


class WorkflowsContract:
    async def test_a_saved_workflow_comes_back_whole(self, storage: Database):
        saved = await storage.workflows.save(DEFINITION, at=NOON)
        assert await storage.workflows.get("leads") == saved
        assert (saved.workflow_id, saved.version, saved.name, saved.saved_at) == ("leads", 3, "Leads", NOON)
        assert list(saved.definition) == list(DEFINITION)

    async def test_older_versions_are_kept(self, storage: Database):
        for number in (1, 2, 10):
            await storage.workflows.save(version(number), at=at(number))
        assert (await storage.workflows.get("leads")).version == 10
        assert (await storage.workflows.get("leads", 2)).definition == version(2)
        assert [one.version for one in await storage.workflows.versions("leads")] == [10, 2, 1]
        assert [one.version for one in await storage.workflows.versions("leads", limit=1, before=10)] == [2]
        newest = await storage.workflows.newest("leads")
        assert newest is not None
        assert newest.version == 10
        assert await storage.workflows.newest("nothing") is None
        assert [one.version for one in await storage.workflows.list()] == [10]

    async def test_an_older_version_saved_later_does_not_become_current(self, storage: Database):
        await storage.workflows.save(version(2), at=NOON)
        await storage.workflows.save(version(1), at=at(1))
        assert (await storage.workflows.get("leads")).version == 2

    async def test_saving_the_same_content_again_changes_nothing(self, storage: Database):
        first = await storage.workflows.save(DEFINITION, at=NOON)
        await storage.workflows.save(DEFINITION, at=at(99))
        assert await storage.workflows.get("leads") == first

    async def test_a_saved_version_is_never_changed(self, storage: Database):
        await storage.workflows.save(DEFINITION, at=NOON)
        with pytest.raises(UsageError, match="'leads' version 3 is already saved with other content"):
            await storage.workflows.save({**DEFINITION, "name": "Other"}, at=NOON)

    async def test_running_a_file_does_not_change_what_is_saved(self, storage: Database):
        await storage.workflows.save(DEFINITION, at=NOON)
        await storage.journal.begin(execution(definition={**DEFINITION, "name": "Draft"}))
        assert (await storage.workflows.get("leads")).name == "Leads"
        assert (await storage.workflows.get("leads", 3)).name == "Leads"

    async def test_a_version_that_was_only_run_can_be_saved_with_other_content(self, storage: Database):
        await storage.journal.begin(execution())
        saved = await storage.workflows.save({**DEFINITION, "name": "Final"}, at=at(1))
        assert await storage.workflows.get("leads") == saved
        assert [one.name for one in await storage.workflows.versions("leads")] == ["Final"]
        ran = await storage.journal.get("exec-1")
        assert ran is not None
        assert ran.definition["name"] == "Leads"

    async def test_what_was_only_run_is_not_a_saved_workflow(self, storage: Database):
        await storage.journal.begin(execution())
        draft = {**DEFINITION, "name": "Second draft"}
        await storage.journal.begin(execution("exec-2", definition=draft, started_at=at(1)))
        assert await storage.workflows.list() == []
        assert await storage.workflows.ids() == []
        assert await storage.workflows.current("leads") is None
        for number in (None, 3):
            with pytest.raises(UsageError, match="no workflow 'leads'"):
                await storage.workflows.get("leads", number)
        last = await storage.workflows.last_run("leads")
        assert last is not None
        assert last.definition == draft
        assert await storage.workflows.last_run("nothing") is None
        made = await storage.workflows.create(DEFINITION, at=at(2))
        assert await storage.workflows.get("leads") == made
        assert await storage.workflows.list() == [made]

    async def test_a_deleted_workflow_that_is_made_again_goes_on_behind_its_versions(self, storage: Database):
        kept = storage.workflows
        first = await kept.create(version(1), at=NOON)
        assert first is not None
        assert first.version == 1
        assert await kept.create(version(5), at=NOON) is None
        await kept.save(version(2, name="B"), at=at(1))
        await kept.delete("leads", at=at(2))
        made = await kept.create(version(1), at=at(3))
        assert made is not None
        assert (made.version, made.name, made.definition) == (3, "Leads", version(3))
        assert await kept.get("leads") == await kept.newest("leads") == made
        assert await kept.list() == [made]
        assert (await kept.get("leads", 2)).name == "B"
        await kept.save(version(workflows.LAST_VERSION), at=at(4))
        await kept.delete("leads", at=at(5))
        with pytest.raises(UsageError, match="is the last there can be"):
            await kept.create(version(1), at=at(6))

    async def test_what_is_missing_is_named_with_what_there_is(self, storage: Database):
        await storage.workflows.save(DEFINITION, at=NOON)
        with pytest.raises(UsageError, match=r"no workflow 'laeds'\. Did you mean 'leads'"):
            await storage.workflows.get("laeds")
        with pytest.raises(UsageError, match=r"'leads' has no version 9\. Saved: 3\."):
            await storage.workflows.get("leads", 9)

    async def test_what_is_there_is_found_among_however_many(self, storage: Database, monkeypatch):
        monkeypatch.setattr(workflows, "_IDS", workflows._IDS.replace("1000", "1"))
        for name in ("audience", "leads"):
            await storage.workflows.save({**DEFINITION, "workflowId": name}, at=NOON)
        with pytest.raises(UsageError, match=r"'leads' has no version 9\. Saved: 3\."):
            await storage.workflows.get("leads", 9)
        assert await storage.workflows.current("lead") is None
        assert await storage.workflows.ids() == ["audience"]

    @pytest.mark.parametrize(
        ("document", "message"),
        [
            ({"name": "x"}, "no workflowId"),
            ({"workflowId": ""}, "no workflowId"),
            ({"workflowId": "x", "version": "2"}, "'x': version must be a whole number"),
            ({"workflowId": "x", "version": True}, "whole number"),
        ],
    )
    async def test_a_document_without_identity_is_refused(self, storage: Database, document, message):
        with pytest.raises(UsageError, match=message):
            await storage.workflows.save(document, at=NOON)
