"""Blocks without vendors in workflows of their own, through the engine and on a real database."""

import orjson
import pytest

from lumeflow.app import open_app
from lumeflow.core.journal import RecordKind
from lumeflow.core.tables import ColumnKind
from lumeflow.settings import Settings

PEOPLE = [{"n": number, "name": f"Person {number}"} for number in range(6)]


def flow(nodes, *edges):
    """A workflow of `{id: (type, config)}` and edges written as `a>b` or `a.port>b`."""
    drawn = []
    for edge in edges:
        source, target = edge.split(">")
        source, _, port = source.partition(".")
        drawn.append({"source": source, "target": target, "sourcePort": port or "out"})
    made = [{"id": name, "type": kind, "config": config} for name, (kind, config) in nodes.items()]
    return {"workflowId": "w", "name": "w", "nodes": made, "edges": drawn}


STATIC = ("input", {"source": "static", "data": {"batch": 7, "people": PEOPLE}})


def to_file(folder):
    return ("output", {"destination": "json", "path": str(folder / "out.json")})


def files_in(folder):
    return {path.name for path in folder.iterdir()}


@pytest.fixture
async def app(tmp_path):
    settings = Settings.from_environment({"LUMEFLOW_DB": str(tmp_path / "x.db"), "LUMEFLOW_DATA_DIR": str(tmp_path)})
    async with open_app(settings) as opened:
        yield opened


async def run(app, document, trigger=None, **options):
    findings = [finding for finding in app.validate(document).findings if finding.severity == "error"]
    assert findings == []
    result = await app.execute(document, trigger or {}, **options)
    assert result.error is None
    return result


def written(folder):
    return orjson.loads((folder / "out.json").read_bytes())


async def test_blocks_of_whole_payloads_list_what_they_leave_out(app, tmp_path):
    rows = [{"n": 0, "k": "a"}, {"n": 1, "k": "b"}, {"n": 2, "k": "a"}, {"n": 3}]
    document = flow(
        {
            "in": ("input", {"source": "static", "data": {"people": rows}}),
            "last": ("transform", {"operation": "deduplicate", "keys": ["k"], "keep": "last", "missing": "skip"}),
            "known": ("input", {"source": "static", "data": {"people": [{"k": "a", "ok": True}]}}),
            "join": ("merge", {"strategy": "join", "sources": ["last", "known"], "keys": ["k"], "how": "inner"}),
            "zip": ("merge", {"strategy": "zip", "sources": ["join", "in"], "unequal": "drop"}),
            "out": to_file(tmp_path),
        },
        "in>last", "last>join", "known>join", "join>zip", "in>zip", "zip>out",
    )  # fmt: skip
    result = await run(app, document, execution_id="e")
    assert written(tmp_path)["people"] == [{"n": 0, "k": "a", "ok": True}]
    counts = {node_id: (node.records_out, node.skipped) for node_id, node in result.nodes.items()}
    assert (counts["last"], counts["join"], counts["zip"]) == ((2, 2), (1, 1), (1, 3))
    kept = [record async for record in app.kept_records("e", RecordKind.SKIPPED)]
    assert [(record.node_id, record.position, record.data, record.reason) for record in kept] == [
        ("last", 0, rows[0], "a duplicate of record 2"),
        ("last", 3, rows[3], "it can't be compared: it lacks a key or the name"),
        ("join", 0, rows[1], "it has no counterpart"),
        ("zip", 1, rows[1], "it has no counterpart"),
        ("zip", 2, rows[2], "it has no counterpart"),
        ("zip", 3, rows[3], "it has no counterpart"),
    ]


