"""Reading documentation pages: their fenced blocks, links and headings.

How blocks are marked, behind the three backticks:

    json NAME, python NAME    a file that the reader saves under this name
    markdown NAME             the same; between four backticks, where there are fences inside
    python                    a program that the reader runs
    bash                      commands that the reader types; all succeed
    bash exits 2              … and the last one ends with this exit code
    bash killed               one command that is killed in the middle of its work
    text                      what the block before it prints, leaving out what is between and around the lines
    (nothing)                 a picture
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(r"^(`{3,})(\w*) ?(.*)\n([\s\S]*?)^\1$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Fence:
    """A fenced block.

    Attributes:
        place: Page and line, for messages.
        language: First word behind the backticks.
        label: The rest of that line.
        text: What is between the fences.
    """

    place: str
    language: str
    label: str
    text: str


def fences(page: Path) -> list[Fence]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Fence(f"{page.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 1}", *found.groups()[1:])
        for found in _FENCE.finditer(text)
    ]


def prose(page: Path) -> str:
    """A page without its fenced blocks and code spans."""
    return re.sub(r"`[^`\n]*`", "", _FENCE.sub("", page.read_text(encoding="utf-8")))


def links(page: Path) -> list[str]:
    """Targets of the links of a page that stay in the project."""
    return [link for link in _LINK.findall(prose(page)) if "://" not in link]


def anchors(page: Path) -> set[str]:
    """What a link can name behind `#`, made from the headings as GitHub does."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in _HEADING.findall(text)}
