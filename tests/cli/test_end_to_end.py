"""The real commands on databases of their own, many of them in processes of their own. Nothing leaves the machine."""

import csv
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO, TextIOWrapper
from pathlib import Path

import orjson
import pytest

from lumeflow.cli.main import run
from lumeflow.workflows import source

LUMEFLOW = [sys.executable, "-m", "lumeflow"]
AUDIENCE = {"id": "a-1", "name": "Bakery", "type": "instagram", "urls": ["https://www.instagram.com/p/Cexample1/"]}
INPUT = '{"sourceAudienceId": "a-1"}'
NOW = "2026-01-09T10:00:00Z"


def environ(folder: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LUMEFLOW_")}
    return {**kept, "LUMEFLOW_DATA_DIR": str(folder), **more}


@dataclass(frozen=True)
class Ended:
    """A command that ended."""

    returncode: int
    stdout: bytes
    stderr: bytes


def process(folder: Path, *arguments: str) -> Ended:
    """Run a command in a process of its own."""
    command = [*LUMEFLOW, *arguments]
    ended = subprocess.run(command, capture_output=True, timeout=60, check=False, env=environ(folder))
    return Ended(ended.returncode, ended.stdout, ended.stderr)


@pytest.fixture
def lumeflow(capfdbinary, monkeypatch):
    """Runs a command in this process, which takes a tenth of the time."""

    def call(folder: Path, *arguments: str, given: bytes = b"", **more: str) -> Ended:
        with monkeypatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("LUMEFLOW_")]:
                patch.delenv(name)
            for name, value in {"LUMEFLOW_DATA_DIR": str(folder), **more}.items():
                patch.setenv(name, value)
            patch.setattr("sys.stdin", TextIOWrapper(BytesIO(given)))
            capfdbinary.readouterr()
            return Ended(run(arguments), *capfdbinary.readouterr())

    return call


def as_json(ended: Ended, exit_code: int = 0) -> dict:
    assert ended.returncode == exit_code, ended.stderr.decode()
    return orjson.loads(ended.stdout)


def load_audience(folder: Path) -> None:
    file = folder / "audience.json"
    file.write_bytes(orjson.dumps(AUDIENCE))
    assert as_json(process(folder, "db", "load", "source_audiences", str(file), "--json")) == {
        "table": "source_audiences",
        "rows": 1,
    }


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A data folder with one execution, `run-1`, that completed."""
    folder = tmp_path_factory.mktemp("done")
    load_audience(folder)
    command = ("run", "lead-enrichment-v1", "--input", INPUT, "--mode", "demo", "--now", NOW, "--execution-id", "run-1")
    result = as_json(process(folder, *command, "--json"))
    assert result["status"] == "completed"
    return folder, result


@contextmanager
def simulator(folder: Path, *arguments: str):
    process = subprocess.Popen(
        [*LUMEFLOW, "simulate", "--port", "0", "--json", *arguments], stdout=subprocess.PIPE, env=environ(folder)
    )
    try:
        yield orjson.loads(process.stdout.readline())["url"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def bill(url: str) -> dict:
    with urllib.request.urlopen(f"{url}/_simulator/bill") as answer:
        return orjson.loads(answer.read())


def test_the_demo_tells_its_progress_contacts_costs_and_what_next(tmp_path, lumeflow):
    ended = process(tmp_path, "demo")
    text = ended.stdout.decode()
    assert ended.returncode == 0
    assert ended.stderr == b""
    assert "Apollo.io Enrichment: completed" in text
    assert text.count("@example") == 8
    assert "what the providers would have charged" in text
    assert f"{tmp_path}/lumeflow.db" in text
    shown = next(line.split() for line in text.splitlines() if "lumeflow executions output" in line)
    assert shown[-2:] == ["--format", "csv"]
    rows = lumeflow(tmp_path, *shown[1:]).stdout.decode().splitlines()
    assert f"and {len(rows) - 1 - 8} more" in text


def test_the_demo_redraws_itself_on_a_terminal(tmp_path):
    exit_code, screen = on_terminal(tmp_path, "demo")
    assert exit_code == 0
    assert screen.count("Apollo.io Enrichment") > 10
    assert screen.rindex("\x1b[?25h") > screen.rindex("\x1b[?25l")
    assert "lumeflow executions output" in screen


def test_ctrl_c_on_a_terminal_stops_the_demo_and_resume_finishes_it(tmp_path, lumeflow):
    exit_code, screen = on_terminal(tmp_path, "demo", interrupt_at=r"✓ +Contact Extraction")
    assert exit_code == 1
    assert "stopping…" in screen
    execution_id = re.search(r"executions resume ([\w-]+)", screen)[1]
    result = as_json(lumeflow(tmp_path, "executions", "resume", execution_id, "--json"))
    assert result["status"] == "completed"
    assert result["output"]["contactsCount"] > 100


def on_terminal(folder: Path, *arguments: str, interrupt_at: str | None = None) -> tuple[int, str]:
    """Run a command on a terminal of its own; returns its exit code and everything it wrote."""
    process, terminal = pty.fork()
    if process == 0:
        os.execve(sys.executable, [*LUMEFLOW, *arguments], environ(folder, TERM="xterm-256color"))
    written = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1.0)[0]:
            continue
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        written += piece
        if interrupt_at is not None and re.search(interrupt_at, visible(written)):
            os.write(terminal, b"\x03")
            interrupt_at = None
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), written.decode(errors="replace")


def visible(written: bytes) -> str:
    """What was written without colours and cursor movements."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.decode(errors="ignore"))


