"""`/api/templates`: documents to begin with."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import Field
from starlette.responses import Response

from lumeflow.core.document.fields import ID_PATTERN
from lumeflow.server import paging
from lumeflow.server.answers import Json
from lumeflow.server.caller import Reader, Writer
from lumeflow.server.models import Model, TemplateModel, TemplatePage
from lumeflow.server.problems import not_found
from lumeflow.server.routing import problems, router
from lumeflow.storage.repositories.templates import Template

api = router("Templates", "/api/templates")

_LINE = r"^[^\x00-\x1f\x7f]*$"
TemplateId = Annotated[str, Path(pattern=ID_PATTERN, description="The template's id.")]
Category = Annotated[
    str | None, Query(min_length=1, max_length=100, pattern=_LINE, description="Only of this category.")
]


class TemplateRequest(Model):
    """A template to be stored."""

    name: str = Field(min_length=1, max_length=200, pattern=_LINE)
    description: str | None = Field(default=None, max_length=5000, pattern=r"^[^\x00]*$")
    category: str | None = Field(default=None, min_length=1, max_length=100, pattern=_LINE)
    definition: dict[str, Any] = Field(description="The document, with its placeholders; it need not be valid yet.")


def _told(one: Template) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.name,
        "description": one.description,
        "category": one.category,
        "version": one.version,
        "definition": one.definition,
        "createdAt": one.created_at,
        "updatedAt": one.updated_at,
    }


@api.get("", response_model=TemplatePage, summary="List templates")
async def list_templates(
    caller: Reader, category: Category = None, limit: paging.Limit = 50, cursor: paging.Cursor = None
) -> Json:
    """By id."""
    after = paging.decode("templates", cursor, str)[0] if cursor is not None else ""
    found = await caller.database.templates.list(category=category, limit=limit + 1, after=after)
    items, following = paging.page(found, limit, lambda one: paging.encode("templates", one.id))
    return Json({"items": [_told(one) for one in items], "nextCursor": following})


@api.get("/{template_id}", response_model=TemplateModel, responses=problems(404), summary="Read a template")
async def read(caller: Reader, template_id: TemplateId) -> Json:
    """The template, whole."""
    found = await caller.database.templates.get(template_id)
    if found is None:
        raise not_found("template", template_id)
    return Json(_told(found))


@api.put("/{template_id}", response_model=TemplateModel, summary="Store a template")
async def store(caller: Writer, template_id: TemplateId, wanted: TemplateRequest) -> Json:
    """Make it, or write it anew under the next version."""
    known = await caller.database.templates.get(template_id)
    version = known.version + 1 if known else 1
    made = Template(template_id, wanted.name, wanted.definition, wanted.description, wanted.category, version=version)
    await caller.database.templates.put(made, at=caller.now)
    stored = await caller.database.templates.get(template_id)
    return Json(_told(stored or made))


@api.delete("/{template_id}", status_code=HTTPStatus.NO_CONTENT, responses=problems(404), summary="Delete a template")
async def delete(caller: Writer, template_id: TemplateId) -> Response:
    """Forget it; workflows that were made from it stay."""
    if not await caller.database.templates.delete(template_id):
        raise not_found("template", template_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)
