"""Bad input by the command line: the promised exit code, a message that names place and remedy, never a traceback."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lumeflow.cli.main import run

POST = "https://www.instagram.com/p/Csurvivor0/"
GOOD = {"id": "good", "name": "Good", "type": "instagram", "urls": [POST]}
UPLOAD = {
    "workflowId": "upload",
    "name": "Upload",
    "version": 1,
    "nodes": [
        {
            "id": "in",
            "type": "input",
            "config": {"source": "upload"},
            "outputSchema": {
                "type": "object",
                "properties": {
                    "contacts": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {"age": {"type": "number"}, "email": {"type": "string"}},
                            "required": ["email"],
                        },
                    }
                },
            },
        },
        {"id": "out", "type": "output", "config": {"destination": "json", "path": "contacts.json"}},
    ],
    "edges": [{"id": "e1", "source": "in", "target": "out"}],
}
MEGABYTE = 10**6

Cli = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Cli:
    """Runs a command with `--json`; returns its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LUMEFLOW_DB", str(tmp_path / "lumeflow.db"))
    monkeypatch.setenv("LUMEFLOW_DATA_DIR", str(tmp_path / "data"))

    def call(*words: str) -> tuple[int, dict[str, Any]]:
        code = run([*words, "--json"])
        out, err = capfdbinary.readouterr()
        assert b"Traceback" not in out + err
        assert b"bug" not in out + err
        return code, json.loads(out)

    return call


@pytest.fixture
def enrich(cli: Cli) -> Cli:
    """Runs the shipped workflow offline on an input."""

    def call(given: str, *more: str) -> tuple[int, dict[str, Any]]:
        return cli("run", "lead-enrichment-v1", "--mode", "demo", "--input", given, *more)

    return call


@pytest.fixture
def load(cli: Cli, tmp_path: Path) -> Cli:
    """Loads audiences."""

    def call(rows: Any, name: str = "rows.json") -> tuple[int, dict[str, Any]]:
        data = rows if isinstance(rows, bytes) else json.dumps(rows).encode()
        (tmp_path / name).write_bytes(data)
        return cli("db", "load", "source_audiences", name)

    return call


@pytest.fixture
def upload(cli: Cli, tmp_path: Path) -> Cli:
    """Runs a workflow that reads a file."""
    (tmp_path / "workflow.json").write_text(json.dumps(UPLOAD))

    def call(given: bytes | dict[str, Any], *more: str, name: str = "contacts.json") -> tuple[int, dict[str, Any]]:
        trigger = given if isinstance(given, dict) else {"file": name}
        if isinstance(given, bytes):
            (tmp_path / name).write_bytes(given)
        return cli("run", "workflow.json", "--input", json.dumps(trigger), *more)

    return call


def contains(text: str, parts: tuple[str, ...]) -> None:
    """Assert that a message names everything that it should."""
    for part in parts:
        assert part in text, text


