"""docs/command-line.md describes the commands that there are, with examples that they accept."""

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from lumeflow.cli.inputs import read_variables
from lumeflow.cli.main import build
from lumeflow.cli.problems import _KINDS

TEXT = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
FOR_ALL = {"Rules for all commands", "On a server"}
SHARED = {"--db", "--json", "--server", "--api-key", "--help", "-h"}


def commands() -> dict[str, object]:
    """Every command by its words: `executions list`."""
    return dict(_below(get_command(build()), ()))


def _below(command, words):
    for word, inner in command.commands.items():
        if getattr(inner, "commands", None):
            yield from _below(inner, (*words, word))
        else:
            yield " ".join((*words, word)), inner


COMMANDS = commands()
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S))
EXAMPLES = [
    (head, line)
    for head, body in SECTIONS.items()
    for block in re.findall(r"```sh\n(.*?)```", body, re.S)
    for line in block.splitlines()
]


def options_of(command) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts if name.startswith("-")} - SHARED


def test_every_command_has_its_section():
    assert set(SECTIONS) - FOR_ALL == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_its_line(name):
    lines = re.findall(r"^\| (`-.*?) \|", SECTIONS[name], re.M)
    assert {option for line in lines for option in re.findall(r"`(-[\w-]+)`", line)} == options_of(COMMANDS[name])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_used_in_an_example(name):
    used = {word for head, line in EXAMPLES if head == name for word in line.split()}
    for parameter in COMMANDS[name].params:
        names = set(parameter.opts) & options_of(COMMANDS[name])
        assert not names or names & used
    assert any(head == name for head, _ in EXAMPLES)


@pytest.mark.parametrize(("head", "line"), EXAMPLES, ids=[line for _, line in EXAMPLES])
def test_every_example_is_accepted(head, line):
    program, *words = shlex.split(line.partition(" > ")[0])
    assert program == "lumeflow"
    command = get_command(build())
    name: list[str] = []
    context = command.make_context("lumeflow", list(words))
    while getattr(command, "commands", None) and context._protected_args:
        word, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        name.append(word)
        context = command.make_context(word, rest, parent=context)
    assert head in FOR_ALL or " ".join(name) == head or words == ["--version"]


@pytest.mark.parametrize("name", COMMANDS)
def test_defaults_are_as_documented(name):
    for parameter in COMMANDS[name].params:
        line = re.search(rf"^\| `{parameter.opts[0]}`.*$", SECTIONS[name], re.M)
        told = re.search(r"Default `?([^`.\s]+(?:\.\d+)*)", line[0]) if line else None
        if told and not told[1].startswith(":"):
            assert told[1].rstrip(",") in {
                str(parameter.default),
                f"{parameter.default:g}" if isinstance(parameter.default, float) else "",
            }


def test_the_error_codes_are_those_there_are():
    told = re.search(r"The codes are (.*?)\. The last", TEXT, re.S)[1]
    assert set(re.findall(r"`(.+?)`", told)) == {code for _, code, _ in _KINDS} | {"internal"}


def test_the_examples_of_variables_are_read():
    pairs = re.findall(r"--var (\S+)", "\n".join(line for _, line in EXAMPLES))
    assert read_variables(pairs) == {"market": "it", "limit": 500}


def test_links_lead_somewhere():
    anchors = {head.lower().replace(" ", "-") for head in SECTIONS}
    assert set(re.findall(r"\(#(.+?)\)", TEXT)) <= anchors
