"""Who is asking: a tenant's key, and what the endpoints need besides."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer

from lumeflow.app import App
from lumeflow.core.clock import Clock, SystemClock
from lumeflow.server.config import ServerConfig
from lumeflow.server.keys import Scope
from lumeflow.server.problems import Problem
from lumeflow.server.streams import Streams
from lumeflow.service import ExecutionService
from lumeflow.storage import Database
from lumeflow.storage.repositories.api_keys import ApiKey

_BEARER = HTTPBearer(auto_error=False, scheme_name="bearer", description="`Authorization: Bearer lf_…`")
_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, scheme_name="apiKey", description="`X-API-Key: lf_…`")
STATE = "lumeflow"
_TRIALS = 8
"""Tests of single blocks at once; the others wait."""


@dataclass(slots=True)
class Server:
    """What all endpoints share.

    Attributes:
        service: Runs executions.
        config: The server's settings.
        clock: The time.
        streams: Who watches how many executions.
        trials: Held by tests of single blocks: each has a database and a transport of its own.
    """

    service: ExecutionService
    config: ServerConfig
    clock: Clock = field(default_factory=SystemClock)
    streams: Streams = field(init=False)
    trials: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.streams = Streams(self.config.streams)
        self.trials = asyncio.Semaphore(_TRIALS)

    @property
    def app(self) -> App:
        """The application, as the installation's own tenant sees it."""
        return self.service.app


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        server: What all endpoints share.
        key: The key that came with the request.
        database: The database as the key's tenant sees it.
    """

    server: Server
    key: ApiKey
    database: Database

    @property
    def tenant(self) -> str:
        """Whose key it is."""
        return self.database.tenant

    @property
    def app(self) -> App:
        """The application, as this tenant sees it."""
        return self.server.app.of(self.tenant)

    @property
    def service(self) -> ExecutionService:
        """What runs executions."""
        return self.server.service

    @property
    def now(self) -> datetime:
        """The time."""
        return self.server.clock.now()

    def may(self, scope: Scope) -> bool:
        """True if the key allows it."""
        return scope in self.key.scopes or Scope.ADMIN in self.key.scopes

    def need(self, scope: Scope) -> None:
        """Go on only if the key allows it.

        Raises:
            Problem: It does not.
        """
        if not self.may(scope):
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "missing-scope",
                f"the key '{self.key.prefix}…' has not the scope '{scope}': ask for one that has",
            )


def server_of(request: Request) -> Server:
    """What all endpoints share."""
    server: Server = getattr(request.app.state, STATE)
    return server


def _needs(scope: Scope) -> Callable[..., Awaitable[Caller]]:
    async def caller(
        request: Request, bearer: Annotated[Any, Security(_BEARER)], header: Annotated[Any, Security(_HEADER)]
    ) -> Caller:
        # The gate has read the key; the two parameters are there for the OpenAPI document.
        del bearer, header
        found: Caller = request.scope["state"]["caller"]
        found.need(scope)
        return found

    return caller


Reader = Annotated[Caller, Security(_needs(Scope.READ), scopes=[str(Scope.READ)])]
Writer = Annotated[Caller, Security(_needs(Scope.WRITE), scopes=[str(Scope.WRITE)])]
Executor = Annotated[Caller, Security(_needs(Scope.EXECUTE), scopes=[str(Scope.EXECUTE)])]
Keeper = Annotated[Caller, Security(_needs(Scope.SECRETS), scopes=[str(Scope.SECRETS)])]
Admin = Annotated[Caller, Security(_needs(Scope.ADMIN), scopes=[str(Scope.ADMIN)])]