class TestTheInputOfAnExecution:
    @pytest.mark.parametrize(
        ("given", "parts"),
        [
            ('{"sourceAudienceId":', ("--input", "line 1, column 21")),
            ("[1]", ("--input must be a JSON object", "found an array")),
            ('"good"', ("--input must be a JSON object", "found a string")),
            ("null", ("found null",)),
            ('{"a": NaN}', ("not valid JSON", "column 7")),
            ('{"a": "\\ud800"}', ("not valid JSON", "column 8")),
            ('{"a":' + "[" * 5000 + "]" * 5000 + "}", ("depth limit",)),
            ("@nofile.json", ("there is no file 'nofile.json'",)),
            ("@latin.json", ("latin.json is not UTF-8 text: line 2", "0xe9")),
        ],
        ids=range(9),
    )
    def test_what_is_no_json_object_is_refused(self, given: str, parts: tuple[str, ...], enrich: Cli, tmp_path: Path):
        (tmp_path / "latin.json").write_bytes(b'{"sourceAudienceId":\n"caf\xe9"}')
        code, printed = enrich(given)
        assert code == 2
        contains(printed["error"]["message"], parts)

    @pytest.mark.parametrize(
        ("given", "parts"),
        [
            ({}, ("input-1", "'sourceAudienceId'", "give the id of a row")),
            ({"sourceAudienceId": "nobody"}, ("input-1", "no row with the id 'nobody'", "lumeflow db load")),
            ({"sourceAudienceId": {"a": 1}}, ("must be a string; found an object",)),
            ({"sourceAudienceId": ["good"]}, ("must be a string; found a list",)),
            ({"sourceAudienceId": "' OR 1=1 --"}, ('no row with the id "\' OR 1=1 --"',)),
            ({"sourceAudienceId": "../../etc/passwd"}, ("no row with the id",)),
            ({"sourceAudienceId": "a\0b"}, ("no row with the id",)),
            ({"sourceAudienceId": "x" * 100_000}, ("no row with the id", "xxx'")),
        ],
        ids=range(8),
    )
    def test_an_id_that_leads_nowhere_fails_the_execution(
        self, given: dict[str, Any], parts: tuple[str, ...], enrich: Cli, load: Cli
    ):
        assert load([GOOD])[0] == 0
        code, result = enrich(json.dumps(given))
        assert (code, result["status"], result["cost"]["apiCalls"]) == (1, "failed", 0)
        contains(result["error"], parts)
        assert len(result["error"]) < 400

    def test_a_resume_finds_the_row_that_was_loaded_since(self, enrich: Cli, load: Cli, cli: Cli):
        code, result = enrich('{"sourceAudienceId": "good"}', "--execution-id", "early")
        assert (code, result["status"]) == (1, "failed")
        assert load([GOOD])[0] == 0
        code, result = cli("executions", "resume", "early")
        assert (code, result["status"]) == (0, "completed")

    @pytest.mark.parametrize("execution_id", ["", "  ", "a\nb", "x" * 201], ids=range(4))
    def test_an_id_that_nobody_could_type_is_refused(self, execution_id: str, enrich: Cli):
        code, printed = enrich("{}", "--execution-id", execution_id)
        assert code == 2
        contains(printed["error"]["message"], ("execution id", "1 to 200 printable characters"))


