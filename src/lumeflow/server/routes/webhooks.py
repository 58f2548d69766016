"""`/api/webhooks/{tenant}/{workflow}`: deliveries of other systems, which sign instead of having a key."""

import binascii
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Path, Request

from lumeflow.blocks.input.webhook import WebhookInput, WebhookInputConfig
from lumeflow.core.block import BlockType
from lumeflow.core.document import Workflow
from lumeflow.core.document.fields import ID_PATTERN
from lumeflow.core.errors import UsageError
from lumeflow.core.findings import InvalidWorkflow
from lumeflow.core.journal import Mode
from lumeflow.executions import AlreadyThere
from lumeflow.kit.webhooks import DeliveryRefused
from lumeflow.server.answers import Json
from lumeflow.server.caller import Server, server_of
from lumeflow.server.execution_models import DeliveryModel
from lumeflow.server.problems import Problem, not_found
from lumeflow.server.routing import UNSIGNED, OpenRoute, problems, router
from lumeflow.storage.jobs import DEFAULT_TENANT
from lumeflow.storage.repositories.tenants import checked_tenant

api = router("Webhooks", "/api/webhooks", always=UNSIGNED, route=OpenRoute)

TenantPath = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$", description="Whose workflow it is.")]
WorkflowPath = Annotated[str, Path(pattern=ID_PATTERN, description="A workflow that begins with `input/webhook`.")]
_ALWAYS = ("content-type",)
_BODY = {
    "requestBody": {
        "required": True,
        "description": "The delivery, as its sender signed it.",
        "content": {"*/*": {"schema": {}}},
    }
}


@api.post(
    "/{tenant}/{workflow_id}",
    status_code=HTTPStatus.ACCEPTED,
    response_model=DeliveryModel,
    responses={
        **problems(401, 404, always=UNSIGNED),
        200: {"model": DeliveryModel, "description": "It was received before, and starts nothing."},
    },
    openapi_extra=_BODY,
    summary="Deliver to a workflow",
)
async def deliver(request: Request, tenant: TenantPath, workflow_id: WorkflowPath) -> Json:
    """Start the workflow, live, with a delivery that is signed as its input block asks for, fresh, and new.

    One that was received before is acknowledged, so that its sender stops, and starts nothing.
    """
    server = server_of(request)
    # Before all else: what is made of a tenant is kept, and anybody may send any name.
    whose = await server.app.database.installation.tenants.get(tenant)
    if whose is None and tenant != DEFAULT_TENANT:
        raise not_found("receiver", workflow_id)
    document, names = await _receiver(server, tenant, workflow_id)
    if whose is not None and not whose.is_active:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "tenant-suspended", "nothing is taken here at present")
    given = {name: value for name, value in request.headers.items() if name in names}
    trigger = {"headers": given, **_body(await request.body())}
    try:
        execution_id = await server.service.submit(tenant, document, trigger, mode=Mode.LIVE)
    except InvalidWorkflow as error:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "workflow-not-ready", "the workflow cannot be run: tell its owner"
        ) from error
    except AlreadyThere as error:
        return Json({"executionId": error.execution.id, "duplicate": True})
    except UsageError as error:
        if isinstance(error.__cause__, DeliveryRefused):
            raise Problem(HTTPStatus.UNAUTHORIZED, "delivery-refused", str(error.__cause__)) from None
        raise
    return Json({"executionId": execution_id, "duplicate": False}, HTTPStatus.ACCEPTED)


async def _receiver(server: Server, tenant: str, workflow_id: str) -> tuple[Mapping[str, Any], set[str]]:
    """A saved workflow that takes deliveries and nothing else, and the headers that it looks at.

    Raises:
        Problem: There is none; nobody without a key is told of other workflows.
    """
    try:
        saved = await server.app.database.of(checked_tenant(tenant)).workflows.get(workflow_id)
        document = Workflow.load(saved.definition)
        names = set(_ALWAYS)
        inputs = [node for node in document.nodes if node.type is BlockType.INPUT]
        for node in inputs:
            if not issubclass(server.app.registry.resolve(node.type, node.config), WebhookInput):
                raise not_found("receiver", workflow_id)
            rules = WebhookInputConfig.model_validate(node.config).rules
            names |= {
                name.lower() for name in (rules.signature_header, rules.timestamp_header, rules.delivery_header) if name
            }
        if not inputs:
            raise not_found("receiver", workflow_id)
    except (UsageError, InvalidWorkflow, ValueError):
        raise not_found("receiver", workflow_id) from None
    return saved.definition, names


def _body(data: bytes) -> dict[str, str]:
    try:
        return {"body": data.decode()}
    except UnicodeDecodeError:
        return {"bodyBase64": binascii.b2a_base64(data, newline=False).decode()}
