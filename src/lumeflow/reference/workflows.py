"""The shipped workflows: a page of them, and which blocks they show at work."""

from collections.abc import Iterable, Mapping
from typing import Any

from lumeflow.core.block import BlockType
from lumeflow.core.registry import Registry, UnknownBlock

Documents = Mapping[str, Mapping[str, Any]]
"""Workflow documents by name."""

PAGE = "workflows.md"


def blocks_of(document: Mapping[str, Any], registry: Registry) -> list[str]:
    """Ids of the blocks that a document uses, in the order of its nodes; what is not installed is left out."""
    found: dict[str, None] = {}
    for node in document["nodes"]:
        try:
            found[registry.resolve(BlockType(node["type"]), node.get("config", {})).id()] = None
        except UnknownBlock:
            continue
    return list(found)


def used_in(documents: Documents, registry: Registry) -> Mapping[str, list[str]]:
    """Names of the workflows that use a block, by the block's id."""
    found: dict[str, list[str]] = {}
    for name, document in documents.items():
        for block in blocks_of(document, registry):
            found.setdefault(block, []).append(name)
    return found


def workflows_page(documents: Documents, registry: Registry, head: Iterable[str]) -> str:
    """The page of all workflows, in Markdown.

    Args:
        documents: The workflows.
        registry: The blocks.
        head: Paragraphs that stand first.
    """
    parts = list(head)
    for name, document in documents.items():
        links = ", ".join(f"[{block}]({block}.md)" for block in blocks_of(document, registry))
        parts += [
            f"## {name}",
            f"**{document['name']}.** {document.get('description', '')}".strip(),
            f"`lumeflow demo {name}` runs it. Blocks: {links}.",
        ]
    return "\n\n".join(parts) + "\n"
