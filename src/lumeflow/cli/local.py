"""Commands on a database of this machine: the app does the work."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lumeflow.cli.backend import Blocks, Order, Start, StoredFile
from lumeflow.cli.picture import Picture
from lumeflow.cli.target import Write
from lumeflow.cli.writers import Format, Layout, write_csv, write_json, write_jsonl
from lumeflow.core.errors import UsageError
from lumeflow.core.findings import Report
from lumeflow.core.journal import ExecutionSummary, KeptRecord, Mode, RecordKind, Status, Timeline
from lumeflow.core.progress import ProgressListener
from lumeflow.core.records import JsonObject
from lumeflow.core.result import ExecutionResult
from lumeflow.preparation.lookup import find_document

if TYPE_CHECKING:
    from lumeflow.app import App
    from lumeflow.storage.files import WrittenFile

PIECE_BYTES = 1 << 18


class LocalBackend:
    """Works on an open app; see `Backend`."""

    runs_alone = False

    def __init__(self, app: "App") -> None:
        self._app = app

    async def validate(self, document: bytes | str) -> Report:
        """See `Backend.validate`."""
        return self._app.validate(await self._source(document))

    async def run(self, order: Order) -> Start:
        """See `Backend.run`."""
        workflow = self._app.load(await self._source(order.document), mode=Mode(order.mode))
        given = {**order.input, **{key: str(path) for key, path in order.files.items()}}
        return lambda listen, cancel: self._app.execute(
            workflow,
            given,
            mode=order.mode,
            mocks=order.mocks,
            execution_id=order.execution_id,
            now=order.now,
            variables=order.variables,
            on_progress=listen,
            cancel=cancel,
        )

    async def submit(self, order: Order) -> str:
        """See `Backend.submit`. What was queued reads no paths of this machine, whoever runs it."""
        from lumeflow.service import ExecutionService

        if order.files:
            raise UsageError("--upload: what is queued reads uploads alone, which a server takes: leave out --detach.")
        return await ExecutionService(self._app).submit(
            self._app.database.tenant,
            await self._source(order.document),
            order.input,
            mode=order.mode,
            mocks=order.mocks,
            variables=order.variables,
            now=order.now,
            execution_id=order.execution_id,
        )

    async def resume(self, execution_id: str, limits: JsonObject) -> Start:
        """See `Backend.resume`."""
        return lambda listen, cancel: self._app.resume(execution_id, limits=limits, on_progress=listen, cancel=cancel)

    async def rerun(self, execution_id: str, from_node: str | None, new_id: str | None) -> Start:
        """See `Backend.rerun`."""
        return lambda listen, cancel: self._app.rerun(
            execution_id, from_node=from_node, new_id=new_id, on_progress=listen, cancel=cancel
        )

    async def watch(self, execution_id: str) -> Start:
        """See `Backend.watch`."""
        await self._app.stored(execution_id)
        return lambda listen, left: self._until_left(execution_id, listen, left)

    async def cancel(self, execution_id: str) -> Status:
        """See `Backend.cancel`."""
        from lumeflow.service import ExecutionService

        return await ExecutionService(self._app).cancel(self._app.database.tenant, execution_id)

    async def executions(self, *, limit: int, before: str | None) -> Sequence[ExecutionSummary]:
        """See `Backend.executions`."""
        return await self._app.executions(limit=limit, before=before)

    async def result(self, execution_id: str) -> ExecutionResult:
        """See `Backend.result`."""
        return await self._app.result(execution_id)

    async def timeline(self, execution_id: str, *, after: int, limit: int) -> Timeline:
        """See `Backend.timeline`."""
        await self._app.stored(execution_id)
        return await self._app.database.journal.timeline(execution_id, after=after, limit=limit)

    def kept(self, execution_id: str, kind: RecordKind, node_id: str | None) -> AsyncIterator[KeptRecord]:
        """See `Backend.kept`."""
        return self._app.kept_records(execution_id, kind, node_id)

    async def write_output(self, execution_id: str, layout: Layout, write: Write) -> int:
        """See `Backend.write_output`."""
        if layout.form is Format.CSV:
            return await write_csv(
                lambda: self._app.output_records(execution_id), write, raw=layout.raw, embeddings=layout.embeddings
            )
        write_records = write_json if layout.form is Format.JSON else write_jsonl
        return await write_records(self._app.output_records(execution_id), write)

    async def files(self, execution_id: str) -> Sequence[StoredFile]:
        """See `Backend.files`."""
        found = await self._written(execution_id)
        return [StoredFile(file.name, file.size, datetime.fromtimestamp(file.changed, UTC)) for file in found]

    async def write_file(self, execution_id: str, name: str, write: Write) -> int:
        """See `Backend.write_file`."""
        for file in await self._written(execution_id):
            if file.name == name:
                return await asyncio.to_thread(_copy, file.path, write)
        raise UsageError(f"there is no file '{name[:80]}' of this execution.")

    async def _written(self, execution_id: str) -> "Sequence[WrittenFile]":
        await self._app.stored(execution_id)
        return await asyncio.to_thread(self._app.database.files(execution_id).written)

    async def blocks(self) -> Blocks:
        """See `Backend.blocks`."""
        from lumeflow.cli import block_views

        problems = self._app.plugin_problems
        return Blocks(
            [block_views.brief(block) for block in self._app.registry.blocks()],
            [{"plugin": problem.name, "error": problem.error} for problem in problems],
        )

    async def blocks_called(self, name: str) -> Sequence[Mapping[str, Any]]:
        """See `Backend.blocks_called`."""
        from lumeflow.cli import block_views
        from lumeflow.reference import used_in
        from lumeflow.workflows import documents

        registry = self._app.registry
        used = used_in(documents(), registry)
        found = block_views.called(name, [block_views.brief(block) for block in registry.blocks()])
        ids = {entry["id"] for entry in found}
        return [
            block_views.full(block, registry, used.get(block.id(), ()))
            for block in registry.blocks()
            if block.id() in ids
        ]

    async def schema(self) -> Mapping[str, Any]:
        """See `Backend.schema`."""
        from lumeflow.core.document import document_schema

        return document_schema(self._app.registry)

    async def _until_left(self, execution_id: str, listen: ProgressListener, left: asyncio.Event) -> ExecutionResult:
        """Follow an execution that another process runs, by its events."""
        from lumeflow.service import EventUpdate, ExecutionService

        picture = Picture(execution_id)
        listen(picture.progress)

        async def follow() -> None:
            updates = ExecutionService(self._app).watch(self._app.database.tenant, execution_id)
            async for update in updates:
                if isinstance(update, EventUpdate):
                    picture.see_event(update.event)
                    listen(picture.progress)

        following = asyncio.create_task(follow())
        leaving = asyncio.create_task(left.wait())
        try:
            await asyncio.wait({following, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                await following
        finally:
            for task in (following, leaving):
                task.cancel()
            await asyncio.gather(following, leaving, return_exceptions=True)
        result = await self.result(execution_id)
        picture.see_end(result)
        listen(picture.progress)
        return result

    async def _source(self, document: bytes | str) -> bytes | Mapping[str, Any]:
        """The document, or the one that a name means: saved in the database, or installed.

        Raises:
            UsageError: There is neither.
        """
        if isinstance(document, bytes):
            return document
        try:
            return await find_document(self._app.database.workflows, document)
        except UsageError as error:
            raise UsageError(f"there is no file '{document}', and {error}") from None


def _copy(path: Path, write: Write) -> int:
    size = 0
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                write(piece)
                size += len(piece)
    except FileNotFoundError:
        raise UsageError("the file is not there any more.") from None
    return size
