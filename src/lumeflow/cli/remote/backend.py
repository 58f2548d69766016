"""Commands on a server: every question is one to its API."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson

from lumeflow.cli.backend import Blocks, Order, Start, StoredFile
from lumeflow.cli.inputs import json_object
from lumeflow.cli.remote import stream
from lumeflow.cli.remote.address import Address
from lumeflow.cli.remote.answers import report_of, understood
from lumeflow.cli.remote.client import Client, Notice, open_client
from lumeflow.cli.remote.counting import counter_of
from lumeflow.cli.remote.errors import Refused
from lumeflow.cli.remote.paths import EXECUTIONS, WORKFLOWS, execution_path, part
from lumeflow.cli.remote.reading import event_of, record_of, result_of, summary_of
from lumeflow.cli.remote.watching import Watch
from lumeflow.cli.target import Write
from lumeflow.cli.writers import Layout
from lumeflow.core.errors import UsageError
from lumeflow.core.events import Event
from lumeflow.core.findings import InvalidWorkflow, Report
from lumeflow.core.journal import ExecutionSummary, KeptRecord, Mode, RecordKind, Status, Timeline
from lumeflow.core.progress import ProgressListener
from lumeflow.core.records import JsonObject
from lumeflow.core.result import ExecutionResult

JSON = {"Content-Type": "application/json"}
PAGE = 1000
FIRST_BYTE_SECONDS = 300.0
"""A file's columns are known only once all records were read: the server may be silent for as long."""


@asynccontextmanager
async def open_backend(address: Address, notice: Notice) -> AsyncIterator["RemoteBackend"]:
    """Open a server; nothing is sent yet."""
    async with open_client(address, notice) as client:
        yield RemoteBackend(client)


