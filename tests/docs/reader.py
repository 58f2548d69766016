"""A reader who follows a page to the letter: saves its files, types its commands, compares what is printed.

Vendors are never called: their addresses are those of a simulator, and whatever key the page puts into the environment is
one that the simulator accepts.
"""

import io
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from lumeflow.cli.main import run
from tests.docs.curl import curl
from tests.docs.pages import ROOT, Fence

KEYS = (
    "ANTHROPIC_API_KEY",
    "APIFY_TOKEN",
    "APOLLO_API_KEY",
    "HUNTER_API_KEY",
    "META_ACCESS_TOKEN",
    "MXBAI_API_KEY",
    "OPENAI_API_KEY",
    "OPENROUTER_API_KEY",
)
VENDORS = ("anthropic", "apify", "apollo", "hunter", "meta", "mixedbread", "openai", "openrouter")
KILL_AFTER = 20
"""Calls that a command has made when it is killed."""
PORT = "8900"
SERVER_PORT = "8080"
"""The ports that pages name; free ones take their places."""
HASTE = ("--latency-scale", "0.2", "--rate-scale", "20")
"""What is added to a simulator's options, so that the tests need not wait as a reader does."""
PATIENCE = 60.0


class Reader:
    """One page, in one folder.

    Args:
        folder: Where the reader works.
        vendors: Address of the simulator that stands for the vendors.
        setenv: Sets an environment variable until the end of the test.
    """

    def __init__(self, folder: Path, vendors: str, setenv: Callable[[str, str], None]) -> None:
        self._folder = folder
        self._setenv = setenv
        self._vendors = vendors
        self._port = _free_port()
        self._server_port = _free_port()
        self._background: list[subprocess.Popen[str]] = []
        self.printed = self._out = ""
        self.commands = 0
        self._export("LUMEFLOW_PROVIDERS", None)

    def follow(self, fence: Fence) -> None:
        """Do what a block says."""
        act = {
            "bash": self._type,
            "python": self._python,
            "json": self._save,
            "markdown": self._write,
            "text": self._compare,
        }.get(fence.language)
        if act is None:
            assert fence.language == "", f"blocks of the language '{fence.language}' are not checked"
        else:
            act(fence)

    def close(self) -> None:
        """End what runs in the background."""
        for process in self._background:
            process.terminate()
            process.wait(PATIENCE)
            if process.stdout:
                process.stdout.close()

    def _save(self, fence: Fence) -> None:
        assert fence.label, "a JSON block needs a file name"
        json.loads(fence.text)
        self._write(fence)

    def _python(self, fence: Fence) -> None:
        code = compile(fence.text, fence.place, "exec")
        if fence.label:
            self._write(fence)
            return
        with self._printing():
            exec(code, {"__name__": "__main__"})

    def _write(self, fence: Fence) -> None:
        path = self._folder / fence.label
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(fence.text, encoding="utf-8")

    def _type(self, fence: Fence) -> None:
        text = fence.text.replace(PORT, str(self._port)).replace(SERVER_PORT, str(self._server_port))
        lines = [shlex.split(line, comments=True) for line in text.splitlines()]
        lines = [words for words in lines if words]
        assert lines
        if fence.label == "killed":
            (words,) = lines
            self._kill(words)
            return
        wanted = int(fence.label.removeprefix("exits ") or 0)
        *others, last = [self._command(words) for words in lines]
        assert not any(others), self.printed
        assert last == wanted, self.printed

    def _command(self, words: list[str]) -> int:
        self.commands += 1
        name, *arguments = words
        if arguments[-1:] == ["&"]:
            haste = HASTE if arguments[0] == "simulate" else ()
            self._background.append(self._start([*arguments[:-1], *haste]))
            assert self._background[-1].stdout.readline()
            return 0
        return getattr(self, f"_do_{name}")(arguments)

    def _do_lumeflow(self, arguments: list[str]) -> int:
        data = b""
        if "<" in arguments:
            *arguments, _, name = arguments
            data = (self._folder / name).read_bytes()
        stdin, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(data))
        try:
            with self._printing():
                return run(arguments)
        finally:
            sys.stdin = stdin

    def _do_pytest(self, arguments: list[str]) -> int:
        """As a reader has it: no plugins of this project, no settings of its own."""
        environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
        self.printed = ended.stdout + ended.stderr
        return ended.returncode

    def _do_make(self, arguments: list[str]) -> int:
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in arguments)
        return 0

    def _do_source(self, arguments: list[str]) -> int:
        assert arguments == [".venv/bin/activate"]
        return 0

    def _do_export(self, arguments: list[str]) -> int:
        for pair in arguments:
            name, equals, value = pair.partition("=")
            assert equals
            value = re.sub(r"\$\((.+?)\)", self._substitute, value)
            value = re.sub(r"\$(\w+)", lambda match: os.environ[match[1]], value)
            self._export(name, value)
        return 0

    def _do_curl(self, arguments: list[str]) -> int:
        words = [re.sub(r"\$(\w+)", lambda match: os.environ[match[1]], word) for word in arguments]
        self.printed = curl(words, self._folder, PATIENCE)
        return 0

    def _do_cmp(self, arguments: list[str]) -> int:
        one, other = ((self._folder / name).read_bytes() for name in arguments)
        assert one
        return int(one != other)

    def _substitute(self, match: "re.Match[str]") -> str:
        assert self._command(shlex.split(match[1])) == 0
        return self._out.strip()

    def _export(self, name: str, value: str | None) -> None:
        if name == "LUMEFLOW_PROVIDERS":
            settings = json.loads((self._folder / value).read_text(encoding="utf-8")) if value else {}
            addresses = {vendor: {**settings.get(vendor, {}), "baseUrl": self._vendors} for vendor in VENDORS}
            path = self._folder / "redirected-providers.json"
            path.write_text(json.dumps(addresses), encoding="utf-8")
            value = str(path)
        self._setenv(name, "sim-key" if name in KEYS else value or "")

    def _kill(self, words: list[str]) -> None:
        """Kill a command once it has made a number of calls."""
        self.commands += 1
        process = self._start(words[1:])
        deadline = time.monotonic() + PATIENCE
        while self._calls() < KILL_AFTER:
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline, "it makes no calls"
            time.sleep(0.02)
        process.kill()
        process.wait(PATIENCE)
        process.stdout.close()

    def _calls(self) -> int:
        url = f"http://127.0.0.1:{self._port}/_simulator/bill"
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return json.load(answer)["totals"]["calls"]

    def _start(self, arguments: list[str]) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "lumeflow", *arguments]
        return subprocess.Popen(
            command,
            cwd=self._folder,
            env=dict(os.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    @contextmanager
    def _printing(self):
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        try:
            with redirect_stdout(out), redirect_stderr(err):
                yield
        finally:
            self._out = out.buffer.getvalue().decode()
            self.printed = self._out + err.buffer.getvalue().decode()

    def _compare(self, fence: Fence) -> None:
        printed, position = _spaced(self.printed), 0
        for line in map(_spaced, fence.text.splitlines()):
            found = printed.find(line, position)
            assert found >= 0, f"'{line}' is not printed, or not there:\n{self.printed}"
            position = found + len(line)


def _spaced(text: str) -> str:
    """Any white space as one space."""
    return " ".join(text.split())


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
