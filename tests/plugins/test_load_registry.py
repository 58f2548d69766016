import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from lumeflow import plugins
from lumeflow.plugins import BUILT_IN, GROUP, PluginProblem, load_registry

BLOCK = """
from lumeflow.plugin import Block, BlockConfig, BlockType

class {cls}Config(BlockConfig):
    operation: str

class {cls}(Block[{cls}Config]):
    type = BlockType.TRANSFORM
    name = "{name}"
    when = ({{"operation": "{name}"}},)
    Config = {cls}Config

    def process(self, record, ctx):
        return record
"""


def block(name, cls="Mine"):
    return BLOCK.format(name=name, cls=cls)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Makes installed packages: files on the path, and entry points that name them."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    before = set(sys.modules)
    points = []

    def install(entry_point, files):
        for path, text in files.items():
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).write_text(text)
        points.append(metadata.EntryPoint(f"point-{len(points)}", entry_point, GROUP))

    monkeypatch.setattr(plugins.metadata, "entry_points", lambda group: [p for p in points if p.group == group])
    yield install
    for name in set(sys.modules) - before:
        del sys.modules[name]


def names(registry):
    return {found.id() for found in registry.blocks()}


BUILT_IN_NAMES = names(load_registry(entry_points=False)[0])


class TestBuiltIns:
    def test_all_of_them_load(self):
        registry, problems = load_registry(entry_points=False)
        assert problems == []
        assert {
            "input/database", "input/static", "input/api", "input/upload", "transform/fields", "filter/fields",
            "branch/condition", "branch/cases", "merge/append", "merge/deep", "merge/zip", "output/database",
            "output/shared-audience", "output/json",
        } <= names(registry)  # fmt: skip

    def test_they_come_in_by_the_door_that_plugins_use(self):
        project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
        assert project["project"]["entry-points"][GROUP] == BUILT_IN

    def test_a_module_holds_one_block_and_lies_in_the_folder_of_its_type(self):
        modules = [found.__module__ for found in load_registry(entry_points=False)[0].blocks()]
        assert len(set(modules)) == len(modules)
        for found in load_registry(entry_points=False)[0].blocks():
            assert found.__module__.startswith(f"lumeflow.blocks.{found.type}.")


class TestPackages:
    def test_a_module(self, package):
        package("one_module", {"one_module.py": block("one")})
        registry, problems = load_registry()
        assert (names(registry) - BUILT_IN_NAMES, problems) == ({"transform/one"}, [])

    def test_a_class(self, package):
        package("two_classes:Second", {"two_classes.py": block("first", "First") + block("second", "Second")})
        assert names(load_registry()[0]) - BUILT_IN_NAMES == {"transform/second"}

    def test_all_modules_of_a_package_but_private_ones(self, package):
        package(
            "many",
            {
                "many/__init__.py": block("top"),
                "many/a.py": block("a"),
                "many/deeper/__init__.py": "",
                "many/deeper/b.py": block("b"),
                "many/_private.py": "raise RuntimeError",
                "many/__main__.py": "raise SystemExit(3)",
            },
        )
        registry, problems = load_registry()
        assert names(registry) - BUILT_IN_NAMES == {"transform/top", "transform/a", "transform/b"}
        assert problems == []

    def test_they_can_be_left_out(self, package):
        package("one_module", {"one_module.py": block("one")})
        assert names(load_registry(entry_points=False)[0]) == BUILT_IN_NAMES

    def test_two_entry_points_to_one_module_are_no_conflict(self, package):
        package("one_module", {"one_module.py": block("one")})
        package("one_module", {})
        assert load_registry()[1] == []

    def test_a_built_in_name_cannot_be_taken(self, package):
        package("thief", {"thief.py": block("fields")})
        registry, (problem,) = load_registry()
        assert (
            "block 'transform/fields' of thief is already defined in lumeflow.blocks.transform.fields" in problem.error
        )
        assert registry.block("transform/fields").__module__ == "lumeflow.blocks.transform.fields"


