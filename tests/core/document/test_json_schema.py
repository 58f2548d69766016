"""The document's own JSON Schema: fresh, right, and useful with the blocks' configurations in it."""

from importlib.resources import files
from typing import ClassVar, Literal

import jsonschema_rs
import orjson
import pytest

from lumeflow.core.block import Block, BlockType
from lumeflow.core.config import BlockConfig, TemplateField
from lumeflow.core.document import document_schema
from lumeflow.core.document.json_schema import shipped_text
from lumeflow.core.registry import Registry
from lumeflow.workflows import source


def validator(registry=None):
    return jsonschema_rs.Draft202012Validator(document_schema(registry), validate_formats=True)


def document(*nodes, **changes):
    return {"workflowId": "w", "name": "W", "nodes": list(nodes), "edges": []} | changes


def test_the_shipped_schema_is_fresh():
    shipped = files("lumeflow").joinpath("schemas/workflow-v1.json").read_text()
    write = "from lumeflow.core.document.json_schema import shipped_text; print(shipped_text(), end='')"
    assert shipped == shipped_text(), f'run: python -c "{write}" > src/lumeflow/schemas/workflow-v1.json'


def test_it_is_a_legal_schema_and_accepts_the_installed_workflow():
    jsonschema_rs.meta.validate(document_schema())
    assert validator().is_valid(orjson.loads(source("lead-enrichment-v1")))


@pytest.mark.parametrize(
    "wrong",
    [
        document(nme="x"),
        {"name": "W", "nodes": [], "edges": []},
        document({"id": "a", "type": "apo"}),
        document({"id": "a", "type": "api", "confg": {}}),
        document({"id": "a", "type": "api", "timeout": 0}),
        document({"id": "a", "type": "api", "retryConfig": {"retryableErrors": ["INTERNAL"]}}),
        document(globals={"limits": {"costUsd": "1"}}),
    ],
)
def test_it_refuses_what_the_models_refuse(wrong):
    assert not validator().is_valid(wrong)


def test_own_keys_and_free_metadata_are_accepted():
    assert validator().is_valid(document(**{"x-mine": 1, "metadata": {"cost centre": 1}}))


def test_every_key_of_a_node_is_described():
    properties = document_schema()["$defs"]["Node"]["properties"]
    undescribed = {key for key, part in properties.items() if not part.get("description")}
    assert undescribed <= {"description", "position"}, undescribed


class CallConfig(BlockConfig):
    provider: Literal["acme"]
    size: int = 10
    mapping: TemplateField


class Call(Block[CallConfig]):
    type = BlockType.API
    name = "acme"
    when: ClassVar = [{"provider": "acme"}]
    Config = CallConfig

    def process(self, record, ctx):
        return record


class OtherConfig(BlockConfig):
    provider: Literal["acme"]
    mode: Literal["other"]


class Other(Block[OtherConfig]):
    type = BlockType.API
    name = "acme-other"
    when: ClassVar = [{"provider": "acme", "mode": "other"}]
    Config = OtherConfig

    def process(self, record, ctx):
        return record


@pytest.mark.parametrize(
    ("config", "valid"),
    [
        ({"provider": "acme", "mapping": {"q": "{{input.email}}"}}, True),
        ({"provider": "acme", "mapping": {}, "size": 5}, True),
        ({"provider": "acme", "mapping": {}, "size": "{{variables.size}}"}, True),
        ({"provider": "acme", "mapping": {}, "size": "5"}, False),
        ({"provider": "acme"}, False),
        ({"provider": "acme", "mapping": {}, "sise": 5}, False),
        ({"provider": "acme", "mode": "other"}, True),
        ({"provider": "acme", "mode": "other", "mapping": {}}, False),
        ({"provider": "unheard-of", "anything": 1}, True),
    ],
)
def test_with_a_registry_it_checks_each_blocks_configuration(config, valid):
    registry = Registry()
    registry.add_block(Call)
    registry.add_block(Other)
    assert validator(registry).is_valid(document({"id": "a", "type": "api", "config": config})) is valid
