"""Commands on a real server give what the same commands give on its database."""

import json
import os
import signal
import subprocess
import sys
import urllib.request

import pytest
from test_cli_docs import COMMANDS

from lumeflow.cli.main import run
from lumeflow.cli.place import ANYWHERE

PEOPLE = {
    "workflowId": "people",
    "name": "People",
    "nodes": [
        {"id": "in", "type": "input", "config": {"source": "api", "collection": "contacts"}},
        {
            "id": "named",
            "type": "filter",
            "config": {"conditions": [{"field": "firstName", "operator": "exists"}], "onFail": "error"},
        },
        {"id": "mailed", "type": "filter", "config": {"conditions": [{"field": "email", "operator": "exists"}]}},
        {"id": "match", "type": "api", "config": {"provider": "apollo", "fieldMapping": {"title": "title"}}},
        {
            "id": "embed",
            "type": "api",
            "config": {"provider": "mixedbread", "fields": ["firstName"], "outputField": "vector"},
        },
        {"id": "out", "type": "output", "config": {"destination": "jsonl", "path": "people.jsonl"}},
    ],
    "edges": [
        {"source": source, "target": target}
        for source, target in (
            ("in", "named"),
            ("named", "mailed"),
            ("mailed", "match"),
            ("match", "embed"),
            ("embed", "out"),
        )
    ],
}
GIVEN = {
    "contacts": [
        {"firstName": "Mira", "lastName": "Holt", "email": "mira.holt@example.com", "note": '=1+1 "x"\r\ny', "n": 0.1},
        {"firstName": "Jon", "lastName": "Ek", "email": "jon.ek@example.org", "tags": ["a", "ü"], "from": {"x": 1}},
        {"firstName": "Ida"},
        {"email": "nobody@example.net"},
    ]
}
FILE_FLOW = {
    "workflowId": "import",
    "name": "Import",
    "nodes": [
        {"id": "in", "type": "input", "config": {"source": "upload", "collection": "rows"}},
        {"id": "out", "type": "output", "config": {"destination": "csv", "path": "rows.csv"}},
    ],
    "edges": [{"source": "in", "target": "out"}],
}
NOW = "2026-01-09T10:00:00Z"
SAME = [
    "executions list",
    "executions list --limit 1",
    "executions list --before second",
    "executions list --before nothing",
    "executions show first",
    "executions output first",
    "executions output first -f jsonl",
    "executions output first -f csv",
    "executions output first -f csv --raw --with-embeddings",
    "executions files first",
    "executions files first people.jsonl",
    "executions failed first",
    "executions failed first --node mailed",
    "executions skipped first",
    "executions events first",
    "executions events first --after 3 --limit 4",
    "executions watch first",
    "executions resume second",
    "executions cancel first",
    "blocks list",
    "blocks show api/apollo-people-match",
    "blocks show branch",
    "validate people.json",
    "validate broken.json",
    "validate clean-import",
    "schema",
]
REFUSED = [
    *("executions show nothing", "executions output nothing", "executions failed nothing", "executions events nothing"),
    *("executions watch nothing", "executions cancel nothing", "executions resume nothing", "executions rerun nothing"),
    *("executions files nothing", "executions files first nothing", "executions files first ../key --to a"),
    *("executions rerun second", "executions rerun first --from nothing", "blocks show nothing", "run nothing"),
    *("run broken.json", "run people.json --mode demo --execution-id first", "validate nothing"),
    "run people.json --mode demo --execution-id  ",
]
FOR_PEOPLE = {
    "executions list",
    "executions show first",
    "executions failed first",
    "executions events first",
    "blocks list",
}
"""Compared as they are printed, as well."""
EACH_ITS_OWN = {"run", "executions rerun"}
"""They make a new execution each time."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A server's folder, with files for the commands, and the environment of its callers."""
    folder = tmp_path_factory.mktemp("remote")
    (folder / "people.json").write_text(json.dumps(PEOPLE))
    (folder / "import.json").write_text(json.dumps(FILE_FLOW))
    (folder / "broken.json").write_text(json.dumps({**PEOPLE, "edges": [{"source": "in", "target": "there"}]}))
    (folder / "given.json").write_text(json.dumps(GIVEN))
    (folder / "rows.csv").write_text("name,mail\nMira,mira@example.com\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LUMEFLOW_")}
    environ = {**kept, "LUMEFLOW_DATA_DIR": str(folder)}
    lumeflow = [sys.executable, "-m", "lumeflow"]
    key = subprocess.run([*lumeflow, "db", "key", "create"], env=environ, capture_output=True, check=True).stdout
    (folder / "key").write_bytes(key)
    with subprocess.Popen([*lumeflow, "serve", "--port", "0", "--json"], env=environ, stdout=subprocess.PIPE) as server:
        try:
            environ["LUMEFLOW_SERVER"] = json.loads(server.stdout.readline())["url"]
            environ["LUMEFLOW_API_KEY"] = f"@{folder / 'key'}"
            yield folder, environ
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(20) == 0


@pytest.fixture
def lumeflow(site, monkeypatch, capfd):
    """Runs a command on the server, or with `--db` on its database; returns exit code, output and errors."""
    folder, environ = site
    for name in [name for name in os.environ if name.startswith("LUMEFLOW_")]:
        monkeypatch.delenv(name)
    for name, value in environ.items():
        if name.startswith("LUMEFLOW_"):
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)

    def call(*words):
        code = run(words)
        out, err = capfd.readouterr()
        return code, out, err

    return call


