"""The document as React Flow draws it, and back, without loss.

React Flow knows `nodes` and `edges`; what a node or an edge has beyond what is drawn travels in its `data`, what the
document has beyond nodes and edges in `workflow`. What React Flow cannot do without (a position, an edge's id, the
handles) is made up where the document leaves it out, and taken back unless somebody changed it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lumeflow.core.document import Port, Workflow
from lumeflow.core.graph import CyclicGraph, successors, topological_order

COLUMN_WIDTH = 280
ROW_HEIGHT = 120
MADE_UP = "x-made-up"
"""Key in `data` for what the document left out."""

_NODE_KEYS = ("id", "type", "position")
_EDGE_KEYS = ("id", "source", "target", "sourcePort", "targetPort")


def to_react_flow(workflow: Workflow) -> dict[str, Any]:
    """Turn a workflow into `{"nodes": […], "edges": […], "workflow": {…}}` for React Flow."""
    document = workflow.as_json()
    positions = _layout(workflow)
    nodes = [_flow_node(node, positions[node["id"]]) for node in document["nodes"]]
    taken = {edge["id"] for edge in document["edges"] if edge.get("id")}
    edges = [_flow_edge(edge, taken) for edge in document["edges"]]
    rest = {key: value for key, value in document.items() if key not in {"nodes", "edges"}}
    return {"nodes": nodes, "edges": edges, "workflow": rest}


def from_react_flow(flow: Mapping[str, Any]) -> Workflow:
    """Turn what `to_react_flow` made, as the editor left it, into a workflow.

    React Flow's own keys (`selected`, `measured`, `viewport`…) are ignored. Nodes and edges that were drawn new need
    no `data`.

    Raises:
        InvalidWorkflow: It is no workflow; pointers lead into the document that it stands for.
    """
    document = _object(flow.get("workflow"))
    document["nodes"] = [_document_node(node) for node in _objects(flow.get("nodes"))]
    document["edges"] = [_document_edge(edge) for edge in _objects(flow.get("edges"))]
    return Workflow.load(document)


def _flow_node(node: Mapping[str, Any], position: Mapping[str, int]) -> dict[str, Any]:
    data = {key: value for key, value in node.items() if key not in _NODE_KEYS}
    drawn = node.get("position")
    if drawn is None:
        data[MADE_UP] = {"position": position} if "position" not in node else {"position": position, "null": True}
    return {"id": node["id"], "type": node["type"], "position": drawn or position, "data": data}


def _document_node(node: Mapping[str, Any]) -> dict[str, Any]:
    data = _object(node.get("data"))
    made_up = _object(data.pop(MADE_UP, None))
    document = {key: node[key] for key in ("id", "type") if key in node} | data
    position = node.get("position")
    if position != made_up.get("position"):
        document["position"] = position
    elif made_up.get("null"):
        document["position"] = None
    return document


def _flow_edge(edge: Mapping[str, Any], taken: set[str]) -> dict[str, Any]:
    data = {key: value for key, value in edge.items() if key not in _EDGE_KEYS}
    flow = {
        "id": edge.get("id") or _free_id(edge, taken),
        "source": edge["source"],
        "target": edge["target"],
        "sourceHandle": edge.get("sourcePort", Port.OUT.value),
        "targetHandle": edge.get("targetPort", Port.IN.value),
    }
    made_up: dict[str, Any] = {} if edge.get("id") else {"id": flow["id"], "null": "id" in edge}
    if "sourcePort" not in edge:
        made_up["sourceHandle"] = Port.OUT.value
    if "targetPort" not in edge:
        made_up["targetHandle"] = Port.IN.value
    return flow | {"data": data | ({MADE_UP: made_up} if made_up else {})}


def _document_edge(edge: Mapping[str, Any]) -> dict[str, Any]:
    data = _object(edge.get("data"))
    made_up = _object(data.pop(MADE_UP, None))
    document: dict[str, Any] = {}
    if edge.get("id") != made_up.get("id"):
        document["id"] = edge.get("id")
    elif made_up.get("null"):
        document["id"] = None
    document |= {key: edge[key] for key in ("source", "target") if key in edge}
    for handle, port in (("sourceHandle", "sourcePort"), ("targetHandle", "targetPort")):
        if edge.get(handle) is not None and edge[handle] != made_up.get(handle):
            document[port] = edge[handle]
    return document | data


def _free_id(edge: Mapping[str, Any], taken: set[str]) -> str:
    """An id that follows from where the edge goes, and that no other edge has."""
    base = f"{edge['source']}:{edge.get('sourcePort', Port.OUT.value)}-{edge['target']}"[:120]
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    taken.add(name)
    return name


def _layout(workflow: Workflow) -> dict[str, dict[str, int]]:
    """Columns by distance from the inputs, rows by document order."""
    ids = list(dict.fromkeys(node.id for node in workflow.nodes))
    pairs = [(edge.source, edge.target) for edge in workflow.edges]
    try:
        order: Sequence[str] = topological_order(ids, pairs)
    except CyclicGraph:
        order = ids
    column = dict.fromkeys(ids, 0)
    onward = successors(ids, pairs)
    for node in order:
        for target in onward[node]:
            column[target] = max(column[target], column[node] + 1)
    rows: dict[int, int] = {}
    positions = {}
    for node in ids:
        row = rows.get(column[node], 0)
        rows[column[node]] = row + 1
        positions[node] = {"x": column[node] * COLUMN_WIDTH, "y": row * ROW_HEIGHT}
    return positions


def _object(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
