"""`/api/workflows/blocks`: what workflows can be built from."""

import asyncio
import inspect
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path as Folder
from typing import Annotated, Any

from fastapi import Path
from pydantic import ConfigDict, Field

from lumeflow.core.block import BlockResult, BlockType
from lumeflow.core.journal import Mode
from lumeflow.core.registry import BlockClass
from lumeflow.core.result import exact_number
from lumeflow.execution_context import ExecutionContext
from lumeflow.reference import Docstring, page, used_in
from lumeflow.server.answers import Json
from lumeflow.server.caller import Executor, Reader
from lumeflow.server.keys import Scope
from lumeflow.server.models import BlockList, BlockPageModel, BlockTestModel, Model
from lumeflow.server.problems import not_found, unusable
from lumeflow.server.routing import problems, router
from lumeflow.workflows import documents

api = router("Blocks", "/api/workflows/blocks")


def described(block: BlockClass) -> Mapping[str, object]:
    """A block as JSON."""
    return _described(block)  # type: ignore[arg-type]  # a class has a hash, though its __hash__ is its instances'


@cache
def _described(block: BlockClass) -> Mapping[str, object]:
    """Made once: the schema of a configuration takes milliseconds, and a list has those of all blocks."""
    return {
        "id": block.id(),
        "type": str(block.type),
        "name": block.name,
        "when": [dict(pairs) for pairs in block.when],
        "summary": Docstring.of(block).summary,
        "works": str(block.shape()),
        "operations": list(block.operations),
        "config": block.Config.model_json_schema(by_alias=True),
        "example": dict(block.example),
        "exampleInput": dict(block.example_input),
    }


@api.get("", response_model=BlockList, summary="List blocks")
async def list_blocks(caller: Reader) -> Json:
    """All installed blocks with the JSON Schemas of their configuration."""
    return Json({"items": [described(block) for block in caller.app.registry.blocks()]})


@api.get(
    "/{type}/{name}/reference",
    response_model=BlockPageModel,
    responses=problems(404),
    summary="Read about a block",
)
async def read(
    caller: Reader,
    type: Annotated[  # noqa: A002 - the plan's name
        BlockType, Path(description="The block's type.")
    ],
    name: Annotated[str, Path(max_length=200, description="The block's name.")],
) -> Json:
    """What it does, with its page of the reference."""
    registry = caller.app.registry
    for block in registry.blocks():
        if (block.type, block.name) == (type, name):
            used = used_in(documents(), registry).get(block.id(), [])
            more = {"description": inspect.cleandoc(block.__doc__ or ""), "workflows": used}
            return Json({**described(block), **more, "reference": page(block, registry, used)})
    raise not_found("block", f"{type}/{name}")


_EXAMPLE: dict[str, Any] = {
    "config": {"conditions": [{"field": "email", "operator": "exists"}]},
    "input": {"contacts": [{"email": "mira.holt@example.com"}, {"firstName": "Jonas"}]},
}


class BlockTest(Model):
    """What a block is to be tried on."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    config: dict[str, Any] = Field(default={}, description="The node's `config`; it also tells which block is meant.")
    input: dict[str, Any] = Field(
        default={},
        description="What reaches the block; of a merge block, whole payloads by the id of the node they come from.",
    )
    mode: Mode = Field(default=Mode.DEMO, description="`live` calls the vendors, costs money and needs its scope.")
    mocks: dict[str, Any] = Field(default={}, description="Demo answers by provider, operation or `block`.")
    variables: dict[str, Any] = Field(default={}, description="Values of `{{variables.x}}`.")
    tables: dict[str, list[dict[str, Any]]] = Field(default={}, description="Rows by table that the block finds.")


@api.post("/{type}/test", response_model=BlockTestModel, summary="Test a block")
async def test(
    caller: Executor,
    type: Annotated[  # noqa: A002 - the plan's name
        BlockType, Path(description="The block's type.")
    ],
    wanted: BlockTest,
) -> Json:
    """Run one block alone on a payload, in demo mode unless asked otherwise. Nothing of it is stored."""
    if wanted.mode is Mode.LIVE:
        caller.need(Scope.LIVE)
    block = caller.app.registry.resolve(type, wanted.config)
    with tempfile.TemporaryDirectory(prefix="lumeflow-") as folder:
        # Secrets are the tenant's, as in an execution; files and rows are of this test alone.
        settings = replace(caller.app.settings, data_dir=Folder(folder), db=None, confined=True)
        context = ExecutionContext(
            wanted.mode,
            wanted.mocks or None,
            variables=wanted.variables,
            tables=wanted.tables,
            settings=settings,
            tenant=caller.tenant,
            installed=caller.app.registry,
            vault=caller.app.vault,
        )
        try:
            async with asyncio.timeout(caller.server.config.test_time), caller.server.trials:
                result = await context.run_block(block, wanted.config, wanted.input)
        except TimeoutError:
            raise unusable("the test took too long: try the block on less", code="test-too-long") from None
    return Json(_told(result))


def _told(result: BlockResult) -> dict[str, object]:
    return {
        "status": result.status,
        "output": result.output,
        "failed": list(result.failed),
        "skipped": list(result.skipped),
        "cost": exact_number(result.cost),
        "error": result.error,
    }
