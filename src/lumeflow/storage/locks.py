"""Which processes live: each holds a lock file that the operating system unlocks when it ends, however it ends."""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from lumeflow.core.errors import StorageError
from lumeflow.storage.names import file_name

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _discard(descriptor: int, path: Path) -> None:
        os.close(descriptor)
        with suppress(OSError):  # the system refuses it while anybody has the file open
            path.unlink()
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _discard(descriptor: int, path: Path) -> None:
        # Removed while it is locked, so that nobody can have locked a file that is not at its place any more.
        path.unlink(missing_ok=True)
        os.close(descriptor)


_TRIES = 100
_PAUSE = 0.01
"""Seconds between tries: whoever looks whether a new file is a dead process's locks it too, for microseconds."""


class LockFiles:
    """Shows to other processes of this machine that this one lives, and tells whether they do.

    Announcing makes one file, whose name is the token; nothing else touches the disk, so what refers to the token (the
    owner of an execution, say) can be proven alive without a file of its own.

    Args:
        folder: Folder of the lock files; None if no other process can look.
        token: Name of this presence; never used before, here or elsewhere.
    """

    def __init__(self, folder: Path | None, token: str) -> None:
        self.token = token
        self._folder = folder
        self._descriptor: int | None = None

    def announce(self) -> None:
        """Make the lock file, and remove those of processes that have ended. Does nothing the second time.

        Raises:
            StorageError: The file cannot be made.
        """
        if self._folder is None or self._descriptor is not None:
            return
        path = self._path(self._folder, self.token)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = _open_locked(path)
            others = [other for other in self._folder.iterdir() if other != path]
        except OSError as error:
            raise StorageError(
                f"lock file {path}: it cannot be made: make its folder writable for this user ({error.strerror})"
            ) from error
        for other in others:
            with suppress(OSError):
                _is_locked(other)

    def is_alive(self, token: str) -> bool:
        """True if a process that announced `token` lives and has not withdrawn.

        Raises:
            StorageError: Its lock file cannot be read.
        """
        if self._folder is None or token == self.token:
            return token == self.token
        path = self._path(self._folder, token)
        try:
            return _is_locked(path)
        except OSError as error:
            raise StorageError(
                f"lock file {path}: whether its process is running cannot be told: make it readable and writable for"
                f" this user ({error.strerror})"
            ) from error

    def withdraw(self) -> None:
        """Take the lock file away. Does nothing the second time."""
        if self._folder is not None and self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            _discard(descriptor, self._path(self._folder, self.token))

    @staticmethod
    def _path(folder: Path, token: str) -> Path:
        return folder / file_name(token)


def _open_locked(path: Path) -> int:
    for _ in range(_TRIES):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(descriptor)
        except OSError:
            os.close(descriptor)
            time.sleep(_PAUSE)
            continue
        if _is_at(descriptor, path):
            return descriptor
        # Somebody took the new file for a dead process's and removed it before we locked it: this lock shows nothing.
        os.close(descriptor)
    raise FileExistsError(0, "another process holds it")


def _is_locked(path: Path) -> bool:
    """True if a process holds the lock file; removes one that nobody holds."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        _lock(descriptor)
    except OSError:
        os.close(descriptor)
        return True
    if _is_at(descriptor, path):
        _discard(descriptor, path)
    else:
        os.close(descriptor)
    return False


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
