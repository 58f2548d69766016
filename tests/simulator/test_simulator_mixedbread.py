"""Mixedbread by its contract: vectors that follow from the text, formats, token prices, three forms of errors."""

import struct
from base64 import b64decode
from decimal import Decimal
from math import sqrt

import pytest

PATH = "/v1/embeddings"
MODEL = "mixedbread-ai/mxbai-embed-large-v1"
TEXTS = ["Lena Okafor, Head of Logistics, Example Freight", "Tomas Example, photographer"]


async def embed(sim, texts=TEXTS, **more):
    answer = await sim.post(PATH, {"model": MODEL, "input": texts, **more})
    assert answer.status == 200, answer.body
    return answer.json


async def vectors(sim, texts=TEXTS, **more):
    data = (await embed(sim, texts, **more))["data"]
    return [item["embedding"] for item in sorted(data, key=lambda item: item["index"])]


async def test_a_vector_has_1024_numbers_and_unit_length(sim):
    for vector in await vectors(sim):
        assert len(vector) == 1024
        assert sqrt(sum(x * x for x in vector)) == pytest.approx(1, abs=1e-6)


async def test_a_vector_follows_from_text_and_prompt_alone(sim, make):
    first, second = await vectors(sim)
    assert (await vectors(make(seed=99), [TEXTS[1]]))[0] == second
    assert first != second
    assert (await vectors(sim, [TEXTS[0]], prompt="Represent this sentence: "))[0] != first


async def test_numbers_survive_as_32_bits(sim):
    floats = (await vectors(sim))[0]
    coded = b64decode((await vectors(sim, encoding_format="base64"))[0])
    assert struct.pack("<1024f", *floats) == coded


async def test_a_single_text(sim):
    assert len(await vectors(sim, "one")) == 1


@pytest.mark.parametrize("dimensions", [1, 64, 512])
async def test_fewer_dimensions_are_normalized_again(sim, dimensions):
    vector = (await vectors(sim, dimensions=dimensions))[0]
    assert len(vector) == dimensions
    assert sum(x * x for x in vector) == pytest.approx(1, abs=1e-6)


async def test_not_normalized(sim):
    vector = (await vectors(sim, normalized=False))[0]
    assert sum(x * x for x in vector) != pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("encoding", "length", "low", "high"),
    [
        ("float16", 1024, -1, 1),
        ("int8", 1024, -128, 127),
        ("uint8", 1024, 0, 255),
        ("binary", 128, -128, 127),
        ("ubinary", 128, 0, 255),
    ],
)
async def test_other_formats(sim, encoding, length, low, high):
    vector = (await vectors(sim, encoding_format=encoding))[0]
    assert len(vector) == length
    assert all(low <= number <= high for number in vector)


async def test_several_formats_at_once(sim):
    answer = await embed(sim, encoding_format=["float", "int8"])
    assert answer["data"][0]["object"] == "embedding_dict"
    assert set(answer["data"][0]["embedding"]) == {"float", "int8"}


async def test_order_and_optional_fields_vary(make):
    sim = make(limits={"mixedbread": []})
    answers = [await embed(sim, [f"a{number}", "b"]) for number in range(100)]
    assert {tuple(item["index"] for item in answer["data"]) for answer in answers} == {(0, 1), (1, 0)}
    assert any(answer["dimensions"] is None for answer in answers)
    assert any("object" not in answer for answer in answers)


async def test_price_by_token(sim):
    usage = (await embed(sim, ["x" * 400, "y" * 40]))["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] == 110
    assert Decimal(sim.bill("mixedbread")["charges"]["USD"]) == Decimal("0.000011")
    await embed(sim, ["x" * 400, "y" * 40])
    bill = sim.bill("mixedbread")
    assert (Decimal(bill["charges"]["USD"]), bill["repeats"]) == (Decimal("0.000022"), 1)


async def test_only_512_tokens_of_a_text_count(sim):
    assert (await embed(sim, ["x" * 60_000]))["usage"]["total_tokens"] == 512


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"model": MODEL, "input": []}, 422),
        ({"model": MODEL, "input": ""}, 422),
        ({"model": MODEL, "input": ["a"] * 257}, 422),
        ({"model": MODEL, "input": ["a", 1]}, 422),
        ({"model": MODEL}, 422),
        ({"input": "a"}, 422),
        ({"model": MODEL, "input": "a", "dimensions": 2000}, 422),
        ({"model": MODEL, "input": "a", "encoding_format": "int4"}, 422),
        ({"model": MODEL, "input": "a", "encoding_format": [{}]}, 422),
        ({"model": MODEL, "input": "a", "prompt": 1}, 422),
        ({"model": "mxbai-embed-large-v1", "input": "a"}, 404),
        (b"no json", 422),
    ],
)
async def test_refusals(sim, body, status):
    answer = await sim.post(PATH, body)
    assert answer.status == status
    assert ("detail" in answer.json) is (status == 422)
    assert sim.bill("mixedbread")["charges"]["USD"] == "0"


async def test_401_has_two_forms(sim):
    bodies = [(await sim.post(PATH, {"model": MODEL, "input": f"{n}"}, headers={})).json for n in range(20)]
    assert {next(iter(body)) for body in bodies} == {"detail", "error"}


async def test_429_has_two_forms_and_says_how_long(make, clock):
    sim = make(limits={"mixedbread": [(1, 60.0)]})
    await embed(sim)
    clock.now += 10.5
    answers = [await sim.post(PATH, {"model": MODEL, "input": f"{n}"}) for n in range(20)]
    assert {answer.status for answer in answers} == {429}
    assert {answer.headers["retry-after"] for answer in answers} == {"50"}
    older = [answer.json for answer in answers if "details" in answer.json]
    assert 0 < len(older) < 20
    assert older[0]["details"]["retry_after"] == 50


async def test_no_credit(make):
    sim = make(budgets={"mixedbread": Decimal("0.000001")})
    await embed(sim)
    assert (await sim.post(PATH, {"model": MODEL, "input": "x"})).status == 402
