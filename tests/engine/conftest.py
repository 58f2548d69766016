"""Runs small workflows through the real engine, storage and gateway; documents are written as users write them."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from lumeflow.app import App, open_app
from lumeflow.core.journal import Mode, RecordKind
from lumeflow.core.result import ExecutionResult
from lumeflow.settings import Settings
from tests.engine import blocks


@dataclass
class Ran:
    """An execution and what it left behind."""

    result: ExecutionResult
    outputs: dict[str, list[Mapping[str, Any]]]
    failed: list[tuple[str, int, str]]

    @property
    def statuses(self) -> dict[str, str]:
        return {node_id: str(node.status) for node_id, node in self.result.nodes.items()}

    def values(self, key: str = "n", node: str = "out") -> list[Any]:
        return [record.get(key) for record in self.outputs.get(node, [])]


def workflow(nodes: Mapping[str, Any], edges: str, **more: Any) -> dict[str, Any]:
    """A document from nodes by id and edges such as `a>b, b.error>c`."""
    drawn = []
    for edge in filter(None, (part.strip() for part in edges.split(","))):
        source, target = edge.split(">")
        source, _, port = source.partition(".")
        drawn.append({"source": source, "target": target, "sourcePort": port or "out"})
    listed = [{"id": node_id, **node} for node_id, node in nodes.items()]
    return {"workflowId": "test", "name": "Test", "nodes": listed, "edges": drawn, **more}


def numbers(count: int, **config: Any) -> dict[str, Any]:
    return {"type": "input", "config": {"source": "numbers", "count": count, **config}}


def work(node: Mapping[str, Any] | None = None, **config: Any) -> dict[str, Any]:
    return {"type": "transform", "config": {"operation": "work", **config}, **(node or {})}


def collect(**config: Any) -> dict[str, Any]:
    return {"type": "output", "config": {"destination": "test", **config}}


@pytest.fixture
async def app(tmp_path) -> AsyncIterator[App]:
    async with open_app(Settings(data_dir=tmp_path, db="sqlite:///:memory:")) as opened:
        for block in blocks.ALL:
            opened.registry.add_block(block)
        yield opened


@pytest.fixture
def run(app: App) -> Callable[..., Any]:
    async def run_document(
        document: Mapping[str, Any], trigger: Mapping[str, Any] | None = None, **options: Any
    ) -> Ran:
        result = await app.execute(document, trigger or {}, mode=Mode.DEMO, **options)
        outputs: dict[str, list[Mapping[str, Any]]] = {}
        async for kept in app.kept_records(result.execution_id, RecordKind.OUTPUT):
            outputs.setdefault(kept.node_id, []).append(kept.data)
        failed = [
            (kept.node_id, kept.position, kept.error_class or "")
            async for kept in app.kept_records(result.execution_id, RecordKind.FAILED)
        ]
        return Ran(result, outputs, failed)

    return run_document
