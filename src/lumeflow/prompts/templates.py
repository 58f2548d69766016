"""The texts of a prompt: Jinja templates in a sandbox. Jinja is imported when the first prompt is loaded."""

from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lumeflow.plugin import UsageError, did_you_mean

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import SandboxedEnvironment


class TextTemplate:
    """A compiled text."""

    def __init__(self, place: str, template: "Template") -> None:
        self._place = place
        self._template = template

    def render(self, values: Mapping[str, Any]) -> str:
        """The text with all values put in.

        Raises:
            UsageError: An expression fails on these values; the message names the place, not the values.
        """
        try:
            return self._template.render(values)
        except Exception as error:
            raise UsageError(f"{self._place}: cannot be rendered: {type(error).__name__}") from error


def compile_text(place: Path, line: int, text: str, variables: Collection[str]) -> TextTemplate:
    """Compile a text that begins at `line` of the file `place`.

    Raises:
        UsageError: A syntax error, or a variable that the front matter does not name; the message names the line.
    """
    from jinja2 import TemplateSyntaxError, meta, nodes

    environment = _environment()
    try:
        tree = environment.parse(text)
        unknown = sorted(meta.find_undeclared_variables(tree) - set(variables))
        template = environment.from_string(text)
    except TemplateSyntaxError as error:
        raise UsageError(f"{place}:{line + error.lineno - 1}: {error.message}") from error
    if unknown:
        at = min((node.lineno for node in tree.find_all(nodes.Name) if node.name == unknown[0]), default=1)
        hint = did_you_mean(unknown[0], variables)
        raise UsageError(
            f"{place}:{line + at - 1}: the variable '{unknown[0]}' is not among the front matter's [variables].{hint}"
        )
    return TextTemplate(f"{place}:{line}", template)


@lru_cache(maxsize=1)
def _environment() -> "SandboxedEnvironment":
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    # The texts go to a language model, not to a browser: escaping HTML would only spoil them.
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
