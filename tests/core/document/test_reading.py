"""Every way in which the text of a document can be wrong has an answer that names the place and the remedy."""

import pytest

from lumeflow.core.document import Workflow
from lumeflow.core.document.reading import read_document
from lumeflow.core.findings import InvalidWorkflow

SMALLEST = '{"workflowId": "w", "name": "W", "nodes": [], "edges": []}'


def only_finding(data, **options):
    with pytest.raises(InvalidWorkflow) as caught:
        Workflow.load(data, **options)
    (finding,) = caught.value.report.findings
    return finding


@pytest.mark.parametrize(
    "data", [SMALLEST, SMALLEST.encode(), b"\xef\xbb\xbf" + SMALLEST.encode(), "\ufeff" + SMALLEST]
)
def test_text_and_bytes_are_read_with_or_without_byte_order_mark(data):
    assert Workflow.load(data).workflow_id == "w"


@pytest.mark.parametrize(
    ("data", "code", "parts"),
    [
        (b'{"name": "x",\n  "nodes": [,]}', "invalid-json", ["line 2", "column 13"]),
        (b"", "invalid-json", ["line 1"]),
        (b'{"name": NaN}', "invalid-json", ["line 1"]),
        (b"[1, 2]", "wrong-type", ["object", "array of 2"]),
        (b'"text"', "wrong-type", ["object", "string"]),
        (b'{"name":\n"\xe9"}', "invalid-encoding", ["UTF-8", "line 2", "byte 10"]),
        (SMALLEST.encode("utf-16"), "invalid-encoding", ["UTF-16", "Save it as UTF-8"]),
        ("[" * 5_000, "too-deep", ["100"]),
        ('{"a":' * 101 + "1" + "}" * 101, "too-deep", ["100"]),
    ],
)
def test_unreadable_text(data, code, parts):
    finding = only_finding(data)
    assert finding.code == code
    assert all(part in finding.message for part in parts), finding.message


def test_nesting_up_to_the_limit_is_read():
    read_document('{"a":' * 99 + "1" + "}" * 99)


def test_an_object_that_was_never_text_is_measured_as_well():
    deep: dict = {}
    inner = deep
    for _ in range(200):
        inner["a"] = {}
        inner = inner["a"]
    assert only_finding(deep).code == "too-deep"


@pytest.mark.parametrize("value", [{1, 2}, 2**70, object(), "\ud800", b"x"])
def test_an_object_that_no_text_could_hold_is_refused(value):
    finding = only_finding({"workflowId": "w", "name": "W", "nodes": [], "edges": [], "metadata": {"a": value}})
    assert finding.code == "invalid-json"


def test_a_file_that_is_too_large_is_refused_unread():
    finding = only_finding(b"[" + b" " * 50_000_000)
    assert finding.code == "too-large"
    assert "50,000,001 bytes" in finding.message
    assert "10,000,000" in finding.message
    assert Workflow.load(SMALLEST, max_bytes=len(SMALLEST)).name == "W"
    assert only_finding(SMALLEST, max_bytes=len(SMALLEST) - 1).code == "too-large"


def test_keys_given_twice_are_all_found_with_their_places():
    text = '{"name": "a", "nodes": [{"id": "n", "config": {"x": 1, "x": 2}}], "name": "b"}'
    with pytest.raises(InvalidWorkflow) as caught:
        Workflow.load(text)
    found = [(finding.code, finding.pointer) for finding in caught.value.report.findings]
    assert found == [("duplicate-key", "/name"), ("duplicate-key", "/nodes/0/config/x")]


def test_a_lone_surrogate_is_no_text():
    assert only_finding(b'{"name": "\\ud800"}').code == "invalid-json"
