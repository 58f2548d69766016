"""Records get vectors, a batch in one call."""

from array import array

import orjson
import pytest
from pydantic import ValidationError

from lumeflow.blocks.api.mixedbread_embeddings import LONGEST_TEXT, MixedbreadEmbeddings
from lumeflow.simulator import Simulator, SimulatorSettings
from lumeflow.testing import run_block
from tests.providers.desk import Desk, context

PLAN = {
    "provider": "mixedbread",
    "model": "mxbai-embed-large-v1",
    "batchSize": 10,
    "fields": ["firstName", "lastName", "company", "title", "bio"],
    "outputField": "embedding",
}


def simulated():
    return context(desk=Desk(simulator=Simulator(SimulatorSettings(latency_scale=0))))


async def embed(contacts, config=PLAN, ctx=None):
    ctx = ctx or simulated()
    run = await run_block(MixedbreadEmbeddings, config, {"contacts": contacts}, context=ctx, collection="contacts")
    return run, [orjson.loads(request.body) for request in ctx.desk.sent]


def people(count):
    return [{"firstName": "Lena", "lastName": f"Okafor{number}"} for number in range(count)]


async def test_each_record_gets_a_vector_of_unit_length():
    run, _ = await embed(people(3))

    for record, person in zip(run.records, people(3), strict=True):
        vector = record.pop("embedding")
        assert record == person
        assert isinstance(vector, array)
        assert vector.typecode == "f"
        assert len(vector) == 1024
        assert abs(sum(value * value for value in vector) - 1) < 1e-4


async def test_a_batch_is_one_call():
    _, bodies = await embed(people(25))

    assert [len(body["input"]) for body in bodies] == [10, 10, 5]


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ({"firstName": "Lena", "company": "Example Freight"}, "Lena Example Freight"),
        ({"firstName": " Lena ", "lastName": "", "title": None}, "Lena"),
        ({"bio": ["runs", "reads", None, {}]}, "runs, reads"),
        ({"bio": 7}, "7"),
        ({"bio": "x" * (LONGEST_TEXT + 1)}, "x" * LONGEST_TEXT),
    ],
)
async def test_the_text_that_is_embedded(record, text):
    _, bodies = await embed([record])

    assert bodies[0]["input"] == [text]


async def test_paths_and_separator_can_be_chosen():
    config = {**PLAN, "fields": ["from.name", "tags[0]"], "separator": ", "}

    _, bodies = await embed([{"from": {"name": "Lena"}, "tags": ["a", "b"]}], config)

    assert bodies[0]["input"] == ["Lena, a"]


async def test_records_without_text_pass_without_vector_and_unpaid():
    run, bodies = await embed([{"age": 7}, {"firstName": "Lena"}, {"firstName": {}}])

    assert ["embedding" in record for record in run.records] == [False, True, False]
    assert bodies[0]["input"] == ["Lena"]

    run, bodies = await embed([{"age": 7}])
    assert (run.records, bodies) == ([{"age": 7}], [])


async def test_options_reach_the_vendor():
    run, bodies = await embed(people(1), {**PLAN, "dimensions": 64, "prompt": "Find:", "outputField": "vector"})

    assert (bodies[0]["dimensions"], bodies[0]["prompt"]) == (64, "Find:")
    assert len(run.records[0]["vector"]) == 64


async def test_a_condition_saves_money():
    config = {**PLAN, "condition": {"field": "email", "operator": "exists"}}

    run, bodies = await embed([{"firstName": "A"}, {"firstName": "B", "email": "b@example.com"}], config)

    assert bodies[0]["input"] == ["B"]
    assert "embedding" not in run.records[0]


async def test_vectors_belong_to_their_records_whatever_the_batches():
    alone, _ = await embed(people(7), {**PLAN, "batchSize": 1})
    together, _ = await embed(people(7), {**PLAN, "batchSize": 256})

    assert alone.records == together.records


async def test_the_bill_agrees():
    ctx = simulated()

    await embed(people(25), ctx=ctx)

    assert f"{ctx.desk.charged.normalize():f}" == ctx.desk.simulator.bill()["totals"]["charges"]["USD"]


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"fields": []}, "at least 1"),
        ({"batchSize": 257}, "less than or equal to 256"),
        ({"mapping": {"text": "x"}}, "mapping has the unknown key 'text'"),
        ({"dimensions": 0}, "greater than or equal to 1"),
        ({"outputfield": "x"}, "Extra inputs"),
    ],
)
def test_configuration_is_checked(config, told):
    with pytest.raises(ValidationError) as caught:
        MixedbreadEmbeddings.Config.model_validate({**PLAN, **config})
    assert told in str(caught.value)
