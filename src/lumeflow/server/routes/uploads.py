"""`/api/uploads`: files that executions of `input/upload` read."""

import asyncio
import hashlib
import re
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from fastapi import Path as PathParameter
from fastapi import Query, Request
from starlette.responses import Response

from lumeflow.core.errors import StorageError
from lumeflow.server.answers import Json
from lumeflow.server.caller import Caller, Reader, Writer
from lumeflow.server.execution_models import UploadModel
from lumeflow.server.problems import Problem, not_found, unusable
from lumeflow.server.routes.artifacts import media_type
from lumeflow.server.routing import problems, router
from lumeflow.storage.files import UPLOAD_PATTERN
from lumeflow.storage.repositories.artifacts import Artifact

api = router("Uploads", "/api/uploads")

KEPT = timedelta(days=30)
"""How long an upload can be used."""
UploadId = Annotated[str, PathParameter(pattern=UPLOAD_PATTERN, description="The upload's id.")]
_BODY = {
    "requestBody": {
        "required": True,
        "description": "The file's bytes, as they are.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary", "minLength": 1}}},
    }
}


@api.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_model=UploadModel,
    responses=problems(415),
    openapi_extra=_BODY,
    summary="Upload a file",
)
async def upload(
    caller: Writer,
    request: Request,
    name: Annotated[
        str, Query(min_length=1, max_length=200, description="The file's name; its ending tells how it is read.")
    ],
) -> Json:
    """Store a file. The input of an execution names it by its id: `{"file": "upload-….csv"}`."""
    if not name.isprintable():
        raise unusable("name: it must be printable")
    _check_is_file(request)
    upload_id = f"upload-{secrets.token_hex(16)}{_ending(name)}"
    path = caller.database.upload_path(upload_id)
    try:
        size, digest = await _receive(request.stream(), path)
        if not size:
            raise unusable("the body is empty: send the file's bytes as the body")
        entry = Artifact(
            id=upload_id,
            kind="upload",
            execution_id=None,
            node_id=None,
            name=name,
            path=path.name,
            media_type=media_type(name),
            size=size,
            sha256=digest,
            created_at=caller.now,
            expires_at=caller.now + KEPT,
        )
        await caller.database.artifacts.put(entry)
    except BaseException:
        await asyncio.to_thread(path.unlink, missing_ok=True)
        raise
    return Json(_told(entry), HTTPStatus.CREATED, headers={"Location": f"/api/uploads/{upload_id}"})


@api.get("/{upload_id}", response_model=UploadModel, responses=problems(404), summary="Look at an upload")
async def read(caller: Reader, upload_id: UploadId) -> Json:
    """Its size, its hash, and how long it stays."""
    return Json(_told(await _find(caller, upload_id)))


@api.delete("/{upload_id}", status_code=HTTPStatus.NO_CONTENT, responses=problems(404), summary="Delete an upload")
async def delete(caller: Writer, upload_id: UploadId) -> Response:
    """Forget it. An execution that still has to read it, or a resume of one, fails then."""
    await _find(caller, upload_id)
    await caller.database.artifacts.delete(upload_id)
    await asyncio.to_thread(caller.database.upload_path(upload_id).unlink, missing_ok=True)
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def _find(caller: Caller, upload_id: str) -> Artifact:
    found = await caller.database.artifacts.get(upload_id)
    if found is None or found.kind != "upload":
        raise not_found("upload", upload_id)
    return found


async def _receive(pieces: AsyncIterator[bytes], path: Path) -> tuple[int, str]:
    """Write a body to a file as it comes; returns its size and its hash."""
    digest = hashlib.sha256()
    size = 0
    try:
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        file = await asyncio.to_thread(path.open, "xb")
        try:
            async for piece in pieces:
                digest.update(piece)
                size += len(piece)
                await asyncio.to_thread(file.write, piece)
        finally:
            await asyncio.to_thread(file.close)
    except OSError as error:
        raise StorageError(f"upload {path}: it cannot be written ({error.strerror})") from error
    return size, digest.hexdigest()


def _check_is_file(request: Request) -> None:
    """A form would be stored with its boundaries, and read as rows of the file."""
    if request.headers.get("content-type", "").strip().lower().startswith("multipart/"):
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "not-a-file",
            "the body must be the file's bytes, not a form: with curl, '--data-binary @FILE' in place of '-F'",
        )


def _ending(name: str) -> str:
    """The last endings of a name, in small letters, as far as they are plain: `.csv.gz`."""
    found = re.search(r"(\.[A-Za-z0-9]{1,8}){1,2}$", name)
    return found[0].lower() if found else ""


def _told(entry: Artifact) -> dict[str, object]:
    return {
        "id": entry.id,
        "name": entry.name,
        "size": entry.size,
        "mediaType": entry.media_type,
        "sha256": entry.sha256,
        "createdAt": entry.created_at,
        "expiresAt": entry.expires_at,
    }
