"""A document with faults is understood as far as possible."""

from lumeflow.core.document.draft import draft_of

GOOD = {"id": "good", "type": "filter", "config": {"a": 1}}


def document(**changes):
    return {"workflowId": "w", "name": "W", "nodes": [], "edges": []} | changes


def test_a_right_document_is_complete():
    draft = draft_of(document(nodes=[GOOD]))
    assert draft.complete
    assert draft.findings == ()
    assert [node.id for node in draft.workflow.nodes] == ["good"]


def test_wrong_keys_are_left_out_and_the_node_stays():
    wrong = GOOD | {"confg": {}, "timeout": "x", "retryConfig": {"maxRetries": "3", "jitter": 0}, "onError": "fallback"}
    draft = draft_of(document(nodes=[wrong]))
    (node,) = draft.workflow.nodes
    assert node.config == {"a": 1}
    assert node.timeout is None
    assert node.retry_config is not None
    assert node.retry_config.jitter == 0
    assert draft.complete
    assert len(draft.findings) == 3


def test_a_node_that_cannot_be_understood_is_dropped_but_its_id_is_known():
    draft = draft_of(document(nodes=[{"id": "bad", "type": "nothing"}, 5, {"type": "api"}, GOOD]))
    assert [node.id for node in draft.workflow.nodes] == ["good"]
    assert list(draft.node_index) == [3]
    assert draft.dropped == {"bad"}
    assert not draft.complete


def test_edges_and_settings_are_saved_as_well():
    edges = [{"source": "a"}, {"source": "a", "target": "b", "id": 5}]
    draft = draft_of(document(edges=edges, globals={"timeout": 5, "limits": {"calls": "x"}}))
    (edge,) = draft.workflow.edges
    assert (edge.source, edge.target, edge.id) == ("a", "b", None)
    assert list(draft.edge_index) == [1]
    assert draft.workflow.globals.timeout == 5


def test_the_strangest_objects_do_no_harm():
    for raw in ({}, {"nodes": 1, "edges": None}, {"nodes": [[]], "globals": [], "schemas": 3}, {"": {"": ""}}):
        draft = draft_of(raw)
        assert draft.findings
        assert draft.workflow.nodes == ()
