"""`lumeflow db tenant …`."""

import asyncio
from pathlib import Path

import orjson
import pytest

from lumeflow.app import open_app
from lumeflow.cli.main import run
from lumeflow.settings import Settings


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LUMEFLOW_DATA_DIR", str(tmp_path))


def told(capfd, *words):
    capfd.readouterr()
    assert run(["db", "tenant", *words, "--json"]) == 0
    return orjson.loads(capfd.readouterr().out)


def test_tenants_are_made_listed_suspended_and_let_go_on(capfd):
    assert run(["db", "tenant", "list"]) == 0
    assert "no tenants" in capfd.readouterr().out
    made = told(capfd, "create", "acme", "--name", "Acme Ltd", "--concurrency", "5")
    assert (made["tenant"], made["name"], made["active"], made["concurrency"]) == ("acme", "Acme Ltd", True, 5)
    assert told(capfd, "suspend", "acme") == {**made, "active": False}
    assert told(capfd, "list")["tenants"] == [{**made, "active": False}]
    assert run(["db", "tenant", "list"]) == 0
    assert "suspended" in capfd.readouterr().out
    assert told(capfd, "resume", "acme") == made
    assert told(capfd, "limit", "acme", "--concurrency", "7")["concurrency"] == 7
    assert told(capfd, "limit", "acme")["concurrency"] is None
    assert told(capfd, "keep", "acme", "--days", "30")["retentionDays"] == 30
    assert told(capfd, "keep", "acme")["retentionDays"] is None


def test_one_that_is_not_there_is_told_with_the_nearest(capfd):
    assert run(["db", "tenant", "create", "acme"]) == 0
    assert run(["db", "tenant", "create", "acme"]) == 2
    assert run(["db", "tenant", "suspend", "acne"]) == 2
    assert "acme" in capfd.readouterr().err


def test_executions_are_deleted_by_their_age(capfd, monkeypatch):
    workflow = {
        "workflowId": "tiny",
        "name": "Tiny",
        "nodes": [
            {"id": "in", "type": "input", "config": {"source": "static", "data": {"rows": [{"n": 1}]}}},
            {"id": "out", "type": "output", "config": {"destination": "jsonl", "path": "rows.jsonl"}},
        ],
        "edges": [{"source": "in", "target": "out"}],
    }
    Path("tiny.json").write_bytes(orjson.dumps(workflow))
    assert run(["run", "tiny.json", "--execution-id", "e1"]) == 0

    def purged(*words):
        capfd.readouterr()
        assert run(["db", "purge", *words, "--json"]) == 0
        (one,) = orjson.loads(capfd.readouterr().out)["tenants"]
        return one["executions"]

    assert purged("--older-than", "1d") == 0
    assert purged("--older-than", "0h", "--dry-run") == 1
    assert purged() == 0, "they are kept for ever"
    assert run(["executions", "show", "e1"]) == 0
    assert purged("--older-than", "0h", "--tenant", "default") == 1
    assert run(["executions", "show", "e1"]) == 2
    assert run(["db", "purge", "--older-than", "soon"]) == 2
    assert "90d" in capfd.readouterr().err
    monkeypatch.setenv("LUMEFLOW_RETENTION_DAYS", "none")
    assert run(["db", "purge"]) == 2


def test_rows_are_loaded_for_a_tenant_that_there_is(capfd, tmp_path):
    (tmp_path / "rows.json").write_text('[{"id": "spring", "name": "Spring"}]')
    load = ["db", "load", "source_audiences", "rows.json", "--tenant"]
    assert run(["db", "tenant", "create", "acme"]) == 0
    assert run([*load, "acme"]) == 0
    assert run([*load, "acne"]) == 2
    assert "there is no tenant 'acne'. Did you mean 'acme'?" in capfd.readouterr().err

    async def counted():
        async with open_app(Settings.from_environment()) as app:
            return [
                len(await app.of(tenant).database.tables.find("source_audiences", {})) for tenant in ("acme", "default")
            ]

    assert asyncio.run(counted()) == [1, 0]
