"""`/api/workflows/blocks`: what workflows can be built from."""

from lumeflow.core.registry import BlockClass
from lumeflow.reference import Docstring
from lumeflow.server.answers import Json
from lumeflow.server.caller import Reader
from lumeflow.server.models import BlockList
from lumeflow.server.routing import router

api = router("Blocks", "/api/workflows/blocks")


def described(block: BlockClass) -> dict[str, object]:
    """A block as JSON."""
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
