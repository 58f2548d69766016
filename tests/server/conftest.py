"""A server on a free port of this machine, and clients of two tenants."""

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import httpx2
import pytest

from lumeflow.app import App
from lumeflow.server.config import ServerConfig
from lumeflow.server.keys import Scope, make_key
from lumeflow.server.run import serve
from lumeflow.service import ServiceSettings, open_service
from lumeflow.settings import Settings

ALL = tuple(Scope)


@dataclass
class Site:
    """A running server.

    Attributes:
        app: The app behind it.
        url: Its address.
    """

    app: App
    url: str
    _clients: list[httpx2.AsyncClient]

    async def key(self, tenant="default", scopes=ALL, **more) -> str:
        at = datetime.now(UTC)
        key, _ = await make_key(self.app.database.of(tenant), name="test", scopes=scopes, at=at, **more)
        return key

    async def client(self, tenant="default", scopes=ALL) -> httpx2.AsyncClient:
        headers = {"Authorization": f"Bearer {await self.key(tenant, scopes)}"}
        return self.anonymous(headers=headers)

    def anonymous(self, **more) -> httpx2.AsyncClient:
        self._clients.append(httpx2.AsyncClient(base_url=self.url, timeout=20, **more))
        return self._clients[-1]


@asynccontextmanager
async def a_site(folder, config=None, **settings):
    config = replace(config or ServerConfig(), port=0)
    settings = {"confined": True, **settings}
    async with (
        open_service(Settings(data_dir=folder, **settings), ServiceSettings(poll=0.05)) as service,
        serve(service, config) as running,
    ):
        site = Site(service.app, running.url, [])
        try:
            yield site
        finally:
            for client in site._clients:
                await client.aclose()


@pytest.fixture
async def site(tmp_path):
    async with a_site(tmp_path) as site:
        yield site


@pytest.fixture
async def client(site):
    return await site.client()
