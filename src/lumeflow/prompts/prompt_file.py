"""One prompt file: front matter in TOML between `+++` lines, then sections that begin with a heading of level one.

    +++
    name = "greet"
    version = 1
    description = "…"
    [variables]
    person = "Whom to greet."
    tone = { description = "How.", default = "friendly" }
    +++
    # system
    # example: user          (few-shot examples, in pairs, any number)
    # example: assistant
    # user                   (the only required section)
    # answer                 (JSON Schema of the answer in a code fence)

`system`, `user` and the examples are Jinja templates. They come from the operator, never from a workflow's data; the
sandbox is a second fence behind that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from lumeflow.kit.schema_check import schema_check
from lumeflow.plugin import UsageError
from lumeflow.prompts.front_matter import FrontMatter, Variable, read_front_matter
from lumeflow.prompts.templates import TextTemplate, compile_text

_ONCE = ("system", "user", "answer")
_EXAMPLES = ("example: user", "example: assistant")
_HEADINGS = frozenset({*_ONCE, *_EXAMPLES})
_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the file under a heading.

    Attributes:
        heading: What stands after `# `.
        at: Line number of the heading.
        line: Line number of its first line of text.
        text: Its text.
    """

    heading: str
    at: int
    line: int
    text: str


class PromptFile:
    """A prompt as it is used; implements `lumeflow.core.context.Prompt`."""

    def __init__(self, place: Path, front: FrontMatter, sections: Sequence[Section]) -> None:
        self.name = front.name
        self.version = front.version
        self.description = front.description
        self.variables: Mapping[str, Variable] = front.variables
        self._schema = _answer_schema(place, sections)
        spoken = [section for section in sections if section.heading != "answer"]
        order = sorted(spoken, key=lambda section: _PLACES[section.heading])
        self._turns: list[tuple[str, TextTemplate]] = [
            (_ROLES[section.heading], compile_text(place, section.line, section.text, front.variables))
            for section in order
        ]

    @property
    def answer_schema(self) -> Mapping[str, Any]:
        """JSON Schema that the model's answer must satisfy; empty if the file has none."""
        return self._schema

    def messages(self, variables: Mapping[str, Any]) -> list[dict[str, str]]:
        """Chat messages: system, then the examples, then the user message.

        Args:
            variables: Values by name; those with a default may be missing, those that the file does not name are
                ignored.

        Raises:
            UsageError: A variable is missing, or the template cannot be rendered.
        """
        values = {name: variables.get(name, variable.default) for name, variable in self.variables.items()}
        missing = [name for name, variable in self.variables.items() if variable.required and name not in variables]
        if missing:
            wanted = ", ".join(f"'{name}'" for name in missing)
            raise UsageError(f"the prompt '{self.name}@{self.version}' needs a value for {wanted}")
        return [{"role": role, "content": template.render(values)} for role, template in self._turns]


_ROLES = {"system": "system", "user": "user", "example: user": "user", "example: assistant": "assistant"}
_PLACES = {"system": 0, "example: user": 1, "example: assistant": 1, "user": 2}


def read_prompt_file(path: Path, name: str, version: int) -> PromptFile:
    """Read the prompt `name` in version `version` from its file.

    Raises:
        UsageError: It is not such a prompt; the message names file and line.
    """
    try:
        data = path.read_bytes()
        text = data.decode()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}:{line}: is not UTF-8 text") from error
    if len(data) > _LARGEST:
        raise UsageError(f"{path}: is larger than {_LARGEST:,} bytes; a prompt is a page or two")
    lines = text.splitlines()
    front, body_line = read_front_matter(path, lines)
    if (front.name, front.version) != (name, version):
        found = f"name '{front.name}' and version {front.version}"
        raise UsageError(f"{path}:1: the front matter says {found}, but file and folder say '{name}' and {version}")
    return PromptFile(path, front, _sections(path, lines, body_line))


def _sections(place: Path, lines: Sequence[str], first: int) -> list[Section]:
    """Cut the lines from index `first` on at the headings; a heading inside a code fence is text."""
    starts: list[tuple[str, int]] = []
    fenced = False
    for index in range(first, len(lines)):
        line = lines[index]
        if line.startswith("```"):
            fenced = not fenced
        heading = line[2:].strip() if line.startswith("# ") and not fenced else ""
        if heading.lower() in _HEADINGS:
            starts.append((heading.lower(), index))
        elif not starts and line.strip():
            raise UsageError(f"{place}:{index + 1}: text before the first section; put it under '# system' or '# user'")
    ends = [index for _, index in starts[1:]] + [len(lines)]
    sections = [
        _section(heading, start + 1, lines[start + 1 : end]) for (heading, start), end in zip(starts, ends, strict=True)
    ]
    _check_sections(place, sections)
    return sections


def _section(heading: str, first: int, lines: Sequence[str]) -> Section:
    empty = 0
    while empty < len(lines) and not lines[empty].strip():
        empty += 1
    return Section(heading, first, first + empty + 1, "\n".join(lines[empty:]).rstrip())


def _check_sections(place: Path, sections: Sequence[Section]) -> None:
    headings = [section.heading for section in sections]
    if "user" not in headings:
        raise UsageError(f"{place}: lacks a section '# user'")
    for number, section in enumerate(sections):
        if section.heading in _ONCE and section.heading in headings[:number]:
            raise UsageError(f"{place}:{section.at}: a second section '# {section.heading}'")
        if not section.text:
            raise UsageError(f"{place}:{section.at}: the section '# {section.heading}' is empty")
    examples = [section for section in sections if section.heading in _EXAMPLES]
    for number, section in enumerate(examples):
        expected = _EXAMPLES[number % 2]
        if section.heading != expected:
            raise UsageError(f"{place}:{section.at}: expected '# {expected}', found '# {section.heading}'")
    if len(examples) % 2:
        raise UsageError(f"{place}:{examples[-1].at}: this example has no '# example: assistant'")


def _answer_schema(place: Path, sections: Sequence[Section]) -> Mapping[str, Any]:
    section = next((section for section in sections if section.heading == "answer"), None)
    if section is None:
        return {}
    lines = section.text.splitlines()
    if not (lines[0].startswith("```") and lines[-1] == "```" and len(lines) > 2):
        raise UsageError(f"{place}:{section.line}: expected a code fence with a JSON Schema")
    try:
        schema = orjson.loads("\n".join(lines[1:-1]))
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{place}:{section.line + error.lineno}: not JSON: {error.msg}") from error
    if not isinstance(schema, dict):
        raise UsageError(f"{place}:{section.line + 1}: a JSON Schema is an object")
    try:
        schema_check(schema)
    except ValueError as error:
        raise UsageError(f"{place}:{section.line + 1}: {error}") from error
    return schema
