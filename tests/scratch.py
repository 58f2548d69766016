"""Where tests put their files: in memory, if there is room. Making a database is mostly making files."""

import shutil
from pathlib import Path

_IN_MEMORY = Path("/dev/shm")
_ROOM = 4 * 1024**3
"""Bytes that must be free there: more than all test processes together need at any time."""


def scratch_root() -> Path | None:
    """A folder whose files lie in memory; None to use the one that the system has for temporary files."""
    if not _IN_MEMORY.is_dir() or shutil.disk_usage(_IN_MEMORY).free < _ROOM:
        return None
    return _IN_MEMORY
