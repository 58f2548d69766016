"""`lumeflow db secret …`."""

import io
import os
import sys

import orjson
import pytest

from lumeflow.cli.main import run
from lumeflow.vault.keyring import new_key


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    monkeypatch.setenv("LUMEFLOW_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LUMEFLOW_SECRET_KEY", new_key())


def given(monkeypatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_a_secret_is_stored_listed_and_deleted_and_its_value_never_shown(monkeypatch, capfd, tmp_path):
    given(monkeypatch, b"tok-canary-1\n")
    assert run(["db", "secret", "set", "crmToken"]) == 0
    monkeypatch.setenv("LUMEFLOW_SECRET_shop", "whsec-canary")
    assert run(["db", "secret", "list", "--json"]) == 0
    captured = capfd.readouterr()
    listed = orjson.loads(captured.out.splitlines()[-1])["secrets"]
    assert [(one["name"], one["source"], one["readable"]) for one in listed] == [
        ("crmToken", "database", True),
        ("shop", "environment", True),
    ]
    assert "canary" not in captured.out + captured.err
    assert all(b"canary" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert run(["db", "secret", "delete", "crmToken"]) == 0
    assert run(["db", "secret", "delete", "crmToken"]) == 2
    assert "the database has no secret 'crmToken'" in capfd.readouterr().err


def test_a_value_is_no_argument(monkeypatch, capfd):
    assert run(["db", "secret", "set", "crmToken", "tok-canary-1"]) == 2
    assert "unexpected extra argument" in capfd.readouterr().err.lower()


def test_rotation_and_what_is_unreadable(monkeypatch, capfd):

    old, new = os.environ["LUMEFLOW_SECRET_KEY"], new_key()
    given(monkeypatch, b"tok-canary-1")
    assert run(["db", "secret", "set", "crmToken"]) == 0
    monkeypatch.setenv("LUMEFLOW_SECRET_KEY", new)
    assert run(["db", "secret", "list"]) == 0
    assert "does not hold: add that key" in capfd.readouterr().out
    assert run(["db", "secret", "rotate"]) == 2
    monkeypatch.setenv("LUMEFLOW_SECRET_KEY", f"{new} {old}")
    assert run(["db", "secret", "rotate", "--json"]) == 0
    assert orjson.loads(capfd.readouterr().out) == {"rotated": 1}


@pytest.mark.parametrize(
    ("words", "value", "message"),
    [
        (["set", "KEY"], b"x", "cannot be the name of a secret"),
        (["set", "crm"], b"", "must have 1 to 65536 bytes"),
        (["set", "crm"], b"\xff", "not a text in UTF-8"),
        (["set", "crm", "--tenant", "nobody"], b"x", "there is no tenant 'nobody'"),
        (["list", "--tenant", "No Body"], b"", "cannot be used"),
    ],
)
def test_bad_usage_is_told(monkeypatch, capfd, words, value, message):
    given(monkeypatch, value)
    assert run(["db", "secret", *words]) == 2
    assert message in capfd.readouterr().err


def test_a_new_key_is_a_key(monkeypatch, capfd):
    assert run(["db", "secret", "key"]) == 0
    monkeypatch.setenv("LUMEFLOW_SECRET_KEY", capfd.readouterr().out.strip())
    given(monkeypatch, b"x")
    assert run(["db", "secret", "set", "crm"]) == 0


def test_validation_knows_what_is_stored(monkeypatch, capfd, tmp_path):
    auth = {"type": "bearer", "token": "{{secrets.crm}}"}
    config = {"provider": "http", "url": "https://api.example.com/", "auth": auth, "saveAs": "answer"}
    nodes = [
        {"id": "in", "type": "input", "config": {"source": "api"}},
        {"id": "call", "type": "api", "config": config},
    ]
    document = {"workflowId": "w", "name": "w", "nodes": nodes, "edges": [{"source": "in", "target": "call"}]}
    path = tmp_path / "w.json"
    path.write_bytes(orjson.dumps(document))
    assert run(["validate", str(path)]) == 2
    given(monkeypatch, b"tok-canary-1")
    assert run(["db", "secret", "set", "crm"]) == 0
    assert run(["validate", str(path)]) == 0
