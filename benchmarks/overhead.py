"""What the engine itself costs: blocks that do nothing, with everything recorded durably."""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from lumeflow.app import App, open_app
from lumeflow.plugin import Block, BlockConfig, BlockContext, BlockType, JsonObject, Outcome
from lumeflow.settings import Settings


class NoConfig(BlockConfig):
    operation: str = ""
    source: str = ""
    count: int = 0


class Numbers(Block[NoConfig]):
    type = BlockType.INPUT
    name = "bench-numbers"
    when = ({"source": "numbers"},)
    Config = NoConfig

    def output_collection(self, incoming: str | None) -> str | None:
        return "items" if self.config.count else None

    async def produce(self, ctx: BlockContext) -> AsyncIterator[Outcome]:
        for number in range(self.config.count):
            yield {"n": number}


class Nothing(Block[NoConfig]):
    type = BlockType.TRANSFORM
    name = "bench-nothing"
    when = ({"operation": "nothing"},)
    Config = NoConfig

    async def process(self, record: JsonObject, ctx: BlockContext) -> Outcome:
        return record


class PlainNothing(Block[NoConfig]):
    type = BlockType.TRANSFORM
    name = "bench-plain-nothing"
    when = ({"operation": "plain"},)
    Config = NoConfig

    def process(self, record: JsonObject, ctx: BlockContext) -> Outcome:
        return record


def document(nodes: list[dict[str, Any]], edges: list[tuple[str, str]]) -> dict[str, Any]:
    drawn = [{"source": source, "target": target} for source, target in edges]
    return {"workflowId": "bench", "name": "bench", "nodes": nodes, "edges": drawn}


def node(name: str, kind: str = "transform", **config: Any) -> dict[str, Any]:
    return {"id": name, "type": kind, "config": config or {"operation": "nothing"}}


def chain(length: int) -> dict[str, Any]:
    names = [f"n{at}" for at in range(length - 1)]
    nodes = [node("in", "input", source="numbers"), *(node(name) for name in names)]
    return document(nodes, list(zip(["in", *names], names, strict=False)))


def fan(width: int) -> dict[str, Any]:
    names = [f"n{at}" for at in range(width)]
    return document([node("in", "input", source="numbers"), *map(node, names)], [("in", name) for name in names])


def through(count: int, nodes: int) -> dict[str, Any]:
    names = [f"n{at}" for at in range(nodes)]
    listed = [node("in", "input", source="numbers", count=count), *(node(name, operation="plain") for name in names)]
    return document(listed, list(zip(["in", *names], names, strict=False)))


async def milliseconds(app: App, raw: dict[str, Any], runs: int) -> float:
    workflow = app.load(raw)
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        result = await app.execute(workflow, {})
        times.append((time.perf_counter() - begin) * 1000)
        assert result.status == "completed"
    return statistics.median(times)


async def measure() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with open_app(Settings(data_dir=Path(folder))) as app:
            for block in (Numbers, Nothing, PlainNothing):
                app.registry.add_block(block)
            ten = await milliseconds(app, chain(10), 20)
            hundred = await milliseconds(app, fan(100), 10)
            one = await milliseconds(app, through(100_000, 1), 3)
            five = await milliseconds(app, through(100_000, 5), 3)
    out = sys.stdout.write
    out(f"chain of 10 blocks that do nothing, recorded durably: {ten:.1f} ms (goal: under 5)\n")
    out(f"100 side by side: {hundred:.1f} ms (goal: under 30)\n")
    out(f"a record through a node: {(five - one) / 4 / 100:.2f} us (goal: at most 5)\n")


if __name__ == "__main__":
    asyncio.run(measure())
