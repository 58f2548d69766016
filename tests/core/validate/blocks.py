"""Small blocks, one for each thing that validation asks of blocks."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lumeflow.core.block import Block, BlockType
from lumeflow.core.config import BlockConfig, ConditionField, PathField, TemplateField
from lumeflow.core.registry import Registry


class InputConfig(BlockConfig):
    source: Literal["static"]
    limit: int | None = None


class Input(Block[InputConfig]):
    type = BlockType.INPUT
    name = "static"
    when: ClassVar = [{"source": "static"}]
    Config = InputConfig

    async def produce(self, ctx):
        yield {}


class CallConfig(BlockConfig):
    provider: Literal["acme"]
    model: str = "small"
    size: Annotated[int, Field(gt=0)] = 10
    mapping: dict[str, TemplateField] = {}
    condition: ConditionField | None = None
    field_mapping: dict[str, PathField] = {}
    limits: dict[str, int] = {}
    headers: dict[str, str] = {}
    mode: Literal["fast", "slow"] = "fast"
    options: "list[FastOption | SlowOption]" = []


class FastOption(BlockConfig):
    type: Literal["fast"]
    value: TemplateField = None


class SlowOption(BlockConfig):
    type: Literal["slow"]
    seconds: int


class Call(Block[CallConfig]):
    """Works record by record."""

    type = BlockType.API
    name = "acme"
    when: ClassVar = [{"provider": "acme"}]
    Config = CallConfig

    def process(self, record, ctx):
        return record


class BatchConfig(CallConfig):
    provider: Literal["acme-batch"]


class Batch(Block[BatchConfig]):
    """Works batch by batch: `input` is a payload."""

    type = BlockType.API
    name = "acme-batch"
    when: ClassVar = [{"provider": "acme-batch"}]
    Config = BatchConfig

    def process_batch(self, records, ctx):
        return records


class FilterConfig(BlockConfig):
    conditions: ConditionField


class Filter(Block[FilterConfig]):
    type = BlockType.FILTER
    name = "fields"
    when: ClassVar = [{}]
    Config = FilterConfig

    def process(self, record, ctx):
        return record


class BranchConfig(BlockConfig):
    condition: ConditionField
    branches: dict[Literal["true", "false"], str] = {}
    scope: Literal["record", "payload"] = "record"


class Branch(Block[BranchConfig]):
    type = BlockType.BRANCH
    name = "condition"
    when: ClassVar = [{}]
    Config = BranchConfig

    def out_ports(self):
        return tuple(self.config.branches) or ("true", "false")

    def routes(self):
        return dict(self.config.branches)

    def process(self, record, ctx):
        return record


class MergeConfig(BlockConfig):
    strategy: Literal["append"]
    sources: Sequence[str] = ()


class Merge(Block[MergeConfig]):
    type = BlockType.MERGE
    name = "append"
    when: ClassVar = [{"strategy": "append"}]
    Config = MergeConfig

    def sources(self):
        return self.config.sources

    async def run(self, payloads, ctx):
        return {}


class OutputConfig(BlockConfig):
    destination: Literal["json", "table"]
    path: TemplateField | None = None
    mapping: TemplateField = None


class Output(Block[OutputConfig]):
    type = BlockType.OUTPUT
    name = "json"
    when: ClassVar = [{"destination": "json"}, {"destination": "table"}]
    Config = OutputConfig

    def writes(self):
        return self.config.path

    def process_batch(self, records, ctx):
        return records


class BrokenConfig(BlockConfig):
    operation: Literal["broken"]


class Broken(Block[BrokenConfig]):
    """A plugin with a mistake in it."""

    type = BlockType.TRANSFORM
    name = "broken"
    when: ClassVar = [{"operation": "broken"}]
    Config = BrokenConfig

    def out_ports(self):
        raise KeyError("secret text")

    def process(self, record, ctx):
        return record


CallConfig.model_rebuild()
BatchConfig.model_rebuild()


def registry() -> Registry:
    made = Registry()
    for block in (Input, Call, Batch, Filter, Branch, Merge, Output, Broken):
        made.add_block(block)
    return made
