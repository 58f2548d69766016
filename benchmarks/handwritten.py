"""(b) A streaming pipeline by hand: a queue and workers for each step. No engine, no ledger, no order, no retries."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from benchmarks.pipeline import STORE, Steps, is_valid, row

Queue = asyncio.Queue[Any]
END = object()


async def run(steps: Steps, urls: list[str], database: str) -> int:
    comments, contacts, enriched, found, ready = (asyncio.Queue(1000) for _ in range(5))
    stages = [
        _scrape(steps, urls, comments),
        _stage(_batches(comments, 50), contacts, steps.extract, 32, many=True),
        _stage(_singles(contacts), enriched, steps.enrich, 100),
        _stage(_singles(enriched), found, steps.find, 100),
        _stage(_batches(found, 10, is_valid), ready, steps.embed, 32, many=True),
    ]
    async with asyncio.TaskGroup() as group:
        for stage in stages:
            group.create_task(stage)
        return await _store(steps, ready, database)


async def _scrape(steps: Steps, urls: list[str], out: Queue) -> None:
    run_id, dataset = await steps.start(urls)
    offset, over = 0, False
    while True:
        page = await steps.page(dataset, offset)
        offset += len(page)
        for comment in page:
            await out.put(comment)
        if not page and over:
            break
        if not page:
            over = await steps.is_over(run_id)
    await out.put(END)


async def _singles(source: Queue) -> AsyncIterator[Any]:
    while (thing := await source.get()) is not END:
        yield thing


async def _batches(source: Queue, size: int, wanted: Callable[[Any], bool] = bool) -> AsyncIterator[Any]:
    batch: list[Any] = []
    while (thing := await source.get()) is not END:
        if wanted(thing):
            batch.append(thing)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


async def _stage(
    source: AsyncIterator[Any], out: Queue, work: Callable[[Any], Awaitable[Any]], at_once: int, *, many: bool = False
) -> None:
    limit = asyncio.Semaphore(at_once)

    async def one(thing: Any) -> None:
        made = await work(thing)
        limit.release()
        for item in made if many else (made,):
            await out.put(item)

    async with asyncio.TaskGroup() as group:
        async for thing in source:
            await limit.acquire()
            group.create_task(one(thing))
    await out.put(END)


async def _store(steps: Steps, ready: Queue, database: str) -> int:
    db = sqlite3.connect(database)
    db.execute("pragma journal_mode=wal")
    db.execute(STORE)
    count = 0
    ended = False
    while not ended:
        rows = [await ready.get()]
        while not ready.empty():
            rows.append(ready.get_nowait())
        ended = rows[-1] is END
        with db:
            db.executemany(
                "insert into contacts values(?, ?, ?)",
                [(count + at, *row(c)) for at, c in enumerate(rows) if c is not END],
            )
        count += len(rows) - ended
        steps.stored()
    db.close()
    return count
