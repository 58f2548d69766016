"""Locks between processes."""

import os
import stat
import subprocess
import sys

import pytest

from lumeflow.core.errors import StorageError
from lumeflow.storage import locks
from lumeflow.storage.locks import Held, acquire, is_held

HOLD = """
import sys
from pathlib import Path
from lumeflow.storage.locks import acquire
acquire(Path(sys.argv[1]), "e1")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_lock_is_held_once_and_names_its_holder(tmp_path):
    release = acquire(tmp_path, "e1")
    assert is_held(tmp_path, "e1")
    with pytest.raises(Held) as caught:
        acquire(tmp_path, "e1")
    assert caught.value.holder == str(os.getpid())
    release()
    assert not is_held(tmp_path, "e1")
    acquire(tmp_path, "e1")()


def test_nothing_is_left_behind(tmp_path):
    acquire(tmp_path / "locks", "e1")()
    assert list((tmp_path / "locks").iterdir()) == []
    assert stat.S_IMODE((tmp_path / "locks").stat().st_mode) == 0o700


def test_another_process_holds_it_until_it_is_killed(tmp_path, holder):
    with pytest.raises(Held) as caught:
        acquire(tmp_path, "e1")
    assert caught.value.holder == str(holder.pid)
    assert is_held(tmp_path, "e1")
    holder.kill()
    holder.wait()
    assert not is_held(tmp_path, "e1")
    acquire(tmp_path, "e1")()


def test_a_file_left_by_a_killed_process_is_no_lock(tmp_path):
    (tmp_path / "e1").write_text("12345")
    assert not is_held(tmp_path, "e1")
    release = acquire(tmp_path, "e1")
    assert (tmp_path / "e1").read_text() == str(os.getpid())
    release()


@pytest.mark.parametrize("name", ["../x", "a/b", "", "..", "ü", "x" * 300])
def test_every_name_stays_inside_the_folder(tmp_path, name):
    folder = tmp_path / "locks"
    release = acquire(folder, name)
    assert len(list(folder.iterdir())) == 1
    assert is_held(folder, name)
    release()
    assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="it cannot be made"):
        acquire(tmp_path / "file" / "locks", "e1")


def test_a_lock_whose_file_was_removed_meanwhile_is_taken_anew(tmp_path, monkeypatch):
    lock, calls = locks._lock, []

    def slow_lock(descriptor):
        lock(descriptor)
        calls.append(descriptor)
        if len(calls) == 1:
            (tmp_path / "e1").unlink()  # as its last holder does when it gives the lock back

    monkeypatch.setattr(locks, "_lock", slow_lock)
    release = acquire(tmp_path, "e1")
    assert len(calls) == 2
    monkeypatch.undo()
    assert is_held(tmp_path, "e1")
    release()