@pytest.fixture(scope="module")
def executions(site):
    """Two executions: one that some records failed in, one that is complete."""
    for name, given in (("first", GIVEN), ("second", {"contacts": []})):
        wanted = {"workflow": PEOPLE, "mode": "demo", "now": NOW, "executionId": name, "input": given}
        assert posted(site, "/api/workflows/execute?wait=60", wanted)["status"] == "completed"


def posted(site, path, body):
    """The answer to a request."""
    folder, environ = site
    headers = {"X-API-Key": (folder / "key").read_text().strip(), "Content-Type": "application/json"}
    request = urllib.request.Request(environ["LUMEFLOW_SERVER"] + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=90) as answer:
        return json.load(answer)


def on_database(folder, words):
    return [*words, "--db", str(folder / "lumeflow.db")]


def test_every_command_is_compared():
    compared = {name for name in COMMANDS for line in SAME if line.startswith(name)}
    assert compared | EACH_ITS_OWN == ANYWHERE


@pytest.mark.parametrize("line", SAME)
def test_a_server_tells_what_its_database_does(site, lumeflow, executions, line):
    for more in [["--json"], []] if line in FOR_PEOPLE else [["--json"]]:
        code, out, _ = lumeflow(*line.split(), *more)
        expected = lumeflow(*on_database(site[0], [*line.split(), *more]))
        expected_out = expected[1].replace(f" --db {site[0] / 'lumeflow.db'}", "")
        if more and "output" not in line and ".jsonl" not in line:
            out, expected_out = json.loads(out), json.loads(expected_out)
        assert (code, out) == (expected[0], expected_out)


@pytest.mark.parametrize("line", REFUSED)
def test_a_server_refuses_what_its_database_does(site, lumeflow, executions, line):
    words = line.split(" ")
    code, out, err = lumeflow(*words, "--json")
    found = json.loads(out)["error"]
    assert (code, err) == (2, "")
    expected = json.loads(lumeflow(*on_database(site[0], words), "--json")[1])["error"]
    assert (found["code"], found.get("findings")) == (expected["code"], expected.get("findings"))


def test_a_run_gives_the_same_on_a_server_and_on_a_database(site, lumeflow):
    words = ["run", "people.json", "--mode", "demo", "--now", NOW, "--json", "-i", "@given.json"]
    _, there, err = lumeflow(*words, "--execution-id", "there")
    _, here, _ = lumeflow(*on_database(site[0], words), "--execution-id", "here")
    found, expected = json.loads(there), json.loads(here)
    assert err == ""
    for result in (found, expected):
        del result["executionId"], result["executionTime"], result["output"]["path"]
        for node in result["nodes"].values():
            del node["executionTime"]
    assert found == expected
    assert found["cost"]["totalCost"] > 0
    files = [lumeflow("executions", "output", name) for name in ("there", "here")]
    assert files[0] == files[1]


def test_a_saved_workflow_is_run_by_its_name(site, lumeflow):
    posted(site, "/api/workflows", {**PEOPLE, "workflowId": "saved"})
    for words in (["run", "saved"], on_database(site[0], ["run", "saved"])):
        code, out, err = lumeflow(*words, "--mode", "demo", "--json")
        assert (code, json.loads(out)["workflowId"]) == (0, "saved"), err


def test_a_file_is_sent_to_the_server(site, lumeflow):
    words = ["run", "import.json", "--upload", "file=rows.csv", "--mode", "demo", "--json"]
    for place in (words, on_database(site[0], words)):
        code, out, err = lumeflow(*place)
        assert code == 0, err
        result = json.loads(out)
        assert result["output"]["recordsCount"] == 1
        assert lumeflow("executions", "output", result["executionId"], "-f", "jsonl")[1] == (
            '{"name":"Mira","mail":"mira@example.com"}\n'
        )


def test_a_file_that_is_only_named_is_pointed_out(lumeflow):
    code, _, err = lumeflow("run", "import.json", "--mode", "demo", "-i", '{"file": "rows.csv"}')
    assert code == 1
    assert "hand it over by --upload file=rows.csv" in err


def test_what_is_detached_is_run_by_the_server(site, lumeflow):
    words = ["run", "people.json", "--mode", "demo", "--detach"]
    for place, more in ((words, []), (on_database(site[0], words), ["-i", "@given.json"])):
        code, out, err = lumeflow(*place, *more)
        assert (code, len(out.split())) == (0, 1), err
        assert f"executions watch {out.strip()}" in err
        code, told, err = lumeflow("executions", "watch", out.strip(), "--json")
        assert (code, json.loads(told)["status"]) == (0, "completed"), err


def test_a_part_is_run_again(lumeflow, executions):
    code, out, _ = lumeflow("executions", "rerun", "first", "--from", "match", "--execution-id", "again", "--json")
    result = json.loads(out)
    assert (code, result["executionId"], result["output"]["recordsCount"]) == (0, "again", 2)
    assert lumeflow("executions", "rerun", "first", "--json")[0] == 0


def test_output_for_people(lumeflow, executions, tmp_path):
    code, out, err = lumeflow("executions", "output", "first", "-f", "csv", "--to", str(tmp_path / "a.csv"))
    assert (code, out, err) == (0, "", f"2 records written to {tmp_path / 'a.csv'}\n")


def test_a_command_on_a_server_starts_at_once(site):
    """It loads neither the application nor its database."""
    script = "import sys; from lumeflow.cli.main import run; run(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", script, "executions", "list"]
    ended = subprocess.run(command, env=site[1], capture_output=True, text=True, check=True)
    loaded = set(ended.stderr.split())
    assert "aiohttp" in loaded
    assert not loaded & {"lumeflow.app", "lumeflow.engine", "lumeflow.storage", "fastapi", "lumeflow.core.expressions"}
