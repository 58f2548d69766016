"""`/api/keys`: API keys, for those who have the scope `admin`."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Path, Response
from pydantic import ConfigDict, Field

from lumeflow.server import paging
from lumeflow.server.answers import Json
from lumeflow.server.caller import Admin
from lumeflow.server.keys import USUAL, Scope, make_key
from lumeflow.server.models import KeyPage, Model, NewKeyModel
from lumeflow.server.problems import not_found, unusable
from lumeflow.server.routing import problems, router
from lumeflow.server.times import Time
from lumeflow.storage.repositories.api_keys import ApiKey

api = router("API keys", "/api/keys")

KeyId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="The key's id, which is no secret.")]


class NewKey(Model):
    """A key to be made."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "my-application", "scopes": ["read", "execute"]}]}
    )

    name: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$", description="For people.")
    scopes: list[Scope] = Field(default=list(USUAL), min_length=1, max_length=len(Scope))
    expires_at: Time | None = Field(default=None, description="When it ends; never if left out.")


def _entry(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": list(key.scopes),
        "createdAt": key.created_at,
        "expiresAt": key.expires_at,
        "lastUsedAt": key.last_used_at,
        "revokedAt": key.revoked_at,
    }


@api.post("", status_code=HTTPStatus.CREATED, response_model=NewKeyModel, summary="Make a key")
async def create(caller: Admin, wanted: NewKey) -> Json:
    """Make a key of this tenant. The answer is the only place where it is ever shown."""
    if wanted.expires_at is not None and wanted.expires_at <= caller.now:
        raise unusable("expiresAt: it lies in the past")
    expires: datetime | None = wanted.expires_at
    key, entry = await make_key(
        caller.database, name=wanted.name, scopes=wanted.scopes, at=caller.now, expires_at=expires
    )
    return Json({**_entry(entry), "key": key}, HTTPStatus.CREATED, headers={"Cache-Control": "no-store"})


@api.get("", response_model=KeyPage, summary="List keys")
async def list_keys(caller: Admin, limit: paging.Limit = 50, cursor: paging.Cursor = None) -> Json:
    """Keys of this tenant by id, revoked ones too; never the keys themselves."""
    after = paging.decode("keys", cursor, str)[0] if cursor is not None else ""
    found = await caller.database.api_keys.list(limit=limit + 1, after=after)
    items, following = paging.page(found, limit, lambda key: paging.encode("keys", key.id))
    return Json({"items": [_entry(key) for key in items], "nextCursor": following})


@api.delete("/{key_id}", status_code=HTTPStatus.NO_CONTENT, responses=problems(404), summary="Revoke a key")
async def revoke(caller: Admin, key_id: KeyId) -> Response:
    """End a key, at once and for ever."""
    if not await caller.database.api_keys.revoke(key_id, at=caller.now):
        raise not_found("valid key", key_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)
