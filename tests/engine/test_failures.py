"""What fails, fails alone, and nothing is lost."""

import pytest

from tests.engine.conftest import collect, numbers, work, workflow

pytestmark = pytest.mark.asyncio


async def test_continue_keeps_failed_records_with_the_execution(run):
    ran = await run(workflow({"in": numbers(4), "a": work(bad=[2]), "out": collect()}, "in>a, a>out"))
    assert ran.result.status == "completed"
    assert ran.values() == [0, 1, 3]
    assert ran.failed == [("a", 2, "NOT_FOUND")]
    assert [record.reason for record in ran.result.failed_records] == ["no such thing"]


async def test_stop_ends_the_execution_at_the_first_failure(run):
    document = workflow(
        {"in": numbers(4), "a": work(bad=[2]), "out": collect()}, "in>a, a>out", globals={"errorHandling": "stop"}
    )
    ran = await run(document)
    assert ran.result.status == "failed"
    assert ran.result.error == "node 'a', record 2: no such thing"


async def test_a_node_overrides_error_handling(run):
    document = workflow(
        {"in": numbers(4), "a": work({"onError": "continue"}, bad=[2]), "out": collect()},
        "in>a, a>out",
        globals={"errorHandling": "stop"},
    )
    ran = await run(document)
    assert ran.result.status == "completed"


async def test_node_that_cannot_go_on_keeps_what_reaches_it(run):
    ran = await run(workflow({"in": numbers(6), "a": work(diesAt=3), "out": collect()}, "in>a, a>out"))
    assert ran.result.status == "failed"
    assert ran.result.error == "node 'a': the key is wrong: set TEST_KEY"
    assert (ran.statuses["a"], ran.statuses["out"]) == ("failed", "completed")
    handled = len(ran.values()) + len(ran.failed)
    assert handled == 6
    assert ("a", 3, "AUTH") in ran.failed


async def test_node_that_cannot_go_on_stops_those_that_work_for_it_alone(run):
    nodes = {"in": numbers(100_000, pause=0.001), "feed": work(), "a": work(diesAt=0), "out": collect()}
    ran = await run(workflow(nodes, "in>feed, feed>a, a>out"))
    assert ran.result.status == "failed"
    assert ran.statuses["in"] == ran.statuses["feed"] == "cancelled"
    assert ran.result.nodes["in"].records_out < 100_000


async def test_error_port_of_a_dead_node_takes_over(run):
    nodes = {"in": numbers(6), "a": work(diesAt=0, wait=[0.001]), "b": work(add={"via": "b"}), "out": collect()}
    ran = await run(workflow(nodes, "in>a, a>out, a.error>b, b>out"))
    assert ran.result.status == "completed"
    assert sorted(ran.values()) == [0, 1, 2, 3, 4, 5]


async def test_a_bug_in_a_block_fails_its_record_and_shows_no_data(run):
    ran = await run(workflow({"in": numbers(3), "a": work(crashAt=1), "out": collect()}, "in>a, a>out"))
    assert ran.values() == [0, 2]
    reason = ran.result.failed_records[0].reason
    assert "ZeroDivisionError" in reason
    assert "transform/test-work" in reason
    assert "secret text" not in reason


async def test_node_timeout(run):
    ran = await run(
        workflow({"in": numbers(2), "a": work({"timeout": 0.1}, wait=[30.0]), "out": collect()}, "in>a, a>out")
    )
    assert ran.result.status == "failed"
    assert ran.result.error == "node 'a': the node's timeout of 0.1 s ran out"


async def test_execution_timeout(run):
    document = workflow(
        {"in": numbers(2), "a": work(wait=[30.0]), "out": collect()}, "in>a, a>out", globals={"timeout": 0.2}
    )
    ran = await run(document)
    assert ran.result.status == "failed"
    assert ran.result.error == "the execution's timeout of 0.2 s ran out. Resume it to go on where it stopped"


async def test_input_schema_refuses_one_record_and_coerces_another(run):
    schema = {
        "type": "object",
        "properties": {
            "items": {
                "type": "array",
                "items": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
            }
        },
    }
    data = {"items": [{"n": 1}, {"n": "2"}, {"n": "x"}, {}]}
    nodes = {
        "in": {"type": "input", "config": {"source": "static", "data": data}},
        "a": work({"inputSchema": schema}),
        "out": collect(),
    }
    ran = await run(workflow(nodes, "in>a, a>out"))
    assert ran.values() == [1, 2]
    assert ran.result.nodes["a"].coercions == 1
    assert [(node, position) for node, position, _ in ran.failed] == [("a", 2), ("a", 3)]
    assert "/n" in ran.result.failed_records[0].reason


async def test_output_schema_refuses_one_record(run):
    schema = {
        "type": "object",
        "properties": {"items": {"type": "array", "items": {"type": "object", "properties": {"n": {"maximum": 1}}}}},
    }
    ran = await run(workflow({"in": numbers(3), "a": work({"outputSchema": schema}), "out": collect()}, "in>a, a>out"))
    assert ran.values() == [0, 1]
    assert ran.failed == [("a", 2, "VALIDATION")]


async def test_missing_fields_fail_the_node_with_the_place(run):
    schema = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    data = {"type": "input", "config": {"source": "static", "data": {"n": 1}}, "outputSchema": schema}
    ran = await run(workflow({"in": data, "out": collect()}, "in>out"))
    assert ran.result.status == "failed"
    assert ran.result.error.startswith("node 'in': outputSchema:")
    assert "id" in ran.result.error


async def test_the_same_run_twice_gives_the_same_bytes(app):
    import orjson

    document = workflow(
        {"in": numbers(50), "a": work(wait=[0.003, 0.0, 0.001], bad=[7], double=[9]), "out": collect()}, "in>a, a>out"
    )
    first = await app.execute(document, {}, execution_id="first")
    second = await app.execute(document, {}, execution_id="second")
    records = [[record async for record in app.output_records(result.execution_id)] for result in (first, second)]
    assert orjson.dumps(records[0]) == orjson.dumps(records[1])
    assert first.failed_records == second.failed_records


async def test_record_limit_stops_the_source_and_keeps_what_it_made(run):
    document = workflow({"in": numbers(10), "out": collect()}, "in>out", globals={"limits": {"records": 4}})
    ran = await run(document)
    assert ran.result.status == "failed"
    assert "more than 4 records" in ran.result.error
    assert ran.values() == [0, 1, 2, 3]


async def test_memory_limit(run):
    document = workflow({"in": numbers(9, pause=0.1), "out": collect()}, "in>out", globals={"limits": {"memoryMb": 1}})
    ran = await run(document)
    assert ran.result.status == "failed"
    assert "limit is 1 MB" in ran.result.error
