"""What is wrong with the shape of a document is found at once, each with its place, its remedy and its owner."""

import pytest

from lumeflow.core.document import MAX_NODES, Workflow
from lumeflow.core.findings import InvalidWorkflow

NODE = {"id": "a", "type": "api"}


def document(**changes):
    return {"workflowId": "w", "name": "W", "nodes": [], "edges": []} | changes


def findings(data):
    with pytest.raises(InvalidWorkflow) as caught:
        Workflow.load(data)
    return list(caught.value.report.findings)


def node(**changes):
    return document(nodes=[NODE | changes])


CASES = [
    (document(nme="x"), "unknown-key", "/nme", "Did you mean 'name'?"),
    (document(workflow_id="x"), "unknown-key", "/workflow_id", "Did you mean 'workflowId'?"),
    ({"name": "W", "nodes": [], "edges": []}, "missing-key", "", "'workflowId' is required"),
    (document(name=""), "invalid-value", "/name", "at least 1 character"),
    (document(version="1"), "wrong-type", "/version", "expected a whole number, found a string of 1 character."),
    (document(version=0), "invalid-value", "/version", "must be greater than or equal to 1, found 0."),
    (document(workflowId="a b"), "invalid-value", "/workflowId", "'a b' is not allowed"),
    (document(nodes={}), "wrong-type", "/nodes", "expected an array, found an object."),
    (document(nodes=[7]), "wrong-type", "/nodes/0", "expected an object, found 7."),
    (document(nodes=[NODE] * (MAX_NODES + 1)), "invalid-value", "/nodes", "at most 5000"),
    (document(schemas={"s": "x"}), "wrong-type", "/schemas/s", "JSON Schema"),
    (document(metadata={"tags": "x"}), "wrong-type", "/metadata/tags", "expected an array"),
    (document(globals={"timeout": True}), "wrong-type", "/globals/timeout", "expected a number, found true."),
    (document(globals={"timeout": 0}), "invalid-value", "/globals/timeout", "greater than 0"),
    (document(globals={"errorHandling": "go"}), "unknown-value", "/globals/errorHandling", "'continue' or 'stop'"),
    (document(globals={"limits": {"costUSD": 1}}), "unknown-key", "/globals/limits/costUSD", "'costUsd'"),
    (document(globals={"limits": {"costUsd": "1"}}), "wrong-type", "/globals/limits/costUsd", "a number"),
    (document(globals={"limits": {"costUsd": -1}}), "invalid-value", "/globals/limits/costUsd", "greater than or"),
    (document(globals={"retryPolicy": {"maxRetries": 21}}), "invalid-value", "/globals/retryPolicy/maxRetries", "20"),
    (document(globals={"retryPolicy": {"jitter": 2}}), "invalid-value", "/globals/retryPolicy/jitter", "equal to 1"),
    (
        document(globals={"retryPolicy": {"backoffMultiplier": 0.5}}),
        "invalid-value",
        "/globals/retryPolicy/backoffMultiplier",
        "greater than or equal to 1",
    ),
    (node(type="apo"), "unknown-value", "/nodes/0/type", "Did you mean 'api'?"),
    (node(type=["api"]), "unknown-value", "/nodes/0/type", "found an array of 1"),
    (node(confg={}), "unknown-key", "/nodes/0/confg", "Did you mean 'config'?"),
    (node(config=[]), "wrong-type", "/nodes/0/config", "expected an object, found an array of 0."),
    (node(inputSchema="s"), "wrong-type", "/nodes/0/inputSchema", "expected a JSON Schema (an object)"),
    (node(timeout=-1), "invalid-value", "/nodes/0/timeout", "greater than 0"),
    (node(position={"x": 1}), "missing-key", "/nodes/0/position", "'y' is required"),
    (
        node(retryConfig={"retryableErrors": ["TIMEOUTS"]}),
        "unknown-value",
        "/nodes/0/retryConfig/retryableErrors/0",
        "Did you mean 'TIMEOUT'?",
    ),
    (
        node(retryConfig={"retryableErrors": ["INTERNAL"]}),
        "unknown-value",
        "/nodes/0/retryConfig/retryableErrors/0",
        "'INTERNAL'",
    ),
    (node(onError="fallback"), "invalid-value", "/nodes/0", "there is no 'fallback'"),
    (node(onError="stop", fallback={"value": {}}), "invalid-value", "/nodes/0", "onError is 'stop'"),
    (node(fallback={}), "invalid-value", "/nodes/0/fallback", "found neither"),
    (node(fallback={"value": {}, "node": "b"}), "invalid-value", "/nodes/0/fallback", "found both"),
    (document(edges=[{"source": "a"}]), "missing-key", "/edges/0", "'target' is required"),
    (
        document(edges=[{"source": "a", "target": "b", "sourceport": "x"}]),
        "unknown-key",
        "/edges/0/sourceport",
        "Port'",
    ),
]


@pytest.mark.parametrize(
    ("data", "code", "pointer", "part"), CASES, ids=[f"{c[1]}:{c[2] or '/'}:{i}" for i, c in enumerate(CASES)]
)
def test_each_fault_is_one_finding(data, code, pointer, part):
    (finding,) = findings(data)
    assert (finding.code, finding.pointer) == (code, pointer)
    assert part in finding.message


def test_all_faults_come_in_one_pass_and_in_the_order_of_the_document():
    data = document(nodes=[{"type": "apo", "id": "a"}, {"id": "b", "type": "api", "retryConfig": {"x": 1}}], edges=[{}])
    found = findings(data | {"zzz": 1})
    assert [finding.pointer for finding in found] == [
        "/nodes/0/type",
        "/nodes/1/retryConfig/x",
        "/edges/0",
        "/edges/0",
        "/zzz",
    ]


def test_findings_name_the_node_or_edge_that_they_are_about():
    data = document(nodes=[NODE | {"oops": 1}], edges=[{"source": "a", "target": "b", "oops": 1}])
    node_finding, edge_finding = findings(data)
    assert (node_finding.node, node_finding.edge) == ("a", None)
    assert (edge_finding.node, edge_finding.edge) == (None, "a→b")


def test_own_keys_are_kept_and_metadata_holds_anything():
    data = document(**{"x-mine": [1], "metadata": {"cost centre": 7}})
    assert Workflow.load(data).as_json() == data


def test_messages_hold_no_text_of_the_document_but_names():
    secret = "sk-0123456789abcdef"
    found = findings(node(timeout=secret, config=secret) | {"description": [secret]})
    assert len(found) == 3
    assert not any(secret in finding.message for finding in found)
