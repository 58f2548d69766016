"""What users hand over: documents, JSON, times, variables."""

import io
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from lumeflow.cli import inputs
from lumeflow.core.errors import UsageError


def stdin_of(data: bytes) -> SimpleNamespace:
    return SimpleNamespace(isatty=lambda: False, buffer=io.BytesIO(data))


def test_input_is_a_json_object_on_the_command_line():
    assert inputs.read_input('{"sourceAudienceId": "a-1", "n": [1, 2]}') == {"sourceAudienceId": "a-1", "n": [1, 2]}


def test_input_is_a_file_after_an_at_sign(tmp_path):
    file = tmp_path / "input.json"
    file.write_bytes(b'\xef\xbb\xbf{"id": "a-1"}')
    assert inputs.read_input(f"@{file}") == {"id": "a-1"}


def test_input_is_standard_input_for_a_dash(monkeypatch):
    monkeypatch.setattr("sys.stdin", stdin_of(b'{"id": "a-1"}'))
    assert inputs.read_input("-") == {"id": "a-1"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"id": }', "x.json is not valid JSON: line 1, column 8"),
        (b'{\n  "id": "a",\n  "n": 01\n}', "x.json is not valid JSON: line 3, column 8"),
        (b"", "x.json is not valid JSON: line 1, column 1"),
        (b'{"id": NaN}', "x.json is not valid JSON: line 1"),
        (b'{"id": "a"}\n{"id": "b"}', "x.json is not valid JSON: line 2, column 1"),
        (b'{"id":\n "\xff"}', "x.json is not UTF-8 text: line 2 holds the byte 0xff"),
        (b"[1]", "found an array"),
        (b'"text"', "found a string"),
        (b"null", "found null"),
        (b"true", "found a boolean"),
        (b"12", "found a number"),
    ],
)
def test_bad_json_is_refused_with_its_place(data, message):
    with pytest.raises(UsageError) as caught:
        inputs.json_object(data, "x.json")
    assert message in str(caught.value)


def test_a_file_name_without_the_at_sign_is_recognised(tmp_path):
    file = tmp_path / "input.json"
    file.write_text("{}")
    with pytest.raises(UsageError, match=f"write --input @{file}"):
        inputs.read_input(str(file))


@pytest.mark.parametrize("read", [inputs.read_mocks, lambda file: inputs.read_input(f"@{file}")])
def test_a_missing_file_is_named(read):
    with pytest.raises(UsageError, match=r"there is no file 'nowhere/x\.json'"):
        read("nowhere/x.json")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        inputs.read_document(str(tmp_path))


def test_a_document_is_a_file_or_standard_input_or_a_shipped_workflow(tmp_path, monkeypatch):
    file = tmp_path / "w.json"
    file.write_bytes(b"{}")
    assert inputs.read_document(str(file)) == b"{}"
    monkeypatch.setattr("sys.stdin", stdin_of(b"[]"))
    assert inputs.read_document("-") == b"[]"
    assert b'"workflowId": "lead-enrichment-v1"' in inputs.read_document("lead-enrichment-v1")


def test_an_unknown_workflow_names_the_nearest():
    with pytest.raises(UsageError, match=r"no file 'lead-enrichment'.*Did you mean 'lead-enrichment-v1'"):
        inputs.read_document("lead-enrichment")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-09T10:00:00Z", datetime(2026, 1, 9, 10, tzinfo=UTC)),
        ("2026-01-09T11:00:00+01:00", datetime(2026, 1, 9, 10, tzinfo=UTC)),
        ("2026-01-09T10:00:00", datetime(2026, 1, 9, 10, tzinfo=UTC)),
        ("2026-01-09", datetime(2026, 1, 9, tzinfo=UTC)),
        (None, None),
    ],
)
def test_now(text, moment):
    assert inputs.read_now(text) == moment


@pytest.mark.parametrize("text", ["now", "2026-13-01", ""])
def test_now_that_is_no_time(text):
    with pytest.raises(UsageError, match="not an ISO 8601 time such as 2026-01-09T10:00:00Z"):
        inputs.read_now(text)


def test_variables_are_text_unless_written_as_json():
    pairs = ["zip=007", "limit:=5", "tags:=[1, 2]", "empty=", "query=a=b"]
    assert inputs.read_variables(pairs) == {"zip": "007", "limit": 5, "tags": [1, 2], "empty": "", "query": "a=b"}


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (["limit"], "'limit' is not of the form name=text"),
        (["=5"], "'=5' is not of the form name=text"),
        (["a=1", "a=2"], "'a' is given twice"),
        (["limit:=five"], "'limit' is not valid JSON: column 1.*for a text write limit=five"),
    ],
)
def test_bad_variables(pairs, message):
    with pytest.raises(UsageError, match=message):
        inputs.read_variables(pairs)
