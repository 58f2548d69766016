"""Exit codes and error messages that need no app."""

import os
import subprocess
import sys

import orjson
import pytest

from lumeflow.cli import problems
from lumeflow.cli.commands.simulate import read_limits
from lumeflow.cli.main import run
from lumeflow.cli.shell import Shell
from lumeflow.core.errors import CallError, ErrorClass, LumeflowError, StorageError, UsageError
from lumeflow.core.findings import Finding, InvalidWorkflow, Report

INVALID = InvalidWorkflow(Report([Finding("unknown-key", "unknown key 'x'.", "/x")]))


@pytest.mark.parametrize("arguments", [["--version"], ["-V"], ["version"]])
def test_the_version_is_told_without_loading_anything(arguments):
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "lumeflow", *arguments], capture_output=True, text=True, check=True
    )
    assert ended.stdout.startswith("lumeflow ")
    assert not {"typer", "rich", "pydantic", "asyncio", "orjson"} & set(ended.stderr.split())


def test_the_version_as_json(capfdbinary):
    assert run(["version", "--json"]) == 0
    assert set(orjson.loads(capfdbinary.readouterr().out)) == {"version", "python"}
    assert run(["--json", "--version"]) == 0
    assert set(orjson.loads(capfdbinary.readouterr().out)) == {"version", "python"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "Missing argument 'FILE'"),
        (["rum"], "No such command 'rum'. Did you mean 'run'?"),
        (["run", "x", "--inptu", "1"], "No such option: --inptu"),
        (["run", "x", "--mode", "dry"], "'dry'"),
        (["executions", "lst"], "Did you mean 'list'?"),
        (["executions", "list", "--limit", "0"], "--limit"),
        (["simulate", "--fault-rate", "2"], "--fault-rate"),
        (["run", "-", "--input", "-"], "standard input cannot be both the workflow and the input"),
        (["run", "x", "--simulator", "http://localhost:1", "--mode", "demo"], "leave one of them out"),
        (["run", "x", "--mocks", "m.json"], "add --mode demo"),
        (["run", "nowhere.json"], "there is no file 'nowhere.json'"),
        (["validate", "nowhere.json"], "there is no file 'nowhere.json'"),
        (["run", "lead-enrichment-v1", "--input", "{"], "--input is not valid JSON: line 1, column 2"),
        (["run", "lead-enrichment-v1", "--now", "soon"], "not an ISO 8601 time"),
        (["run", "lead-enrichment-v1", "--var", "x"], "not of the form name=text"),
        (["simulate", "--limit", "apollo"], "not of the form PROVIDER=N/SECONDS"),
    ],
)
def test_bad_usage_is_told_in_a_sentence_or_as_json(arguments, message, capfd):
    assert run(arguments) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert message in captured.err
    assert run([*arguments, "--json"]) == 2
    captured = capfd.readouterr()
    assert message in orjson.loads(captured.out)["error"]["message"]
    assert orjson.loads(captured.out)["error"]["code"] == "usage"
    assert captured.err == ""


@pytest.mark.parametrize("arguments", [[], ["executions"], ["db"], ["blocks"]])
def test_called_with_nothing_it_shows_its_help_once(arguments, capfd):
    assert run(arguments) == 2
    captured = capfd.readouterr()
    assert captured.out.count("Usage: lumeflow") == 1
    assert captured.err == ""


@pytest.mark.parametrize(
    ("error", "code", "exit_code"),
    [
        (INVALID, "invalid-workflow", 2),
        (UsageError("no"), "usage", 2),
        (StorageError("no"), "storage", 1),
        (CallError(ErrorClass.AUTH, "no", operation="apollo/people-match"), "run-failed", 1),
        (LumeflowError("no"), "failed", 1),
        (KeyError("no"), "internal", 1),
    ],
)
def test_errors_have_a_code_and_an_exit_code(error, code, exit_code, capfd, monkeypatch):
    monkeypatch.delenv(problems.DEBUG, raising=False)
    assert problems.report(Shell(as_json=True), error) == exit_code
    captured = capfd.readouterr()
    assert orjson.loads(captured.out)["error"]["code"] == code
    assert captured.err == ""
    assert problems.report(Shell(), error) == exit_code
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "error: " in captured.err
    assert "Traceback" not in captured.err


def test_an_invalid_workflow_shows_its_findings(capfd):
    problems.report(Shell(as_json=True), INVALID)
    found = orjson.loads(capfd.readouterr().out)["error"]
    assert found["findings"] == [
        {"code": "unknown-key", "severity": "error", "pointer": "/x", "message": "unknown key 'x'."}
    ]
    problems.report(Shell(), INVALID)
    assert capfd.readouterr().err.splitlines() == [
        "error  unknown-key  /x",
        "    unknown key 'x'.",
        "1 error, 0 warnings",
        "error: the workflow cannot be run",
    ]


def raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as caught:
        return caught


def test_a_bug_is_told_without_its_data(capfd, monkeypatch):
    monkeypatch.delenv(problems.DEBUG, raising=False)
    problems.report(Shell(), raised(ValueError("mira.holt@example.com")))
    text = capfd.readouterr().err
    assert "mira.holt" not in text
    assert "ValueError in test_cli_main.py, line" in text
    assert "LUMEFLOW_DEBUG=1" in text


def test_the_traceback_comes_on_request(capfd, monkeypatch):
    monkeypatch.setenv(problems.DEBUG, "1")
    problems.report(Shell(), raised(ValueError("no")))
    assert "Traceback" in capfd.readouterr().err


def test_notes_say_how_to_continue(capfd):
    error = StorageError("the disk is full")
    error.add_note("continue with: lumeflow executions resume run-1")
    problems.report(Shell(), error)
    assert capfd.readouterr().err == "error: the disk is full\ncontinue with: lumeflow executions resume run-1\n"


def test_suggested_commands_are_ready_for_the_shell():
    assert Shell().command("executions", "show", "run-1") == "lumeflow executions show run-1"
    quoted = Shell(db="my file.db").command("executions", "show", "run-1")
    assert quoted == "lumeflow executions show run-1 --db 'my file.db'"


@pytest.mark.parametrize(
    ("called", "suggested"),
    [
        (".venv/bin/lumeflow", ".venv/bin/lumeflow"),
        ("{here}/.venv/bin/lumeflow", ".venv/bin/lumeflow"),
        ("/opt/tools/lumeflow", "/opt/tools/lumeflow"),
        ("/opt/tools/pytest", "lumeflow"),
    ],
)
def test_suggested_commands_name_the_program_as_it_can_be_called(tmp_path, monkeypatch, called, suggested):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", [called.format(here=tmp_path)])
    assert Shell().command("version") == f"{suggested} version"


def test_limits_of_the_simulator():
    texts = ["apollo=150/1", "apollo=1000/60", "hunter/email-finder=15/0.5"]
    assert read_limits(texts) == {"apollo": [(150, 1.0), (1000, 60.0)], "hunter/email-finder": [(15, 0.5)]}


@pytest.mark.parametrize(
    "text", ["apollo", "apollo=1", "apollo=x/1", "apollo=0/1", "apollo=1/0", "=1/1", "apollo=1/inf"]
)
def test_limits_that_are_none(text):
    with pytest.raises(UsageError, match="such as apollo=150/1"):
        read_limits([text])


def test_a_terminal_that_lacks_letters_is_no_failure(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-m", "lumeflow", "run", "Łucja.json"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert ended.returncode == 2
    assert "there is no file '\\u0141ucja.json'" in ended.stderr
