"""`/api/templates`: documents to begin with."""

from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Annotated, Any

import orjson
from fastapi import Path, Query
from pydantic import Field
from starlette.responses import Response

from lumeflow.core.document.fields import ID_PATTERN
from lumeflow.core.placeholders import PlaceholderError, declared, filled
from lumeflow.server import documents, paging
from lumeflow.server.answers import Json
from lumeflow.server.caller import Caller, Reader, Writer
from lumeflow.server.downloads import attachment
from lumeflow.server.examples import TEMPLATE
from lumeflow.server.models import Model, TemplateModel, TemplatePage, WorkflowModel
from lumeflow.server.problems import FieldError, Problem, conflict, not_found, unusable
from lumeflow.server.routes.workflows import TAGGED, whole
from lumeflow.server.routing import problems, router
from lumeflow.storage.repositories.templates import Template

api = router("Templates", "/api/templates")

_LINE = r"^[^\x00-\x1f\x7f]*$"
TemplateId = Annotated[str, Path(pattern=ID_PATTERN, description="The template's id.")]
Category = Annotated[
    str | None, Query(min_length=1, max_length=100, pattern=_LINE, description="Only of this category.")
]
Version = Annotated[int, Field(ge=1, le=documents.LAST_VERSION)]


class TemplateRequest(Model):
    """A template to be stored."""

    name: str = Field(min_length=1, max_length=200, pattern=_LINE)
    description: str | None = Field(default=None, max_length=5000, pattern=r"^[^\x00]*$")
    category: str | None = Field(default=None, min_length=1, max_length=100, pattern=_LINE)
    definition: dict[str, Any] = Field(
        description="The document; it need not be valid yet. `x-placeholders` in it names what is to be filled in, each"
        " with its JSON Schema; `${name}` stands for the value wherever a text stands."
    )


class TemplateFile(TemplateRequest):
    """A template as it is exported and imported."""

    id: str = Field(pattern=ID_PATTERN)
    version: Version = 1


class NewWorkflow(Model):
    """What a template is to be filled with."""

    workflow_id: str = Field(pattern=ID_PATTERN, description="Id of the new workflow.")
    name: str | None = Field(default=None, min_length=1, max_length=200, pattern=_LINE, description="Its name.")
    version: Version = 1
    values: dict[str, Any] = Field(
        default={}, description="By placeholder; its default is taken where one is left out."
    )


_EXAMPLE = {"requestBody": {"content": {"application/json": {"example": TEMPLATE}}}}
_FILE_EXAMPLE = {
    "requestBody": {"content": {"application/json": {"example": {"id": "tidy", "version": 1, **TEMPLATE}}}}
}
_NEW_EXAMPLE = {
    "requestBody": {
        "content": {"application/json": {"example": {"workflowId": "with-phone", "values": {"field": "phone"}}}}
    }
}


_FEW = 10
"""Templates that are read at once."""


def _told(one: Template) -> dict[str, object]:
    return {
        **_file(one),
        "placeholders": _placeholders(one.definition),
        "createdAt": one.created_at,
        "updatedAt": one.updated_at,
    }


def _file(one: Template) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.name,
        "description": one.description,
        "category": one.category,
        "version": one.version,
        "definition": one.definition,
    }


def _placeholders(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return declared(definition)
    except PlaceholderError:
        return {}


@api.get("", response_model=TemplatePage, summary="List templates")
async def list_templates(
    caller: Reader, category: Category = None, limit: paging.Limit = 50, cursor: paging.Cursor = None
) -> Json:
    """By id; fewer in a page where they are large."""
    after = paging.decode("templates", cursor, str)[0] if cursor is not None else ""
    found = _read(caller, category, after)
    items, following = await paging.filled(found, limit, _told, lambda one: paging.encode("templates", one.id))
    return Json({"items": items, "nextCursor": following})


async def _read(caller: Caller, category: str | None, after: str) -> AsyncIterator[Template]:
    """All of them, a few at a time: each may be as large as a body."""
    while some := await caller.database.templates.list(category=category, limit=_FEW, after=after):
        for one in some:
            yield one
        if len(some) < _FEW:
            return
        after = some[-1].id


@api.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_model=TemplateModel,
    responses=problems(409),
    openapi_extra=_FILE_EXAMPLE,
    summary="Import a template",
)
async def import_template(caller: Writer, wanted: TemplateFile) -> Json:
    """Store what was exported, here or elsewhere, under its own id and version."""
    if await caller.database.templates.get(wanted.id) is not None:
        raise conflict("template-exists", f"template '{wanted.id}' exists: change it with PUT, or choose another id")
    made = await _stored(caller, wanted.id, wanted, wanted.version)
    return Json(_told(made), HTTPStatus.CREATED, headers={"Location": f"/api/templates/{wanted.id}"})


