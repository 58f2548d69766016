"""What every block without vendors has to bring along: words, descriptions, and an example that works."""

import pytest

from lumeflow.core.block import BlockType, Shape
from lumeflow.plugins import load_registry
from lumeflow.testing import MemoryContext, MemoryFiles, MemoryTables, run_block

REGISTRY, _ = load_registry(entry_points=False)
BLOCKS = {block.id(): block for block in REGISTRY.blocks()}
WITHOUT_VENDORS = {name: block for name, block in BLOCKS.items() if not block.operations}


def world():
    tables = {
        "source_audiences": [{"id": "aud-1", "name": "Fans", "type": "instagram", "urls": ["https://example.com"]}],
        "shared_audiences": [],
        "shared_audience_contacts": [],
        "audience_relations": [],
        "leads": [],
    }
    files = {"contacts.json": b'{"contacts": [{"firstName": "Mira"}]}'}
    return MemoryContext(
        tables=MemoryTables(tables),
        files=MemoryFiles(files),
        workflow_input={"id": "aud-1"},
        secrets={"shopWebhook": "sim-key"},
    )


@pytest.mark.parametrize("block", WITHOUT_VENDORS.values(), ids=WITHOUT_VENDORS)
class TestEachBlock:
    async def test_its_example_works(self, block):
        run = await run_block(block, block.example, block.example_input, context=world())
        assert run.failed == []
        assert run.records or run.routed or run.fields

    def test_its_example_means_it(self, block):
        assert REGISTRY.resolve(block.type, block.example) is block

    def test_its_docstring_says_what_a_user_wants_to_know(self, block):
        for part in ("Input:", "Output:", "Errors:", "Cost:"):
            assert part in block.__doc__, part

    def test_its_configuration_is_described(self, block):
        pending = [block.Config.model_json_schema(by_alias=True)]
        while pending:
            schema = pending.pop()
            pending += schema.get("$defs", {}).values()
            for name, field in schema.get("properties", {}).items():
                assert field.get("description"), f"{schema.get('title')}.{name}"

    def test_its_sources_and_ports_are_known_before_it_runs(self, block):
        made = block(block.Config.model_validate(block.example))
        assert set(made.routes()) <= set(made.out_ports())
        assert bool(made.sources()) == (block.type is BlockType.MERGE)
        assert block.shape() in Shape
