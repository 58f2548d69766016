"""The OpenAPI document: what FastAPI makes of the endpoints, and what it cannot know."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from lumeflow.core.document.fields import ID_PATTERN
from lumeflow.server.problems import ProblemModel

_REFS = "#/components/schemas/{model}"
_WORKFLOW: dict[str, Any] = {
    "type": "object",
    "title": "Workflow",
    "description": "A workflow document; /api/schemas/workflow-v1.json has its whole schema.",
    "required": ["workflowId", "name", "nodes", "edges"],
    "properties": {
        "$schema": {"type": "string"},
        "workflowId": {"type": "string", "pattern": ID_PATTERN},
        "name": {"type": "string", "minLength": 1},
        "version": {"type": "integer", "minimum": 1},
        "description": {"type": ["string", "null"]},
        "metadata": {"type": "object"},
        "globals": {"type": "object"},
        "nodes": {"type": "array", "items": {"type": "object", "required": ["id", "type"]}},
        "edges": {"type": "array", "items": {"type": "object", "required": ["source", "target"]}},
        "schemas": {"type": "object"},
    },
    "externalDocs": {"url": "/api/schemas/workflow-v1.json"},
}


def add_openapi(api: FastAPI) -> None:
    """Make the document once, when it is first asked for."""

    def make() -> dict[str, Any]:
        if api.openapi_schema is None:
            api.openapi_schema = _document(api)
        return api.openapi_schema

    api.openapi = make  # type: ignore[method-assign]  # FastAPI's own way to extend it


def _tell_scopes(paths: dict[str, Any]) -> None:
    """Say with each operation which scope the key needs."""
    for methods in paths.values():
        for operation in methods.values():
            scopes = {scope for scheme in operation.get("security", ()) for names in scheme.values() for scope in names}
            for scope in sorted(scopes):
                operation["description"] += f"\n\nThe key needs the scope `{scope}`."


def _document(api: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=api.title, version=api.version, description=api.description, routes=api.routes)
    _tell_scopes(document["paths"])
    schemas: dict[str, Any] = document.setdefault("components", {}).setdefault("schemas", {})
    _, made = models_json_schema([(ProblemModel, "serialization")], ref_template=_REFS)
    schemas |= made["$defs"]
    schemas["Workflow"] = _WORKFLOW
    schemas["Draft"] = {"description": "A workflow document, or what is meant to become one; see Workflow."}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document
