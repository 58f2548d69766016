"""A block's docstring, taken apart."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass

SECTIONS = ("Input", "Output", "Errors", "Cost")
"""What every block's docstring tells, in this order."""

_HEAD = re.compile(rf"^({'|'.join(SECTIONS)}):[ \n]*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Docstring:
    """What a block's docstring says.

    Attributes:
        summary: Its first paragraph, as one line.
        more: The paragraphs behind it, as Markdown.
        sections: The texts of `Input`, `Output`, `Errors` and `Cost`, as far as it has them.
    """

    summary: str
    more: str
    sections: Mapping[str, str]

    @classmethod
    def of(cls, block: type) -> "Docstring":
        """Read the docstring of a class; one that has none is read as empty."""
        own = vars(block).get("__doc__") or ""
        before, *pairs = _HEAD.split(inspect.cleandoc(own))
        summary, _, more = before.strip().partition("\n\n")
        sections = {name: _reflowed(text) for name, text in zip(pairs[::2], pairs[1::2], strict=True)}
        return cls(" ".join(summary.split()), more.strip(), sections)


def _reflowed(text: str) -> str:
    """One line for each paragraph: a section's lines are indented, which Markdown would take for code."""
    paragraphs = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