async def test_records_are_changed_and_filtered_by_variables(app, tmp_path):
    document = flow(
        {
            "in": STATIC,
            "map": ("transform", {"operations": [{"type": "map", "field": "tag", "transformation": "{{variables.tag}}"}]}),
            "keep": ("filter", {"conditions": {"field": "n", "operator": "gte", "value": "{{variables.least}}"}}),
            "out": to_file(tmp_path),
        },
        "in>map", "map>keep", "keep>out",
    )  # fmt: skip
    result = await run(app, document, variables={"tag": "x", "least": 4})
    assert written(tmp_path) == {"batch": 7, "people": [{**person, "tag": "x"} for person in PEOPLE[4:]]}
    assert result.nodes["keep"].skipped == 4
    assert result.output == {"path": str(tmp_path / "out.json"), "recordsCount": 2}


async def test_arms_of_a_branch_are_merged_in_the_order_of_the_origin(app, tmp_path):
    document = flow(
        {
            "in": STATIC,
            "even": ("branch", {
                "condition": {"field": "n", "operator": "in", "value": [0, 2, 4]},
                "branches": {"true": "a", "false": "b"},
            }),
            "a": ("transform", {"operations": [{"type": "map", "field": "arm", "transformation": "a"}]}),
            "b": ("transform", {"operations": [{"type": "map", "field": "arm", "transformation": "b"}]}),
            "all": ("merge", {"strategy": "deepMerge", "sources": ["b", "a"]}),
            "out": to_file(tmp_path),
        },
        "a>all", "b>all", "all>out", "in>even",
    )  # fmt: skip
    await run(app, document)
    assert [(row["n"], row["arm"]) for row in written(tmp_path)["people"]] == [
        (number, "b" if number % 2 else "a") for number in range(6)
    ]


async def test_versions_of_a_record_become_one(app, tmp_path):
    document = flow(
        {
            "in": STATIC,
            "a": ("filter", {"conditions": {"field": "n", "operator": "lt", "value": 4}}),
            "b": ("transform", {"operations": [{"type": "map", "field": "twice", "transformation": "{{input.n * 2}}"}]}),
            "all": ("merge", {"strategy": "deepMerge"}),
            "out": to_file(tmp_path),
        },
        "in>a", "in>b", "a>all", "b>all", "all>out",
    )  # fmt: skip
    await run(app, document)
    assert written(tmp_path)["people"] == [{**person, "twice": person["n"] * 2} for person in PEOPLE]


@pytest.mark.parametrize(
    ("unequal", "expected"),
    [("keep", [(0, 3), (1, 4), (2, 5), (3, None), (4, None), (5, None)]), ("drop", [(0, 3), (1, 4), (2, 5)])],
)
async def test_zip_of_unequal_lengths(app, tmp_path, unequal, expected):
    document = flow(
        {
            "in": STATIC,
            "late": ("filter", {"conditions": {"field": "n", "operator": "gte", "value": 3}}),
            "zip": ("merge", {"strategy": "zip", "sources": ["in", "late"], "as": "object", "unequal": unequal}),
            "out": to_file(tmp_path),
        },
        "in>late", "in>zip", "late>zip", "zip>out",
    )  # fmt: skip
    await run(app, document)
    rows = written(tmp_path)["people"]
    assert [(row["in"]["n"], row["late"]["n"] if "late" in row else None) for row in rows] == expected


async def test_append_takes_one_source_after_the_other(app, tmp_path):
    document = flow(
        {
            "one": ("input", {"source": "static", "data": {"people": PEOPLE[:2]}}),
            "two": ("input", {"source": "static", "data": {"people": PEOPLE[2:4]}}),
            "all": ("merge", {"strategy": "append", "sources": ["two", "one"]}),
            "out": to_file(tmp_path),
        },
        "one>all", "two>all", "all>out",
    )  # fmt: skip
    await run(app, document)
    assert [row["n"] for row in written(tmp_path)["people"]] == [2, 3, 0, 1]


