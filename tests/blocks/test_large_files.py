"""Files are read and written in memory that does not grow with them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "large_files.py"


@pytest.mark.parametrize(
    ("case", "rows", "megabytes"),
    [
        ("csv", 1_000_000, 30),
        ("jsonl", 300_000, 30),
        ("json", 100_000, 30),
        ("csv output", 100_000, 30),
        ("parquet output", 60_000, 60),
    ],
)
def test_memory_does_not_grow_with_the_file(case, rows, megabytes, tmp_path):
    command = [sys.executable, str(SCRIPT), case, str(tmp_path), str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["rows"] == rows
    assert found["megabytes"] < megabytes
