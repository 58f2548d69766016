"""`lumeflow demo NAME`: a shipped workflow on its own sample input."""

import json

import pytest

from lumeflow.cli.main import run


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("LUMEFLOW_DATA_DIR", "data")
    monkeypatch.delenv("LUMEFLOW_PLUGINS", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_files_lie_in_the_data_folder(place, capfdbinary):
    assert run(["demo", "clean-import", "--json", "--db", "own.db"]) == 0
    result = json.loads(capfdbinary.readouterr().out)
    assert (result["status"], result["nodes"]["table"]["recordsIn"]) == ("completed", 2)
    assert (place / "data" / "demo" / "clean-import" / "trade-fair.csv").is_file()
    assert result["output"]["table"]["path"].startswith(str(place / "data" / "artifacts"))
    assert (place / "own.db").is_file()


def test_it_is_shown_like_any_run(capfdbinary):
    assert run(["demo", "clean-import"]) == 0
    text = capfdbinary.readouterr().out.decode()
    assert "transform/deduplicate-best" in text
    assert "lumeflow executions output " in text


def test_an_unknown_name_is_told_with_the_nearest(capfdbinary):
    assert run(["demo", "clean-imports"]) == 2
    assert b"Did you mean 'clean-import'?" in capfdbinary.readouterr().err