def test_run_prints_one_json_object(done):
    _, result = done
    assert {"executionId", "status", "output", "nodes", "cost", "failedRecords", "inDoubt", "repeatedCalls"} <= set(
        result
    )
    node = result["nodes"]["enrichment-1"]
    assert {
        "status",
        "recordsIn",
        "recordsOut",
        "failed",
        "skipped",
        "retries",
        "executionCost",
        "executionTime",
    } <= set(node)
    parts = [Decimal(str(entry["executionCost"]["totalCost"])) for entry in result["nodes"].values()]
    assert sum(parts) == Decimal(str(result["cost"]["totalCost"])) > 0


def test_the_same_time_and_id_give_the_same_bytes(done, tmp_path, lumeflow):
    folder, result = done
    load_audience(tmp_path)
    workflow = lumeflow(folder, "executions", "output", "run-1").stdout
    command = ("run", "lead-enrichment-v1", "--input", f"@{tmp_path}/input.json", "--mode", "demo", "--now", NOW)
    (tmp_path / "input.json").write_text(INPUT)
    again = as_json(lumeflow(tmp_path, *command, "--execution-id", "run-1", "--json"))
    assert again["output"] == result["output"]
    assert lumeflow(tmp_path, "executions", "output", "run-1").stdout == workflow


def test_an_execution_id_is_used_once(done, lumeflow):
    folder, _ = done
    command = ("run", "lead-enrichment-v1", "--input", INPUT, "--mode", "demo", "--execution-id", "run-1", "--json")
    assert "run-1" in as_json(lumeflow(folder, *command), 2)["error"]["message"]


def test_a_run_for_people_keeps_progress_apart_from_the_result(tmp_path, lumeflow):
    load_audience(tmp_path)
    ended = lumeflow(tmp_path, "run", "-", "-i", INPUT, "--mode", "demo", given=shipped())
    assert ended.returncode == 0
    assert b"Apollo.io Enrichment: completed" in ended.stderr
    assert b"Apollo.io Enrichment" not in ended.stdout
    assert ended.stdout.startswith(b"completed  lead-enrichment-v1  ")


def shipped() -> bytes:
    from lumeflow.workflows import source

    return source("lead-enrichment-v1")


@pytest.mark.parametrize(
    "words",
    [
        ("--db", "DB", "--json", "executions", "list"),
        ("executions", "--db", "DB", "--json", "list"),
        ("executions", "list", "--db", "DB", "--json"),
        ("--json", "--db", "elsewhere.db", "executions", "list", "--db", "DB"),
    ],
)
def test_shared_options_stand_before_or_after_the_command(done, tmp_path, words, lumeflow):
    folder, _ = done
    arguments = [str(folder / "lumeflow.db") if word == "DB" else word for word in words]
    listed = as_json(lumeflow(tmp_path, *arguments))["executions"]
    assert [(entry["executionId"], entry["status"], entry["mode"]) for entry in listed] == [
        ("run-1", "completed", "demo")
    ]
    assert list(tmp_path.iterdir()) == []


