"""The same over real HTTP: one address for all vendors, lost answers as real connections see them, clean stops."""

import asyncio
import io
import signal
import subprocess
import sys
import time

import aiohttp
import pytest

from lumeflow.simulator import SIMULATOR_KEY, SimulatorSettings
from lumeflow.simulator.server import serve

HEADERS = {"Authorization": f"Bearer {SIMULATOR_KEY}", "X-Api-Key": SIMULATOR_KEY}
FINDER = "/v2/email-finder?domain=example.com&full_name=Mira+Holt"
MATCH = "/api/v1/people/match"


@pytest.fixture
async def serving():
    running = []

    async def start(**settings):
        simulator = await serve(SimulatorSettings(**{"latency_scale": 0, **settings}))
        session = aiohttp.ClientSession(simulator.url, headers=HEADERS)
        running.append((simulator, session))
        return simulator, session

    yield start
    for simulator, session in running:
        await session.close()
        await simulator.close()


async def test_one_address_serves_all_vendors(serving):
    simulator, http = await serving()
    assert simulator.url == f"http://127.0.0.1:{simulator.port}"
    run = {"directUrls": ["https://www.instagram.com/p/CexampleA1b/"], "resultsLimit": 5}
    async with http.post("/v2/actors/apify~instagram-comment-scraper/runs", json=run) as answer:
        assert answer.status == 201
        dataset = (await answer.json())["data"]["defaultDatasetId"]
    async with http.get(f"/v2/datasets/{dataset}/items?limit=2") as answer:
        assert answer.headers["X-Apify-Pagination-Total"] == "5"
        assert len(await answer.json()) == 2
    async with http.post(MATCH, json={"email": "mira@example.com"}) as answer:
        assert answer.headers["x-rate-limit-minute"] == "1000"
    async with http.get(FINDER) as answer:
        assert answer.status in {200, 404}
    async with http.post(
        "/v1/embeddings", json={"model": "mixedbread-ai/mxbai-embed-large-v1", "input": "a"}
    ) as answer:
        assert len((await answer.json())["data"][0]["embedding"]) == 1024
    chat = {"model": "openai/gpt-5-mini", "messages": [{"role": "user", "content": "Hi"}]}
    async with http.post("/api/v1/chat/completions", json=chat) as answer:
        assert (await answer.json())["choices"][0]["finish_reason"] == "stop"
    async with http.get("/_simulator/bill") as answer:
        assert (await answer.json())["totals"]["calls"] == 6


async def test_over_http_and_in_process_give_the_same_bytes(serving, make):
    _, http = await serving()
    async with http.get(FINDER) as answer:
        over_http = (answer.status, await answer.read())
    in_process = await make().get(FINDER)
    assert over_http == (in_process.status, in_process.body)


async def test_settings_and_reset_over_http(serving):
    _, http = await serving()
    async with http.post("/_simulator/reset", json={"seed": 5}) as answer:
        assert (await answer.json())["seed"] == 5
    async with http.get("/_simulator/settings") as answer:
        assert (await answer.json())["seed"] == 5


@pytest.mark.parametrize("kind", ["cut_answer", "cut_connection"])
async def test_a_cut_connection(serving, kind):
    simulator, http = await serving(fault_rate=1.0, fault_kinds=(kind,))
    with pytest.raises((aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)) as error:
        async with http.post(MATCH, json={"email": "mira@example.com"}) as answer:
            await answer.read()
    assert isinstance(error.value, aiohttp.ClientPayloadError) is (kind == "cut_answer")
    assert simulator.simulator.bill()["providers"]["apollo"]["lostAnswers"] == 1
    for _ in range(2):
        try:
            async with http.post(MATCH, json={"email": "mira@example.com"}) as answer:
                await answer.read()
                status = answer.status
        except aiohttp.ClientError:
            status = None
    assert status == 200


async def test_a_hanging_answer_outlasts_the_client(serving):
    simulator, http = await serving(fault_rate=1.0, fault_kinds=("hang",))
    with pytest.raises(TimeoutError):
        await http.get(FINDER, timeout=aiohttp.ClientTimeout(0.1))
    hunter = simulator.simulator.bill()["providers"]["hunter"]
    assert (hunter["answered"], hunter["lostAnswers"]) == (1, 1)


async def test_malformed_json_arrives_as_a_whole_answer(serving):
    _, http = await serving(fault_rate=1.0, fault_kinds=("malformed",))
    async with http.post(MATCH, json={"email": "mira@example.com"}) as answer:
        body = await answer.read()
        assert answer.status == 200
    assert body.startswith(b"{")
    assert not body.endswith(b"}")


async def test_limits_hold_under_many_connections(serving):
    simulator, http = await serving(limits={"hunter": [(20, 0.5)]})
    statuses = []

    async def caller(number):
        for turn in range(10):
            async with http.get(f"/v2/email-finder?domain=example.com&full_name=Mira+Holt{number}x{turn}") as answer:
                statuses.append(answer.status)

    await asyncio.gather(*(caller(number) for number in range(20)))
    hunter = simulator.simulator.bill()["providers"]["hunter"]
    assert len(statuses) == hunter["calls"] == 200
    assert hunter["rateLimited"] == statuses.count(403) > 0
    assert max(line["maxInSlidingWindow"] for line in hunter["limits"]) <= 20


async def test_a_body_over_nine_megabytes_reaches_the_vendor(serving):
    _, http = await serving()
    large = io.BytesIO(b" " * 9_437_185)
    async with http.post("/v2/actors/apify~instagram-comment-scraper/runs", data=large) as answer:
        assert (answer.status, (await answer.json())["error"]["type"]) == (413, "request-too-large")


async def test_closing_does_not_wait_for_hanging_answers(serving):
    simulator, http = await serving(fault_rate=1.0, fault_kinds=("hang",))
    call = asyncio.create_task(http.get(FINDER))
    await asyncio.sleep(0.1)
    started = time.monotonic()
    await simulator.close()
    assert time.monotonic() - started < 5
    with pytest.raises(aiohttp.ClientError):
        await call


async def test_a_taken_port_is_an_error(serving):
    simulator, _ = await serving()
    with pytest.raises(OSError, match="ddress already in use"):
        await serve(SimulatorSettings(), port=simulator.port)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_blocking_server_says_where_it_listens_and_stops_cleanly(number):
    code = "from lumeflow.simulator.server import run_server; run_server()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(number)
        rest, errors = process.communicate(timeout=20)
    assert line.startswith("simulator listening on http://127.0.0.1:")
    assert (process.returncode, rest, errors) == (0, "", "")
