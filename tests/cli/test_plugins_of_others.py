"""Plugins on the command line: packages that are installed, plugins that are broken, names that are taken."""

import json
import os
import subprocess
import sys
import zipfile

import pytest

from lumeflow.cli.main import run

BLOCK = '''
from lumeflow.plugin import Block, BlockConfig, BlockType


class {cls}Config(BlockConfig):
    operation: str


class {cls}(Block[{cls}Config]):
    """Mark each record."""

    type = BlockType.TRANSFORM
    name = "{name}"
    when = ({{"operation": "{name}"}},)
    Config = {cls}Config

    def process(self, record, ctx):
        return {{**record, "mark": "{name}"}}
'''
METADATA = "Metadata-Version: 2.1\nName: example-blocks\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def flow(operation):
    nodes = [
        {"id": "in", "type": "input", "config": {"source": "static", "data": {"people": [{"n": 1}]}}},
        {"id": "mark", "type": "transform", "config": {"operation": operation}},
        {"id": "out", "type": "output", "config": {"destination": "json"}},
    ]
    edges = [{"source": "in", "target": "mark"}, {"source": "mark", "target": "out"}]
    return {"workflowId": "marked", "name": "Marked", "nodes": nodes, "edges": edges}


# One of its modules is broken, and the other has a name that is taken.
FILES = {
    "example_blocks/__init__.py": "",
    "example_blocks/stamp.py": BLOCK.format(cls="Stamp", name="stamp"),
    "example_blocks/broken.py": "x = 1\n\nprint(undefined)\n",
    "example_blocks/thief.py": BLOCK.format(cls="Thief", name="fields"),
    "example_blocks-1.0.dist-info/METADATA": METADATA,
    "example_blocks-1.0.dist-info/WHEEL": WHEEL,
    "example_blocks-1.0.dist-info/entry_points.txt": "[lumeflow.plugins]\nexample = example_blocks\n",
}


def wheel(folder):
    path = folder / "example_blocks-1.0-py3-none-any.whl"
    record = "example_blocks-1.0.dist-info/RECORD"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in FILES.items():
            archive.writestr(name, text)
        archive.writestr(record, "".join(f"{name},,\n" for name in [*FILES, record]))
    return path


@pytest.mark.parametrize("unpacked", [True, False], ids=["installed", "on the path"])
def test_an_installed_package_is_found_and_what_is_broken_in_it_is_told(unpacked, tmp_path):
    site = wheel(tmp_path)
    if unpacked:
        site = tmp_path / "site"
        with zipfile.ZipFile(wheel(tmp_path)) as archive:
            archive.extractall(site)
    (tmp_path / "flow.json").write_text(json.dumps(flow("stamp")))
    environ = {**os.environ, "PYTHONPATH": str(site), "LUMEFLOW_DATA_DIR": str(tmp_path / "data")}
    environ.pop("LUMEFLOW_PLUGINS", None)

    def lumeflow(*arguments):
        command = [sys.executable, "-m", "lumeflow", *arguments, "--json"]
        ended = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
        return json.loads(ended.stdout), ended.stderr

    listed, told = lumeflow("blocks", "list")
    assert "transform/stamp" in {block["id"] for block in listed["blocks"]}
    broken, thief = listed["leftOut"]
    assert broken == {"plugin": "example_blocks.broken", "error": broken["error"]}
    assert broken["error"] == "NameError: name 'undefined' is not defined (broken.py, line 3)"
    assert thief["plugin"] == "example_blocks.thief"
    assert "block 'transform/fields' of example_blocks.thief is already defined in lumeflow.blocks" in thief["error"]
    assert told.count("left out: plugin 'example_blocks.") == 2
    result, _ = lumeflow("run", str(tmp_path / "flow.json"), "--mode", "demo")
    assert (result["status"], result["output"]["recordsCount"]) == ("completed", 1)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LUMEFLOW_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LUMEFLOW_PLUGINS", str(tmp_path / "own"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "broken.py").write_text("def broken(:\n")
    (tmp_path / "own" / "stamp.py").write_text(BLOCK.format(cls="Stamp", name="stamp"))
    (tmp_path / "own" / "twin.py").write_text(BLOCK.format(cls="Twin", name="stamp"))
    (tmp_path / "own" / "test_stamp.py").write_text("raise RuntimeError('a test is no plugin')")
    (tmp_path / "own" / "conftest.py").write_text("raise RuntimeError('nor is this')")
    (tmp_path / "flow.json").write_text(json.dumps(flow("stamp")))
    return tmp_path / "own"


@pytest.mark.parametrize(
    "arguments",
    [["blocks", "list"], ["blocks", "show", "transform/stamp"], ["validate", "flow.json"], ["run", "flow.json"]],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_a_broken_plugin_is_named_and_the_others_work(arguments, folder, capfdbinary):
    assert run(arguments) == 0
    told = [line for line in capfdbinary.readouterr().err.decode().splitlines() if line.startswith("left out")]
    broken, twin = told
    assert broken.startswith(f"left out: plugin '{folder / 'broken.py'}': SyntaxError: ")
    assert broken.endswith("(broken.py, line 1)")
    assert twin.startswith(f"left out: plugin '{folder / 'twin.py'}': RegistrationError: block 'transform/stamp' of ")
    assert twin.endswith("of twin.py is already defined in stamp.py")


def test_a_workflow_that_needs_a_broken_plugin_is_told_at_its_node(folder, capfdbinary):
    (folder / "stamp.py").write_text("import nothing_of_this_name\n")
    (folder / "twin.py").unlink()
    assert run(["validate", "flow.json", "--json"]) == 2
    printed = capfdbinary.readouterr()
    assert "No module named 'nothing_of_this_name' (stamp.py, line 1)" in printed.err.decode()
    assert {finding["node"] for finding in json.loads(printed.out)["findings"]} == {"mark"}
