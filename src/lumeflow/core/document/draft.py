"""A document with faults, as far as it can be understood: so that one pass finds everything.

What pydantic refuses is left out, key by key; a node or edge that cannot be understood without is dropped. The rest
is a `Workflow` that all other checks can work on.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from lumeflow.core.document.policies import Globals
from lumeflow.core.document.shape import error_place, shape_findings, validated
from lumeflow.core.document.workflow import Edge, Node, Workflow
from lumeflow.core.findings import Finding

PartT = TypeVar("PartT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Draft:
    """What is known of a document.

    Attributes:
        workflow: The part that can be understood.
        raw: The document as it was read.
        node_index: For each node of `workflow`, its index in the document.
        edge_index: For each edge of `workflow`, its index in the document.
        dropped: Ids of nodes that were left out, as far as they have one.
        complete: True if no node or edge was left out: checks of the whole graph make sense.
        findings: What is wrong with the shape.
    """

    workflow: Workflow
    raw: Mapping[str, Any]
    node_index: Sequence[int]
    edge_index: Sequence[int]
    dropped: frozenset[str] = frozenset()
    complete: bool = True
    findings: tuple[Finding, ...] = ()


def draft_of(raw: Mapping[str, Any]) -> Draft:
    """Understand as much of a document as possible."""
    try:
        return whole(validated(Workflow, raw), raw)
    except ValidationError as error:
        return _salvage(raw, shape_findings(error, Workflow, raw))


def whole(workflow: Workflow, raw: Mapping[str, Any]) -> Draft:
    """The draft of a document whose shape is right."""
    return Draft(workflow, raw, range(len(workflow.nodes)), range(len(workflow.edges)))


def _salvage(raw: Mapping[str, Any], findings: tuple[Finding, ...]) -> Draft:
    nodes = _parts(Node, raw.get("nodes"))
    edges = _parts(Edge, raw.get("edges"))
    schemas = raw.get("schemas")
    workflow = Workflow.model_construct(
        workflow_id=str(raw.get("workflowId", "")),
        name=str(raw.get("name", "")),
        globals=_pruned(Globals, raw.get("globals", {})) or Globals(),
        nodes=tuple(node for _, node in nodes),
        edges=tuple(edge for _, edge in edges),
        schemas=schemas if isinstance(schemas, dict) else {},
    )
    kept = {index for index, _ in nodes}
    raw_nodes = raw.get("nodes")
    lost = [item for index, item in enumerate(raw_nodes) if index not in kept] if isinstance(raw_nodes, list) else []
    raw_edges = raw.get("edges")
    return Draft(
        workflow=workflow,
        raw=raw,
        node_index=[index for index, _ in nodes],
        edge_index=[index for index, _ in edges],
        dropped=frozenset(item["id"] for item in lost if isinstance(item, dict) and isinstance(item.get("id"), str)),
        complete=isinstance(raw_nodes, list)
        and isinstance(raw_edges, list)
        and not lost
        and len(edges) == len(raw_edges),
        findings=findings,
    )


def _parts(model: type[PartT], items: Any) -> list[tuple[int, PartT]]:
    if not isinstance(items, list):
        return []
    made = [(index, _pruned(model, item)) for index, item in enumerate(items)]
    return [(index, part) for index, part in made if part is not None]


def _pruned(model: type[PartT], raw: Any) -> PartT | None:
    """The model of what is right in `raw`; None if something that it needs is wrong."""
    if not isinstance(raw, dict):
        return None
    rest = raw
    for _ in range(8):
        try:
            return validated(model, rest)
        except ValidationError as error:
            rest = deepcopy(rest)
            wrong = {error_place(detail, rest) for detail in error.errors(include_url=False)}
            if () in wrong and model is Node:
                wrong |= {("onError",), ("fallback",)}
            for at in sorted(wrong - {()}, key=len, reverse=True):
                _remove(rest, at)
    return None


def _remove(value: Any, at: Sequence[str | int]) -> None:
    for part in at[:-1]:
        value = value[part]
    if isinstance(value, dict):
        value.pop(at[-1], None)
    elif isinstance(value, list):
        value.clear()
