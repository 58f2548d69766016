"""`lumeflow serve` and `lumeflow db key`, as they are typed."""

import asyncio
import json
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from lumeflow import Settings, open_app
from lumeflow.cli.main import run
from lumeflow.cli.serving import until_stopped
from lumeflow.core.errors import StorageError


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("LUMEFLOW_DATA_DIR", str(tmp_path))


def typed(capsys, *words):
    assert run(words) == 0
    return capsys.readouterr().out


def test_a_key_is_made_used_and_revoked(capsys):
    command = [sys.executable, "-m", "lumeflow", "serve", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            url = json.loads(server.stdout.readline())["url"]
            key = typed(capsys, "db", "key", "create", "--name", "shop").strip()
            request = urllib.request.Request(f"{url}/api/workflows", headers={"X-API-Key": key})
            with urllib.request.urlopen(request, timeout=20) as answer:
                assert json.load(answer) == {"items": [], "nextCursor": None}
            (entry,) = json.loads(typed(capsys, "db", "key", "list", "--json"))["keys"]
            assert (entry["name"], entry["scopes"]) == ("shop", ["read", "write", "execute", "live"])
            assert key not in str(entry)
            typed(capsys, "db", "key", "revoke", entry["id"])
            with pytest.raises(urllib.error.HTTPError, match="401"):
                urllib.request.urlopen(request, timeout=20)
        finally:
            server.terminate()
        assert server.wait(20) == 0


def test_keys_belong_to_tenants(capsys):
    made = json.loads(typed(capsys, "db", "key", "create", "--tenant", "acme", "--days", "3", "--json"))
    assert made["tenant"] == "acme"
    assert made["expiresAt"] > made["createdAt"]
    assert "no keys" in typed(capsys, "db", "key", "list")
    assert made["id"] in typed(capsys, "db", "key", "list", "--tenant", "acme")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["create", "--scope", "wriet"], "Did you mean 'write'?"),
        (["create", "--tenant", "A B"], "lower-case"),
        (["revoke", "nothing"], "no valid key"),
    ],
)
def test_what_cannot_be_done_is_told(capsys, words, message):
    assert run(["db", "key", *words]) == 2
    assert message in capsys.readouterr().err


def test_a_port_that_is_taken_is_told(capsys):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert run(["serve", "--port", str(taken.getsockname()[1])]) == 2
    assert "choose another --port" in capsys.readouterr().err


async def test_a_server_whose_database_cannot_be_written_any_more_ends(tmp_path):
    """Whatever looks after it starts it again, and the next one can."""
    async with open_app(Settings(data_dir=tmp_path)) as app:
        stopped = asyncio.Event()
        asyncio.get_running_loop().call_later(0.01, stopped.set)
        await until_stopped(stopped, app.database)
        app.database._store.writer._broken = "disk I/O error"
        with pytest.raises(StorageError, match="start again"):
            await until_stopped(asyncio.Event(), app.database)
        app.database._store.writer._broken = None