class TestAudiences:
    @pytest.mark.parametrize(
        ("change", "parts"),
        [
            ({"urls": POST}, ("row 2", "'urls': expected a list of texts")),
            ({"urls": [1, 2]}, ("row 2", "'urls': expected a list of texts, found [1,2]")),
            ({"type": 7}, ("row 2", "'type': expected text, found 7")),
            ({"id": None}, ("row 2", "'id'")),
            ({"id": 7}, ("row 2", "'id': expected text, found 7")),
            ({"name": {"a": 1}}, ("row 2", "'name': expected text")),
            ({"nam": "x"}, ("row 2", "unknown column 'nam'", "Did you mean 'name'?")),
        ],
        ids=str,
    )
    def test_of_rows_with_a_bad_one_none_is_loaded(
        self, change: dict[str, Any], parts: tuple[str, ...], load: Cli, enrich: Cli
    ):
        code, printed = load([GOOD, GOOD | {"id": "second"} | change])
        assert code == 2
        contains(printed["error"]["message"], (*parts, "nothing was loaded"))
        _, result = enrich('{"sourceAudienceId": "good"}')
        assert "no row with the id 'good'" in result["error"]

    @pytest.mark.parametrize(
        ("data", "name", "parts"),
        [
            (b"", "rows.json", ("rows.json is empty",)),
            (b'[{"id": "a"', "rows.json", ("rows.json, line 1, column 12", "not JSON")),
            (b'[\n{"id": "caf\xe9"}]', "rows.json", ("rows.json, line 2", "0xe9", "save the file as UTF-8")),
            (b"[1, 2]", "rows.json", ("row 1: expected an object, found a number", "row 2")),
            (b"id,name,type\na,b\n", "rows.csv", ("rows.csv",)),
        ],
        ids=range(5),
    )
    def test_a_file_that_holds_no_rows_is_refused(self, data: bytes, name: str, parts: tuple[str, ...], load: Cli):
        code, printed = load(data, name)
        assert code == 2
        contains(printed["error"]["message"], parts)

    @pytest.mark.parametrize("table", ["source_audience", 'x"; DROP TABLE source_audiences; --', "sqlite_master"])
    def test_a_table_that_is_none_is_refused(self, table: str, cli: Cli, tmp_path: Path):
        (tmp_path / "rows.json").write_text("[]")
        code, printed = cli("db", "load", table, "rows.json")
        assert code == 2
        contains(printed["error"]["message"], ("there is no table", table))

    @pytest.mark.parametrize(
        ("row", "parts"),
        [
            ({"urls": None}, ("node 'input-1'", 'expected the key "urls"')),
            ({"urls": []}, ("node 'scraper-1'", "mapping.url", "an empty list")),
            ({"urls": ["javascript:alert(1)", "ftp://x"]}, ("node 'scraper-1'", "begins with http(s)://")),
            ({"type": "tiktok"}, ("node 'input-1'", "/type", 'expected "facebook" or "instagram"')),
        ],
        ids=str,
    )
    def test_an_unusable_audience_fails_before_anything_is_paid(
        self, row: dict[str, Any], parts: tuple[str, ...], load: Cli, enrich: Cli
    ):
        loaded = {name: value for name, value in (GOOD | row).items() if value is not None}
        assert load([loaded])[0] == 0
        code, result = enrich('{"sourceAudienceId": "good"}')
        assert (code, result["status"], result["cost"]["apiCalls"]) == (1, "failed", 0)
        contains(result["error"], parts)

    def test_one_bad_address_fails_alone(self, load: Cli, enrich: Cli):
        assert load([GOOD | {"urls": ["javascript:alert(1)", POST]}])[0] == 0
        code, result = enrich('{"sourceAudienceId": "good"}')
        assert (code, result["status"]) == (0, "completed")
        assert result["output"]["contactsCount"] > 0
        assert [(failed["node"], failed["class"]) for failed in result["failedRecords"]] == [
            ("scraper-1", "VALIDATION")
        ]
        assert "address 1 of 2" in result["failedRecords"][0]["reason"]


