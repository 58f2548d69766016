"""Interests and sentiments: what the model gets to see, what is taken from it, and who passes by."""

import orjson
import pytest
from pydantic import ValidationError

from lumeflow.blocks.ai.interest_inference import InterestInference
from lumeflow.blocks.ai.sentiment_analysis import SentimentAnalysis
from lumeflow.plugin import ErrorClass, NodeError
from lumeflow.prompts import PromptLibrary
from lumeflow.simulator import Simulator, SimulatorSettings
from lumeflow.testing import run_block
from tests.blocks.ai.models import lines
from tests.blocks.ai.vendors import ANTHROPIC, OPENAI, Answering
from tests.providers.desk import Desk, context

INTERESTS = {"provider": "openai", "model": "gpt-4.1-mini", "promptTemplate": "infer-interests"}
SENTIMENT = {"provider": "anthropic", "model": "claude-haiku-4-5", "promptTemplate": "analyze-sentiment"}
VENDORS = {InterestInference: OPENAI, SentimentAnalysis: ANTHROPIC}


def interests(*found):
    return lambda items: orjson.dumps(
        {"items": [{"id": item["id"], "interests": list(found)} for item in items]}
    ).decode()


def sentiments(**changed):
    judged = {"label": "positive", "score": 0.9, "confidence": 0.8, **changed}
    return lambda items: orjson.dumps({"items": [{"id": item["id"], **judged} for item in items]}).decode()


BAKING = {"name": "home baking", "confidence": 0.9}


async def annotate(block, config, given, *script, answer, ctx=None):
    model = Answering(VENDORS[block], *script, answer=answer)
    run = await run_block(block, config, {"people": given}, context=ctx or context(model), collection="people")
    return run, model


async def infer(given, *script, answer=None, **more):
    return await annotate(InterestInference, {**INTERESTS, **more}, given, *script, answer=answer or interests(BAKING))


async def judge(given, *script, answer=None, **more):
    return await annotate(SentimentAnalysis, {**SENTIMENT, **more}, given, *script, answer=answer or sentiments())


# --- interests


async def test_the_model_sees_what_tells_of_interests_and_neither_names_nor_addresses():
    person = {
        "firstName": "Lena",
        "email": "lena@example.com",
        "bio": " Sourdough. ",
        "keywords": ["bread", 7, None, {"a": 1}],
        "title": "Baker",
        "city": "",
    }

    run, model = await infer([person])

    assert lines(model.asked[0]) == [{"id": "r1", "bio": "Sourdough.", "title": "Baker", "keywords": "bread; 7"}]
    assert run.records == [{**person, "interests": [BAKING]}]


async def test_people_of_whom_nothing_is_known_pass_by():
    given = [{"firstName": "Mira"}, {"bio": "Bread"}, {"bio": "", "keywords": []}]

    run, model = await infer(given)

    assert model.ids == [["r2"]]
    assert run.records == [given[0], {"bio": "Bread", "interests": [BAKING]}, given[2]]


async def test_a_mapping_says_what_the_model_sees():
    _, model = await infer([{"firstName": "Lena"}], mapping={"text": "likes {{input.firstName}}", "id": "x"})

    assert lines(model.asked[0]) == [{"id": "r1", "text": "likes Lena"}]


@pytest.mark.parametrize(
    ("found", "more", "kept"),
    [
        ([{"name": "a", "confidence": 0.2}, {"name": "b", "confidence": 0.8}], {}, ["b", "a"]),
        ([{"name": "a", "confidence": 0.2}, {"name": "b", "confidence": 0.8}], {"mostInterests": 1}, ["b"]),
        ([{"name": "a", "confidence": 0.2}, {"name": "b", "confidence": 0.8}], {"minConfidence": 0.5}, ["b"]),
        ([{"name": " Home  Baking "}, {"name": "home baking"}], {}, ["Home Baking"]),
        ([{"name": ""}, {"name": None}, {"confidence": 1}], {}, []),
        ([{"name": "CYCLING"}, {"name": "rowing"}], {"choices": ["Cycling", "Running"]}, ["Cycling"]),
        ([], {}, []),
    ],
)
async def test_which_interests_are_kept(found, more, kept):
    run, _ = await infer([{"bio": "x"}], answer=interests(*found), **more)

    assert [interest["name"] for interest in run.records[0]["interests"]] == kept


