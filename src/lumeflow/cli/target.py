"""Where a command writes its data: standard output, or a file that appears whole or not at all."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lumeflow.core.errors import UsageError

Write = Callable[[bytes], object]


@contextmanager
def target(path: Path | None) -> Iterator[Write]:
    """Open the file, or standard output if there is none, for writing bytes.

    Raises:
        UsageError: The file cannot be written there; what stood there before is untouched.
    """
    if path is None:
        sys.stdout.flush()
        yield sys.stdout.buffer.write
        sys.stdout.buffer.flush()
        return
    try:
        with _whole(path) as write:
            yield write
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(f"'{path}' cannot be written: {error.strerror}.") from error


@contextmanager
def _whole(path: Path) -> Iterator[Write]:
    if path.is_dir():
        raise UsageError(f"'{path}' is a folder; name a file in it.")
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file.write
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
