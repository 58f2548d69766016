"""Files that more than one node would write."""

from collections.abc import Iterator

from lumeflow.core.block import BlockType
from lumeflow.core.document import Code, Port
from lumeflow.core.expressions import Template
from lumeflow.core.findings import Finding
from lumeflow.core.graph import reachable, successors
from lumeflow.core.validate.static import STATIC_ROOTS
from lumeflow.core.validate.subject import Subject

_SAME_EVERYWHERE = {*STATIC_ROOTS, "workflow"}
"""Roots that hold the same for all nodes of an execution."""


def shared_files(subject: Subject) -> Iterator[Finding]:
    """Two nodes that write one file.

    Nodes that are reached over branches and error ports alone are left out: one may stand in for another.
    """
    certain = {
        link.pair
        for link in subject.links
        if link.port == Port.OUT and subject.nodes[link.source].type is not BlockType.BRANCH
    }
    inputs = [facts.id for facts in subject.of_type(BlockType.INPUT)]
    reached = reachable(inputs, successors(subject.nodes, sorted(certain)))
    first: dict[str, str] = {}
    for facts in subject.nodes.values():
        path = _known(facts.block.writes()) if facts.block is not None and facts.id in reached else None
        if path is not None and first.setdefault(path, facts.id) != facts.id:
            message = (
                f"'{facts.id}' would write the file that '{first[path]}' writes, '{path}': give it a path of its own."
            )
            yield facts.config_finding(Code.FILE_TAKEN, message, ("path",) if "path" in facts.node.config else ())


def _known(path: Template | None) -> str | None:
    """The path as it is written, if it stands for the same in every node."""
    if path is None or not isinstance(path.source, str) or path.functions:
        return None
    return path.source if all(each.root in _SAME_EVERYWHERE for each in path.references) else None
