"""Which processes live."""

import os
import stat
import subprocess
import sys
import threading

import pytest

from lumeflow.core.errors import StorageError
from lumeflow.storage import locks
from lumeflow.storage.locks import LockFiles

ANNOUNCE = """
import sys
from pathlib import Path
from lumeflow.storage.locks import LockFiles
presence = LockFiles(Path(sys.argv[1]), "other")
presence.announce()
print("announced", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """A process that announced itself as `other` and lives."""
    process = subprocess.Popen(
        [sys.executable, "-c", ANNOUNCE, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "announced\n"
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def make(tmp_path):
    """Makes presences in the folder, and withdraws them in the end."""
    made = []

    def presence(token="me"):
        made.append(LockFiles(tmp_path, token))
        return made[-1]

    yield presence
    for one in made:
        one.withdraw()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_who_announced_itself_is_alive_until_it_withdraws(make):
    first, second = make("first"), make("second")
    assert not second.is_alive("first")
    first.announce()
    assert second.is_alive("first")
    first.withdraw()
    first.withdraw()
    assert not second.is_alive("first")


def test_announcing_twice_is_announcing_once(make, tmp_path):
    presence = make()
    presence.announce()
    presence.announce()
    presence.withdraw()
    assert names(tmp_path) == []


def test_one_is_alive_to_oneself(make):
    assert make("me").is_alive("me")


def test_the_folder_is_for_its_owner_only(tmp_path):
    presence = LockFiles(tmp_path / "locks", "me")
    presence.announce()
    assert stat.S_IMODE((tmp_path / "locks").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "locks" / "me").stat().st_mode) == 0o600
    presence.withdraw()


def test_another_process_is_alive_until_it_is_killed(make, other, tmp_path):
    presence = make()
    presence.announce()
    assert names(tmp_path) == ["me", "other"]
    assert presence.is_alive("other")
    other.kill()
    other.wait()
    assert not presence.is_alive("other")
    assert names(tmp_path) == ["me"], "who finds it dead takes its file away"


def test_a_process_that_hangs_is_alive(make, other):
    os.kill(other.pid, 19)  # SIGSTOP
    assert make().is_alive("other")


def test_who_comes_takes_away_what_the_dead_left(make, other, tmp_path):
    for number in range(3):
        (tmp_path / f"dead-{number}").write_text("")
    make().announce()
    assert names(tmp_path) == ["me", "other"]


@pytest.mark.parametrize("token", ["../x", "a/b", "..", "ü", "x" * 300])
def test_every_token_stays_inside_the_folder(tmp_path, token):
    presence = LockFiles(tmp_path / "locks", token)
    presence.announce()
    assert len(names(tmp_path / "locks")) == 1
    assert LockFiles(tmp_path / "locks", "asks").is_alive(token)
    presence.withdraw()
    assert names(tmp_path) == ["locks"]


def test_without_a_folder_there_are_no_others():
    presence = LockFiles(None, "me")
    presence.announce()
    assert presence.is_alive("me")
    assert not presence.is_alive("other")
    presence.withdraw()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"lock file .*me: it cannot be made"):
        LockFiles(tmp_path / "file" / "locks", "me").announce()


def test_a_file_that_cannot_be_read_does_not_count_as_dead(make, tmp_path):
    (tmp_path / "other").mkdir()  # opening it for writing fails, for the superuser too
    with pytest.raises(StorageError, match=r"other: whether its process is running cannot be told"):
        make().is_alive("other")


def test_a_token_that_another_uses_is_refused(make, tmp_path, other, monkeypatch):
    monkeypatch.setattr(locks, "_TRIES", 3)
    with pytest.raises(StorageError, match="another process holds it"):
        make("other").announce()


def test_a_file_that_was_taken_for_a_dead_ones_is_made_anew(make, tmp_path, monkeypatch):
    lock, calls = locks._lock, []

    def slow_lock(descriptor):
        lock(descriptor)
        calls.append(descriptor)
        if len(calls) == 1:
            (tmp_path / "me").unlink()  # as one does who finds it not locked yet

    monkeypatch.setattr(locks, "_lock", slow_lock)
    make().announce()
    monkeypatch.undo()
    assert len(calls) == 2
    assert make("asks").is_alive("me")


def test_nobody_removes_a_file_that_was_made_anew(make, tmp_path, monkeypatch):
    # Between looking at a dead one's file and removing it, a living one's stands in its place.
    (tmp_path / "other").write_text("")
    lock, living = locks._lock, make("other")

    def slow_lock(descriptor):
        lock(descriptor)
        if living is not None and not (tmp_path / "seen").exists():
            (tmp_path / "seen").write_text("")
            (tmp_path / "other").unlink()
            living.announce()

    monkeypatch.setattr(locks, "_lock", slow_lock)
    make("asks").is_alive("other")
    monkeypatch.undo()
    assert "other" in names(tmp_path)
    assert make("asks again").is_alive("other")


def test_many_announce_themselves_at_once_and_all_stay(tmp_path):
    presences = [LockFiles(tmp_path, f"p{number}") for number in range(24)]
    threads = [threading.Thread(target=presence.announce) for presence in presences]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asks = LockFiles(tmp_path, "asks")
    assert all(asks.is_alive(presence.token) for presence in presences)
    for presence in presences:
        presence.withdraw()
    assert names(tmp_path) == []
