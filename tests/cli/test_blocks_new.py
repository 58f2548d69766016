"""`lumeflow blocks new`: what it writes works as it stands."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lumeflow.cli.main import run
from lumeflow.core.block import BlockType
from lumeflow.core.errors import UsageError
from lumeflow.core.registry import Registry
from lumeflow.plugins import load_registry


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.delenv("LUMEFLOW_PLUGINS", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_blocks_of_all_types_work_as_they_stand(place, monkeypatch, capfdbinary):
    for kind in BlockType:
        assert run(["blocks", "new", f"my-{kind}", "--type", str(kind), "--to", "own"]) == 0
    registry, problems = load_registry([place / "own"], entry_points=False)
    assert problems == []
    assert {f"{kind}/my-{kind}" for kind in BlockType} <= {block.id() for block in registry.blocks()}
    # As an author has it: none of the plugins that this project uses.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "own"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
    # The example alone is one test; the contract is at least eight more.
    assert int(ended.stdout.strip().rpartition("\n")[2].split()[0]) >= 9 * len(BlockType)


def test_it_says_what_to_do_next(place, monkeypatch, capfdbinary):
    assert run(["blocks", "new", "salutation", "--to", "own"]) == 0
    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert lines == [
        "wrote own/salutation.py",
        "wrote own/test_salutation.py",
        "test it:   pytest own/test_salutation.py",
        "use it:    export LUMEFLOW_PLUGINS=own",
        "read it:   lumeflow blocks show transform/salutation",
    ]


def test_it_goes_into_the_folder_of_plugins(place, monkeypatch, capfdbinary):
    monkeypatch.setenv("LUMEFLOW_PLUGINS", str(place / "mine"))
    assert run(["blocks", "new", "two-words", "--type", "filter", "--json"]) == 0
    printed = capfdbinary.readouterr()
    assert json.loads(printed.out) == {
        "id": "filter/two-words",
        "block": str(place / "mine" / "two_words.py"),
        "test": str(place / "mine" / "test_two_words.py"),
    }
    assert printed.err == b""
    assert run(["blocks", "show", "filter/two-words"]) == 0
    assert "class TwoWords(Block[TwoWordsConfig])" in (place / "mine" / "two_words.py").read_text()


@pytest.mark.parametrize("name", ["", "Upper", "two_words", "-x", "x-", "a--b", "../x", "1st", "ü", "x" * 61, "a b"])
def test_a_name_is_checked(name, place, capfdbinary):
    assert run(["blocks", "new", "--to", "own", "--", name]) == 2
    assert b"cannot be a block's name" in capfdbinary.readouterr().err
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("name", ["json", "class", "email", "pydantic", "lumeflow"])
def test_a_name_must_not_hide_a_module(name, capfdbinary):
    assert run(["blocks", "new", name, "--to", "own"]) == 2
    assert f"choose another, such as my-{name}" in capfdbinary.readouterr().err.decode()


def test_a_name_that_is_taken_is_refused(capfdbinary):
    assert run(["blocks", "new", "fields", "--to", "own"]) == 2
    assert "there is a block 'transform/fields' already" in capfdbinary.readouterr().err.decode()


@pytest.mark.parametrize("there", ["mine.py", "test_mine.py"])
def test_nothing_is_overwritten(there, place, capfdbinary):
    (place / "own").mkdir()
    (place / "own" / there).write_text("# my own")
    assert run(["blocks", "new", "mine", "--to", "own"]) == 2
    assert f"'own/{there}' exists already" in capfdbinary.readouterr().err.decode()
    assert [path.name for path in (place / "own").glob("*.py")] == [there]
    assert (place / "own" / there).read_text() == "# my own"


def test_a_folder_has_to_be_named(capfdbinary):
    assert run(["blocks", "new", "mine"]) == 2
    assert "--to" in capfdbinary.readouterr().err.decode()


def test_a_folder_that_is_none_is_told(place, capfdbinary):
    (place / "own").write_text("a file")
    assert run(["blocks", "new", "mine", "--to", "own"]) == 2
    assert "'own': the block cannot be written" in capfdbinary.readouterr().err.decode()


def test_both_files_or_none(place, monkeypatch):
    from lumeflow.cli import scaffold

    opened = Path.open

    def full(path, mode="r", **options):
        if path.name == "test_mine.py":
            raise OSError(28, "No space left on device")
        return opened(path, mode, **options)

    new = scaffold.NewBlock.checked("mine", BlockType.FILTER, Registry())
    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(UsageError, match="No space left"):
        scaffold.write(new, place)
    assert list(place.iterdir()) == []
