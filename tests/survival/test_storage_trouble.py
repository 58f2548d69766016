"""A full disk, a database that is none or that somebody else holds: a clear error, nothing lost, and a way back."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.survival.checks import Undisturbed, assert_survived
from tests.survival.world import EXECUTION, SAME_OPERATION, THOROUGH, Desk, Simulator, communicate

linux = pytest.mark.skipif(sys.platform != "linux", reason="limits of another process can be set on Linux only")
KB = 1024
SLOW_END = {"latencyScale": 1.0, "latencies": {"mixedbread": 2.5}}
"""The vendor of the last step answers after seconds, in which nothing else happens."""
EMAILS = 14
"""Answers of the step before."""


class TestFullDisk:
    """Files of the process cannot grow beyond a size: SQLite meets the same errors as on a full disk."""

    @linux
    @pytest.mark.parametrize("size", [150, 300, 700])
    def test_the_run_ends_clearly_and_the_resume_finishes(self, size: int, desk: Desk, undisturbed: Undisturbed):
        with desk.process(*desk.run_words()) as process:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size * KB, size * KB))
            ended = communicate(process)
        assert ended.code == 1, ended
        message = ended.result["error"]["message"]
        assert str(desk.db) in message
        assert "check its disk" in message
        assert f"lumeflow executions resume {EXECUTION}" in message
        self.assert_nothing_was_paid_unseen(desk)
        in_flight = desk.open_claims()
        assert_survived(desk, desk.resume(), undisturbed, in_flight)

    def assert_nothing_was_paid_unseen(self, desk: Desk) -> None:
        """Every paid call is in the ledger: with its answer, or as claimed."""
        bill = desk.simulator.bill()
        for ours, theirs in SAME_OPERATION.items():
            [(known,)] = desk.rows(f"SELECT count(*) FROM effects WHERE operation = '{ours}'")
            assert bill.count(theirs, "distinct") <= known
            assert bill.count(theirs, "repeats") == 0

    @linux
    def test_a_resume_on_the_full_disk_pays_nothing(self, desk: Desk, undisturbed: Undisturbed):
        with desk.process(*desk.run_words()) as process:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (300 * KB, 300 * KB))
            assert communicate(process).code == 1
        in_flight = desk.open_claims()
        calls = desk.simulator.bill().calls
        with desk.process(*desk.resume_words()) as process:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (KB, KB))
            ended = communicate(process)
        assert ended.code == 1, ended
        assert desk.simulator.bill().calls == calls
        assert_survived(desk, desk.resume(), undisturbed, in_flight)


def make_foreign(path: Path) -> None:
    """A database of another program."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 3")
        db.commit()


class TestUnusableDatabases:
    """What `--db` may name by mistake."""

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (
                lambda path: path.write_text("a shopping list\n" * 100),
                "it is not an SQLite database: name another file",
            ),
            (make_foreign, "it belongs to another program: name another file"),
            (lambda path: path.mkdir(), "it cannot be opened: check that its folder exists"),
            (lambda path: path.parent.rmdir(), "it cannot be created: check that its folder exists"),
        ],
        ids=["a text file", "another program's", "a folder", "a folder that is missing"],
    )
    def test_the_message_names_file_and_remedy(self, make: Callable[..., None], message: str, desk: Desk):
        path = desk.folder / "inner" / "chosen.db"
        path.parent.mkdir()
        make(path)
        before = path.read_bytes() if path.is_file() else None
        ended = desk.cli(*desk.run_words(), "--db", str(path))
        assert ended.code == 1, ended
        assert ended.result["error"]["code"] == "storage"
        assert f"database {path}: {message}" in ended.result["error"]["message"]
        assert desk.simulator.bill().calls == 0
        if before is not None:
            assert path.read_bytes() == before

    @pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
    def test_a_folder_that_is_read_only(self, desk: Desk):
        folder = desk.folder / "locked"
        folder.mkdir(mode=0o500)
        ended = desk.cli(*desk.run_words(), "--db", str(folder / "new.db"))
        assert ended.code == 1, ended
        assert "writable for this user" in ended.result["error"]["message"]

    def test_a_damaged_file(self, desk: Desk, undisturbed: Undisturbed):
        desk.kill(fault="gateway.answered:20")
        with closing(sqlite3.connect(desk.db)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        data = desk.db.read_bytes()
        desk.db.write_bytes(data[: len(data) // 2])
        calls = desk.simulator.bill().calls
        ended = desk.resume()
        assert ended.code == 1, ended
        assert "it is damaged: restore it from a backup" in ended.result["error"]["message"]
        assert desk.simulator.bill().calls == calls
        desk.db.write_bytes(data)
        in_flight = desk.open_claims()
        assert_survived(desk, desk.resume(), undisturbed, in_flight)


class TestOtherProcesses:
    """More than one process at one file."""

    def test_a_writer_that_holds_the_file_for_a_while_is_waited_for(self, desk: Desk, undisturbed: Undisturbed):
        with desk.process(*desk.run_words()) as process, closing(sqlite3.connect(desk.db)) as other:
            desk.wait_for_answers(5)
            other.execute("BEGIN IMMEDIATE")
            time.sleep(1.0)
            other.rollback()
            ended = communicate(process)
        assert_survived(desk, ended, undisturbed, 0)

    @pytest.mark.skipif(not THOROUGH, reason="takes a minute and a half")
    def test_a_writer_that_never_lets_go_ends_the_run(self, desk: Desk, undisturbed: Undisturbed):
        with desk.process(*desk.run_words()) as process, closing(sqlite3.connect(desk.db)) as other:
            desk.wait_for_answers(5)
            other.execute("BEGIN IMMEDIATE")
            ended = communicate(process)
        assert ended.code == 1, ended
        assert "another process keeps it locked" in ended.result["error"]["message"]
        in_flight = desk.open_claims()
        assert_survived(desk, desk.resume(), undisturbed, in_flight)

    def test_of_two_resumes_one_is_refused(self, desk: Desk, simulator: Simulator, undisturbed: Undisturbed):
        simulator.reset(**SLOW_END)
        desk.kill(fault="gateway.answered:10")
        in_flight = desk.open_claims()
        with desk.process(*desk.resume_words()) as first:
            desk.wait_for_answers(EMAILS, "hunter/email-finder")
            second = desk.resume()
            assert second.code == 2, second
            message = f"execution '{EXECUTION}' is still running in process {first.pid}"
            assert message in second.result["error"]["message"]
            ended = communicate(first)
        assert_survived(desk, ended, undisturbed, in_flight)

    def test_a_frozen_process_does_not_wake_up_beside_its_successor(
        self, desk: Desk, simulator: Simulator, undisturbed: Undisturbed
    ):
        simulator.reset(**SLOW_END)
        with desk.process(*desk.run_words()) as frozen:
            desk.wait_for_answers(EMAILS, "hunter/email-finder")
            freeze_outside_of_a_transaction(frozen, desk)
            refused = desk.resume()
            assert refused.code == 2, refused
            frozen.send_signal(signal.SIGCONT)
            ended = communicate(frozen)
        assert_survived(desk, ended, undisturbed, 0)


def freeze_outside_of_a_transaction(process: subprocess.Popen[bytes], desk: Desk) -> None:
    """Stop a process at a moment when it does not hold the database."""
    while True:
        process.send_signal(signal.SIGSTOP)
        with closing(sqlite3.connect(desk.db, timeout=0, isolation_level=None)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
                other.rollback()
            except sqlite3.OperationalError:
                process.send_signal(signal.SIGCONT)
                time.sleep(0.001)
            else:
                return
