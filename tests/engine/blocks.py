"""Blocks that only tests need: they fail, wait, count, or look at their context."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from typing import Any, ClassVar

from lumeflow.plugin import (
    Block,
    BlockConfig,
    BlockContext,
    BlockType,
    CallError,
    ErrorClass,
    JsonObject,
    NodeError,
    Outcome,
    RecordError,
    Skip,
    TemplateField,
)


class EmptyConfig(BlockConfig):
    """Nothing to configure."""


class Source(Block["Source.Config"]):
    """Makes `count` numbered records, `pause` seconds apart."""

    type = BlockType.INPUT
    name = "test-source"
    when = ({"source": "numbers"},)

    class Config(BlockConfig):
        source: str
        count: int
        pause: float = 0.0
        chunk: int = 1

    def output_collection(self, incoming: str | None) -> str | None:
        return self.config.collection or "items"

    async def produce(self, ctx: BlockContext) -> AsyncIterator[Outcome]:
        for n in range(self.config.count):
            if self.config.pause and n % self.config.chunk == 0:
                await asyncio.sleep(self.config.pause)
            yield {"n": n}

    async def close(self, ctx: BlockContext) -> JsonObject:
        return {"metadata": {"made": self.config.count}}


class Work(Block["Work.Config"]):
    """Waits per record, the later the shorter, so that records overtake each other; fails those in `bad`."""

    type = BlockType.TRANSFORM
    name = "test-work"
    when = ({"operation": "work"},)
    running = 0
    most_running = 0

    class Config(BlockConfig):
        operation: str
        add: dict[str, Any] = {}
        wait: list[float] = [0.0]
        bad: list[int] = []
        skip: list[int] = []
        double: list[int] = []
        dies_at: int | None = None
        crash_at: int | None = None

    async def process(self, record: JsonObject, ctx: BlockContext) -> Outcome:
        config, n = self.config, record.get("n", 0)
        cls = type(self)
        cls.running += 1
        cls.most_running = max(cls.most_running, cls.running)
        try:
            await asyncio.sleep(config.wait[n % len(config.wait)])
        finally:
            cls.running -= 1
        if n == config.dies_at:
            raise NodeError(ErrorClass.AUTH, "the key is wrong: set TEST_KEY")
        if n == config.crash_at:
            raise ZeroDivisionError(f"secret text of {record}")
        if n in config.bad:
            raise RecordError(ErrorClass.NOT_FOUND, "no such thing")
        if n in config.skip:
            return Skip("not wanted")
        if n in config.double:
            return [{**record, "copy": 0}, {**record, "copy": 1}]
        return {**record, **config.add}


class Batcher(Block["Batcher.Config"]):
    """Notes which batch each record was in."""

    type = BlockType.TRANSFORM
    name = "test-batcher"
    when = ({"operation": "batches"},)

    class Config(BlockConfig):
        operation: str
        batch_size: int = 3
        only_even: bool = False
        only: list[int] | None = None

    def applies(self, record: JsonObject, ctx: BlockContext) -> bool:
        if self.config.only is not None:
            return record["n"] in self.config.only
        return not self.config.only_even or record["n"] % 2 == 0

    async def process_batch(self, records: Sequence[JsonObject], ctx: BlockContext) -> list[Outcome]:
        await asyncio.sleep(0.001 * (5 - records[0]["n"] % 5))
        members = [record["n"] for record in records]
        return [{**record, "batch": members, "position": ctx.position} for record in records]


class Plain(Block["Plain.Config"]):
    """A synchronous block."""

    type = BlockType.TRANSFORM
    name = "test-plain"
    when = ({"operation": "plain"},)

    class Config(BlockConfig):
        operation: str
        set: TemplateField

    def process(self, record: JsonObject, ctx: BlockContext) -> Outcome:
        return {**record, "set": ctx.render(self.config.set)}


class Nothing(Block[EmptyConfig]):
    """Does nothing, synchronously."""

    type = BlockType.TRANSFORM
    name = "test-nothing"
    when = ({"operation": "nothing"},)

    class Config(BlockConfig):
        operation: str

    def process(self, record: JsonObject, ctx: BlockContext) -> Outcome:
        return record


class Collect(Block[EmptyConfig]):
    """An output that reports how many records reached it."""

    type = BlockType.OUTPUT
    name = "test-collect"
    when = ({"destination": "test"},)

    class Config(BlockConfig):
        destination: str
        metadata: TemplateField | None = None

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.count = 0

    async def process_batch(self, records: Sequence[JsonObject], ctx: BlockContext) -> list[Outcome]:
        self.count += len(records)
        return list(records)

    async def close(self, ctx: BlockContext) -> JsonObject:
        seen = {"metadata": ctx.render(self.config.metadata)} if self.config.metadata else {}
        return {"count": self.count, **seen}


ALL = (Source, Work, Batcher, Plain, Nothing, Collect)


class Raiser(Block["Raiser.Config"]):
    """Raises in the phase that its configuration names."""

    type = BlockType.TRANSFORM
    name = "test-raiser"
    when = ({"operation": "raise"},)

    class Config(BlockConfig):
        operation: str
        phase: str
        kind: str = "bug"

    def _raise(self, phase: str) -> None:
        if phase == self.config.phase:
            raise {
                "bug": ZeroDivisionError("private text"),
                "timeout": TimeoutError(),
                "auth": CallError(ErrorClass.AUTH, "set TEST_KEY", operation="test/call"),
                "record": RecordError(ErrorClass.NOT_FOUND, "not there"),
            }[self.config.kind]

    async def open(self, ctx: BlockContext) -> JsonObject:
        self._raise("open")
        return {}

    async def process(self, record: JsonObject, ctx: BlockContext) -> Outcome:
        self._raise("process")
        return record

    async def close(self, ctx: BlockContext) -> JsonObject:
        self._raise("close")
        return {}


class Odd(Block["Odd.Config"]):
    """Returns what no block should return."""

    type = BlockType.TRANSFORM
    name = "test-odd"
    when = ({"operation": "odd"},)

    class Config(BlockConfig):
        operation: str
        returns: str

    async def process(self, record: JsonObject, ctx: BlockContext) -> Any:
        return {
            "nothing": None,
            "number": 7,
            "set": {**record, "tags": {1, 2}},
            "children": [{**record, "child": 0}, "no record"],
        }[self.config.returns]


class Stages(Block["Stages.Config"]):
    """A source whose fields change between its beginning and its end."""

    type = BlockType.INPUT
    name = "test-stages"
    when = ({"source": "stages"},)

    class Config(BlockConfig):
        source: str
        count: int = 2
        pause: float = 0.0

    async def open(self, ctx: BlockContext) -> JsonObject:
        return {"stage": "begun", "metadata": {"made": 0}}

    async def produce(self, ctx: BlockContext) -> AsyncIterator[Outcome]:
        for n in range(self.config.count):
            await asyncio.sleep(self.config.pause)
            yield {"n": n}

    async def close(self, ctx: BlockContext) -> JsonObject:
        return {"stage": "ended", "metadata": {"made": self.config.count}}


class Moody(Block["Moody.Config"]):
    """Fails the records in `down`, which a test changes between two runs, as a vendor's trouble comes and goes."""

    type = BlockType.TRANSFORM
    name = "test-moody"
    when = ({"operation": "moody"},)
    down: ClassVar[set[int]] = set()

    class Config(BlockConfig):
        operation: str

    async def process(self, record: JsonObject, ctx: BlockContext) -> Outcome:
        if record["n"] in self.down:
            raise RecordError(ErrorClass.SERVER_ERROR, "the vendor was down")
        return record


class Stuck(Block[EmptyConfig]):
    """A synchronous block that does not return before it is told to."""

    type = BlockType.TRANSFORM
    name = "test-stuck"
    when = ({"operation": "stuck"},)
    go = threading.Event()

    class Config(BlockConfig):
        operation: str

    def process(self, record: JsonObject, ctx: BlockContext) -> Outcome:
        self.go.wait()
        return record


ALL = (*ALL, Raiser, Odd, Stages, Moody, Stuck)