def test_the_environment_names_the_database(done, tmp_path, lumeflow):
    folder, _ = done
    ended = lumeflow(tmp_path, "executions", "list", LUMEFLOW_DB=str(folder / "lumeflow.db"))
    assert b"run-1" in ended.stdout


def test_show_gives_the_result_again(done, lumeflow):
    folder, result = done
    assert as_json(lumeflow(folder, "executions", "show", "run-1", "--json")) == result
    text = lumeflow(folder, "executions", "show", "run-1", COLUMNS="140").stdout.decode()
    assert "api/apollo-people-match" in text
    assert "execution.finished" in text


def test_a_finished_execution_is_resumed_without_a_call(done, lumeflow):
    folder, result = done
    assert as_json(lumeflow(folder, "executions", "resume", "run-1", "--json")) == result


def test_output_in_three_formats(done, tmp_path, lumeflow):
    folder, result = done
    number = result["output"]["contactsCount"]
    records = orjson.loads(lumeflow(folder, "executions", "output", "run-1").stdout)
    assert len(records) == number
    assert all(len(record["embedding"]) == 1024 for record in records)
    jsonl = lumeflow(folder, "executions", "output", "run-1", "--format", "jsonl").stdout
    assert [orjson.loads(line) for line in jsonl.splitlines()] == records
    file = tmp_path / "contacts.csv"
    ended = lumeflow(folder, "executions", "output", "run-1", "--format", "csv", "--to", str(file), "--json")
    assert as_json(ended) == {"path": str(file), "format": "csv", "records": number}
    with file.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["email"] for row in rows] == [record["email"] for record in records]
    assert "embedding" not in rows[0]
    assert any(row["phone"].startswith("'+") for row in rows)


@pytest.mark.parametrize(("kind", "expected"), [("failed", "failed"), ("skipped", "skipped")])
def test_kept_records_are_listed(done, kind, expected, lumeflow):
    folder, result = done
    number = sum(node[expected] for node in result["nodes"].values())
    listed = as_json(lumeflow(folder, "executions", kind, "run-1", "--json"))
    assert listed["executionId"] == "run-1"
    assert len(listed["records"]) == number
    text = lumeflow(folder, "executions", kind, "run-1", "--limit", "1").stdout.decode()
    assert ("no failed records" in text) if not number else (listed["records"][0]["reason"] in text)


def test_events_are_paged(done, lumeflow):
    folder, _ = done
    first = as_json(lumeflow(folder, "executions", "events", "run-1", "--limit", "2", "--json"))["events"]
    rest = as_json(lumeflow(folder, "executions", "events", "run-1", "--after", str(first[-1]["number"]), "--json"))[
        "events"
    ]
    assert first[0]["kind"] == "execution.started"
    assert rest[-1]["kind"] == "execution.finished"
    numbers = [event["number"] for event in first + rest]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("words", [("show",), ("resume",), ("output",), ("failed",), ("skipped",), ("events",)])
def test_an_unknown_execution_is_bad_usage(done, words, lumeflow):
    folder, _ = done
    error = as_json(lumeflow(folder, "executions", *words, "nope", "--json"), 2)["error"]
    assert error["code"] == "usage"
    assert "'nope'" in error["message"]


def test_whoever_stops_reading_is_not_told_off(done):
    folder, _ = done
    reader, writer = os.pipe()
    command = [*LUMEFLOW, "executions", "output", "run-1"]
    with subprocess.Popen(command, stdout=writer, stderr=subprocess.PIPE, env=environ(folder)) as process:
        os.close(writer)
        os.close(reader)
        assert process.wait(30) == 141
        assert process.stderr.read() == b""


def test_validate_accepts_the_shipped_workflow(tmp_path, lumeflow):
    assert as_json(lumeflow(tmp_path, "validate", "lead-enrichment-v1", "--json")) == {"valid": True, "findings": []}
    assert list(tmp_path.iterdir()) == []


