"""`…/executions/{id}/artifacts`: files that output nodes wrote."""

import asyncio
import mimetypes
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path as PathParameter
from starlette.responses import FileResponse

from lumeflow.server import finding
from lumeflow.server.answers import Json
from lumeflow.server.caller import Reader
from lumeflow.server.downloads import MEDIA_TYPES, attachment
from lumeflow.server.execution_models import ArtifactList
from lumeflow.server.finding import ExecutionId
from lumeflow.server.problems import not_found
from lumeflow.server.routing import problems, router
from lumeflow.storage.files import WrittenFile

api = router("Artifacts", "/api/workflows/executions")

NamePath = Annotated[str, PathParameter(min_length=1, max_length=500, description="Its name, as the list has it.")]
_ANYTHING = "application/octet-stream"
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}},
}


@api.get("/{execution_id}/artifacts", response_model=ArtifactList, responses=problems(404), summary="List artifacts")
async def list_artifacts(caller: Reader, execution_id: ExecutionId) -> Json:
    """Files of this execution that are complete, by name."""
    await finding.stored(caller, execution_id)
    found = await asyncio.to_thread(caller.database.files(execution_id, anywhere=False).written)
    return Json({"items": [_entry(file) for file in found]})


@api.get(
    "/{execution_id}/artifacts/{name:path}",
    response_class=FileResponse,
    responses={**problems(404), **_FILE},
    summary="Download an artifact",
)
async def download(caller: Reader, execution_id: ExecutionId, name: NamePath) -> FileResponse:
    """One file, whole or in part (`Range`)."""
    await finding.stored(caller, execution_id)
    # Only what the list has can be had: names with '..' and the like are never made into a path.
    for file in await asyncio.to_thread(caller.database.files(execution_id, anywhere=False).written):
        if file.name == name:
            last = name.rpartition("/")[2]
            return FileResponse(file.path, media_type=media_type(last), headers=attachment(last))
    raise not_found("artifact", name)


def media_type(name: str) -> str:
    """What a file is, by its name; never anything that a browser would run."""
    ending = name.rpartition(".")[2].lower()
    known = {str(form): kind for form, kind in MEDIA_TYPES.items()}
    guessed = known.get(ending) or mimetypes.guess_type(name)[0] or _ANYTHING
    return guessed if guessed in {*known.values(), "text/plain", "application/gzip"} else _ANYTHING


def _entry(file: WrittenFile) -> dict[str, object]:
    return {
        "name": file.name,
        "size": file.size,
        "mediaType": media_type(file.name),
        "createdAt": datetime.fromtimestamp(file.changed, UTC),
    }