class TestFolders:
    def test_every_file_is_a_plugin(self, tmp_path):
        (tmp_path / "b.py").write_text(block("b"))
        (tmp_path / "a-file.py").write_text(block("a"))
        (tmp_path / "_helper.py").write_text("raise RuntimeError")
        (tmp_path / "notes.txt").write_text("raise RuntimeError")
        registry, problems = load_registry([tmp_path], entry_points=False)
        assert (names(registry) - BUILT_IN_NAMES, problems) == ({"transform/a", "transform/b"}, [])

    def test_a_file_is_imported_under_a_private_name(self, tmp_path):
        (tmp_path / "json.py").write_text(block("mine"))
        import json

        registry, _ = load_registry([tmp_path], entry_points=False)
        assert sys.modules["json"] is json
        assert registry.block("transform/mine").__module__.startswith("_lumeflow_plugin_")

    def test_files_of_one_name_in_two_folders(self, tmp_path):
        for number in (1, 2):
            folder = tmp_path / str(number)
            folder.mkdir()
            (folder / "same.py").write_text(block(f"b{number}"))
        registry, problems = load_registry([tmp_path / "1", tmp_path / "2"], entry_points=False)
        assert (names(registry) - BUILT_IN_NAMES, problems) == ({"transform/b1", "transform/b2"}, [])

    def test_a_folder_can_be_loaded_again(self, tmp_path):
        (tmp_path / "a.py").write_text(block("a"))
        for _ in range(2):
            assert load_registry([tmp_path], entry_points=False)[1] == []

    def test_a_missing_folder_is_a_problem(self, tmp_path):
        _, problems = load_registry([tmp_path / "nothing"], entry_points=False)
        assert problems == [PluginProblem(str(tmp_path / "nothing"), "no such folder")]


BROKEN = {
    "a syntax error": ("def broken(:\n", ["SyntaxError", "line 1"]),
    "an error at import": ("x = 1\n\nprint(undefined)\n", ["NameError", "'undefined'", "plugin.py, line 3"]),
    "a missing dependency": ("import no_such_package\n", ["ModuleNotFoundError", "no_such_package", "line 1"]),
    "an exit": ("import sys\nsys.exit(3)\n", ["SystemExit", "3"]),
    "no method": (block("x").replace("process", "proces"), ["RegistrationError", "must override exactly one"]),
    "no discriminators": (block("x").replace("when =", "wen ="), ["RegistrationError", "when"]),
    "a discriminator that its Config lacks": (
        block("x").replace('{"operation"', '{"operaton"'),
        ["RegistrationError", "'operaton'", "no key of MineConfig", "Did you mean 'operation'?"],
    ),
    "one mapping for discriminators": (
        block("x").replace("({", "{").replace("},)", "}"),
        ["RegistrationError", "when"],
    ),
    "a taken name": (block("fields"), ["RegistrationError", "'transform/fields'", "already defined"]),
}


@pytest.mark.parametrize(("text", "parts"), BROKEN.values(), ids=BROKEN)
class TestBrokenPlugins:
    def test_in_a_folder(self, text, parts, tmp_path):
        (tmp_path / "plugin.py").write_text(text)
        (tmp_path / "z.py").write_text(block("good"))
        registry, (problem,) = load_registry([tmp_path], entry_points=False)
        assert names(registry) - BUILT_IN_NAMES == {"transform/good"}
        assert problem.name == str(tmp_path / "plugin.py")
        for part in parts:
            assert part in problem.error
        assert "\n" not in str(problem)
        assert "Traceback" not in str(problem)

    def test_in_a_package(self, text, parts, package):
        package("broken", {"broken/__init__.py": "", "broken/plugin.py": text, "broken/good.py": block("good")})
        registry, (problem,) = load_registry()
        assert names(registry) - BUILT_IN_NAMES == {"transform/good"}
        assert problem.name == "broken.plugin"
        for part in parts:
            assert part in problem.error


def test_a_package_that_is_not_there_is_a_problem(package):
    package("nowhere", {})
    registry, (problem,) = load_registry()
    assert names(registry) == BUILT_IN_NAMES
    assert problem.name == "point-0"
    assert "nowhere" in problem.error


def test_a_failed_file_leaves_no_module_behind(tmp_path):
    (tmp_path / "plugin.py").write_text("raise RuntimeError('no')")
    before = set(sys.modules)
    load_registry([tmp_path], entry_points=False)
    assert set(sys.modules) == before
