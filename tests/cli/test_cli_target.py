"""Files appear whole or not at all."""

import sys

import pytest

from lumeflow.cli.target import target
from lumeflow.core.errors import UsageError


def test_a_file_is_written_whole(tmp_path):
    path = tmp_path / "out.csv"
    with target(path) as write:
        write(b"one\n")
        write(b"two\n")
        assert not path.exists()
    assert path.read_bytes() == b"one\ntwo\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.csv"]


def test_a_failure_leaves_the_old_file_alone(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old")

    def fail_half_way():
        with target(path) as write:
            write(b"new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.csv"]


def test_a_missing_folder_is_named(tmp_path):
    with (
        pytest.raises(UsageError, match=r"nowhere/out\.csv' cannot be written: No such file"),
        target(tmp_path / "nowhere" / "out.csv"),
    ):
        pass


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(UsageError, match="is a folder"), target(tmp_path):
        pass


def test_standard_output_gets_the_bytes_after_earlier_text(capfdbinary):
    sys.stdout.write("head\n")
    with target(None) as write:
        write(b"body\n")
    assert capfdbinary.readouterr().out == b"head\nbody\n"
