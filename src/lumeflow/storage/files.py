"""Output files of an execution, written whole or not at all, and input files."""

import asyncio
import errno
import os
import re
import shutil
import stat
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lumeflow.core.errors import StorageError, UsageError
from lumeflow.storage.names import file_name
from lumeflow.storage.problems import FilesLeft

READ_LIMIT = 200_000_000
"""Bytes of a file that is read whole."""

STREAM_LIMIT = 2 << 30
"""Bytes of a file that is read a piece at a time."""

UPLOAD_PATTERN = r"^upload-[0-9a-f]{32}(\.[a-z0-9]{1,8}){0,2}$"
"""What uploads are called: nothing that could be another path."""

_UPLOAD = re.compile(UPLOAD_PATTERN)
_PIECE = 1 << 20

_OF_THE_PATH = frozenset(
    {
        errno.EACCES,
        errno.EEXIST,
        errno.EILSEQ,
        errno.EINVAL,
        errno.EISDIR,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
    }
)
"""What is wrong with the path, and will be at the next try; all else (no room, a broken disk) may pass."""


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file in an execution's own folder.

    Attributes:
        name: Its name below the folder, with `/`.
        path: Where it lies.
        size: Bytes.
        changed: When it was finished, in seconds since 1970.
    """

    name: str
    path: Path
    size: int
    changed: float


class LocalFiles:
    """See `lumeflow.core.context.Files`. One for each run of an execution.

    A bare name lands in the execution's own folder, `<root>/<execution id>/`. A name with a folder in it is the user's
    word: absolute, or relative to the working folder.

    Args:
        root: Folder of all executions' files.
        execution_id: The execution.
        anywhere: False to refuse every path outside the execution's own folder (for workflows of strangers), and to
            tell names instead of paths.
        uploads: Folder of uploads, which are read by their id; None for none.
    """

    def __init__(self, root: Path, execution_id: str, *, anywhere: bool = True, uploads: Path | None = None) -> None:
        self._folder = root / file_name(execution_id)
        self._anywhere = anywhere
        self._uploads = uploads
        self._taken: set[Path] = set()
        self._open: set[LocalSink] = set()

    async def create(self, name: str) -> "LocalSink":
        """Open a new file.

        Raises:
            UsageError: The path is not allowed, no file can be there, or another node writes the same file.
            StorageError: It cannot be made now.
        """
        path = self._path(name)
        told = str(path) if self._anywhere else name
        if path in self._taken:
            raise UsageError(f"file {told}: two nodes write it: give each a name of its own")
        self._taken.add(path)  # before the wait: another node may ask meanwhile
        making = asyncio.ensure_future(asyncio.to_thread(LocalSink, path, self._taken, self._open, told))
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            # The thread opens the file all the same, and nobody but this one knows of it.
            with suppress(StorageError, UsageError):
                await (await making).discard()
            raise
        finally:
            if making.done() and not making.cancelled() and making.exception() is not None:
                self._taken.discard(path)

    async def close(self) -> None:
        """Give up files that nobody has finished: a block can be stopped before it gets hold of its file."""
        for sink in list(self._open):
            await sink.discard()

    async def read(self, path: str) -> bytes:
        """Read a whole input file.

        Raises:
            UsageError: It does not exist, cannot be read, or is larger than allowed.
        """
        with self._telling(path) as place:
            return await asyncio.to_thread(_read_again, place)

    async def stream(self, path: str) -> AsyncIterator[bytes]:
        """Read an input file a piece at a time.

        Raises:
            UsageError: As `read`.
        """
        with self._telling(path) as place:
            file = await asyncio.to_thread(_open_again, place, STREAM_LIMIT)
        try:
            while piece := await asyncio.to_thread(file.read, _PIECE):
                yield piece
        finally:
            file.close()

    def written(self) -> Sequence[WrittenFile]:
        """The files in the execution's own folder that are finished, by name; blocks."""
        found = []
        for path in sorted(self._folder.rglob("*")):
            with suppress(OSError):
                facts = path.lstat()
                if stat.S_ISREG(facts.st_mode) and not (path.name.startswith(".") and path.name.endswith(".part")):
                    name = path.relative_to(self._folder).as_posix()
                    found.append(WrittenFile(name, path, facts.st_size, facts.st_mtime))
        return found

    def delete(self) -> None:
        """Delete the execution's own folder and all that is in it; blocks.

        Raises:
            FilesLeft: A file cannot be deleted.
        """
        if not self._folder.is_dir():
            return
        try:
            shutil.rmtree(self._folder)
        except OSError as error:
            raise FilesLeft(f"folder {self._folder}: it cannot be deleted ({error.strerror})") from error

    def _path(self, name: str) -> Path:
        if not name or "\0" in name or Path(name).name in {"", ".", ".."}:
            raise UsageError(f"'{name}' is not a file name: expected a name such as 'contacts.csv', or a path")
        if Path(name).name == name:
            return self._folder / name
        if self._anywhere:
            return Path.cwd() / _expanded(name)
        return self._inside(name)

    def _inside(self, name: str) -> Path:
        folder = self._folder.resolve()
        path = (folder / name).resolve()
        if not path.is_relative_to(folder):
            raise UsageError(
                f"file '{name}': it must lie in the execution's own folder: give a name without '..' or '/'"
            )
        return path

    @contextmanager
    def _telling(self, name: str) -> Iterator[Path]:
        """The place of an input file; strangers are told its name, never the place."""
        place = self._readable(name)
        try:
            yield place
        except UsageError as error:
            if self._anywhere:
                raise
            raise UsageError(str(error).replace(str(place), f"'{name}'")) from None

    def _readable(self, path: str) -> Path:
        if self._uploads is not None and _UPLOAD.fullmatch(path):
            return self._uploads / path
        return _expanded(path) if self._anywhere else self._inside(path)


