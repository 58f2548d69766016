"""Locks between processes: files that the operating system unlocks when their holder ends, however it ends."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from lumeflow.core.errors import LumeflowError, StorageError
from lumeflow.storage.names import file_name

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)  # beyond the text, which others must be able to read
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


_TRIES = 3
_PAUSE = 0.02
"""Seconds between tries: `is_held` of another process takes the lock too, for microseconds."""


class Held(LumeflowError):
    """Another process, or this one, holds the lock.

    Attributes:
        holder: Process id of the holder as text; `?` if it has not written it down yet.
    """

    def __init__(self, holder: str) -> None:
        super().__init__(f"held by process {holder}")
        self.holder = holder


def acquire(folder: Path, name: str) -> Callable[[], None]:
    """Take the lock `name`; returns the function that gives it back. Blocks for an instant if it is taken.

    Raises:
        Held: It is taken.
        StorageError: The lock file cannot be made.
    """
    path = folder / file_name(name)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = _open_locked(path)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
    except OSError as error:
        raise StorageError(
            f"lock file {path}: it cannot be made: make its folder writable for this user ({error.strerror})"
        ) from error
    return lambda: _release(descriptor, path)


def is_held(folder: Path, name: str) -> bool:
    """True if a living process holds the lock."""
    path = folder / file_name(name)
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        _lock(descriptor)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _open_locked(path: Path) -> int:
    refused = 0
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(descriptor)
        except OSError:
            holder = os.read(descriptor, 20).decode("ascii", "replace") or "?"
            os.close(descriptor)
            refused += 1
            if refused == _TRIES:
                raise Held(holder) from None
            time.sleep(_PAUSE)
            continue
        if _is_at(descriptor, path):
            return descriptor
        # Its last holder removed the file between our opening and our locking it: this lock protects nothing.
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _release(descriptor: int, path: Path) -> None:
    # Removed while still locked, so that nobody else's new lock file can be the one removed.
    if sys.platform != "win32":
        path.unlink(missing_ok=True)
    os.close(descriptor)
