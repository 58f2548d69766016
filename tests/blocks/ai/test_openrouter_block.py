"""Any question about each record: alone or in batches, in words or by schema."""

import orjson
import pytest
from pydantic import ValidationError

from lumeflow.blocks.ai.openrouter import OpenRouter
from lumeflow.plugin import ErrorClass, NodeError
from lumeflow.prompts import PromptLibrary
from lumeflow.testing import run_block
from tests.blocks.ai.models import Model, lines, said
from tests.providers.desk import context

ASK = {"provider": "openrouter", "model": "a/b", "prompt": "What does {{input.company}} need?", "outputField": "need"}
MOOD = {
    "type": "object",
    "properties": {"mood": {"enum": ["good", "bad"]}, "score": {"type": "number"}},
    "required": ["mood"],
    "additionalProperties": False,
}
PEOPLE = [{"company": "Example Freight"}, {"company": "Example Rail"}]


async def ask(config, *script, given=PEOPLE, **more):
    model = Model(*script, **more.pop("model", {}))
    ctx = context(model, **more)
    run = await run_block(OpenRouter, config, {"contacts": given}, context=ctx, collection="contacts")
    return run, model


async def test_each_record_is_a_question_of_its_own():
    run, model = await ask(ASK, "Lorries.", " Rails. ")

    assert run.records == [
        {"company": "Example Freight", "need": "Lorries."},
        {"company": "Example Rail", "need": "Rails."},
    ]
    assert [body["messages"] for body in model.asked] == [
        [{"role": "user", "content": "What does Example Freight need?"}],
        [{"role": "user", "content": "What does Example Rail need?"}],
    ]
    assert "response_format" not in model.asked[0]


async def test_a_system_message_comes_first():
    _, model = await ask({**ASK, "system": "Be brief."}, "x", "y")

    assert model.asked[0]["messages"][0] == {"role": "system", "content": "Be brief."}


async def test_a_question_may_be_a_whole_value():
    _, model = await ask({**ASK, "prompt": "{{input}}"}, "x", given=[{"a": 1}])

    assert model.asked[0]["messages"][0]["content"] == '{"a":1}'


async def test_an_answer_by_schema_is_checked_and_asked_again():
    config = {**ASK, "answerSchema": MOOD, "outputField": "mood"}

    run, model = await ask(config, '{"mood": "fine"}', '```json\n{"mood": "good"}\n```', given=PEOPLE[:1])

    assert run.records == [{"company": "Example Freight", "mood": {"mood": "good"}}]
    assert model.asked[0]["response_format"]["json_schema"]["schema"] == MOOD
    assert "could not be used: r1: mood does not satisfy" in model.asked[1]["messages"][-1]["content"]


async def test_an_answer_that_never_fits_fails_the_record_alone():
    config = {**ASK, "answerSchema": MOOD}

    run, _ = await ask(config, "no", "no", "no", '{"mood": "bad"}')

    assert [(failed.position, failed.error.error_class) for failed in run.failed] == [(0, ErrorClass.INVALID_RESPONSE)]
    assert run.records[0]["need"] == {"mood": "bad"}


@pytest.mark.parametrize(("overwrite", "mood"), [(False, "old"), (True, "good")])
async def test_an_answer_can_be_taken_apart(overwrite, mood):
    config = {
        **ASK,
        "answerSchema": MOOD,
        "fieldMapping": {"mood": "mood", "certainty": "score"},
        "overwrite": overwrite,
    }

    run, _ = await ask(config, '{"mood": "good", "score": 0.5}', given=[{"mood": "old"}])

    assert run.records == [{"mood": mood, "certainty": 0.5}]


# --- several records in one question


def listed(items):
    return orjson.dumps({"items": [{"id": item["id"], "answer": item["company"].upper()} for item in items]}).decode()


BATCH = {
    **ASK,
    "prompt": "Answer about each of these {{count(input.contacts)}} records.",
    "batchSize": 5,
    "mapping": {"company": "{{input.company}}"},
}


