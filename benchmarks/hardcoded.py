"""(a) The old way: six steps one after the other, each with `gather` and a semaphore."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from benchmarks.pipeline import STORE, Steps, is_valid, row


async def _all(work: Callable[[Any], Awaitable[Any]], things: Sequence[Any], at_once: int = 50) -> list[Any]:
    limit = asyncio.Semaphore(at_once)

    async def one(thing: Any) -> Any:
        async with limit:
            return await work(thing)

    return await asyncio.gather(*(one(thing) for thing in things))


async def run(steps: Steps, urls: list[str], database: str) -> int:
    run_id, dataset = await steps.start(urls)
    while not await steps.is_over(run_id):
        pass
    comments: list[Any] = []
    while page := await steps.page(dataset, len(comments)):
        comments += page
    batches = [comments[at : at + 50] for at in range(0, len(comments), 50)]
    contacts = [contact for found in await _all(steps.extract, batches) for contact in found]
    contacts = await _all(steps.enrich, contacts)
    contacts = await _all(steps.find, contacts)
    contacts = [contact for contact in contacts if is_valid(contact)]
    tens = [contacts[at : at + 10] for at in range(0, len(contacts), 10)]
    contacts = [contact for found in await _all(steps.embed, tens) for contact in found]
    with sqlite3.connect(database) as db:
        db.execute(STORE)
        db.executemany("insert into contacts values(?, ?, ?)", [(at, *row(c)) for at, c in enumerate(contacts)])
    steps.stored()
    return len(contacts)
