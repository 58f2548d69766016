"""A simulator on a clock that the tests move, and a short way to ask it something."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from lumeflow.core.http import HttpRequest, HttpResponse
from lumeflow.simulator import SIMULATOR_KEY, Simulator, SimulatorSettings

KEYS = {
    "Authorization": f"Bearer {SIMULATOR_KEY}",
    "x-api-key": SIMULATOR_KEY,
    "anthropic-version": "2023-06-01",
}


class ManualClock:
    """Stands still until it is moved; whoever sleeps moves it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def seconds(self) -> float:
        return self.now

    def date(self) -> datetime:
        return datetime(2026, 3, 6, 10, tzinfo=UTC) + timedelta(seconds=self.now - 1000)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


class Asker:
    """A simulator with the keys at hand."""

    def __init__(self, settings: SimulatorSettings, clock: ManualClock) -> None:
        self.simulator = Simulator(settings, clock)
        self.clock = clock

    async def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        raw = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        sent = KEYS if headers is None else headers
        response: HttpResponse = await self.simulator.handle(
            HttpRequest(method, f"https://any.example{path}", sent, raw)
        )
        return Answer(response.status, dict(response.headers), response.body)

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.ask("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return await self.ask("POST", path, body, **options)

    def bill(self, provider: str) -> dict[str, Any]:
        return self.simulator.bill()["providers"][provider]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def make(clock):
    """Makes an `Asker`; without latency unless a test wants some."""

    def made(**settings: Any) -> Asker:
        return Asker(replace(SimulatorSettings(latency_scale=0), **settings), clock)

    return made


@pytest.fixture
def sim(make) -> Asker:
    return make()


@pytest.fixture
def lost_answers():
    """Asks and gives None for a lost answer."""
    from lumeflow.simulator import AnswerCut

    async def ask(asker: Asker, *args: Any, **options: Any) -> Answer | None:
        try:
            return await asker.ask(*args, **options)
        except AnswerCut:
            return None

    return ask
