"""The head of a prompt file: who it is and which variables it takes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lumeflow.plugin import UsageError, did_you_mean

FENCE = "+++"

_KEYS = ("name", "version", "description", "variables")
_POSITION = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a prompt.

    Attributes:
        description: What belongs there.
        default: Its value if none is given.
        required: True if a value must be given.
    """

    description: str
    default: Any = None
    required: bool = True


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What the head says."""

    name: str
    version: int
    description: str
    variables: Mapping[str, Variable]


def read_front_matter(place: Path, lines: Sequence[str]) -> tuple[FrontMatter, int]:
    """Read the head of a file; returns it with the index of the line after it.

    Raises:
        UsageError: It is missing or wrong; the message names file and line.
    """
    if not lines or lines[0].strip() != FENCE:
        raise UsageError(f"{place}:1: a prompt file begins with a line '{FENCE}' and its front matter")
    end = next((index for index in range(1, len(lines)) if lines[index].strip() == FENCE), None)
    if end is None:
        raise UsageError(f"{place}:{len(lines)}: the front matter has no closing line '{FENCE}'")
    values = _toml(place, lines[1:end])
    for key in values:
        if key not in _KEYS:
            raise UsageError(f"{place}:{_line_of(lines, key)}: unknown key '{key}'." + did_you_mean(key, _KEYS))
    name, version = values.get("name"), values.get("version")
    if not isinstance(name, str) or not isinstance(version, int) or isinstance(version, bool):
        raise UsageError(f"{place}:1: the front matter needs a text 'name' and a whole number 'version'")
    variables = values.get("variables", {})
    if not isinstance(variables, dict):
        raise UsageError(f"{place}:{_line_of(lines, 'variables')}: 'variables' must be a table")
    read = {key: _variable(place, lines, key, value) for key, value in variables.items()}
    return FrontMatter(name, version, str(values.get("description", "")), read), end + 1


def _toml(place: Path, lines: Sequence[str]) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError as error:
        match = _POSITION.search(str(error))
        line = int(match[1]) + 1 if match and match[1] else len(lines) + 1
        raise UsageError(f"{place}:{line}: {_POSITION.sub('', str(error))}") from error


def _variable(place: Path, lines: Sequence[str], name: str, value: Any) -> Variable:
    if isinstance(value, str):
        return Variable(value)
    if isinstance(value, dict) and set(value) <= {"description", "default"}:
        return Variable(str(value.get("description", "")), value.get("default"), required="default" not in value)
    expected = 'a description, or { description = "…", default = … }'
    raise UsageError(f"{place}:{_line_of(lines, name)}: variable '{name}' must be {expected}")


def _line_of(lines: Sequence[str], key: str) -> int:
    """The line that sets `key`, counted from 1."""
    wanted = re.compile(rf"""\s*\[?["']?{re.escape(key)}["']?\s*[=\].]""")
    return next((number for number, line in enumerate(lines, start=1) if wanted.match(line)), 1)
