"""Saved workflows: the current one by id, and every version that was ever saved or run."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lumeflow.core.clock import derived_id
from lumeflow.core.errors import UsageError
from lumeflow.core.findings import did_you_mean
from lumeflow.storage.codec import decode_json, encode_json, unstamp
from lumeflow.storage.jobs import Transaction
from lumeflow.storage.scoped import TenantReader, TenantWriter

_INSERT_WORKFLOW = """
INSERT INTO workflows (tenant, id, workflow_id, name, version, definition, is_active, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, workflow_id) DO NOTHING"""

_INSERT_VERSION = """
INSERT INTO workflow_versions (tenant, workflow_id, version, digest, name, definition, is_saved, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant, workflow_id, version, digest)
  DO UPDATE SET is_saved = workflow_versions.is_saved OR excluded.is_saved"""

_SAVED_DIGEST = """
SELECT digest FROM workflow_versions WHERE tenant = ? AND workflow_id = ? AND version = ? AND is_saved"""

_MAKE_CURRENT = """
UPDATE workflows SET name = ?, version = ?, definition = ?, updated_at = ?, is_active = TRUE
WHERE tenant = ? AND workflow_id = ?
  AND NOT EXISTS (SELECT 1 FROM workflow_versions AS v
                  WHERE v.tenant = workflows.tenant AND v.workflow_id = workflows.workflow_id
                    AND v.is_saved AND v.version > ?)"""

# A row of `workflows` also stands for what was only run: its executions need one.
_IS_SAVED = """EXISTS (SELECT 1 FROM workflow_versions AS v WHERE v.tenant = workflows.tenant
                  AND v.workflow_id = workflows.workflow_id AND v.is_saved)"""

_CURRENT = f"""
SELECT workflow_id, version, name, definition, updated_at FROM workflows
WHERE tenant = ? AND workflow_id = ? AND is_active AND {_IS_SAVED}"""  # noqa: S608 - a constant of this module

_LAST_RUN = """
SELECT v.workflow_id, v.version, v.name, v.definition, v.created_at
FROM workflow_executions AS e
JOIN workflows AS w ON w.tenant = e.tenant AND w.workflow_id = e.workflow_id AND w.is_active
JOIN workflow_versions AS v ON v.tenant = e.tenant AND v.workflow_id = e.workflow_id
  AND v.version = e.workflow_version AND v.digest = e.workflow_digest
WHERE e.tenant = ? AND e.workflow_id = ? ORDER BY e.started_at DESC, e.id DESC LIMIT 1"""

_HIGHEST = """
SELECT is_active, (SELECT MAX(v.version) FROM workflow_versions AS v
                   WHERE v.tenant = workflows.tenant AND v.workflow_id = workflows.workflow_id AND v.is_saved)
