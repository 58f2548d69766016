"""Runs every example of docs/writing-blocks.md."""

import inspect
import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

from lumeflow.core.block import BlockType
from lumeflow.plugins import GROUP, load_registry
from lumeflow.testing import run_block

GUIDE = (Path(__file__).parents[2] / "docs" / "writing-blocks.md").read_text()
FENCED = re.findall(r"^```(\w+) ?(.*)\n([\s\S]*?)^```$", GUIDE, re.MULTILINE)
MODULES = {label: text for language, label, text in FENCED if language == "python"}
BLOCKS = [name for name in MODULES if not name.startswith("test_")]
TESTS = [name for name in MODULES if name.startswith("test_")]
JSON = {label: json.loads(text) for language, label, text in FENCED if language == "json"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The guide's files in a folder, from which they can be imported."""
    for name, text in MODULES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_the_guide_has_examples_of_every_kind():
    assert len(BLOCKS) >= 5
    assert len(TESTS) >= 3
    assert {language for language, _, _ in FENCED} == {"python", "json", "toml"}
    assert all(label for _, label, _ in FENCED)


def test_every_block_is_shown_at_work():
    shown = {label.removesuffix(" node") for label in JSON if label.endswith(" node")}
    tested = {name.removeprefix("test_") for name in TESTS}
    assert set(BLOCKS) == shown | tested


def test_every_block_loads_as_a_plugin(folder):
    for name in TESTS:
        (folder / name).unlink()
    registry, problems = load_registry([folder], entry_points=False)
    assert problems == []
    assert len([block for block in registry.blocks() if block.__module__.startswith("_lumeflow_plugin_")]) == len(
        BLOCKS
    )


@pytest.mark.parametrize("name", [name for name in BLOCKS if f"{name} node" in JSON])
async def test_a_node_makes_the_output_that_is_shown(name, folder):
    registry, _ = load_registry([folder], entry_points=False)
    node = JSON[f"{name} node"]
    block = registry.resolve(BlockType(node["type"]), node["config"])
    run = await run_block(block, node["config"], JSON[f"{name} input"])
    assert run.output == JSON[f"{name} output"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", TESTS)
async def test_the_tests_that_are_shown_pass(name):
    namespace = {}
    exec(compile(MODULES[name], name, "exec"), namespace)
    tests = [value for key, value in namespace.items() if key.startswith("test_")]
    assert tests
    for test in tests:
        assert inspect.iscoroutinefunction(test)
        await test()


def test_the_entry_point_is_of_the_right_group():
    (text,) = [text for language, _, text in FENCED if language == "toml"]
    assert tomllib.loads(text)["project"]["entry-points"][GROUP]