def test_validate_and_run_refuse_a_bad_workflow_with_all_findings(tmp_path, lumeflow):
    document = orjson.loads(shipped())
    document["nodes"][3]["config"]["fieldMaping"] = {}
    document["edges"][0]["target"] = "nowhere"
    source = orjson.dumps(document)
    found = as_json(lumeflow(tmp_path, "validate", "-", "--json", given=source), 2)
    assert found["valid"] is False
    assert {"/nodes/3/config/fieldMaping", "/edges/0/target"} <= {finding["pointer"] for finding in found["findings"]}
    error = as_json(lumeflow(tmp_path, "run", "-", "--json", given=source), 2)["error"]
    assert error["code"] == "invalid-workflow"
    assert error["findings"] == found["findings"]
    text = lumeflow(tmp_path, "validate", "-", given=source).stdout.decode()
    assert "/nodes/3/config/fieldMaping  node enrichment-1\n" in text
    assert text.endswith("not valid\n")


def test_a_failed_execution_ends_with_one_and_its_reason(tmp_path, lumeflow):
    ended = lumeflow(tmp_path, "run", "lead-enrichment-v1", "--input", INPUT, "--mode", "demo", "--json")
    result = as_json(ended, 1)
    assert result["status"] == "failed"
    assert "lumeflow db load source_audiences" in result["error"]
    assert b"executions resume" in ended.stderr


def test_a_live_run_without_keys_names_the_secret(tmp_path, lumeflow):
    load_audience(tmp_path)
    free = dict.fromkeys(("APIFY_TOKEN", "APIFY_API_TOKEN", "APOLLO_API_KEY"), "")
    result = as_json(lumeflow(tmp_path, "run", "lead-enrichment-v1", "--input", INPUT, "--json", **free), 1)
    assert "APIFY" in result["error"]


def test_a_file_that_is_no_database_is_an_infrastructure_failure(tmp_path, lumeflow):
    file = tmp_path / "notes.db"
    file.write_text("these are my notes\n" * 100)
    error = as_json(lumeflow(tmp_path, "executions", "list", "--db", str(file), "--json"), 1)["error"]
    assert error["code"] == "storage"
    assert "notes.db" in error["message"]
    assert file.read_text().startswith("these are my notes")
    text = lumeflow(tmp_path, "executions", "list", "--db", str(file)).stderr.decode()
    assert text.startswith("error: ")
    assert "Traceback" not in text


def test_mocks_of_nothing_are_refused(tmp_path, lumeflow):
    (tmp_path / "mocks.json").write_bytes(orjson.dumps({"apolo": {"person": None}}))
    ended = lumeflow(tmp_path, "run", "signup-audience", "--mode", "demo", "--mocks", str(tmp_path / "mocks.json"))
    assert ended.returncode == 2
    assert b"mocks name 'apolo', which is neither a node nor a provider. Did you mean 'apollo'?" in ended.stderr


def test_a_workflow_is_converted_for_react_flow_and_back(tmp_path, lumeflow):
    drawn = lumeflow(tmp_path, "convert", "lead-enrichment-v1")
    assert {node["id"]: sorted(node["position"]) for node in as_json(drawn)["nodes"]}["scraper-1"] == ["x", "y"]
    (tmp_path / "flow.json").write_bytes(drawn.stdout)
    back = lumeflow(tmp_path, "convert", str(tmp_path / "flow.json"), "--to", "workflow")
    assert as_json(back) == orjson.loads(source("lead-enrichment-v1"))


def test_what_is_no_flow_is_not_converted(tmp_path, lumeflow):
    (tmp_path / "flow.json").write_text("[]")
    ended = lumeflow(tmp_path, "convert", str(tmp_path / "flow.json"), "--to", "workflow")
    assert (ended.returncode, b'such as {"nodes": [], "edges": []}; found an array' in ended.stderr) == (2, True)


def test_mocks_take_the_place_of_demo_answers(tmp_path, lumeflow):
    load_audience(tmp_path)
    (tmp_path / "mocks.json").write_bytes(orjson.dumps({"apollo": {"person": None}}))
    command = ("run", "lead-enrichment-v1", "-i", INPUT, "--mode", "demo", "--mocks", str(tmp_path / "mocks.json"))
    result = as_json(lumeflow(tmp_path, *command, "--json"))
    assert result["nodes"]["enrichment-1"]["executionCost"]["totalCost"] == 0
    records = orjson.loads(lumeflow(tmp_path, "executions", "output", result["executionId"]).stdout)
    assert {record["enriched"] for record in records} == {False}