@api.get("/{template_id}", response_model=TemplateModel, responses=problems(404), summary="Read a template")
async def read(caller: Reader, template_id: TemplateId) -> Json:
    """The template, whole."""
    return Json(_told(await _find(caller, template_id)))


@api.get("/{template_id}/export", response_model=TemplateFile, responses=problems(404), summary="Export a template")
async def export(caller: Reader, template_id: TemplateId) -> Json:
    """The template as a file that can be imported."""
    return Json(_file(await _find(caller, template_id)), headers=attachment(f"{template_id}.json"))


@api.put("/{template_id}", response_model=TemplateModel, openapi_extra=_EXAMPLE, summary="Store a template")
async def store(caller: Writer, template_id: TemplateId, wanted: TemplateRequest) -> Json:
    """Make it, or write it anew under the next version."""
    known = await caller.database.templates.get(template_id)
    return Json(_told(await _stored(caller, template_id, wanted, known.version + 1 if known else 1)))


@api.delete("/{template_id}", status_code=HTTPStatus.NO_CONTENT, responses=problems(404), summary="Delete a template")
async def delete(caller: Writer, template_id: TemplateId) -> Response:
    """Forget it; workflows that were made from it stay."""
    if not await caller.database.templates.delete(template_id):
        raise not_found("template", template_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@api.post(
    "/{template_id}/workflows",
    status_code=HTTPStatus.CREATED,
    response_model=WorkflowModel,
    responses={**problems(404, 409), 201: TAGGED},
    openapi_extra=_NEW_EXAMPLE,
    summary="Make a workflow of a template",
)
async def make_workflow(caller: Writer, template_id: TemplateId, wanted: NewWorkflow) -> Json:
    """Fill in the placeholders and save the result as a new workflow, which names its template in `metadata`."""
    template = await _find(caller, template_id)
    try:
        made = filled(template.definition, wanted.values)
    except PlaceholderError as error:
        raise _not_filled(error, "/values") from None
    made |= {"workflowId": wanted.workflow_id, "version": wanted.version}
    if wanted.name is not None:
        made["name"] = wanted.name
    if isinstance(about := made.get("metadata", {}), dict):
        made["metadata"] = {**about, "template": {"id": template.id, "version": template.version}}
    workflow = await documents.read(caller, orjson.dumps(made))
    return whole(await documents.save_new(caller, workflow), HTTPStatus.CREATED)


async def _find(caller: Caller, template_id: str) -> Template:
    found = await caller.database.templates.get(template_id)
    if found is None:
        raise not_found("template", template_id)
    return found


async def _stored(caller: Caller, template_id: str, wanted: TemplateRequest, version: int) -> Template:
    try:
        declared(wanted.definition)
    except PlaceholderError as error:
        raise _not_filled(error, "/definition/x-placeholders") from None
    made = Template(template_id, wanted.name, wanted.definition, wanted.description, wanted.category, version=version)
    await caller.database.templates.put(made, at=caller.now)
    return await caller.database.templates.get(template_id) or made


def _not_filled(error: PlaceholderError, where: str) -> Problem:
    errors = [
        FieldError(where="body", field=f"{where}/{one.name}" if one.name else where, message=one.message)
        for one in error.problems[:100]
    ]
    return unusable(f"placeholders: {str(error)[:500]}", code="placeholders-not-filled", errors=errors)
