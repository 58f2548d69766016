"""Asking a user's JavaScript about records, in a process that may fall without harm."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import IO

from lumeflow.kit.javascript.script import Script
from lumeflow.kit.javascript.worker import OUT_OF_TIME, receive, send

_HERE = Path(__file__).parent
_LARGEST_BATCH = 1 << 20
_NEEDED = ("SYSTEMROOT",)
"""Variables without which Windows starts no process. Others, which may hold secrets, stay here."""
_ENGINE_MESSAGES = re.compile(
    r"cannot (?:read|set|convert) .*|not a function|(?:'?[\w$]+'? )?is not (?:defined|a function|iterable)|"
    r"Maximum call stack size exceeded|value is not iterable|object is not extensible|'[\w$]+' is read-only|"
    r"(?:expecting|invalid|unterminated|unexpected|unsupported) [a-zA-Z ]+"
)
_QUOTED = re.compile(r"'([^']*)'")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one record may take.

    Attributes:
        seconds: Of processor time.
        megabytes: Of memory.
    """

    seconds: float
    megabytes: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no verdict on a record.

    Attributes:
        message: For the author of the code, without data.
        is_limit: True if a limit was reached, False if the code raised an error.
    """

    message: str
    is_limit: bool = False


class Fallen(Exception):
    """The process ended, or its engine is out of time or memory; `str()` says which."""


class Predicate:
    """A user's code at work. It keeps nothing from one record to the next, so that the cut of batches doesn't show.

    Args:
        script: The code.
        limits: For each record.
        now: What the code takes for the present.
    """

    def __init__(self, script: Script, limits: Limits, now: datetime) -> None:
        self._script = script
        self._limits = limits
        self._now = now
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = Lock()
        self._closed = False

    def judge(self, records: Sequence[bytes]) -> list[bool | Trouble]:
        """True for each record that the code takes; records are JSON texts.

        What reaches a limit in a batch is tried again alone, so that one record never spoils another one.
        """
        verdicts: list[bool | Trouble] = []
        for batch in _batches(records):
            try:
                verdicts.extend(self._ask(batch))
            except Fallen:
                verdicts.extend(self._alone(record) for record in batch)
        return verdicts

    def close(self) -> None:
        """End the process, whatever it is doing."""
        with self._lock:
            self._closed = True
            self._end()

    def _alone(self, record: bytes) -> bool | Trouble:
        try:
            return self._ask([record])[0]
        except Fallen as error:
            return Trouble(str(error), is_limit=True)

    def _ask(self, batch: Sequence[bytes]) -> list[bool | Trouble]:
        process = self._process or self._started()
        answer = self._answer(process, b"[" + b",".join(batch) + b"]")
        verdicts, errors = json.loads(answer)
        told = iter(errors)
        return [self._verdict(mark, told) for mark in verdicts]

    def _verdict(self, mark: str, errors: Iterator[Sequence[str]]) -> bool | Trouble:
        if mark == "?":
            return Trouble("the code gave a promise or a function instead of true or false")
        return self._error(*next(errors)) if mark == "!" else mark == "1"

    def _error(self, name: str, message: str, stack: str) -> Trouble:
        """An error that the code raised. Its message may hold data: only what the engine or the code itself says is
        repeated.
        """
        code = self._script.code
        known = _ENGINE_MESSAGES.fullmatch(message) and all(word in code for word in _QUOTED.findall(message))
        line = self._script.line_of(stack)
        place = f" on line {line}" if line and "\n" in code else ""
        said = f": {message}" if message and (known or message in code) else ""
        return Trouble(f"the code raised {name if name and name.isidentifier() else 'an error'}{place}{said}")

    def _answer(self, process: "subprocess.Popen[bytes]", frame: bytes) -> bytes:
        source, target = _pipes(process)
        try:
            send(target, frame)
            answer = receive(source)
        except (OSError, ValueError):  # the process is gone, or `close` has closed the pipes
            answer = None
        if answer is not None and answer[:1] == b"=":
            return answer[1:]
        with self._lock:
            self._end()
        raise Fallen(self._why(process.returncode, answer))

    def _why(self, status: int | None, answer: bytes | None) -> str:
        said = answer or b""
        if status == OUT_OF_TIME or b"interrupted" in said:
            return f"the code took longer than {self._limits.seconds:g} s"
        if b"memory" in said or b"string too long" in said or said == b"!null":
            return f"the code needed more than {self._limits.megabytes} MB of memory"
        return "the code ended the JavaScript engine"

    def _started(self) -> "subprocess.Popen[bytes]":
        import quickjs  # type: ignore[import-untyped]

        with self._lock:
            if self._closed:
                raise Fallen("the execution was stopped")
            library = str(Path(quickjs.__file__).parent.parent)
            self._process = process = subprocess.Popen(  # noqa: S603 - our own program, by this very Python
                [sys.executable, "-I", "-S", str(_HERE / "worker.py"), library],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in _NEEDED if name in os.environ},
            )
        settings = {
            "setup": (_HERE / "sandbox.js").read_text(encoding="utf-8"),
            "program": self._script.program,
            "now": float(round(self._now.timestamp() * 1000)),  # an int of this size would be a BigInt
            "seconds": self._limits.seconds,
            "bytes": self._limits.megabytes << 20,
        }
        self._answer(process, json.dumps(settings).encode())
        return process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in _pipes(process):
                _close(pipe)


def _pipes(process: "subprocess.Popen[bytes]") -> tuple[IO[bytes], IO[bytes]]:
    """What comes from the process, and what goes to it."""
    assert process.stdout is not None
    assert process.stdin is not None
    return process.stdout, process.stdin


def _close(pipe: IO[bytes]) -> None:
    with suppress(OSError):  # what was still to be written has nobody to read it
        pipe.close()


def _batches(records: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Records in batches of about a megabyte."""
    batch: list[bytes] = []
    size = 0
    for record in records:
        if batch and size + len(record) > _LARGEST_BATCH:
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += len(record)
    if batch:
        yield batch
