"""Failed and skipped records of an execution, for people and for programs."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any

import typer

from lumeflow.cli.backend import Backend
from lumeflow.cli.shell import Shell, out, run_async, write_out
from lumeflow.core.journal import KeptRecord, RecordKind
from lumeflow.kit.json_text import dump_json

DEFAULT_LIMIT = 50

LimitOption = Annotated[int, typer.Option("--limit", min=1, help="Most lines for people; --json lists all.")]


def list_kept(shell: Shell, execution_id: str, kind: RecordKind, *, node: str | None, limit: int) -> int:
    """List records of one kind: all of them with their data as JSON, or the first with their reason."""

    async def work() -> None:
        async with shell.backend() as backend:
            await backend.result(execution_id)
            async with aclosing(_read(backend, execution_id, kind, node)) as records:
                if shell.as_json:
                    await _write(records, execution_id, kind)
                else:
                    await _print(records, kind, limit)

    run_async(work())
    return 0


async def _read(
    backend: Backend, execution_id: str, kind: RecordKind, node: str | None
) -> AsyncGenerator[KeptRecord, None]:
    async for record in backend.kept(execution_id, kind, node):
        yield record


async def _write(records: AsyncIterator[KeptRecord], execution_id: str, kind: RecordKind) -> None:
    """Write one JSON object, record by record."""
    head = dump_json({"executionId": execution_id, "kind": str(kind)})
    write_out(head[:-1] + b',"records":[')
    comma = b""
    async for record in records:
        write_out(comma + dump_json(kept_json(record)))
        comma = b","
    write_out(b"]}\n")


def kept_json(record: KeptRecord) -> dict[str, Any]:
    """A kept record as JSON, with its data."""
    return {
        "node": record.node_id,
        "position": record.position,
        "lineage": list(record.lineage),
        "class": record.error_class,
        "reason": record.reason,
        "data": record.data,
    }


async def _print(records: AsyncIterator[KeptRecord], kind: RecordKind, limit: int) -> None:
    from lumeflow.cli.results import plain_table

    table = plain_table("node", "record", "class", "reason")
    table.columns[1].justify = "right"
    number = 0
    async for record in records:
        number += 1
        if number <= limit:
            table.add_row(record.node_id, str(record.position), record.error_class or "", record.reason or "")
    console = out()
    if not number:
        console.print(f"no {kind} records")
        return
    console.print(table)
    if number > limit:
        console.print(f"{number - limit:,} more; --limit {number} or --json lists them", style="dim")
