"""Secrets that can be recognised wherever they come out, and a vendor that gives back whatever it is sent."""

import asyncio
import base64
import html
import json
import logging
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import asyncpg
from aiohttp import web

AFTER = "/+&\"<~%41='"
"""Characters that are written otherwise in URLs, JSON, HTML."""


@dataclass(frozen=True)
class Canary:
    """A secret.

    Attributes:
        name: Where it is used.
        stem: A word that is nowhere else.
    """

    name: str
    stem: str

    @property
    def text(self) -> str:
        """The secret itself."""
        return f"Kx{self.stem}{AFTER}"

    def traces(self) -> Iterator[bytes]:
        """What is found of it however it is written, and of each half of it."""
        middle = len(self.stem) // 2
        yield from (part.encode() for part in (self.stem[:middle], self.stem[middle:], self.stem[::-1]))
        yield self.stem.encode().hex().encode()
        for offset in range(3):
            # The characters of base64 that depend on nothing before or behind.
            packed = base64.b64encode(b"\0" * offset + self.stem.encode())
            yield packed[4 if offset else 0 : -4]


STEMS = (
    *("qzwvxkpjbtrh", "hvkqzjxwpbnd", "wjxqvzkhbpfg", "zxqjkvwbhplm", "kqjzwxvhbprs", "vzqxjwkbhpty", "xwzqkjvbhpcd"),
    *("jqxzvkwhbpgn", "qvxjzwkbhpkl", "wzkqxvjbhpsd", "zvjqwkxbhpfr", "kzxvqjwbhpmn", "vkzjxqwbhpvc", "xqvzkwjbhpxz"),
    *("jzqwkvxbhplk", "qkwzvjxbhpnm", "wvzkjqxbhpqw", "zkvwqxjbhper", "kvqwzjxbhptr", "vqkxzwjbhpyu", "xjvqwzkbhpio"),
)


class Aviary:
    """Canaries by name."""

    def __init__(self, names: Iterable[str]) -> None:
        names = list(names)
        assert len(names) <= len(STEMS)
        self.canaries = [Canary(name, stem) for name, stem in zip(names, STEMS, strict=False)]
        self._by_name = {canary.name: canary for canary in self.canaries}

    def __getitem__(self, name: str) -> str:
        return self._by_name[name].text

    def add(self, name: str, text: str) -> None:
        """One more that nobody chose: its middle must be nowhere."""
        self.canaries.append(Canary(name, text))

    def found_in(self, places: Iterable[tuple[str, bytes]]) -> list[str]:
        """Which canaries are where."""
        traces = [(canary.name, trace) for canary in self.canaries for trace in canary.traces()]
        return sorted({f"{name} in {place}" for place, data in places for name, trace in traces if trace in data})


async def rows_of(url: str) -> Sequence[tuple[str, bytes]]:
    """Every cell of every table of a PostgreSQL database, whoever it belongs to, unpacked."""
    db = await asyncpg.connect(url)
    try:
        tables = await db.fetch("SELECT schemaname, tablename FROM pg_tables WHERE schemaname !~ '^(pg_|information_)'")
        return [
            (f"{table}.{column}", data)
            for schema, table in tables
            for row in await db.fetch(f'SELECT * FROM "{schema}"."{table}"')
            for column, cell in row.items()
            for data in _readings(cell)
        ]
    finally:
        await db.close()


def files_below(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file, byte for byte; every cell of a database, unpacked."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.name, path.read_bytes()
        if path.suffix == ".db":
            yield from _cells(path)


def _cells(path: Path) -> Iterator[tuple[str, bytes]]:
    with sqlite3.connect(path) as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            cursor = db.execute(f'SELECT * FROM "{table}"')
            columns = [column[0] for column in cursor.description]
            for row in cursor:
                for column, cell in zip(columns, row, strict=True):
                    yield from ((f"{table}.{column}", data) for data in _readings(cell))
    db.close()


def _readings(cell: Any) -> Iterator[bytes]:
    yield cell if isinstance(cell, bytes) else str(cell).encode()
    if isinstance(cell, bytes) and cell[:1] in (b"\x58", b"\x78", b"\x48", b"\x68"):
        yield _unpacked(cell)


def _unpacked(cell: bytes) -> bytes:
    try:
        return zlib.decompress(cell)
    except zlib.error:
        return b""


def log_lines(records: Iterable[logging.LogRecord]) -> Iterator[tuple[str, bytes]]:
    """Everything that was logged, with tracebacks and arguments."""
    formatter = logging.Formatter()
    for record in records:
        yield f"log {record.name}", f"{formatter.format(record)} {record.args!r}".encode()


@dataclass
class Parrot:
    """A vendor that repeats requests; the first part of the path says how.

    Attributes:
        token: What it gives out as an OAuth token.
        heard: Headers, queries and bodies of requests.
    """

    token: str
    heard: list[str] = field(default_factory=list)
    url: str = ""

    async def start(self) -> None:
        """Listen on a free port."""
        self._runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """End."""
        await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        body = (await request.read()).decode()
        query = list(request.query.values())
        secret = request.headers.get("Authorization") or request.headers.get("X-Api-Key") or "".join(query)
        said = {
            "error": {"code": secret, "message": f"not with {secret}", "type": secret},
            "code": secret,
            "headers": dict(request.headers),
            "query": request.rel_url.raw_query_string,
            "plain": dict(request.query),
            "body": body,
            "form": parse_qs(body) if "form" in request.content_type else None,
            "page": html.escape(f"not with {secret}"),
            "filler": "x" * 2000,
        }
        self.heard += [secret, *query, *request.headers.values(), body]
        _, mode, *rest = request.path.split("/")
        if rest[-1:] == ["token"] and mode != "token":
            return web.json_response({"access_token": self.token, "expires_in": 3600, "token_type": "bearer"})
        return await self._in_mode(mode, request, said)

    async def _in_mode(self, mode: str, request: web.BaseRequest, said: dict) -> web.StreamResponse:
        headers = {"X-Echo": said["code"].replace("\n", "")}
        match mode:
            case "hang":
                await asyncio.sleep(30)
            case "cut":
                response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "9999999"})
                await response.prepare(request)
                await response.write(json.dumps(said).encode())
                assert request.transport is not None
                request.transport.close()
                return response
            case "redirect":
                return web.Response(
                    status=302, headers={"Location": f"ftp://there.example.com/?{request.rel_url.raw_query_string}"}
                )
            case "html":
                return web.Response(status=500, text=html.escape(json.dumps(said)), content_type="text/html")
            case "garbage":
                return web.Response(text=f"so: {said}", content_type="application/json", headers=headers)
            case "token":
                return web.json_response({"error": said["body"], "error_description": said["form"]}, status=400)
            case "ok":
                return web.json_response(said, headers=headers)
        return web.json_response(said, status=int(mode), headers=headers)
