"""A service on each database, and the workflows that it is tried with."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from lumeflow import Settings, open_app
from lumeflow.service import ExecutionService, ServiceSettings

FAST = {"poll": 0.05, "recover": 0.2}

Open = Callable[..., AbstractAsyncContextManager[ExecutionService]]


def greeting(workflow_id="greeting"):
    """A workflow that needs nobody: ends within milliseconds."""
    greet = {"type": "map", "field": "text", "transformation": "Hello {{input.name}}"}
    return {
        "workflowId": workflow_id,
        "name": "Greeting",
        "nodes": [
            {"id": "in", "type": "input", "config": {"source": "api"}},
            {"id": "greet", "type": "transform", "config": {"operations": [greet]}},
            {"id": "out", "type": "output", "config": {"destination": "json"}},
        ],
        "edges": [{"source": "in", "target": "greet"}, {"source": "greet", "target": "out"}],
    }


PEOPLE = {"people": [{"name": "Mira"}, {"name": "Tomás"}]}


@pytest.fixture(params=["sqlite", "postgres"])
def db(request, tmp_path) -> str:
    """URL of an empty database."""
    if request.param == "sqlite":
        return str(tmp_path / "lumeflow.db")
    return request.getfixturevalue("new_postgres")()


@pytest.fixture
def open_service(db, tmp_path) -> Open:
    """Opens an application with its service on the database, as a process of its own would; not started."""

    @asynccontextmanager
    async def opened(*, latency: float = 0.0, **settings) -> AsyncIterator[ExecutionService]:
        async with open_app(Settings(data_dir=tmp_path, db=db, demo_latency=latency)) as app:
            service = ExecutionService(app, ServiceSettings(**{**FAST, **settings}))
            try:
                yield service
            finally:
                await service.stop()

    return opened
