"""Runs blocks that need all records over many of them in a process of its own, and prints by how much that made it grow.

python large_collections.py CASE RECORDS
"""

import asyncio
import json
import resource
import sys

from lumeflow.blocks.merge.join import JoinMerge
from lumeflow.blocks.transform.deduplicate import Deduplicate
from lumeflow.blocks.transform.deduplicate_best import DeduplicateBest
from lumeflow.plugin import Record, Whole
from lumeflow.testing import MemoryContext

AT_ONCE = 1000


class Made:
    """Records that are made each time they are read. Every second one is a double of the one before it."""

    def __init__(self, count):
        self._count = count

    def __iter__(self):
        return (Record(record(number), (0, number)) for number in range(self._count))


def record(number):
    return {"id": number // 2, "email": f"person{number // 2}@example.com", "note": f"note {number} " * 30}


async def whole(block_class, config, count, sources):
    block = block_class(block_class.Config.model_validate(config))
    ctx = MemoryContext()
    payloads = {source: Whole({}, "rows", Made(count)) for source in sources}
    made = await block.run(payloads, ctx)
    found = sum(1 for _ in made.records)
    await block.close(ctx)
    return found


async def first(count):
    block = Deduplicate(Deduplicate.Config.model_validate({"operation": "deduplicate", "keys": ["email"]}))
    ctx = MemoryContext()
    found = 0
    for start in range(0, count, AT_ONCE):
        rows = [record(number) for number in range(start, start + AT_ONCE)]
        found += sum(isinstance(outcome, dict) for outcome in block.process_batch(rows, ctx))
    await block.close(ctx)
    return found


async def run(case, count):
    if case == "first":
        return await first(count)
    if case == "join":
        config = {"strategy": "join", "sources": ["a", "b"], "keys": ["id"], "several": "first"}
        return await whole(JoinMerge, config, count, ["a", "b"])
    config = {"operation": "deduplicate", "keys": ["email"], "keep": case}
    return await whole(DeduplicateBest, config, count, ["in"])


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def main(case, count):
    await run(case, 12 * AT_ONCE)
    before = peak()
    found = await run(case, count)
    sys.stdout.write(json.dumps({"found": found, "megabytes": peak() - before}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
