"""The models of the document: defaults, merging, and writing back without loss."""

from decimal import Decimal

import orjson
import pytest
from pydantic import ValidationError

from lumeflow.core.document import Edge, ErrorHandling, Globals, Node, NodeRetry, OnError, RetryPolicy, Workflow
from lumeflow.core.errors import ErrorClass
from lumeflow.workflows import source

FULL = {
    "$schema": "http://lume.ai/schemas/workflow-v1.json#",
    "workflowId": "full",
    "name": "Full",
    "version": 3,
    "description": None,
    "metadata": {"author": "me", "createdAt": "2026-01-09T10:00:00Z", "tags": ["a"], "anything": {"else": [1]}},
    "globals": {
        "timeout": 3600,
        "retryPolicy": {"maxRetries": 5, "jitter": 0.25, "x-why": "flaky"},
        "errorHandling": "stop",
        "limits": {"records": 10, "calls": 20, "costUsd": 1.05, "seconds": 2.5, "memoryMb": 400},
    },
    "nodes": [
        {
            "id": "n1",
            "type": "input",
            "name": None,
            "config": {"anyKey": {"x": [1, None]}},
            "inputSchema": None,
            "outputSchema": {"$id": "#/schemas/a", "type": "object"},
            "retryConfig": {"retryableErrors": ["TIMEOUT"]},
            "timeout": 2.5,
            "onError": "fallback",
            "fallback": {"value": {"email": None}},
            "position": {"x": 1, "y": -2.5, "x-layer": "top"},
            "x-colour": "red",
        },
        {"id": "n2", "type": "output", "outputSchema": True},
    ],
    "edges": [{"source": "n1", "target": "n2"}, {"id": "e", "source": "n1", "target": "n2", "sourcePort": "error"}],
    "schemas": {"b": {"type": "object"}},
    "x-team": {"name": "growth"},
}


@pytest.mark.parametrize("document", [FULL, orjson.loads(source("lead-enrichment-v1"))], ids=["full", "plan"])
def test_nothing_is_lost(document):
    assert Workflow.load(document).as_json() == document
    assert orjson.loads(orjson.dumps(Workflow.load(document).as_json())) == document


def test_defaults():
    workflow = Workflow.load({"workflowId": "w", "name": "W", "nodes": [{"id": "a", "type": "api"}], "edges": []})
    assert workflow.version == 1
    assert workflow.globals.error_handling is ErrorHandling.CONTINUE
    assert workflow.globals.timeout is None
    policy = workflow.nodes[0].retry(workflow.globals)
    assert policy == RetryPolicy(max_retries=3, backoff_multiplier=2, initial_delay=1000, max_delay=30_000, jitter=0.5)
    assert policy.retryable_errors == (
        ErrorClass.TIMEOUT,
        ErrorClass.RATE_LIMIT,
        ErrorClass.SERVER_ERROR,
        ErrorClass.NETWORK,
        ErrorClass.INVALID_RESPONSE,
    )
    edge = Edge(source="a", target="b")
    assert (edge.source_port, edge.target_port) == ("out", "in")


def test_a_node_inherits_what_it_does_not_say():
    settings = Globals(retry_policy=RetryPolicy(max_retries=7, initial_delay=50))
    node = Node(id="a", type="api", retry_config=NodeRetry(max_retries=0, retryable_errors=("TIMEOUT",)))
    policy = node.retry(settings)
    assert (policy.max_retries, policy.initial_delay, policy.retryable_errors) == (0, 50, (ErrorClass.TIMEOUT,))
    assert Node(id="a", type="api").retry(settings) is settings.retry_policy


@pytest.mark.parametrize(
    ("node", "handling", "expected"),
    [
        ({}, "continue", OnError.CONTINUE),
        ({}, "stop", OnError.STOP),
        ({"onError": "continue"}, "stop", OnError.CONTINUE),
        ({"onError": "stop"}, "continue", OnError.STOP),
        ({"fallback": {"value": {}}}, "stop", OnError.FALLBACK),
        ({"onError": "fallback", "fallback": {"node": "b"}}, "stop", OnError.FALLBACK),
    ],
)
def test_a_node_overrides_error_handling(node, handling, expected):
    made = Node.model_validate({"id": "a", "type": "api", **node})
    assert made.on_failure(Globals(error_handling=ErrorHandling(handling))) is expected


def test_amounts_are_exact():
    limits = Workflow.load(FULL).globals.limits
    assert limits.cost_usd == Decimal("1.05")


def test_documents_are_frozen():
    workflow = Workflow.load(FULL)
    with pytest.raises(ValidationError):
        workflow.name = "other"
    assert workflow.by_id["n2"] is workflow.nodes[1]
