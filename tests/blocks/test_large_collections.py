"""Blocks that need all records do so in memory that does not grow with them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "large_collections.py"
RECORDS = 50_000
"""Some 100 MB as objects, in which every second one is a double."""


@pytest.mark.parametrize(
    ("case", "left", "megabytes"),
    [
        ("first", RECORDS // 2, 15),
        ("last", RECORDS // 2, 15),
        ("mostComplete", RECORDS // 2, 15),
        ("merge", RECORDS // 2, 30),
        ("join", RECORDS, 30),
    ],
)
def test_memory_does_not_grow_with_the_records(case, left, megabytes):
    command = [sys.executable, str(SCRIPT), case, str(RECORDS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["found"] == left
    assert found["megabytes"] < megabytes