class TestUploads:
    def test_fifty_megabytes(self, upload: Cli):
        contacts = [{"age": 30, "email": f"p{number}@example.com", "text": "x" * 450} for number in range(100_000)]
        data = json.dumps({"contacts": contacts}).encode()
        assert len(data) > 50 * MEGABYTE
        code, result = upload(data)
        assert (code, result["output"]["recordsCount"]) == (0, 100_000)
        written = json.loads(Path(result["output"]["path"]).read_bytes())
        found = written["contacts"] if isinstance(written, dict) else written
        assert found[::9_999] == contacts[::9_999]

    @pytest.mark.parametrize(
        ("data", "parts"),
        [
            (b'{"contacts": [\n{"email": "a@example.com"},\n{"email" "b"}]}', ("line 3",)),
            (b'{"contacts": [{"email": "a@example.com"}', ("line 1",)),
            (b"", ("empty",)),
            (b"5", ("found a number",)),
            (b'{"people": 1}', ("contacts", "people")),
            (b"[" * 100_000 + b"]" * 100_000, ("deep",)),
        ],
        ids=range(6),
    )
    def test_an_unreadable_file_fails_the_node(self, data: bytes, parts: tuple[str, ...], upload: Cli):
        code, result = upload(data)
        assert (code, result["status"]) == (1, "failed")
        contains(result["error"], ("node 'in'", "contacts.json", *parts))

    def test_bytes_that_are_not_utf_8_spoil_their_row_alone(self, cli: Cli, tmp_path: Path):
        document = json.loads(json.dumps(UPLOAD))
        document["nodes"][0]["config"]["encoding"] = "utf-8"
        (tmp_path / "workflow.json").write_text(json.dumps(document))
        (tmp_path / "rows.json").write_bytes(b'{"contacts": [{"email": "a@example.com"}, {"email": "\xff"}]}')
        code, result = cli("run", "workflow.json", "--input", '{"file": "rows.json"}')
        assert (code, result["status"], result["output"]["recordsCount"]) == (0, "completed", 1)
        [failed] = result["failedRecords"]
        contains(failed["reason"], ("row 2", "rows.json", "0xFF", "utf-8"))

    def test_bad_rows_fail_alone_each_with_its_reason(self, upload: Cli):
        rows = [{"age": "old", "email": "a@example.com"}, {"age": 2, "email": "b@example.com"}, 5, None, {"age": 1}]
        code, result = upload(json.dumps({"contacts": rows}).encode())
        assert (code, result["status"], result["output"]["recordsCount"]) == (0, "completed", 1)
        assert [failed["position"] for failed in result["failedRecords"]] == [0, 2, 3, 4]
        for failed, part in zip(result["failedRecords"], ("/age", "found a number", "null", '"email"'), strict=True):
            assert part in failed["reason"]

    @pytest.mark.parametrize(
        ("trigger", "parts"),
        [
            ({}, ("'file'", "found null")),
            ({"file": 3}, ("'file'", "found a number")),
            ({"file": ""}, ("'file'",)),
            ({"file": "nofile.json"}, ("nofile.json", "No such file")),
            ({"file": "."}, ("Is a directory",)),
            ({"file": "a\0b"}, ("null byte",)),
            ({"file": "/dev/zero"}, ("/dev/zero", "make it a file")),
        ],
        ids=range(7),
    )
    def test_a_path_that_leads_to_no_file_fails_the_node(
        self, trigger: dict[str, Any], parts: tuple[str, ...], upload: Cli
    ):
        code, result = upload(trigger)
        assert (code, result["status"]) == (1, "failed")
        contains(result["error"], ("node 'in'", *parts))

    @pytest.mark.parametrize("execution_id", ["../../out", "a/b", "..", "/etc/x", "ü💥", '"quoted"', "x" * 200])
    def test_a_hostile_execution_id_stays_in_its_folder(self, execution_id: str, upload: Cli, cli: Cli, tmp_path: Path):
        code, result = upload(b'[{"email": "a@example.com"}]', "--execution-id", execution_id)
        assert (code, result["executionId"]) == (0, execution_id)
        path = Path(result["output"]["path"])
        assert path.resolve().parent.parent == (tmp_path / "data" / "artifacts").resolve()
        code, again = cli("executions", "show", execution_id)
        assert (code, again["executionId"], again["status"]) == (0, execution_id, "completed")


class TestDocuments:
    @pytest.mark.parametrize(
        ("data", "parts"),
        [
            (b"\xff\xfe{}", ("not UTF-8",)),
            (b'{"workflowId":\n "caf\xe9"}', ("not UTF-8", "line 2")),
            (b'{"workflowId":', ("not valid JSON", "line 1")),
            (b"[]", ("a workflow is a JSON object",)),
            (b"", ("not valid JSON",)),
            (b"[" * 100_000, ("nested more than 100 deep",)),
        ],
        ids=range(6),
    )
    def test_a_file_that_is_no_workflow_is_refused(self, data: bytes, parts: tuple[str, ...], cli: Cli, tmp_path: Path):
        (tmp_path / "workflow.json").write_bytes(data)
        for command in ("run", "validate"):
            code, printed = cli(command, "workflow.json")
            assert code == 2
            contains(json.dumps(printed), parts)

    @pytest.mark.parametrize(("file", "part"), [("nofile.json", "there is no file 'nofile.json'"), (".", "directory")])
    def test_a_path_that_leads_to_no_document_is_refused(self, file: str, part: str, cli: Cli):
        code, printed = cli("run", file)
        assert code == 2
        contains(printed["error"]["message"], (part,))


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("http://127.0.0.1:9", "no simulator answers at http://127.0.0.1:9"),
        ("nonsense", "no simulator answers at nonsense"),
    ],
)
def test_a_simulator_that_is_not_there(url: str, part: str, cli: Cli):
    code, printed = cli("run", "lead-enrichment-v1", "--simulator", url)
    assert code == 2
    contains(printed["error"]["message"], (part, "lumeflow simulate"))