async def test_a_batch_is_one_question_with_a_line_for_each_record():
    run, model = await ask(BATCH, model={"answer": listed})

    assert [record["need"] for record in run.records] == ["EXAMPLE FREIGHT", "EXAMPLE RAIL"]
    assert model.asked[0]["messages"][-1]["content"] == (
        "Answer about each of these 2 records.\n\n"
        '{"id":"r1","company":"Example Freight"}\n{"id":"r2","company":"Example Rail"}'
    )
    item = model.asked[0]["response_format"]["json_schema"]["schema"]["properties"]["items"]["items"]
    assert item["properties"] == {"id": {"type": "string"}, "answer": {"type": "string"}}


async def test_what_is_missing_in_a_batch_is_asked_again():
    run, model = await ask(BATCH, lambda body: said(listed(lines(body)[:1])), model={"answer": listed})

    assert [record["need"] for record in run.records] == ["EXAMPLE FREIGHT", "EXAMPLE RAIL"]
    assert model.ids == [["r1", "r2"], ["r2"]]


@pytest.mark.parametrize("answer", [7, None, {"a": 1}])
async def test_an_answer_in_words_must_be_words(answer):
    def odd(body):
        return said(orjson.dumps({"items": [{"id": item["id"], "answer": answer} for item in lines(body)]}).decode())

    run, model = await ask(BATCH, odd, model={"answer": listed})

    assert len(model.asked) == 2
    assert "'answer' must be text" in model.asked[1]["messages"][-1]["content"]
    assert run.failed == []


# --- prompt files


@pytest.fixture
def library(tmp_path):
    home = tmp_path / "pitch"
    home.mkdir()
    (home / "v1.md").write_text(
        '+++\nname = "pitch"\nversion = 1\n[variables]\ncompany = "Whom to write to."\n+++\n'
        "# system\nYou write one line.\n# user\nWrite to {{ company }}.\n"
        '# answer\n```json\n{"type": "object", "properties": {"line": {"type": "string"}}, "required": ["line"]}\n```\n'
    )
    (home / "v2.md").write_text(
        '+++\nname = "pitch"\nversion = 2\n[variables]\nitems = "Records."\n+++\n# user\nWrite to each:\n{{ items }}\n'
    )
    return PromptLibrary([tmp_path])


async def test_a_prompt_file_is_fed_by_the_mapping(library):
    config = {
        "provider": "openrouter",
        "model": "a/b",
        "promptTemplate": "pitch@1",
        "mapping": {"company": "{{input.company}}"},
        "fieldMapping": {"pitch": "line"},
    }

    run, model = await ask(config, '{"line": "Hello"}', given=PEOPLE[:1], library=library)

    assert run.records == [{"company": "Example Freight", "pitch": "Hello"}]
    assert model.asked[0]["messages"] == [
        {"role": "system", "content": "You write one line."},
        {"role": "user", "content": "Write to Example Freight."},
    ]


async def test_a_prompt_file_gets_the_lines_of_a_batch(library):
    config = {**BATCH, "promptTemplate": "pitch@2"}
    del config["prompt"]

    run, model = await ask(config, model={"answer": listed}, library=library)

    assert [record["need"] for record in run.records] == ["EXAMPLE FREIGHT", "EXAMPLE RAIL"]
    assert model.asked[0]["messages"][-1]["content"].startswith('Write to each:\n{"id":"r1"')


async def test_a_variable_without_value_stops_the_node(library):
    config = {"provider": "openrouter", "model": "a/b", "promptTemplate": "pitch@1"}

    with pytest.raises(NodeError, match="the prompt 'pitch@1' needs a value for 'company'") as caught:
        await ask(config, library=library)
    assert caught.value.field == "mapping"


async def test_an_unknown_prompt_stops_the_node(library):
    config = {"provider": "openrouter", "model": "a/b", "promptTemplate": "pich"}

    with pytest.raises(NodeError, match=r"Did you mean 'pitch'\?"):
        await ask(config, library=library)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"prompt": None}, "set either 'prompt'"),
        ({"promptTemplate": "x"}, "set either 'prompt'"),
        ({"batchSize": 2}, "'mapping' must say"),
        ({"fieldMapping": {"a": "b"}}, "set 'answerSchema'"),
        ({"answerSchema": {"type": "objekt"}}, "not a JSON Schema"),
        ({"prompt": "{{input.}}"}, "prompt"),
    ],
)
def test_configuration_is_checked(config, told):
    with pytest.raises(ValidationError) as caught:
        OpenRouter.Config.model_validate({**ASK, **config})
    assert told in str(caught.value)
