"""Where tests put their files: in memory, if there is room. Making a database is mostly making files."""

import os
import shutil
import tempfile
from pathlib import Path

_IN_MEMORY = Path("/dev/shm")
_ROOM = 4 * 1024**3
"""Bytes that must be free there: more than all test processes together need at any time."""


def use_memory() -> None:
    """Let temporary files of this process, and of those that it starts, lie in memory; TMPDIR names another place."""
    if "TMPDIR" in os.environ or not _IN_MEMORY.is_dir() or shutil.disk_usage(_IN_MEMORY).free < _ROOM:
        return
    os.environ["TMPDIR"] = str(_IN_MEMORY)
    tempfile.tempdir = None
