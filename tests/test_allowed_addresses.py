"""How an operator allows addresses in private networks."""

import pytest

from lumeflow import Settings
from lumeflow.app import open_app
from lumeflow.core.errors import UsageError
from tests.gateway.test_transport import Server

WORKFLOW = {
    "workflowId": "w",
    "name": "w",
    "nodes": [
        {"id": "in", "type": "input", "config": {"source": "static", "data": {"people": [{"n": 1}]}}},
        {
            "id": "ask",
            "type": "api",
            "config": {"provider": "http", "url": "{{variables.base}}/x", "answerType": "text", "saveAs": "said"},
        },
        {"id": "out", "type": "output", "config": {"destination": "json", "path": "out.json"}},
    ],
    "edges": [{"source": "in", "target": "ask"}, {"source": "ask", "target": "out"}],
}


@pytest.fixture
async def server():
    server = Server()
    await server.start()
    yield server
    await server.stop()


async def said(tmp_path, server, **environ):
    settings = Settings.from_environment(
        {"LUMEFLOW_DATA_DIR": str(tmp_path), "LUMEFLOW_DB": "sqlite:///:memory:", **environ}
    )
    async with open_app(settings) as app:
        result = await app.execute(WORKFLOW, {}, variables={"base": server.url}, execution_id="x")
        return [record.get("said") async for record in app.output_records("x")], result.failed_records


async def test_nothing_is_allowed_unless_it_is_named(tmp_path, server):
    records, failed = await said(tmp_path, server)
    assert (records, len(failed), server.seen) == ([], 1, [])


@pytest.mark.parametrize("allowed", ["127.0.0.1", "10.0.0.0/8, 127.0.0.0/8", "other.example 127.0.0.1"])
async def test_what_is_named_is_called(tmp_path, server, allowed):
    records, failed = await said(tmp_path, server, LUMEFLOW_ALLOWED_ADDRESSES=allowed)
    assert (records, failed, server.seen) == (["hello"], [], ["GET /x"])


async def test_a_redirect_into_the_network_is_not_followed(tmp_path, server):
    from aiohttp import web

    async def inward(request):
        return web.Response(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data/"})

    server.handle = inward
    records, failed = await said(tmp_path, server, LUMEFLOW_ALLOWED_ADDRESSES="127.0.0.1/32")
    assert (records, len(failed), server.seen) == ([], 1, ["GET /x"])
    assert "redirect that is not followed" in failed[0].reason


async def test_an_entry_that_cannot_be_read_is_told(tmp_path, server):
    with pytest.raises(UsageError, match="LUMEFLOW_ALLOWED_ADDRESSES"):
        await said(tmp_path, server, LUMEFLOW_ALLOWED_ADDRESSES="10.0.0.0/99")
