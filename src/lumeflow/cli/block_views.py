"""Blocks of the registry, for people and for programs. All of it comes from the block's own class."""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lumeflow.cli.results import plain_table, spare, width_of
from lumeflow.core.errors import UsageError
from lumeflow.core.findings import did_you_mean
from lumeflow.reference import Docstring, meant_by, page

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from lumeflow.core.registry import BlockClass, Registry


WIDE = 120
"""Columns of a terminal on which all ways to name a block have room."""


FULL = (
    *("id", "type", "name", "when", "summary", "description", "works", "operations"),
    *("config", "example", "exampleInput", "workflows", "reference"),
)
"""Keys of `full`."""


def called(name: str, blocks: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The block `type/name`, or all blocks of a type, of those that are given in brief.

    Raises:
        UsageError: There is none; the message names the nearest.
    """
    found = [block for block in blocks if name in {block["id"], block["name"], block["type"]}]
    if not found:
        known = {str(block[key]) for block in blocks for key in ("id", "type")}
        raise UsageError(f"there is no block '{name}'." + did_you_mean(name, known))
    return found


def brief(block: "BlockClass") -> dict[str, Any]:
    """A line of the list as JSON."""
    return {
        "id": block.id(),
        "type": str(block.type),
        "name": block.name,
        "when": [dict(pairs) for pairs in block.when],
        "summary": Docstring.of(block).summary,
    }


def full(block: "BlockClass", registry: "Registry", workflows: Sequence[str] = ()) -> dict[str, Any]:
    """Everything about a block as JSON."""
    return {
        **brief(block),
        "description": inspect.cleandoc(block.__doc__ or ""),
        "works": str(block.shape()),
        "operations": list(block.operations),
        "config": block.Config.model_json_schema(by_alias=True),
        "example": dict(block.example),
        "exampleInput": dict(block.example_input),
        "workflows": list(workflows),
        "reference": page(block, registry, workflows),
    }


def block_table(blocks: Iterable[Mapping[str, Any]], width: int) -> "Table":
    """A row for each block in brief; where there is little room, with the first of the ways to name it alone."""
    table = plain_table("block", "config", "what it does")
    table.columns[0].no_wrap = True
    rows = [(block["id"], meant_by(block["when"]), block["summary"]) for block in blocks]
    if width < WIDE:
        rows = [(name, ways.partition(" or ")[0], summary) for name, ways, summary in rows]
        words = [word for _, way, _ in rows for word in way.split()]
        used = [width_of("block", [name for name, _, _ in rows]), width_of("config", words)]
        table.columns[1].width = used[1]
        table.columns[2].width = max(spare([*used, 0], width), len("what it does"))
    for row in rows:
        table.add_row(*row)
    return table


def print_block(console: "Console", block: Mapping[str, Any]) -> None:
    """Print a block's page of the reference."""
    from lumeflow.cli.markdown import print_markdown

    print_markdown(console, str(block["reference"]))
