"""Whether the server is well, and the schema of workflows."""

import asyncio
from http import HTTPStatus
from typing import Any

from fastapi import Request
from starlette.responses import Response

from lumeflow import __version__
from lumeflow.core.document import document_schema
from lumeflow.server.answers import Json
from lumeflow.server.caller import server_of
from lumeflow.server.gate import unavailable
from lumeflow.server.models import HealthModel, ReadyModel
from lumeflow.server.routing import problems, router

api = router("Server", always=(500, 503))

MEDIA_TYPE = "application/schema+json"
_SCHEMA: dict[str, Any] = {"description": "The schema.", "content": {MEDIA_TYPE: {"schema": {"type": "object"}}}}


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
    responses={**problems(429, always=()), 200: _SCHEMA},
)
async def workflow_schema(request: Request) -> Any:
    """The schema, with the configuration of every installed block; editors complete and check by it."""
    schema = document_schema(server_of(request).app.registry)
    return Json(schema, HTTPStatus.OK, media_type=MEDIA_TYPE)
