"""Follows docs/writing-blocks.md: saves its files, types its commands, runs its tests, compares what it shows."""

import json
import re
import tomllib

import pytest
from tests.docs.pages import ROOT, fences
from tests.docs.reader import KEYS, Reader

from lumeflow.core.block import BlockType
from lumeflow.plugins import GROUP, load_registry
from lumeflow.testing import run_block
from lumeflow.testing.contract.suite import checks

GUIDE = ROOT / "docs" / "writing-blocks.md"
FENCES = fences(GUIDE)
FOLDER = "my_blocks/"
MODULES = {fence.label.removeprefix(FOLDER): fence.text for fence in FENCES if fence.language == "python"}
TESTS = [name for name in MODULES if name.startswith("test_")]
BLOCKS = [name for name, text in MODULES.items() if "(Block[" in text]
JSON = {fence.label: json.loads(fence.text) for fence in FENCES if fence.language == "json"}


@pytest.fixture
def folder(tmp_path):
    """The guide's files in a folder."""
    for name, text in MODULES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_it_can_be_followed_to_the_letter(tmp_path, monkeypatch):
    for name in ("LUMEFLOW_DB", "LUMEFLOW_PLUGINS", "NO_COLOR", "FORCE_COLOR", *KEYS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LUMEFLOW_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    reader = Reader(tmp_path, "http://127.0.0.1:9", monkeypatch.setenv)
    saved = [fence for fence in FENCES if fence.language == "python" or fence.label.endswith(".json")]
    typed = [fence for fence in FENCES if fence.language in {"bash", "text"}]
    # Whatever a command needs is saved before; some of it stands further down on the page.
    for fence in [*saved, *typed]:
        try:
            reader.follow(fence)
        except Exception as error:
            error.add_note(f"in the block at {fence.place}")
            raise
    assert reader.commands >= 10


def test_every_test_that_is_shown_is_run_by_a_command():
    commands = "".join(fence.text for fence in FENCES if fence.language == "bash")
    assert [
        name for name in TESTS if f"pytest {FOLDER}{name}" not in commands and f" {FOLDER}{name}" not in commands
    ] == []


def test_the_guide_has_examples_of_every_kind():
    assert len(BLOCKS) >= 5
    assert len(TESTS) >= 4
    assert {fence.language for fence in FENCES} == {"python", "json", "toml", "bash", "text"}


def test_every_block_is_shown_at_work():
    shown = {label.removesuffix(" node") for label in JSON if label.endswith(" node")}
    tested = {name.removeprefix("test_") for name in TESTS}
    assert set(BLOCKS) <= shown | tested


def test_every_block_loads_as_a_plugin(folder):
    registry, problems = load_registry([folder], entry_points=False)
    assert problems == []
    own = [block for block in registry.blocks() if block.__module__.startswith("_lumeflow_plugin_")]
    assert len(own) == len(BLOCKS)


@pytest.mark.parametrize("name", [name for name in BLOCKS if f"{name} node" in JSON])
async def test_a_node_makes_the_output_that_is_shown(name, folder):
    registry, _ = load_registry([folder], entry_points=False)
    node = JSON[f"{name} node"]
    block = registry.resolve(BlockType(node["type"]), node["config"])
    run = await run_block(block, node["config"], JSON[f"{name} input"])
    assert run.output == JSON[f"{name} output"]


def test_every_test_of_the_contract_is_told():
    told = re.findall(r"^\| `(test_\w+)` \|", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(told) == sorted(checks())


def test_the_entry_point_is_of_the_right_group():
    (text,) = [fence.text for fence in FENCES if fence.language == "toml"]
    assert tomllib.loads(text)["project"]["entry-points"][GROUP]
