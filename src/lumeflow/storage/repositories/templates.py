"""Templates of workflows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lumeflow.storage.codec import decode_json, encode_json, optional_unstamp
from lumeflow.storage.jobs import Transaction
from lumeflow.storage.scoped import TenantReader, TenantWriter

_COLUMNS = "id, name, description, category, definition, is_system_template, version, created_at, updated_at"

_PUT = f"""
INSERT INTO workflow_templates (tenant, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant, id) DO UPDATE SET name = excluded.name, description = excluded.description,
  category = excluded.category, definition = excluded.definition, is_system_template = excluded.is_system_template,
  version = excluded.version, updated_at = excluded.updated_at"""  # noqa: S608 - constants, as below

_GET = f"SELECT {_COLUMNS} FROM workflow_templates WHERE tenant = ? AND id = ?"  # noqa: S608

_LIST = f"SELECT {_COLUMNS} FROM workflow_templates WHERE tenant = ? AND id > ? ORDER BY id LIMIT ?"  # noqa: S608

_LIST_CATEGORY = f"""
SELECT {_COLUMNS} FROM workflow_templates WHERE tenant = ? AND category = ? AND id > ? ORDER BY id LIMIT ?"""  # noqa: S608

_DELETE = "DELETE FROM workflow_templates WHERE tenant = ? AND id = ?"


@dataclass(frozen=True, slots=True)
class Template:
    """A template.

    Attributes:
        id: Its id.
        name: For people.
        definition: The document with its placeholders, whole.
        description: What it is for.
        category: To find it by.
        is_system_template: True if it came with lumeflow.
        version: From 1.
        created_at: When it was first stored.
        updated_at: When it was last stored.
    """

    id: str
    name: str
    definition: Mapping[str, Any]
    description: str | None = None
    category: str | None = None
    is_system_template: bool = False
    version: int = 1
    created_at: datetime | None = None
    updated_at: datetime | None = None


class SqlTemplates:
    """The templates of one tenant."""

    def __init__(self, writer: TenantWriter, reader: TenantReader) -> None:
        self._writer = writer
        self._reader = reader

    async def put(self, template: Template, *, at: datetime) -> None:
        """Store a template, or overwrite the one of this id."""
        one = template
        tenant = self._writer.tenant

        def action(tx: Transaction) -> None:
            words = (one.id, one.name, one.description, one.category, encode_json(one.definition))
            now = tx.sql.time(at)
            tx.db.execute(_PUT, (tenant, *words, one.is_system_template, one.version, now, now))

        await self._writer.call(action)

    async def get(self, template_id: str) -> Template | None:
        """One template."""
        rows = await self._reader.rows(_GET, (self._reader.tenant, template_id))
        return _template(rows[0]) if rows else None

    async def list(self, *, category: str | None = None, limit: int = 100, after: str = "") -> Sequence[Template]:
        """Templates by id, those after `after`."""
        tenant = self._reader.tenant
        if category is None:
            rows = await self._reader.rows(_LIST, (tenant, after, limit))
        else:
            rows = await self._reader.rows(_LIST_CATEGORY, (tenant, category, after, limit))
        return [_template(row) for row in rows]

    async def delete(self, template_id: str) -> bool:
        """Forget a template; False if there is none."""
        place = (self._writer.tenant, template_id)
        return await self._writer.call(lambda tx: tx.db.execute(_DELETE, place).rowcount) == 1


def _template(row: Sequence[Any]) -> Template:
    id_, name, description, category, definition, is_system, version, created_at, updated_at = row
    times = (optional_unstamp(created_at), optional_unstamp(updated_at))
    return Template(id_, name, decode_json(definition), description, category, bool(is_system), version, *times)