class RemoteBackend:
    """Works on a server; see `Backend`."""

    runs_alone = True

    def __init__(self, client: Client) -> None:
        self._client = client

    async def validate(self, document: bytes | str) -> Report:
        """See `Backend.validate`."""
        return await self._validate(document, Mode.LIVE)

    async def run(self, order: Order) -> Start:
        """See `Backend.run`."""
        path, wanted, name = await self._request(order)
        return self._starting(path, wanted, name=name)

    async def submit(self, order: Order) -> str:
        """See `Backend.submit`."""
        path, wanted, name = await self._request(order)
        return await self._started(path, wanted, str(uuid4()), name)

    async def _request(self, order: Order) -> tuple[str, Mapping[str, Any], str | None]:
        """What starts an execution: a path, a body, and the workflow's name if it is not a document that is sent.

        A document is checked, and then started as it is: no version of it is saved.
        """
        document = order.document
        if isinstance(document, bytes):
            # As bytes: the reader of documents tells more of a bad one than can be told of what was read from it.
            report = await self._validate(document, order.mode)
            if not report.ok:
                raise InvalidWorkflow(report)
            wanted: dict[str, Any]
            path, wanted = f"{WORKFLOWS}/execute", {"workflow": json_object(document, "the workflow")}
        else:
            path, wanted = f"{WORKFLOWS}/{part(document)}/execute", {}
        self._warn_of_paths(order)
        uploads = {key: await self._upload(file) for key, file in order.files.items()}
        wanted |= {
            "input": {**order.input, **uploads},
            "mode": str(order.mode),
            "variables": order.variables,
            "mocks": order.mocks or {},
            "executionId": order.execution_id,
            "now": None if order.now is None else order.now.isoformat(),
        }
        return path, wanted, document if isinstance(document, str) else None

    async def resume(self, execution_id: str, limits: JsonObject) -> Start:
        """See `Backend.resume`."""
        path = f"{execution_path(execution_id)}/resume"

        async def start(listen: ProgressListener, cancel: asyncio.Event) -> ExecutionResult:
            try:
                told = await self._post(path, {"limits": limits})
            except Refused as error:
                result = await self.result(execution_id)
                if error.code != "not-resumable" or result.status is not Status.COMPLETED:
                    raise
                return result  # nothing is left to be done
            with understood(self._client.url):
                since = datetime.fromisoformat(told["queuedAt"])
            return await Watch(self._client, execution_id, self.result, since).to_end(listen, cancel)

        return start

    async def rerun(self, execution_id: str, from_node: str | None, new_id: str | None) -> Start:
        """See `Backend.rerun`."""
        wanted: dict[str, Any] = {"executionId": new_id}
        if from_node is None:
            return self._starting(f"{execution_path(execution_id)}/rerun-failed", wanted)
        return self._starting(f"{execution_path(execution_id)}/rerun", {**wanted, "fromNode": from_node})

    async def watch(self, execution_id: str) -> Start:
        """See `Backend.watch`."""
        await self.result(execution_id)  # if the server is not there, or the execution, that is told at once
        return Watch(self._client, execution_id, self.result).until_left

    async def cancel(self, execution_id: str) -> Status:
        """See `Backend.cancel`."""
        told = await self._post(f"{execution_path(execution_id)}/cancel", {})
        with understood(self._client.url):
            return Status(told["status"])

    async def executions(self, *, limit: int, before: str | None) -> Sequence[ExecutionSummary]:
        """See `Backend.executions`."""
        query = {"limit": str(limit)} | ({} if before is None else {"before": before})
        told = await self._get(EXECUTIONS, query)
        with understood(self._client.url):
            return [summary_of(entry) for entry in told["items"]]

    async def result(self, execution_id: str) -> ExecutionResult:
        """See `Backend.result`."""
        answer = await self._client.call("GET", execution_path(execution_id))
        with understood(self._client.url):
            return result_of(answer.exact(), answer.json()["output"])

    async def timeline(self, execution_id: str, *, after: int, limit: int) -> Timeline:
        """See `Backend.timeline`."""
        found: list[tuple[int, Event]] = []
        while len(found) < limit:
            size = min(PAGE, limit - len(found))
            query = {"limit": str(size), "after": str(after)}
            told = await self._get(f"{execution_path(execution_id)}/timeline", query)
            with understood(self._client.url):
                page = [event_of(entry) for entry in told["items"]]
                if page and page[-1][0] <= after:
                    raise ValueError("the pages do not go on")
            found += page
            if len(page) < size:
                break
            after = page[-1][0]
        return Timeline(tuple(found))

    async def kept(self, execution_id: str, kind: RecordKind, node_id: str | None) -> AsyncIterator[KeptRecord]:
        """See `Backend.kept`."""
        query = {"format": "jsonl"} | ({} if node_id is None else {"node": node_id})
        path = f"{execution_path(execution_id)}/records/{kind}/download"
        async with self._client.stream(path, query=query, silent=FIRST_BYTE_SECONDS) as pieces:
            async for line in stream.lines(pieces):
                with understood(self._client.url):
                    record = record_of(kind, orjson.loads(line))
                yield record

    async def write_output(self, execution_id: str, layout: Layout, write: Write) -> int:
        """See `Backend.write_output`. The server writes the file: it knows which lists of numbers are embeddings."""
        query = {"format": str(layout.form)}
        query |= {name: "true" for name, is_set in (("raw", layout.raw), ("embeddings", layout.embeddings)) if is_set}
        path = f"{execution_path(execution_id)}/records/output/download"
        counter = counter_of(layout.form)
        async with self._client.stream(path, query=query, silent=FIRST_BYTE_SECONDS) as pieces:
            async for piece in pieces:
                counter.see(piece)
                write(piece)
        return counter.records

    async def files(self, execution_id: str) -> Sequence[StoredFile]:
        """See `Backend.files`."""
        told = await self._get(f"{execution_path(execution_id)}/artifacts")
        with understood(self._client.url):
            return [
                StoredFile(str(entry["name"]), int(entry["size"]), datetime.fromisoformat(entry["createdAt"]))
                for entry in told["items"]
            ]

    async def write_file(self, execution_id: str, name: str, write: Write) -> int:
        """See `Backend.write_file`."""
        size = 0
        async with self._client.stream(f"{execution_path(execution_id)}/artifacts/{part(name)}") as pieces:
            async for piece in pieces:
                write(piece)
                size += len(piece)
        return size

    async def blocks(self) -> Blocks:
        """See `Backend.blocks`."""
        told = await self._get(f"{WORKFLOWS}/blocks")
        with understood(self._client.url):
            return Blocks(
                [{key: entry[key] for key in ("id", "type", "name", "when", "summary")} for entry in told["items"]]
            )

    async def blocks_called(self, name: str) -> Sequence[Mapping[str, Any]]:
        """See `Backend.blocks_called`."""
        from lumeflow.cli.block_views import FULL, called

        found = []
        for entry in called(name, (await self.blocks()).blocks):
            told = await self._get(
                f"{WORKFLOWS}/blocks/{part(str(entry['type']))}/{part(str(entry['name']))}/reference"
            )
            with understood(self._client.url):
                found.append({key: told[key] for key in FULL})
        return found

    async def schema(self) -> Mapping[str, Any]:
        """See `Backend.schema`."""
        return await self._get("/api/schemas/workflow-v1.json")

    async def _validate(self, document: bytes | str, mode: Mode) -> Report:
        query = {"mode": str(mode)}
        if isinstance(document, bytes):
            answer = await self._client.call("POST", f"{WORKFLOWS}/validate", query=query, body=document, headers=JSON)
        else:
            path = f"{WORKFLOWS}/{part(document)}/validate"
            answer = await self._client.call("POST", path, query=query, body=b"", headers=JSON)
        with understood(self._client.url):
            return report_of(answer.json())

    def _warn_of_paths(self, order: Order) -> None:
        """Say so where the input names a file that is here and not there."""
        value = order.input.get("file")
        with suppress(OSError):  # a text that is too long for a path is none
            if isinstance(value, str) and Path(value).is_file():
                self._client.notice(f"'{value}' is a file of this machine: hand it over by --upload file={value}")

    async def _upload(self, file: Path) -> str:
        """Upload a file; returns the id by which an input names it.

        Raises:
            UsageError: It cannot be read, or the server does not take it.
        """
        headers = {"Content-Type": "application/octet-stream"}
        try:
            answer = await self._client.call(
                "POST", "/api/uploads", query={"name": file.name}, body=file, headers=headers
            )
        except OSError as error:
            raise UsageError(f"'{file}' cannot be read: {error.strerror}.") from error
        with understood(self._client.url):
            return str(answer.json()["id"])

    def _starting(self, path: str, wanted: Mapping[str, Any], *, name: str | None = None) -> Start:
        """Has an execution started: once, however often the request has to be sent."""
        key = str(uuid4())

        async def start(listen: ProgressListener, cancel: asyncio.Event) -> ExecutionResult:
            execution_id = await self._started(path, wanted, key, name)
            return await Watch(self._client, execution_id, self.result).to_end(listen, cancel)

        return start

    async def _started(self, path: str, wanted: Mapping[str, Any], key: str, name: str | None) -> str:
        """Start an execution; returns its id.

        Raises:
            UsageError: There is no workflow of this name, or it is refused.
        """
        try:
            told = await self._post(path, wanted, {"Idempotency-Key": key})
        except Refused as error:
            if name is not None and error.code == "not-found":
                raise UsageError(f"there is no file '{name}', and on {self._client.url} {error}") from None
            raise
        with understood(self._client.url):
            return str(told["executionId"])

    async def _get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        return (await self._client.call("GET", path, query=query)).json()

    async def _post(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        given = {key: value for key, value in body.items() if value is not None}
        answer = await self._client.call("POST", path, body=orjson.dumps(given), headers={**JSON, **(headers or {})})
        return answer.json()
