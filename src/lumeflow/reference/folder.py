"""All pages, and the folder they lie in."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lumeflow.core.block import BlockType
from lumeflow.core.registry import BlockClass, Registry
from lumeflow.reference.docstring import Docstring
from lumeflow.reference.page import MARK, meant_by, page
from lumeflow.reference.workflows import PAGE, Documents, used_in, workflows_page

INDEX = "README.md"

_TYPES = {
    BlockType.INPUT: "Where a workflow begins",
    BlockType.API: "Calls of vendors",
    BlockType.AI: "Language models",
    BlockType.TRANSFORM: "Changing records",
    BlockType.FILTER: "Leaving records out",
    BlockType.BRANCH: "Going one way or another",
    BlockType.MERGE: "Coming together again",
    BlockType.OUTPUT: "Where a workflow ends",
}


_WORKFLOWS = (
    MARK,
    "# Shipped workflows",
    "Workflows that come with lumeflow, to try and to start from. They are known by their names wherever a file is: "
    "`lumeflow run NAME`, `lumeflow validate NAME`. Their sample input stands in `metadata.example` of the document.",
)


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a folder of pages.

    Attributes:
        pages: Pages that there are now.
        changed: Those of them that are new or were different.
        removed: Pages of blocks that are gone.
    """

    pages: int
    changed: tuple[str, ...]
    removed: tuple[str, ...]


def pages_of(registry: Registry, workflows: Documents) -> Mapping[str, str]:
    """All pages, and the index, by their path in the folder.

    Args:
        registry: The blocks.
        workflows: Workflows that show them at work, by name.
    """
    blocks = list(registry.blocks())
    used = used_in(workflows, registry)
    pages = {f"{block.id()}.md": page(block, registry, used.get(block.id(), ())) for block in blocks}
    return {INDEX: _index(blocks), PAGE: workflows_page(workflows, registry, _WORKFLOWS), **pages}


def write_pages(registry: Registry, workflows: Documents, folder: Path) -> Written:
    """Write all pages into a folder, and take those away whose blocks are gone; other files are left alone."""
    pages = pages_of(registry, workflows)
    changed, removed = [], []
    for name, text in pages.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(name)
    for path in stale(folder, pages):
        path.unlink()
        removed.append(path.relative_to(folder).as_posix())
    return Written(len(pages), tuple(changed), tuple(removed))


def stale(folder: Path, pages: Mapping[str, str]) -> list[Path]:
    """Pages in a folder that no block has any more."""
    found = sorted(folder.glob("*/*.md"))
    return [
        path
        for path in found
        if path.relative_to(folder).as_posix() not in pages and path.read_text(encoding="utf-8").startswith(MARK)
    ]


def _index(blocks: list[BlockClass]) -> str:
    parts = [
        MARK,
        "# Blocks",
        "What workflows are built from. A node means a block by its `type` and by keys of its `config`; "
        "`lumeflow blocks show TYPE/NAME` prints a page on the terminal. "
        "The [shipped workflows](workflows.md) show them at work.",
    ]
    for kind, title in _TYPES.items():
        own = [block for block in blocks if block.type is kind]
        if own:
            table = ["| block | config | what it does |", "| --- | --- | --- |", *map(_row, own)]
            parts += [f"## {kind}", f"{title}.", "\n".join(table)]
    return "\n\n".join(parts) + "\n"


def _row(block: BlockClass) -> str:
    meaning = meant_by(block.when)
    config = meaning if meaning == "default" else " or ".join(f"`{way}`" for way in meaning.split(" or "))
    summary = Docstring.of(block).summary.replace("|", "\\|")
    return f"| [{block.name}]({block.id()}.md) | {config} | {summary} |"
