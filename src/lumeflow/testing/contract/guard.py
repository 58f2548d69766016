"""Noticing what a block does behind its context's back: sockets, processes, files that are not its own."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_STARTS = "starts a process"
_FORBIDDEN = {
    "socket.connect": "opens a connection",
    "socket.getaddrinfo": "looks a host up",
    "socket.gethostbyname": "looks a host up",
    "socket.sendto": "sends to the network",
    "socket.sendmsg": "sends to the network",
    "subprocess.Popen": _STARTS,
    "os.system": _STARTS,
    "os.exec": _STARTS,
    "os.posix_spawn": _STARTS,
    "os.fork": _STARTS,
}
_CHANGES = {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "shutil.rmtree"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Forbidden(OSError):
    """Raised in place of what a block must not do."""


class _Guard:
    """The one audit hook of the process; it can't be taken out again, only put to sleep."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.processes = False
        self.seen: list[str] = []
        self.installed = False

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.folder is None:
            return
        if event in _FORBIDDEN:
            if not (self.processes and _FORBIDDEN[event] == _STARTS):
                self._refuse(_FORBIDDEN[event])
        elif event == "open" and _writes(*arguments[1:3]):
            self._check(arguments[0], "writes the file")
        elif event in _CHANGES:
            self._check(arguments[0], "changes the file")

    def _check(self, path: Any, what: str) -> None:
        if isinstance(path, str | bytes | os.PathLike) and self.folder is not None:
            name = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - a hook must not open anything itself
            own = name == os.devnull or "__pycache__" in name or name.startswith(f"{self.folder}{os.sep}")
            if not own:
                self._refuse(f"{what} {name}")

    def _refuse(self, what: str) -> None:
        self.seen.append(what)
        raise Forbidden(f"a block under test {what}")


def _writes(mode: Any, flags: Any) -> bool:
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & _WRITES)


_GUARD = _Guard()


@contextmanager
def guarded(folder: Path, *, processes: bool) -> Iterator[list[str]]:
    """Within it, connections, processes and writing outside `folder` raise, and are noted in the list that it gives.

    Args:
        folder: Where files may be written.
        processes: True if processes may be started.
    """
    if not _GUARD.installed:
        sys.addaudithook(_GUARD.hook)
        _GUARD.installed = True
    _GUARD.seen = []
    _GUARD.processes = processes
    _GUARD.folder = folder
    try:
        yield _GUARD.seen
    finally:
        _GUARD.folder = None
