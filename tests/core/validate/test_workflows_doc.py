"""`docs/workflows.md` against the product: every example is right, every code is explained."""

import re
from pathlib import Path

import jsonschema_rs
import orjson
import pytest

from lumeflow.core.document import Code, Workflow, document_schema
from lumeflow.core.validate import validate
from lumeflow.plugins import load_registry
from lumeflow.workflows import names, source

TEXT = (Path(__file__).parents[3] / "docs" / "workflows.md").read_text()
EXAMPLES = re.findall(r"^```json ?(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
REGISTRY, PROBLEMS = load_registry(entry_points=False)

DATA = {"source": "static", "data": {"contacts": [{"a": 1}]}}


def around(kind: str, part):
    """A document that holds a part of one."""
    nodes = [
        {"id": "in", "type": "input", "config": DATA},
        {"id": "out", "type": "output", "config": {"destination": "json"}},
    ]
    edges = [{"source": "in", "target": "out"}]
    document = {"workflowId": "w", "name": "W", "nodes": nodes, "edges": edges}
    if kind == "node":
        nodes.insert(1, part)
        edges[:] = [{"source": "in", "target": part["id"]}, {"source": part["id"], "target": "out"}]
    elif kind == "edge":
        nodes[1:1] = [{"id": part["source"], "type": "filter", "config": {"conditions": []}}]
        nodes += [{"id": part["target"], "type": "output", "config": {"destination": "json"}}]
        edges[:] = [{"source": "in", "target": part["source"]}, {"source": part["source"], "target": "out"}, part]
    else:
        document[kind] = part
    return document


def test_the_built_in_blocks_are_there():
    assert PROBLEMS == []
    assert len(EXAMPLES) >= 7


@pytest.mark.parametrize(
    ("kind", "text"), EXAMPLES, ids=[f"{kind or 'workflow'}-{i}" for i, (kind, _) in enumerate(EXAMPLES)]
)
def test_every_example_is_right(kind, text):
    part = orjson.loads(text)
    document = around(kind, part) if kind else part
    assert validate(document, REGISTRY).as_json() == {"valid": True, "findings": []}


def test_the_defaults_in_the_text_are_the_defaults():
    part = orjson.loads(next(text for kind, text in EXAMPLES if kind == "globals"))
    written = Workflow.load(around("globals", part)).globals.retry_policy
    assert written == Workflow.load(around("globals", {})).globals.retry_policy


def test_every_code_is_explained_with_its_severity():
    explained = re.findall(r"^\| `([a-z-]+)` \| (error|warning) \|", TEXT, re.MULTILINE)
    assert explained == [(str(code), str(code.severity)) for code in Code]


def test_the_installed_workflow_has_no_findings():
    for name in names():
        assert validate(source(name), REGISTRY).as_json() == {"valid": True, "findings": []}


def test_the_json_schema_with_all_blocks_accepts_it_and_refuses_a_slip():
    validator = jsonschema_rs.Draft202012Validator(document_schema(REGISTRY))
    document = orjson.loads(source("lead-enrichment-v1"))
    assert validator.is_valid(document)
    document["nodes"][1]["config"]["limitz"] = {}
    assert not validator.is_valid(document)
