"""Documents in a few words."""

from itertools import pairwise
from typing import Any

from lumeflow.core.findings import Finding
from lumeflow.core.validate import validate

from .blocks import registry

CONFIGS: dict[str, dict[str, Any]] = {
    "input": {"source": "static"},
    "api": {"provider": "acme"},
    "filter": {"conditions": []},
    "branch": {"condition": {"field": "a", "operator": "exists"}},
    "merge": {"strategy": "append"},
    "output": {"destination": "json"},
}


def node(identifier: str, kind: str, /, **changes: Any) -> dict[str, Any]:
    """A node whose `config` holds what its type needs, and `config=` besides."""
    config = CONFIGS.get(kind, {}) | changes.pop("config", {})
    return {"id": identifier, "type": kind, "config": config} | changes


def edge(text: str) -> dict[str, Any]:
    """`a>b`, or `a.port>b.port`."""
    source, target = text.split(">")
    made: dict[str, Any] = {}
    for side, end in (("source", source), ("target", target)):
        name, _, port = end.partition(".")
        made[side] = name
        if port:
            made[f"{side}Port"] = port
    return made


def document(nodes: list[Any], edges: str = "", **changes: Any) -> dict[str, Any]:
    return {"workflowId": "w", "name": "W", "nodes": nodes, "edges": [edge(each) for each in edges.split()]} | changes


def chain(*middle: dict[str, Any], source: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """Input, the given nodes, output, one after the other."""
    nodes = [source or node("in", "input"), *middle, node("out", "output")]
    ids = [each["id"] for each in nodes]
    return document(nodes, " ".join(f"{a}>{b}" for a, b in pairwise(ids)), **changes)


def findings(data: Any, **options: Any) -> list[Finding]:
    return list(validate(data, registry(), **options).findings)


def codes(data: Any, **options: Any) -> list[tuple[str, str]]:
    """Code and pointer of each finding; warnings with a question mark."""
    return [(f"{each.code}{'?' * (each.severity == 'warning')}", each.pointer) for each in findings(data, **options)]


def only(data: Any, **options: Any) -> Finding:
    found = findings(data, **options)
    assert len(found) == 1, [each.as_json() for each in found]
    return found[0]
