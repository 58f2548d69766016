"""React Flow's picture of a workflow holds everything, and an editor's changes come back."""

import copy

import orjson
import pytest

from lumeflow.core.document import Workflow
from lumeflow.core.findings import InvalidWorkflow
from lumeflow.core.react_flow import from_react_flow, to_react_flow
from lumeflow.workflows import source

PLAN = orjson.loads(source("lead-enrichment-v1"))
SMALL = {
    "workflowId": "w",
    "name": "W",
    "x-team": "growth",
    "nodes": [
        {"id": "a", "type": "input", "position": {"x": 5, "y": 7.5}, "x-colour": "red"},
        {"id": "b", "type": "api", "position": None, "config": {"provider": "acme"}},
        {"id": "c", "type": "output"},
    ],
    "edges": [
        {"source": "a", "target": "b"},
        {"id": "e", "source": "a", "target": "b", "sourcePort": "out", "x-label": "again"},
        {"id": None, "source": "b", "target": "c", "sourcePort": "error", "targetPort": "in"},
        {"source": "b", "target": "c", "sourcePort": "error"},
    ],
}


@pytest.mark.parametrize("document", [PLAN, SMALL], ids=["plan", "small"])
def test_there_and_back_without_loss(document):
    flow = to_react_flow(Workflow.load(document))
    assert from_react_flow(orjson.loads(orjson.dumps(flow))).as_json() == document


@pytest.mark.parametrize("document", [PLAN, SMALL], ids=["plan", "small"])
def test_react_flow_gets_what_it_needs(document):
    flow = to_react_flow(Workflow.load(document))
    ids = [node["id"] for node in flow["nodes"]]
    assert all(isinstance(node["position"]["x"], (int, float)) and node["type"] for node in flow["nodes"])
    assert len({edge["id"] for edge in flow["edges"]}) == len(flow["edges"])
    for edge in flow["edges"]:
        assert edge["source"] in ids
        assert edge["target"] in ids
        assert edge["sourceHandle"]
        assert edge["targetHandle"]


def test_nodes_without_position_are_laid_out_from_left_to_right():
    flow = to_react_flow(Workflow.load(PLAN))
    places = [(node["position"]["x"], node["position"]["y"]) for node in flow["nodes"]]
    assert places == sorted(set(places))


def test_what_an_editor_changes_comes_back():
    flow = copy.deepcopy(to_react_flow(Workflow.load(SMALL)))
    flow["viewport"] = {"x": 0, "y": 0, "zoom": 1}
    flow["nodes"][2] |= {"position": {"x": 900, "y": 1}, "selected": True, "measured": {"width": 10}}
    flow["nodes"].append({"id": "d", "type": "output", "position": {"x": 1, "y": 2}})
    flow["edges"][0] |= {"targetHandle": "left", "animated": True}
    flow["edges"].append({"id": "new", "source": "b", "target": "d", "sourceHandle": None, "targetHandle": None})
    changed = from_react_flow(flow).as_json()
    assert changed["nodes"][2] == {"id": "c", "type": "output", "position": {"x": 900, "y": 1}}
    assert changed["nodes"][3] == {"id": "d", "type": "output", "position": {"x": 1, "y": 2}}
    assert changed["edges"][0] == {"source": "a", "target": "b", "targetPort": "left"}
    assert changed["edges"][4] == {"id": "new", "source": "b", "target": "d"}
    assert changed["nodes"][:2] == SMALL["nodes"][:2]


def test_what_is_no_workflow_is_refused_with_places_in_the_document():
    flow = to_react_flow(Workflow.load(SMALL))
    flow["nodes"][0]["data"]["oops"] = 1
    with pytest.raises(InvalidWorkflow) as caught:
        from_react_flow(flow)
    assert [finding.pointer for finding in caught.value.report.findings] == ["/nodes/0/oops"]


def test_nothing_at_all_is_refused_as_well():
    with pytest.raises(InvalidWorkflow):
        from_react_flow({"nodes": None, "edges": 7, "workflow": []})


def test_a_cyclic_document_can_be_drawn():
    cyclic = SMALL | {"edges": [{"source": "a", "target": "b"}, {"source": "b", "target": "a"}]}
    assert from_react_flow(to_react_flow(Workflow.load(cyclic))).as_json() == cyclic