class LocalSink:
    """See `lumeflow.core.context.FileSink`. Written beside its final place, then moved there in one step."""

    def __init__(self, path: Path, taken: set[Path], unfinished: "set[LocalSink]", told: str) -> None:
        self._path = path
        self._told = told
        self._taken = taken
        self._unfinished = unfinished
        self._ended = False
        self._part = path.with_name(f".{path.name}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = self._part.open("wb", buffering=_PIECE)
        except OSError as error:
            raise _unwritable(told, error) from error
        unfinished.add(self)

    async def write(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            StorageError: They cannot be written.
        """
        if self._ended:
            raise StorageError(f"file {self._told}: it is finished; nothing can be added")
        await asyncio.to_thread(self._guard, self._file.write, data)

    async def commit(self) -> str:
        """Finish: the file is on disk under its final name. Returns its path, or its name where paths are not told.

        Raises:
            UsageError: No file can be there; nothing appears under the final name.
            StorageError: It cannot be written now; as above.
        """
        await asyncio.to_thread(self._guard, self._commit)
        return self._told

    async def discard(self) -> None:
        """Give up: nothing remains. Does nothing after `commit`."""
        if not self._ended:
            self._ended = True
            self._taken.discard(self._path)
            self._unfinished.discard(self)
            await asyncio.to_thread(self._discard)

    def _guard(self, action: Callable[..., object], *arguments: object) -> None:
        try:
            action(*arguments)
        except OSError as error:
            raise _unwritable(self._told, error) from error

    def _commit(self) -> None:
        if self._ended:
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.replace(self._path)
        self._ended = True
        self._unfinished.discard(self)
        _sync_folder(self._path.parent)

    def _discard(self) -> None:
        # What is still buffered is thrown away, so a disk without room for it is no matter.
        with suppress(OSError):
            self._file.close()
        self._part.unlink(missing_ok=True)


def read_whole(path: Path, limit: int = READ_LIMIT) -> bytes:
    """Read a file.

    Raises:
        UsageError: It does not exist, cannot be read, or is larger than `limit` bytes.
    """
    with _open(path, limit) as file:
        try:
            data = file.read(limit + 1)  # devices and pipes tell no size, and some never end
        except OSError as error:
            raise _unreadable(path, error) from error
    if len(data) > limit:
        raise _too_large(path, f"more than {limit:,}", limit)
    return data


def _expanded(name: str) -> Path:
    try:
        return Path(name).expanduser()
    except RuntimeError as error:
        raise UsageError(f"file '{name}': there is no such user: give the folder's path instead of '~'") from error


def _read_again(path: Path) -> bytes:
    _require_regular(path)
    return read_whole(path)


def _open_again(path: Path, limit: int) -> IO[bytes]:
    _require_regular(path)
    return _open(path, limit)


def _require_regular(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise UsageError(f"file {path}: it is a device or a pipe, which a resume could not read again: make it a file")


def _open(path: Path, limit: int) -> IO[bytes]:
    try:
        file = path.open("rb")
        size = os.fstat(file.fileno()).st_size
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if size > limit:
        file.close()
        raise _too_large(path, f"{size:,}", limit)
    return file


def _too_large(path: Path, found: str, limit: int) -> UsageError:
    return UsageError(f"file {path}: it has {found} bytes; at most {limit:,} can be read: split it")


def _unreadable(path: Path, error: OSError | ValueError) -> UsageError:
    reason = error.strerror if isinstance(error, OSError) else error
    return UsageError(f"file {path}: it cannot be read ({reason}): check the path and its permissions")


def _unwritable(path: str, error: OSError) -> StorageError | UsageError:
    if error.errno in _OF_THE_PATH:
        return UsageError(
            f"file {path}: it cannot be written ({error.strerror}): check the path and its folder's permissions"
        )
    return StorageError(
        f"file {path}: it cannot be written ({error.strerror}): check the room on its disk and its folder's permissions"
    )


def _sync_folder(folder: Path) -> None:
    # Makes the rename itself durable; Windows cannot open folders, and does not need it.
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