async def test_a_confidence_is_kept_within_its_ends_and_not_made_up():
    run, _ = await infer([{"bio": "x"}], answer=interests({"name": "a", "confidence": 7}, {"name": "b"}))

    assert run.records[0]["interests"] == [{"name": "a", "confidence": 1.0}, {"name": "b"}]


async def test_the_prompt_says_how_many_and_which():
    _, model = await infer([{"bio": "x"}], mostInterests=2, choices=["cycling", "running"])

    system = model.asked[0]["messages"][0]["content"]
    assert "give at most 2 interests" in system
    assert "Use only these names, exactly as written: cycling, running." in system


async def test_unusable_interests_are_asked_for_again():
    def broken(body):
        return OPENAI.said('{"items": [{"id": "r1", "interests": "bread"}]}')

    run, model = await infer([{"bio": "x"}], broken)

    assert run.records[0]["interests"] == [BAKING]
    assert "r1: 'interests' must be a list of objects" in model.asked[1]["messages"][-1]["content"]


async def test_metadata_of_interests():
    run, _ = await infer([{"bio": "x"}, {"bio": "y"}], outputField="likes")

    assert run.fields["metadata"] == {"totalInterests": 2, "modelUsed": "gpt-4.1-mini", "processingTime": 0}
    assert run.records[0]["likes"] == [BAKING]


# --- sentiments


async def test_each_text_gets_its_sentiment():
    run, model = await judge([{"text": "Love it"}, {"text": ""}, {}])

    assert run.records == [
        {"text": "Love it", "sentiment": {"label": "positive", "score": 0.9, "confidence": 0.8}},
        {"text": ""},
        {},
    ]
    assert model.ids == [["r1"]]
    assert run.fields["metadata"] == {
        "sentiments": {"positive": 1, "neutral": 0, "negative": 0, "mixed": 0},
        "modelUsed": "claude-haiku-4-5",
        "processingTime": 0,
    }


async def test_records_that_do_not_meet_the_condition_pass_by():
    given = [{"text": "a", "likes": 1}, {"text": "b", "likes": 0}]

    run, model = await judge(given, condition={"field": "likes", "operator": "gt", "value": 0})

    assert ["sentiment" in record for record in run.records] == [True, False]
    assert len(lines(model.asked[0])) == 1


@pytest.mark.parametrize(
    ("changed", "kept"),
    [
        ({"label": " Mixed "}, {"label": "mixed", "score": 0.9, "confidence": 0.8}),
        ({"score": -4}, {"label": "positive", "score": -1.0, "confidence": 0.8}),
        ({"score": "0.5", "confidence": "high"}, {"label": "positive", "score": 0.5}),
    ],
)
async def test_how_a_sentiment_is_read(changed, kept):
    run, _ = await judge([{"text": "a"}], answer=sentiments(**changed))

    assert run.records[0]["sentiment"] == kept


@pytest.mark.parametrize(
    ("changed", "told"), [({"label": "glad"}, "'label' must be one of"), ({"score": None}, "'score' must be a number")]
)
async def test_a_sentiment_that_is_none_is_asked_for_again_and_fails_alone(changed, told):
    broken = sentiments(**changed)
    script = [lambda body: ANTHROPIC.said(broken(lines(body)))] * 3

    run, model = await judge([{"text": "a"}, {"text": "b"}], *script[:1])
    assert run.failed == []
    assert told in model.asked[1]["messages"][-1]["content"]

    run, _ = await judge([{"text": "a"}], *script)
    assert [failed.error.error_class for failed in run.failed] == [ErrorClass.INVALID_RESPONSE]


async def test_a_topic_and_a_long_text():
    _, model = await judge([{"text": "x" * 100}], topic="our bread", maxTextLength=50)

    assert "how the author feels about our bread" in model.asked[0]["system"]
    assert lines(model.asked[0])[0]["text"] == "x" * 50


# --- prompts


