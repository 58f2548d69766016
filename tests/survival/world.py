"""The world of these tests: a simulator process, the command line as a user has it, and what must hold after a crash."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from lumeflow.simulator.faults import DEFAULT_FAULT_KINDS
from lumeflow.workflows import source

EXECUTION = "survivor"
NOW = "2026-01-09T10:00:00Z"
PAID_MODEL = b"openai/gpt-5-mini"
FREE_MODEL = b"mistralai/mistral-7b-instruct:free"
THOROUGH = os.environ.get("LUMEFLOW_SURVIVAL") == "all"
"""True for the long form of these tests: more crashes, minutes instead of seconds."""
WAIT = 150.0
"""Seconds after which a process is taken to hang."""

SAME_OPERATION = {
    "apify/start-run": "apify/run-start",
    "apollo/people-match": "apollo/people-match",
    "hunter/email-finder": "hunter/email-finder",
    "openrouter/chat": "openrouter/chat",
    "mixedbread/embeddings": "mixedbread/embeddings",
}
"""Paid operations of the product, and what the simulator's bill calls them."""


class Simulator:
    """`lumeflow simulate` in a process of its own.

    Args:
        environ: Environment of the process.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lumeflow", "simulate", "--port", "0", "--json"],
            env=dict(environ),
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self.url: str = json.loads(self._process.stdout.readline())["url"]

    def reset(self, **settings: Any) -> None:
        """Forget everything, and behave by these settings from now on."""
        self.wait_for_calls()
        self._ask("POST", "reset", DEFAULTS | settings)

    def bill(self) -> "Bill":
        """Everything that was received and charged, once no call is under way."""
        self.wait_for_calls()
        return Bill(self._ask("GET", "bill"))

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait(WAIT)
        assert self._process.stdout is not None
        self._process.stdout.close()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Within it, no vendor answers; afterwards all do what they were asked for."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def wait_for_calls(self) -> None:
        """Return when no call is under way."""
        # A vendor goes on working when its customer is gone.
        deadline = time.monotonic() + WAIT
        while self._ask("GET", "bill")["totals"]["inFlight"] and time.monotonic() < deadline:
            time.sleep(0.01)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_simulator/{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=WAIT) as answer:
            return json.loads(answer.read())


DEFAULTS: dict[str, Any] = {
    "seed": 7,
    "commentsPerUrl": 20,
    "latencyScale": 0.1,
    "rateScale": 1.0,
    "limits": {"apollo": [[400, 1.0]], "hunter": [[200, 1.0]], "openrouter": [[100, 1.0]], "mixedbread": [[100, 1.0]]},
    "latencies": {},
    "firstItemAfter": 0.1,
    "itemsPerSecond": 2000.0,
    "budgets": {},
    "faultRate": 0.0,
    "faultKinds": [kind.value for kind in DEFAULT_FAULT_KINDS],
    "faultHang": 30.0,
    "faultRetryAfter": 0,
}
"""Settings of the simulator, fast but limited; a reset changes those that a test names."""


_ANSWERED = "SELECT count(*) FROM effects WHERE state = 'answered' AND operation LIKE '{}'"


@dataclass(frozen=True)
class Bill:
    """What the vendors say. See docs/simulator.md."""

    data: Mapping[str, Any]

    @property
    def usd(self) -> Decimal:
        """All charges."""
        return Decimal(self.data["totals"]["charges"]["USD"])

    @property
    def calls(self) -> int:
        """Requests received."""
        return int(self.data["totals"]["calls"])

    def count(self, operation: str, name: str) -> int:
        """A count of one operation."""
        provider = self.data["providers"].get(operation.partition("/")[0], {"operations": {}})
        return int(provider["operations"].get(operation, {}).get(name, 0))

    def total(self, name: str) -> int:
        """A count over all operations."""
        return int(self.data["totals"][name])


@dataclass(frozen=True)
class Ended:
    """A process that is over."""

    code: int
    stdout: bytes
    stderr: str

    @property
    def result(self) -> dict[str, Any]:
        """What `--json` printed, with exact amounts."""
        value: dict[str, Any] = json.loads(self.stdout, parse_float=Decimal)
        return value

    def __str__(self) -> str:
        return f"exit code {self.code}\n{self.stdout.decode(errors='replace')[:4000]}\n{self.stderr[-4000:]}"


@dataclass
class Desk:
    """A folder with a database in which one execution is run by the command line.

    Attributes:
        folder: Where its files lie.
        simulator: Stands for every vendor.
        environ: Environment of its processes.
        document: The workflow's file.
        posts: Number of posts of the audience.
    """

    folder: Path
    simulator: Simulator
    environ: Mapping[str, str]
    document: Path
    posts: int = 3
    audience: str = "audience-1"
    _loaded: bool = field(default=False, init=False)

    @property
    def db(self) -> Path:
        """The database file."""
        return self.folder / "lumeflow.db"

    def cli(self, *words: str, fault: str | None = None, **options: Any) -> Ended:
        """Run a command to its end."""
        with self.process(*words, fault=fault, **options) as process:
            return communicate(process)

    @contextmanager
    def process(self, *words: str, fault: str | None = None, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
        """A running command; ended if the test does not."""
        environ = dict(self.environ) | {"LUMEFLOW_DB": str(self.db)}
        if fault is not None:
            environ["LUMEFLOW_FAULT"] = fault
        process = subprocess.Popen(
            [sys.executable, "-m", "lumeflow", *words],
            env=environ,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def load_audience(self) -> None:
        """Store the audience that the execution works on."""
        from lumeflow.cli.main import run

        urls = [f"https://www.instagram.com/p/Csurvivor{number}/" for number in range(self.posts)]
        row = {"id": self.audience, "name": "Survivors", "type": "instagram", "urls": urls}
        rows = self.folder / "rows.json"
        rows.write_text(json.dumps([row]))
        assert run(["db", "load", "source_audiences", str(rows), "--db", str(self.db), "--json"]) == 0

    def run_words(self) -> list[str]:
        """The command that runs the execution."""
        if not self._loaded:
            self.load_audience()
            self._loaded = True
        given = json.dumps({"sourceAudienceId": self.audience})
        return [
            *("run", str(self.document), "--input", given, "--execution-id", EXECUTION, "--now", NOW),
            *("--simulator", self.simulator.url, "--json"),
        ]

    def resume_words(self) -> list[str]:
        """The command that resumes it."""
        return ["executions", "resume", EXECUTION, "--simulator", self.simulator.url, "--json"]

    def run(self, *, fault: str | None = None, **options: Any) -> Ended:
        """Run the execution."""
        return self.cli(*self.run_words(), fault=fault, **options)

    def resume(self, *, fault: str | None = None, **options: Any) -> Ended:
        """Resume it."""
        return self.cli(*self.resume_words(), fault=fault, **options)

    def kill(self, *, fault: str, resuming: bool = False) -> None:
        """Run, or resume, until the fault point kills the process."""
        ended = self.resume(fault=fault) if resuming else self.run(fault=fault)
        assert ended.code == -signal.SIGKILL, f"{fault} was not reached: {ended}"

    def records(self) -> bytes:
        """All records that reached the output, as JSON Lines."""
        from lumeflow.cli.main import run

        target = self.folder / "output.jsonl"
        words = ["executions", "output", EXECUTION, "--format", "jsonl", "--to", str(target)]
        assert run([*words, "--db", str(self.db), "--json"]) == 0
        return target.read_bytes()

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Read the database behind the product's back."""
        with sqlite3.connect(self.db) as db:
            found = db.execute(statement).fetchall()
        db.close()
        return found

    def exists(self) -> bool:
        """True if the execution had begun."""
        return bool(self.rows("SELECT 1 FROM workflow_executions"))

    def wait_for_answers(self, number: int, operation: str = "%") -> None:
        """Return when so many answers are stored."""
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            if self.rows(_ANSWERED.format(operation))[0][0] >= number:
                return
            time.sleep(0.01)
        raise AssertionError(f"there were no {number} answers in {WAIT:g} s")

    def wait_for_rows(self, condition: str) -> None:
        """Return when the ledger has a call of this kind."""
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            if self.db.exists() and self.rows(f"SELECT 1 FROM effects WHERE {condition} LIMIT 1"):
                return
            time.sleep(0.01)
        raise AssertionError(f"there was no call with {condition} in {WAIT:g} s")

    def open_claims(self) -> int:
        """Calls that were claimed and have no answer: those in flight when the process ended."""
        return int(self.rows("SELECT count(*) FROM effects WHERE state = 'claimed'")[0][0])


def communicate(process: subprocess.Popen[bytes]) -> Ended:
    """Wait for the end of a process."""
    stdout, stderr = process.communicate(timeout=WAIT)
    return Ended(process.returncode, stdout, stderr.decode(errors="replace"))


def environment(home: Path) -> dict[str, str]:
    """Environment of all processes: nothing of the developer's own."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "SYSTEMROOT", "TMPDIR") if name in os.environ}
    return kept | {
        "HOME": str(home),
        "LUMEFLOW_DATA_DIR": str(home / "data"),
        "PYTHONUTF8": "1",
    }


def paid_document(path: Path) -> Path:
    """The shipped workflow with a language model that costs money; its own is free."""
    document = source("lead-enrichment-v1")
    assert document.count(FREE_MODEL) == 1
    path.write_bytes(document.replace(FREE_MODEL, PAID_MODEL))
    return path