async def test_many_cases(app, tmp_path):
    def case(number):
        return {"when": {"field": "n", "operator": "equals", "value": number}, "to": f"to-{number}"}

    def tagged(number):
        return ("transform", {"operations": [{"type": "map", "field": "case", "transformation": number}]})

    document = flow(
        {
            "in": STATIC,
            "cases": ("branch", {"operation": "cases", "cases": [case(1), case(2)], "default": "rest"}),
            "to-1": tagged(1),
            "to-2": tagged(2),
            "rest": tagged("rest"),
            "all": ("merge", {"strategy": "append", "sources": ["to-2", "rest", "to-1"]}),
            "out": to_file(tmp_path),
        },
        "in>cases", "to-1>all", "to-2>all", "rest>all", "all>out",
    )  # fmt: skip
    await run(app, document)
    assert [(row["n"], row["case"]) for row in written(tmp_path)["people"]] == [
        (2, 2), (0, "rest"), (3, "rest"), (4, "rest"), (5, "rest"), (1, 1),
    ]  # fmt: skip


async def test_a_whole_payload_is_routed(app, tmp_path):
    document = flow(
        {
            "in": ("input", {"source": "api"}),
            "kind": ("branch", {
                "condition": {"field": "kind", "operator": "equals", "value": "a"},
                "branches": {"true": "a", "false": "b"},
                "scope": "payload",
            }),
            "a": to_file(tmp_path),
            "b": ("output", {"destination": "json", "path": str(tmp_path / "other.json")}),
        },
        "in>kind",
    )  # fmt: skip
    result = await run(app, document, {"kind": "a", "people": PEOPLE})
    assert written(tmp_path) == {"kind": "a", "people": PEOPLE}
    assert result.nodes["b"].status == "skipped"


async def test_bad_rows_of_a_file_are_failed_records_and_the_others_are_stored(app, tmp_path):
    source = tmp_path / "people.jsonl"
    source.write_text('{"name": "Mira"}\n{"name": \n{"name": "Tomás"}\n')
    document = flow(
        {
            "in": ("input", {"source": "upload", "collection": "people"}),
            "out": ("output", {
                "destination": "database", "table": "shared_audiences",
                "mapping": {"name": "{{trigger.file}}", "people": "{{input.people}}"},
            }),
        },
        "in>out",
    )  # fmt: skip
    result = await run(app, document, {"file": str(source)})
    assert result.output["contactsCount"] == 2
    (failed,) = result.failed_records
    assert (failed.node_id, failed.error_class) == ("in", "VALIDATION")
    assert "(line 2): not JSON" in failed.reason
    stored = await app.database.tables.find("shared_audience_contacts", {}, ["position", "data"])
    assert stored == [{"position": 0, "data": {"name": "Mira"}}, {"position": 1, "data": {"name": "Tomás"}}]


@pytest.mark.parametrize(
    ("trigger", "message"),
    [
        ({}, "node 'in': the input of the execution holds neither 'sourceAudienceId' nor 'id'"),
        ({"id": "aud-9"}, "node 'in': table 'source_audiences' has no row with the id 'aud-9'"),
    ],
)
async def test_an_audience_that_is_not_there_fails_the_execution_with_the_remedy(app, tmp_path, trigger, message):
    document = flow(
        {"in": ("input", {"source": "database", "query": "source_audiences"}), "out": to_file(tmp_path)}, "in>out"
    )
    result = await app.execute(document, trigger)
    assert result.status == "failed"
    assert result.error.startswith(message)
    assert "out.json" not in files_in(tmp_path)


async def test_an_audience_that_was_loaded_since_is_found_by_a_resume(app, tmp_path):
    document = flow(
        {"in": ("input", {"source": "database", "query": "source_audiences"}), "out": to_file(tmp_path)}, "in>out"
    )
    failed = await app.execute(document, {"id": "aud-9"})
    await app.database.tables.upsert("source_audiences", [{"id": "aud-9", "name": "Late"}], key=["id"])
    resumed = await app.resume(failed.execution_id)
    assert (resumed.status, resumed.error) == ("completed", None)
    assert written(tmp_path) == {"id": "aud-9", "name": "Late"}