@pytest.fixture
def library(tmp_path):
    home = tmp_path / "analyze-sentiment"
    home.mkdir()
    built_in = PromptLibrary().load("analyze-sentiment")
    assert built_in.version == 1

    def install(version, text="# user\n{{ texts }}\n"):
        head = f'+++\nname = "analyze-sentiment"\nversion = {version}\n[variables]\ntexts = "Texts."\n+++\n'
        (home / f"v{version}.md").write_text(head + text)
        return PromptLibrary([tmp_path])

    return install


async def test_a_workflow_follows_the_newest_or_pins_one(library):
    prompts = library(3)

    for reference, own in (("analyze-sentiment", True), ("analyze-sentiment@3", True), ("analyze-sentiment@1", False)):
        model = Answering(ANTHROPIC, answer=sentiments())
        ctx = context(model, library=prompts)
        await annotate(
            SentimentAnalysis, {**SENTIMENT, "promptTemplate": reference}, [{"text": "a"}], answer=None, ctx=ctx
        )
        assert ("system" not in model.asked[0]) is own


async def test_a_resume_keeps_the_version_that_it_began_with(library):
    first = context(Answering(ANTHROPIC, answer=sentiments()), library=library(2))
    await annotate(SentimentAnalysis, SENTIMENT, [{"text": "a"}], answer=None, ctx=first)
    second = context(lambda request: pytest.fail("asked again"), library=library(3), remembered=first.remembered)
    second.desk.stored = first.desk.stored

    run, _ = await annotate(SentimentAnalysis, SENTIMENT, [{"text": "a"}], answer=None, ctx=second)

    assert run.records[0]["sentiment"]["label"] == "positive"


async def test_a_broken_prompt_is_told_by_name_and_place_before_anything_is_paid(library):
    ctx = context(lambda request: pytest.fail("asked"), library=library(2, "# user\n{{ text }}\n"))

    with pytest.raises(
        NodeError, match=r"analyze-sentiment/v2\.md:8: the variable 'text'.*Did you mean 'texts'\?"
    ) as caught:
        await annotate(SentimentAnalysis, SENTIMENT, [{"text": "a"}], answer=None, ctx=ctx)
    assert caught.value.field == "promptTemplate"


# --- configuration, and the simulator


@pytest.mark.parametrize(
    ("block", "config"),
    [
        (InterestInference, {"mostInterests": 0}),
        (InterestInference, {"minConfidence": 2}),
        (SentimentAnalysis, {"outputField": ""}),
        (SentimentAnalysis, {"operation": "interest-inference"}),
    ],
)
def test_configuration_is_checked(block, config):
    good = INTERESTS if block is InterestInference else SENTIMENT

    with pytest.raises(ValidationError):
        block.Config.model_validate({**good, **config})


@pytest.mark.parametrize(
    "model",
    [
        {"provider": "openai", "model": ["gpt-5-mini", "gpt-4.1-mini"]},
        {"provider": "anthropic", "model": "claude-haiku-4-5"},
        {"provider": "openrouter", "model": "openai/gpt-5-mini"},
        {
            "provider": "openai",
            "model": "llama",
            "baseUrl": "https://llm.example.com/openai/v1",
            "prices": {"prompt": "0.5", "completion": "1.5"},
        },
    ],
)
@pytest.mark.parametrize("block", [InterestInference, SentimentAnalysis])
async def test_every_provider_does_it_at_its_exact_price(block, model):
    simulator = Simulator(SimulatorSettings(latency_scale=0))
    ctx = context(desk=Desk(simulator=simulator))
    given = [{"text": "Love this sourdough bread!"}, {"text": "Broken bike, never again"}]

    run = await run_block(
        block, {**model, "operation": block.name}, {"people": given}, context=ctx, collection="people"
    )

    found = [record.get("interests") or record["sentiment"]["label"] for record in run.records]
    if block is SentimentAnalysis:
        assert found == ["positive", "negative"]
    else:
        assert [interests[0]["name"] for interests in found] == ["home baking", "cycling"]
    charges = simulator.bill()["totals"]["charges"]["USD"]
    assert f"{ctx.desk.charged.normalize():f}" == charges != "0"
