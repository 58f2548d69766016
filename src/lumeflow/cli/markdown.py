"""A page of the reference on a terminal."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)
_LINK = re.compile(r"\[([^\]\n]+)\]\((?:#|\.\./)[^)\s]*\)")
_CELL = re.compile(r"(?<!\\)\|")


def print_markdown(console: "Console", text: str) -> None:
    """Print headings, paragraphs, tables and JSON. Links to places in the reference become plain words."""
    plain = _LINK.sub(r"\1", _COMMENT.sub("", text))
    for block in _blocks(plain):
        if block.startswith("#"):
            _heading(console, block)
        elif block.startswith("| "):
            _table(console, block)
        elif block.startswith("```"):
            _code(console, block)
        else:
            _paragraph(console, block)
    console.print()


def _blocks(text: str) -> Iterator[str]:
    for part in re.split(r"^(```.*?^```)$", text, flags=re.DOTALL | re.MULTILINE):
        if part.startswith("```"):
            yield part
        else:
            yield from (block for block in re.split(r"\n\s*\n", part.strip()) if block)


def _heading(console: "Console", block: str) -> None:
    marks, _, words = block.partition(" ")
    console.print()
    console.print(words, style="bold cyan" if marks == "#" else "bold", markup=False)


def _paragraph(console: "Console", block: str) -> None:
    from rich.padding import Padding

    console.print(Padding(_styled(console, " ".join(block.split())), (0, 0, 0, 2), expand=False))


def _code(console: "Console", block: str) -> None:
    from rich.padding import Padding
    from rich.text import Text

    code = block.partition("\n")[2].rpartition("\n")[0]
    console.print(Padding(Text(code), (0, 0, 0, 4), expand=False))


def _table(console: "Console", block: str) -> None:
    from rich.padding import Padding

    from lumeflow.cli.results import plain_table

    head, _, *rows = [_cells(line) for line in block.splitlines()]
    table = plain_table(*head)
    table.columns[0].no_wrap = True
    for row in rows:
        table.add_row(*(_styled(console, cell) for cell in row))
    console.print(Padding(table, (0, 0, 0, 2), expand=False))


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in _CELL.split(line.strip())[1:-1]]


def _styled(console: "Console", text: str) -> "Text":
    """`code` and **bold** as colours; where there are none the backticks stay."""
    from rich.text import Text

    ticks = 0 if console.color_system is None else 1
    styled = Text()
    for part in re.split(r"(`[^`]+`|\*\*[^*]+\*\*)", text):
        if part.startswith("`"):
            styled.append(part[ticks : len(part) - ticks], "cyan")
        elif part.startswith("**"):
            styled.append(part[2:-2], "bold")
        else:
            styled.append(part)
    return styled