async def test_a_resumed_execution_works_with_the_rows_that_were_read_before(app):
    kinds = {"id": ColumnKind.INTEGER, "name": ColumnKind.TEXT}
    await app.database.tables.make("people", kinds, key=["id"])
    people = [{"id": number, "name": f"Person {number}"} for number in range(100)]
    await app.database.tables.upsert("people", people, key=["id"])
    rows = {"source": "database", "query": "people", "where": {}, "collection": "people", "pageSize": 10}
    copy = {"destination": "database", "table": "copies", "createTable": True}
    document = flow({"in": ("input", rows), "out": ("output", copy)}, "in>out")
    limited = {**document, "globals": {"limits": {"records": 50}}}

    first = await app.execute(limited, execution_id="copying")
    await app.database.tables.delete("people", {"id": 7})
    second = await app.resume("copying", limits={"records": 1000})

    assert (first.status, second.status) == ("failed", "completed")
    assert await app.database.tables.find("copies", {}) == people


def bad(code, **options):
    return ("filter", {"operation": "javascript", "code": code, "timeLimit": 0.05, **options})


async def test_a_bomb_in_javascript_costs_its_record(app, tmp_path):
    code = "record => { while (record.n === 2); return record.n !== 4; }"
    document = flow({"in": STATIC, "js": bad(code, reason="four"), "out": to_file(tmp_path)}, "in>js", "js>out")
    result = await run(app, document)
    assert [person["n"] for person in written(tmp_path)["people"]] == [0, 1, 3, 5]
    failed = [record async for record in app.kept_records(result.execution_id, RecordKind.FAILED)]
    skipped = [record async for record in app.kept_records(result.execution_id, RecordKind.SKIPPED)]
    assert [(record.position, record.error_class, record.reason) for record in failed] == [
        (2, "LIMIT", "the code took longer than 0.05 s")
    ]
    assert [(record.position, record.data["n"], record.reason) for record in skipped] == [(4, 4, "four")]


async def test_a_bomb_in_javascript_ends_the_node_if_that_is_wanted(app, tmp_path):
    code = "record => { while (record.n === 2); return true; }"
    document = flow({"in": STATIC, "js": bad(code, onLimit="node"), "out": to_file(tmp_path)}, "in>js", "js>out")
    assert [finding for finding in app.validate(document).findings if finding.severity == "error"] == []
    result = await app.execute(document, {})
    assert (result.status, str(result.error)) == ("failed", "node 'js': the code took longer than 0.05 s")
    assert (
        await app.execute(flow({"in": STATIC, "js": bad("true"), "out": to_file(tmp_path)}, "in>js", "js>out"), {})
    ).status == "completed"


async def test_javascript_that_cannot_be_read_is_found_before_anything_runs(app):
    document = flow(
        {"in": STATIC, "js": bad("record => {\n  return record.;\n}"), "out": ("output", {"destination": "json"})},
        "in>js",
        "js>out",
    )
    (finding,) = [finding for finding in app.validate(document).findings if finding.severity == "error"]
    assert finding.pointer.startswith("/nodes/1/config")
    assert "line 2" in finding.message


async def test_lists_are_joined_by_a_key(app, tmp_path):
    scores = [{"person": f"PERSON {n}", "score": n * 10} for n in (3, 1, 9)]
    document = flow(
        {
            "in": STATIC,
            "scores": ("input", {"source": "static", "data": {"scores": scores}}),
            "all": ("merge", {
                "strategy": "join", "sources": ["in", "scores"], "how": "inner",
                "keys": [{"left": "{{input.name}}", "right": "{{input.person}}"}],
            }),
            "out": to_file(tmp_path),
        },
        "in>all", "scores>all", "all>out",
    )  # fmt: skip
    await run(app, document)
    assert written(tmp_path) == {
        "batch": 7,
        "people": [{"n": n, "name": f"Person {n}", "person": f"PERSON {n}", "score": n * 10} for n in (1, 3)],
    }
