"""Whether the server is well, and the schema of workflows."""

import asyncio
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from fastapi import Request
from starlette.responses import Response

from lumeflow import __version__
from lumeflow.core.document import document_schema
from lumeflow.core.registry import Registry
from lumeflow.server.answers import Json, dump
from lumeflow.server.caller import server_of
from lumeflow.server.gate import unavailable
from lumeflow.server.models import HealthModel, ReadyModel
from lumeflow.server.routing import OpenRoute, problems, router

api = router("Server", always=(500, 503), route=OpenRoute)

MEDIA_TYPE = "application/schema+json"
_SCHEMA_ANSWER: dict[str, Any] = {"description": "The schema.", "content": {MEDIA_TYPE: {"schema": {"type": "object"}}}}


@api.get("/health", response_model=HealthModel, summary="Is the process alive?")
async def health() -> Json:
    """Answers as long as the process does; looks at nothing else."""
    return Json({"status": "ok"})


@api.get("/ready", response_model=ReadyModel, summary="Can it work?")
async def ready(request: Request) -> Json:
    """503 if the database does not answer, or nothing can be taken from the queue."""
    server = server_of(request)
    try:
        async with asyncio.timeout(server.config.storage_timeout):
            await server.app.database.installation.tenants.get("default")
    except TimeoutError:
        raise unavailable() from None
    if server.service.problem is not None or server.app.database.is_broken:
        raise unavailable()
    return Json({"status": "ready", "version": __version__})


@api.get(
    "/api/schemas/workflow-v1.json",
    response_class=Response,
    summary="JSON Schema of workflow documents",
    responses={**problems(429, always=()), 200: _SCHEMA_ANSWER},
)
async def workflow_schema(request: Request) -> Any:
    """The schema, with the configuration of every installed block; editors complete and check by it."""
    registry = server_of(request).app.registry
    return Response(_schema(registry, sum(1 for _ in registry.blocks())), HTTPStatus.OK, media_type=MEDIA_TYPE)


@lru_cache(maxsize=4)
def _schema(registry: Registry, blocks: int) -> bytes:
    """The schema as JSON. It takes a tenth of a second, in which nobody else is answered, and anybody may ask for it.

    Args:
        registry: The installed blocks.
        blocks: How many they are: one that is registered later is in the schema from then on.
    """
    del blocks
    return dump(document_schema(registry))
