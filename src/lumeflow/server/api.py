"""The ASGI application, put together."""

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from lumeflow import __version__
from lumeflow.server.caller import STATE, Server
from lumeflow.server.gate import Gate
from lumeflow.server.handlers import add_handlers
from lumeflow.server.openapi import add_openapi
from lumeflow.server.routes import (
    artifacts,
    blocks,
    costs,
    events,
    executions,
    keys,
    meta,
    records,
    searches,
    secrets,
    tables,
    templates,
    uploads,
    webhooks,
    workflows,
)

_DESCRIPTION = """\
Save workflows, execute them, watch them, and ask what came out and what it cost.

Every answer with a status of 400 or more is a problem (RFC 9457). Requests carry an API key, as `Authorization: Bearer`
or `X-API-Key`; what belongs to another tenant does not exist. Lists come in pages: `nextCursor` of one is `cursor` of
the next.
"""


def create_api(server: Server) -> ASGIApp:
    """The API on an open app."""
    api = FastAPI(
        title="lumeflow",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    setattr(api.state, STATE, server)
    add_handlers(api)
    # Paths with fixed words come before those in which a workflow's id stands at the same place.
    for module in (
        meta,
        keys,
        secrets,
        blocks,
        executions,
        events,
        records,
        artifacts,
        workflows,
        searches,
        tables,
        uploads,
        webhooks,
        templates,
        costs,
    ):
        api.include_router(module.api)
    add_openapi(api)
    return _with_cors(Gate(api, server), server)


def _with_cors(inner: ASGIApp, server: Server) -> ASGIApp:
    """Let browsers call from the origins that are configured; without any, from none."""
    if not server.config.cors_origins:
        return inner
    return CORSMiddleware(
        inner,
        allow_origins=list(server.config.cors_origins),
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "Last-Event-ID", "X-API-Key"],
        expose_headers=["ETag", "Location", "Retry-After", "Content-Disposition"],
        max_age=600,
    )
