"""Runs one contender in a process of its own and prints what it took, as JSON.

python -m benchmarks.contender hardcoded|handwritten|workflow COMMENTS SIMULATOR DATABASE
"""

import asyncio
import os
import resource
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import orjson

URLS = [f"https://www.instagram.com/p/Cbench{number}/" for number in range(1000)]


def read(address: str) -> Any:
    with urllib.request.urlopen(address) as answer:
        return orjson.loads(answer.read())


async def by_hand(name: str, comments: int, simulator: str, database: str) -> dict[str, Any]:
    import aiohttp

    from benchmarks import handwritten, hardcoded
    from benchmarks.pipeline import Rate, Steps

    module = {"hardcoded": hardcoded, "handwritten": handwritten}[name]
    limits = read(simulator + "/_simulator/settings")["limits"]
    names = {"openrouter": "chat-free", "apollo": "people-match", "hunter": "email-finder", "mixedbread": "embeddings"}
    rates = {
        vendor: Rate(entry["calls"], entry["seconds"])
        for vendor, operation in names.items()
        for entry in limits[vendor][f"{vendor}/{operation}"]
    }
    begin = Meter()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=200)) as session:
        steps = Steps(session, simulator, rates)
        contacts = await module.run(steps, URLS[: comments // 1000], database)
    return {"contacts": contacts, "firstStored": steps.first_stored, **begin.read()}


async def by_workflow(comments: int, simulator: str, database: str) -> dict[str, Any]:
    from lumeflow import workflows
    from lumeflow.app import open_app
    from lumeflow.settings import Settings

    settings = Settings(data_dir=Path(database).parent, db=database, simulator_url=simulator)
    async with open_app(settings) as app:
        row = {"id": "bench", "name": "bench", "type": "instagram", "urls": URLS[: comments // 1000]}
        await app.database.tables.upsert("source_audiences", [row], key=["id"])
        first: list[float] = []

        def watch(progress: Any) -> None:
            if not first and progress.nodes[-1].records_out:
                first.append(progress.elapsed)

        begin = Meter()
        result = await app.execute(
            workflows.source("lead-enrichment-v1"), {"sourceAudienceId": "bench"}, on_progress=watch
        )
        took = begin.read()
    if result.status != "completed" or result.failed_records:
        raise SystemExit(f"the workflow ended as {result.status}: {result.error}")
    return {
        "contacts": result.output["contactsCount"],
        "firstStored": first[0] if first else None,
        "charged": str(result.cost.total_cost),
        **took,
    }


class Meter:
    """Wall and processor time of this process from here on."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {
            "wall": time.perf_counter() - self.wall,
            "cpu": time.process_time() - self.cpu,
            "peakMb": peak / (1 << 20 if sys.platform == "darwin" else 1 << 10),
        }


def main() -> None:
    name, comments, simulator, database = sys.argv[1:]
    work = by_workflow if name == "workflow" else None
    made = asyncio.run(
        work(int(comments), simulator, database) if work else by_hand(name, int(comments), simulator, database)
    )
    os.write(1, orjson.dumps(made))


if __name__ == "__main__":
    main()
