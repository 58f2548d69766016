"""Every error of an endpoint as a problem; of an unexpected one nothing is told but that it happened."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Match

from lumeflow.core.errors import StorageError, UsageError
from lumeflow.core.findings import InvalidWorkflow
from lumeflow.core.pointer import pointer
from lumeflow.server.gate import internal, unavailable
from lumeflow.server.problems import MEDIA_TYPE, FieldError, Problem, invalid_workflow, unusable

_METHODS = ("GET", "POST", "PUT", "DELETE")
_LOG = logging.getLogger("lumeflow.server")


def respond(problem: Problem, request: Request) -> Response:
    """A problem as an answer."""
    return Response(
        problem.body(request.url.path), problem.status.value, headers=problem.headers, media_type=MEDIA_TYPE
    )


def add_handlers(api: FastAPI) -> None:
    """Make problems of all errors."""

    async def on_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return respond(error, request)

    async def on_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return respond(_fields(error.errors()), request)

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return respond(_plain(error, request), request)

    async def on_usage(request: Request, error: Exception) -> Response:
        return respond(unusable(str(error)), request)

    async def on_invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, InvalidWorkflow)
        return respond(invalid_workflow(error.report), request)

    async def on_storage(request: Request, error: Exception) -> Response:
        _LOG.error("storage: %s", error)
        return respond(unavailable(), request)

    async def on_hangup(request: Request, error: Exception) -> Response:
        return Response(status_code=HTTPStatus.BAD_REQUEST)  # nobody reads it

    async def on_bug(request: Request, error: Exception) -> Response:
        _LOG.error("unexpected error in %s %s", request.method, request.url.path, exc_info=error)
        return respond(internal(), request)

    handlers: dict[Any, Any] = {
        Problem: on_problem,
        RequestValidationError: on_validation,
        HTTPException: on_http,
        InvalidWorkflow: on_invalid,
        UsageError: on_usage,
        StorageError: on_storage,
        ClientDisconnect: on_hangup,
        Exception: on_bug,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def _plain(error: HTTPException, request: Request) -> Problem:
    status = HTTPStatus(error.status_code)
    headers = dict(error.headers or {})
    if status is HTTPStatus.NOT_FOUND:
        detail = "there is nothing at this path: /openapi.json lists what there is"
    elif status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {"Allow": _allowed(request)}
        detail = f"this path does not take {request.method}, but {headers['Allow']}"
    else:
        detail = str(error.detail)
    return Problem(status, status.phrase.lower().replace(" ", "-"), detail, headers=headers)


def _allowed(request: Request) -> str:
    """What a path takes: several endpoints share it, and the router names those of the first alone."""
    described = request.app.openapi()["paths"].get(request.url.path)
    if described is not None:  # a fixed path is no workflow's, though it could be read so
        return ", ".join(method for method in _METHODS if method.lower() in described)
    takes = [
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in request.app.routes)
    ]
    return ", ".join(takes)


def _fields(errors: Sequence[Any]) -> Problem:
    found = [_field(error) for error in errors]
    first = found[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    place = f"{first.where} {first.field}".strip()
    return unusable(f"{place}: {first.message}{more}", code="invalid-request", errors=found[:100])


def _field(error: Any) -> FieldError:
    where, *path = error["loc"]
    field = pointer(path) if where == "body" else ".".join(map(str, path))
    return FieldError(where=str(where), field=field, message=str(error["msg"]))