def test_variables_reach_the_workflow(tmp_path, lumeflow):
    workflow = {
        "workflowId": "greet",
        "name": "Greet",
        "nodes": [
            {"id": "in", "type": "input", "config": {"source": "static", "data": [{"zip": "{{variables.zip}}"}]}},
            {"id": "out", "type": "output", "config": {"destination": "json"}},
        ],
        "edges": [{"source": "in", "target": "out"}],
    }
    ended = lumeflow(tmp_path, "run", "-", "--var", "zip=007", "--json", given=orjson.dumps(workflow))
    result = as_json(ended)
    records = orjson.loads(lumeflow(tmp_path, "executions", "output", result["executionId"]).stdout)
    assert records == [{"zip": "007"}]


def test_blocks_and_schema_need_no_database(tmp_path, lumeflow):
    listed = as_json(lumeflow(tmp_path, "blocks", "list", "--json"))["blocks"]
    assert "api/apollo-people-match" in {block["id"] for block in listed}
    (shown,) = as_json(lumeflow(tmp_path, "blocks", "show", "api/apollo-people-match", "--json"))["blocks"]
    assert "fieldMapping" in shown["config"]["properties"]
    schema = as_json(lumeflow(tmp_path, "schema"))
    assert "nodes" in schema["properties"]
    assert list(tmp_path.iterdir()) == []


def test_a_broken_plugin_is_named_and_left_out(tmp_path, lumeflow):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "mine.py").write_text("import nowhere\n")
    ended = lumeflow(tmp_path, "blocks", "list", "--json", LUMEFLOW_PLUGINS=str(tmp_path / "plugins"))
    assert b"left out: " in ended.stderr
    assert b"mine.py" in ended.stderr
    assert as_json(ended)["blocks"]


def test_interrupted_over_http_then_resumed_pays_nothing_twice(tmp_path, lumeflow):
    load_audience(tmp_path)
    with simulator(tmp_path, "--comments", "120", "--limit", "apollo=20/1") as url:
        command = ("run", "lead-enrichment-v1", "--input", INPUT, "--simulator", url, "--now", NOW)
        stderr = interrupted_after_five_matches(tmp_path, url, *command, "--execution-id", "run-1")
        suggestion = stderr.partition("to continue: lumeflow ")[2].split()
        assert suggestion == ["executions", "resume", "run-1", "--simulator", url]
        result = as_json(lumeflow(tmp_path, *suggestion, "--json"))
        assert result["status"] == "completed"
        assert result["repeatedCalls"] == 0
        charged = bill(url)
    assert charged["totals"]["repeats"] == 0
    assert Decimal(charged["totals"]["charges"]["USD"]) == Decimal(str(result["cost"]["totalCost"]))


def interrupted_after_five_matches(folder: Path, url: str, *command: str) -> str:
    """Start a run and send it what Ctrl-C sends once it is in the middle; returns what it says about it."""
    with subprocess.Popen(
        [*LUMEFLOW, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ(folder)
    ) as process:
        try:
            while process.poll() is None and bill(url)["providers"].get("apollo", {"answered": 0})["answered"] < 5:
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 1
    assert stdout.startswith(b"cancelled")
    assert "stopping… (Ctrl-C again to quit at once)" in stderr.decode()
    return stderr.decode()


def test_a_simulator_that_is_not_there_is_bad_usage(tmp_path):
    command = ("run", "lead-enrichment-v1", "--input", INPUT, "--simulator", "http://127.0.0.1:9", "--json")
    assert "lumeflow simulate" in as_json(process(tmp_path, *command), 2)["error"]["message"]


def test_a_port_that_is_taken_is_bad_usage(tmp_path, lumeflow):
    with simulator(tmp_path) as url:
        port = url.rpartition(":")[2]
        error = as_json(lumeflow(tmp_path, "simulate", "--port", port, "--json"), 2)["error"]
    assert error["message"] == (
        f"the simulator cannot listen at 127.0.0.1:{port} (Address already in use): choose another --port."
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize("words", [("blocks", "list"), ("schema",), ("executions", "list", "--json")], ids=" ".join)
def test_a_full_disk_behind_standard_output_is_told(tmp_path, words):
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [*LUMEFLOW, *words], stdout=full, stderr=subprocess.PIPE, timeout=60, check=False, env=environ(tmp_path)
        )
    assert ended.returncode == 1
    assert ended.stderr == b"error: standard output cannot be written: No space left on device\n"
