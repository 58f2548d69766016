"""`/api/secrets`: a tenant's secrets. Values go in and never come out."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Path
from pydantic import ConfigDict, Field, SecretStr
from starlette.responses import Response

from lumeflow.core.errors import UsageError
from lumeflow.core.secret import Secret
from lumeflow.server import paging
from lumeflow.server.answers import Json
from lumeflow.server.caller import Caller, Keeper
from lumeflow.server.models import Model, SecretModel, SecretPage
from lumeflow.server.problems import Problem, conflict, not_found, unusable
from lumeflow.server.routing import problems, router
from lumeflow.settings import RESERVED_SECRETS
from lumeflow.vault.files import LARGEST
from lumeflow.vault.keyring import Keyring
from lumeflow.vault.tenant_secrets import TenantSecrets

api = router("Secrets", "/api/secrets")

SecretName = Annotated[
    str,
    Path(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$",
        description="As workflows name it, `{{secrets.crmToken}}`, or the name of a vendor's key, `APOLLO_API_KEY`.",
    ),
]


class SecretValue(Model):
    """What a secret is to be."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"value": "tok-example-1"}]})

    value: SecretStr = Field(min_length=1, max_length=LARGEST, description="The secret. No answer ever has it.")


def _entry(found: TenantSecrets, name: str) -> dict[str, object]:
    row = found.stored.get(name)
    return {
        "name": name,
        "source": found.sources()[name],
        "createdAt": row.created_at if row else None,
        "updatedAt": row.updated_at if row else None,
        "problem": found.unreadable().get(name),
    }


async def _load(caller: Caller) -> TenantSecrets:
    """All secrets of the tenant as they are now.

    Raises:
        Problem: The installation's key is not one.
    """
    try:
        return await caller.app.vault.load(locked=True)
    except UsageError as error:
        raise _no_key(error) from None


def _no_key(error: UsageError) -> Problem:
    return conflict("secrets-not-configured", f"this is for the operator of the server to mend: {error}")


@api.get("", response_model=SecretPage, responses=problems(409), summary="List secrets")
async def list_secrets(caller: Keeper, limit: paging.Limit = 50, cursor: paging.Cursor = None) -> Json:
    """The names that workflows may use and where each comes from; never what they are."""
    after = paging.decode("secrets", cursor, str)[0] if cursor is not None else ""
    secrets = await _load(caller)
    names = sorted(name for name in secrets.sources() if name > after)[: limit + 1]
    items, following = paging.page(names, limit, lambda name: paging.encode("secrets", name))
    return Json({"items": [_entry(secrets, name) for name in items], "nextCursor": following})


@api.put("/{name}", response_model=SecretModel, responses=problems(409), summary="Set a secret")
async def put(caller: Keeper, name: SecretName, wanted: SecretValue) -> Json:
    """Store it, or another value of it, encrypted. Executions that have begun go on with what they had."""
    if name in RESERVED_SECRETS:
        raise unusable(f"'{name}' cannot be the name of a secret: choose another")
    try:
        _ = Keyring.of(caller.app.settings.environ).key_id
    except UsageError as error:
        raise _no_key(error) from None
    await caller.app.vault.put(name, Secret(wanted.value.get_secret_value()), at=caller.now)
    return Json(_entry(await _load(caller), name))


@api.delete("/{name}", status_code=HTTPStatus.NO_CONTENT, responses=problems(404), summary="Delete a secret")
async def delete(caller: Keeper, name: SecretName) -> Response:
    """Forget one that was set. Those that come from the server's environment or files stay."""
    try:
        await caller.app.vault.delete(name)
    except UsageError:
        raise not_found("stored secret", name) from None
    await _load(caller)
    return Response(status_code=HTTPStatus.NO_CONTENT)
