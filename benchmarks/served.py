"""`lumeflow serve` in a process of its own, on a folder with keys of two tenants and audiences to run on."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lumeflow import Settings, open_app
from lumeflow.server.keys import make_key
from lumeflow.workflows import PLAN

EXECUTE = f"/api/workflows/{PLAN}/execute"
EXECUTIONS = "/api/workflows/executions"
INPUT = {"sourceAudienceId": "bench"}
AUDIENCE = {"id": "bench", "name": "bench", "type": "instagram"}
UNLIMITED = "1000000"


@dataclass(frozen=True, slots=True)
class Served:
    """A running server.

    Attributes:
        url: Its address.
        process: Its process id.
        keys: API keys by tenant.
    """

    url: str
    process: int
    keys: dict[str, str]

    def cpu(self) -> float:
        """Processor seconds that it has used so far, all its threads together."""
        # The clock of another process, as `clock_getcpuclockid` makes it: bits 3 and up hold the inverted process id.
        return time.clock_gettime((~self.process << 3) | 2)

    def peak_mb(self) -> float:
        """The most memory that it has held."""
        lines = Path(f"/proc/{self.process}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

    def waited(self) -> float:
        """Seconds that its first thread, the one with the event loop, stood ready and had no processor."""
        return int(Path(f"/proc/{self.process}/schedstat").read_text().split()[1]) / 1e9


async def prepare(folder: Path, tenants: Sequence[str], urls: Sequence[str], db: str | None = None) -> dict[str, str]:
    """Make the database, the audience `bench` for each tenant, and a key for each."""
    keys = {}
    async with open_app(Settings.from_environment({}, data_dir=folder, db=db)) as app:
        for tenant in tenants:
            theirs = app.of(tenant).database
            await theirs.tables.upsert("source_audiences", [{**AUDIENCE, "urls": list(urls)}], key=["id"])
            keys[tenant], _ = await make_key(theirs, name="bench", at=datetime.now(UTC))
    return keys


@contextmanager
def serving(
    folder: Path, tenants: Sequence[str], urls: Sequence[str], *options: str, db: str | None = None
) -> Iterator[Served]:
    """Start it, and end it."""
    keys = asyncio.run(prepare(folder, tenants, urls, db))
    more = ("--db", db) if db else ()
    process = subprocess.Popen(
        [sys.executable, "-m", "lumeflow", "serve", "--port", "0", *options, *more],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "LUMEFLOW_DATA_DIR": str(folder), "LUMEFLOW_RATE_LIMIT": UNLIMITED, "NO_COLOR": "1"},
    )
    try:
        assert process.stdout is not None
        yield Served(process.stdout.readline().split()[-1], process.pid, keys)
    finally:
        process.terminate()
        process.wait(30)


def say(text: str = "") -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def percentile(values: Sequence[float], share: float) -> Any:
    """The value that so large a share does not exceed."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]