FROM workflows WHERE tenant = ? AND workflow_id = ?"""

# A workflow that was deleted, and whose versions stay for the executions that ran them, is not found any more.
_ACTIVE = """EXISTS (SELECT 1 FROM workflows AS w WHERE w.tenant = workflow_versions.tenant
                  AND w.workflow_id = workflow_versions.workflow_id AND w.is_active)"""

_VERSION = f"""
SELECT workflow_id, version, name, definition, created_at FROM workflow_versions
WHERE tenant = ? AND workflow_id = ? AND version = ? AND is_saved AND {_ACTIVE}
ORDER BY created_at DESC, digest LIMIT 1"""  # noqa: S608

_VERSIONS = f"""
SELECT workflow_id, version, name, definition, created_at FROM workflow_versions
WHERE tenant = ? AND workflow_id = ? AND is_saved AND version < ? AND {_ACTIVE}
ORDER BY version DESC LIMIT ?"""  # noqa: S608

_LIST = f"""
SELECT workflow_id, version, name, definition, updated_at FROM workflows
WHERE tenant = ? AND is_active AND workflow_id > ? AND {_IS_SAVED} ORDER BY workflow_id LIMIT ?"""  # noqa: S608

_UNLIST = f"""
UPDATE workflows SET is_active = FALSE WHERE tenant = ? AND workflow_id = ? AND is_active
  AND NOT {_IS_SAVED}"""  # noqa: S608

_RESTORE = "UPDATE workflows SET is_active = TRUE WHERE tenant = ? AND workflow_id = ?"

_DELETE = "UPDATE workflows SET is_active = FALSE, updated_at = ? WHERE tenant = ? AND workflow_id = ? AND is_active"

_IDS = f"""
SELECT workflow_id FROM workflows WHERE tenant = ? AND is_active AND {_IS_SAVED}
ORDER BY workflow_id LIMIT 1000"""  # noqa: S608

LAST_VERSION = 2**31 - 1
"""The highest version that `create` gives."""

BEYOND_VERSIONS = 2**62
"""Higher than every version."""


@dataclass(frozen=True, slots=True)
class SavedWorkflow:
    """One version of a workflow.

    Attributes:
        workflow_id: The document's `workflowId`.
        version: The document's `version`; 1 if it names none.
        name: The document's name.
        definition: The document, whole, keys in their order.
        saved_at: When it was saved; of what was only run, when it was first run.
    """

    workflow_id: str
    version: int
    name: str
    definition: Mapping[str, Any]
    saved_at: datetime


class SqlWorkflows:
    """The workflows of a tenant."""

    def __init__(self, writer: TenantWriter, reader: TenantReader) -> None:
        self._writer = writer
        self._reader = reader

    async def save(self, definition: Mapping[str, Any], *, at: datetime) -> SavedWorkflow:
        """Save a version; the highest saved version is the current one. Saving the same content again is no change.

        Raises:
            UsageError: `workflowId` is missing, or the version is already saved with other content.
        """
        workflow_id, version = definition.get("workflowId"), definition.get("version", 1)
        if not isinstance(workflow_id, str) or not workflow_id:
            raise UsageError("the workflow has no workflowId: give it one, such as 'lead-enrichment'")
        if not isinstance(version, int) or isinstance(version, bool):
            raise UsageError(f"workflow '{workflow_id}': version must be a whole number")
        await self._writer.call(lambda tx: _save(tx, workflow_id, version, definition, at))
        return SavedWorkflow(workflow_id, version, _name(definition), definition, at)

    async def create(self, definition: Mapping[str, Any], *, at: datetime) -> SavedWorkflow | None:
        """Save the first version of a workflow. None if there is such a workflow.

        One that was deleted goes on behind its versions, which stay as they were: the answer says under which number.

        Args:
            definition: A document that was checked.
            at: The time.

        Raises:
            UsageError: It was deleted, and there is no higher version.
        """
        return await self._writer.call(lambda tx: _create(tx, definition, at))

    async def get(self, workflow_id: str, version: int | None = None) -> SavedWorkflow:
        """The current version, or the given one.

        Raises:
            UsageError: There is none; the message names what there is.
        """
        current = await self.current(workflow_id)
        if current is None:
            known = await self.ids()
            raise UsageError(f"there is no workflow '{workflow_id}'." + did_you_mean(workflow_id, known))
        if version is None:
            return current
        rows = await self._reader.rows(_VERSION, (self._reader.tenant, workflow_id, version))
        if rows:
            return _workflow(rows[0])
        numbers = ", ".join(str(saved.version) for saved in await self.versions(workflow_id))
        raise UsageError(f"workflow '{workflow_id}' has no version {version}. Saved: {numbers or 'none'}.")

    async def current(self, workflow_id: str) -> SavedWorkflow | None:
        """The current version; None if none was saved."""
        rows = await self._reader.rows(_CURRENT, (self._reader.tenant, workflow_id))
        return _workflow(rows[0]) if rows else None

    async def last_run(self, workflow_id: str) -> SavedWorkflow | None:
        """The document of the newest execution, saved or not; None if there is no execution, or it was deleted."""
        rows = await self._reader.rows(_LAST_RUN, (self._reader.tenant, workflow_id))
        return _workflow(rows[0]) if rows else None

    async def ids(self) -> Sequence[str]:
        """Ids of saved workflows, up to a thousand: enough to say which one may have been meant."""
        return [row[0] for row in await self._reader.rows(_IDS, (self._reader.tenant,))]

    async def newest(self, workflow_id: str) -> SavedWorkflow | None:
        """The highest version that was saved; None if none was."""
        found = await self.versions(workflow_id, limit=1)
        return found[0] if found else None

    async def versions(
        self, workflow_id: str, *, limit: int = 1000, before: int = BEYOND_VERSIONS
    ) -> Sequence[SavedWorkflow]:
        """Saved versions, the newest first, those before `before`."""
        values = (self._reader.tenant, workflow_id, before, limit)
        return [_workflow(row) for row in await self._reader.rows(_VERSIONS, values)]

    async def list(self, *, limit: int = 1_000_000, after: str = "") -> Sequence[SavedWorkflow]:
        """The current version of every saved workflow, by id, those after `after`."""
        return [_workflow(row) for row in await self._reader.rows(_LIST, (self._reader.tenant, after, limit))]

    async def delete(self, workflow_id: str, *, at: datetime) -> bool:
        """Take a workflow out of use: it is neither listed nor found, until it is saved again. False if there is none.

        What was executed stays as it is, with the documents that it ran.
        """
        place = (self._writer.tenant, workflow_id)
        return await self._writer.call(lambda tx: tx.db.execute(_DELETE, (tx.sql.time(at), *place)).rowcount) == 1


def remember_definition(
    tx: Transaction, workflow_id: str, version: int, definition: Mapping[str, Any], at: datetime
) -> str:
    """Keep the exact document that an execution runs, saved or not; returns its digest."""
    text = encode_json(definition)
    _insert(tx, workflow_id, version, definition, text, at, saved=False)
    return _digest(text)


def _create(tx: Transaction, definition: Mapping[str, Any], at: datetime) -> SavedWorkflow | None:
    workflow_id, version = definition["workflowId"], definition.get("version", 1)
    row = tx.db.execute(_HIGHEST, (tx.tenant, workflow_id)).fetchone()
    if row is not None and row[1] is not None:
        is_active, highest = row
        if is_active:
            return None
        if highest >= LAST_VERSION:
            raise UsageError(f"workflow '{workflow_id}' was deleted, and version {highest} is the last there can be")
        version = max(version, highest + 1)
        definition = {**definition, "version": version}
    _save(tx, workflow_id, version, definition, at)
    return SavedWorkflow(workflow_id, version, _name(definition), definition, at)


def _save(tx: Transaction, workflow_id: str, version: int, definition: Mapping[str, Any], at: datetime) -> None:
    text = encode_json(definition)
    known = tx.db.execute(_SAVED_DIGEST, (tx.tenant, workflow_id, version)).fetchone()
    if known is not None and known[0] != _digest(text):
        raise UsageError(
            f"workflow '{workflow_id}' version {version} is already saved with other content: raise its version"
        )
    _insert(tx, workflow_id, version, definition, text, at, saved=True)
    tx.db.execute(_RESTORE, (tx.tenant, workflow_id))
    if known is None:
        tx.db.execute(
            _MAKE_CURRENT,
            (tx.sql.text(_name(definition)), version, text, tx.sql.time(at), tx.tenant, workflow_id, version),
        )


def _insert(
    tx: Transaction,
    workflow_id: str,
    version: int,
    definition: Mapping[str, Any],
    text: str,
    at: datetime,
    *,
    saved: bool,
) -> None:
    name, when = tx.sql.text(_name(definition)), tx.sql.time(at)
    row_id = derived_id("workflow", workflow_id)
    # What has no nodes stands for something that is no workflow (a SEARCH), and is not listed.
    listed = saved or definition.get("nodes") != []
    tx.db.execute(_INSERT_WORKFLOW, (tx.tenant, row_id, workflow_id, name, version, text, listed, when, when))
    tx.db.execute(_INSERT_VERSION, (tx.tenant, workflow_id, version, _digest(text), name, text, saved, when))
    if not listed:
        tx.db.execute(_UNLIST, (tx.tenant, workflow_id))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _name(definition: Mapping[str, Any]) -> str:
    return str(definition.get("name") or definition.get("workflowId") or "")


def _workflow(row: Sequence[Any]) -> SavedWorkflow:
    workflow_id, version, name, definition, saved_at = row
    return SavedWorkflow(workflow_id, version, name, decode_json(definition), unstamp(saved_at))
