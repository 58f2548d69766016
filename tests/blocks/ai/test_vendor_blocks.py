"""What holds for every block with a vendor behind it: it is found by its config, documented, and its example works."""

import json

import pytest

from lumeflow.blocks.ai.anthropic import Anthropic
from lumeflow.blocks.ai.contact_extraction import ContactExtraction
from lumeflow.blocks.ai.interest_inference import InterestInference
from lumeflow.blocks.ai.openai import OpenAI
from lumeflow.blocks.ai.openrouter import OpenRouter
from lumeflow.blocks.ai.sentiment_analysis import SentimentAnalysis
from lumeflow.blocks.api.apify_scraper import ApifyScraper
from lumeflow.blocks.api.apollo_people_match import ApolloPeopleMatch
from lumeflow.blocks.api.hunter_email_finder import HunterEmailFinder
from lumeflow.blocks.api.mixedbread_embeddings import MixedbreadEmbeddings
from lumeflow.blocks.output.meta_ads import MetaAdsOutput
from lumeflow.core.registry import Registry
from lumeflow.plugin import BlockType, Shape
from lumeflow.simulator import Simulator, SimulatorSettings
from lumeflow.testing import run_block
from tests.providers.desk import MODULES, OPERATIONS, Desk, context

BLOCKS = (
    ApifyScraper,
    ApolloPeopleMatch,
    HunterEmailFinder,
    MixedbreadEmbeddings,
    Anthropic,
    ContactExtraction,
    InterestInference,
    OpenAI,
    SentimentAnalysis,
    MetaAdsOutput,
    OpenRouter,
)
EVERY = pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.id())


@pytest.fixture(scope="module")
def registry():
    found = Registry()
    for block in BLOCKS:
        found.add_block(block)
    for module in MODULES:
        found.add_from(vars(module).values())
    return found


EXTRACT = "extract-contacts-from-comments"


@pytest.mark.parametrize(
    ("kind", "config", "block"),
    [
        (BlockType.API, {"provider": "apify"}, "api/apify-scraper"),
        (BlockType.API, {"provider": "apollo"}, "api/apollo-people-match"),
        (BlockType.API, {"provider": "apollo", "endpoint": "/api/v1/people/match"}, "api/apollo-people-match"),
        (BlockType.API, {"provider": "hunter"}, "api/hunter-email-finder"),
        (BlockType.API, {"provider": "hunter", "endpoint": "/v2/email-finder"}, "api/hunter-email-finder"),
        (BlockType.API, {"provider": "mixedbread"}, "api/mixedbread-embeddings"),
        (BlockType.AI, {"provider": "openrouter"}, "ai/openrouter"),
        (BlockType.AI, {"provider": "openrouter", "promptTemplate": "something-else"}, "ai/openrouter"),
        (BlockType.AI, {"provider": "openrouter", "promptTemplate": EXTRACT}, "ai/contact-extraction"),
        (BlockType.AI, {"provider": "openrouter", "promptTemplate": f"{EXTRACT}@1"}, "ai/contact-extraction"),
        (BlockType.AI, {"provider": "openai"}, "ai/openai"),
        (BlockType.AI, {"provider": "anthropic", "promptTemplate": "something-else"}, "ai/anthropic"),
        (BlockType.AI, {"provider": "openai", "promptTemplate": EXTRACT}, "ai/contact-extraction"),
        (BlockType.AI, {"provider": "anthropic", "promptTemplate": f"{EXTRACT}@12"}, "ai/contact-extraction"),
        (BlockType.AI, {"provider": "openai", "promptTemplate": f"{EXTRACT}-too"}, "ai/openai"),
        (BlockType.AI, {"provider": "anthropic", "operation": "contact-extraction"}, "ai/contact-extraction"),
        (BlockType.AI, {"provider": "openrouter", "promptTemplate": "infer-interests"}, "ai/interest-inference"),
        (BlockType.AI, {"operation": "interest-inference"}, "ai/interest-inference"),
        (BlockType.AI, {"promptTemplate": "infer-interests@2"}, "ai/interest-inference"),
        (BlockType.AI, {"provider": "openai", "promptTemplate": "analyze-sentiment@1"}, "ai/sentiment-analysis"),
        (BlockType.AI, {"operation": "contact-extraction"}, "ai/contact-extraction"),
        (BlockType.AI, {"provider": "openrouter", "operation": "contact-extraction"}, "ai/contact-extraction"),
    ],
)
def test_the_config_tells_the_block(registry, kind, config, block):
    assert registry.resolve(kind, config).id() == block


@EVERY
def test_every_operation_that_a_block_names_exists(block, registry):
    assert block.operations
    assert set(block.operations) <= set(registry.operations()) == set(OPERATIONS)


@EVERY
def test_every_setting_is_described(block):
    described = {name: field.description for name, field in block.Config.model_fields.items()}

    assert [name for name, text in described.items() if not text] == []


@EVERY
def test_every_block_tells_input_output_errors_and_cost(block):
    for word in ("Input:", "Output:", "Errors:", "Cost:"):
        assert word in (block.__doc__ or "")


@EVERY
async def test_the_example_works_in_demo_mode(block):
    ctx = context(desk=Desk(simulator=Simulator(SimulatorSettings(latency_scale=0.01))), demo=True)

    run = await run_block(block, block.example, block.example_input, context=ctx)

    assert run.failed == []
    assert run.records
    assert ctx.desk.refused == []


@EVERY
def test_the_example_survives_a_round_trip_through_json(block):
    config = block.Config.model_validate(json.loads(json.dumps(block.example)))

    again = block.Config.model_validate_json(config.model_dump_json(by_alias=True, exclude_unset=True))

    assert again.model_dump(by_alias=True) == config.model_dump(by_alias=True)


@EVERY
def test_the_shape_follows_from_what_the_vendor_takes(block):
    shapes = {ApifyScraper: Shape.PRODUCER, ApolloPeopleMatch: Shape.RECORD, HunterEmailFinder: Shape.RECORD}

    assert block.shape() is shapes.get(block, Shape.BATCH)
