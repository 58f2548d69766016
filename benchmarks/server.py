"""`lumeflow serve` from outside, over HTTP: what it adds to an execution, a crowd of executions, long lists.

python -m benchmarks.server [costs|crowd|lists …]     default: all three
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import listing
from benchmarks.crowd import crowd
from benchmarks.direct import SETTLE, direct
from benchmarks.served import EXECUTE, EXECUTIONS, INPUT, Served, percentile, say, serving
from benchmarks.simulator import reset, simulator
from benchmarks.wire import Wire
from lumeflow.storage import open_database

ROUNDS = {60: 7, 150: 5, 1000: 3}
"""Comments, and how often each way takes its turn at them."""
GOAL_RATIO = 1.1

GOAL_LIST_MS = 20
LIST_ROUNDS = 200
LISTS = {
    "newest": EXECUTIONS,
    "failed": f"{EXECUTIONS}?status=failed",
    "of one workflow": "/api/workflows/w7/executions",
    "failed of one workflow": "/api/workflows/w40/executions?status=failed",
}


def costs() -> None:
    """The same execution by the server, by the Python API as `lumeflow run` uses it, and by `SEARCH`."""
    say("\none execution through the server, at the vendors' rates, the three ways in turn:")
    with tempfile.TemporaryDirectory() as folder, simulator() as address:
        places = {name: Path(folder) / name for name in ("direct", "server")}
        with direct(address, places["direct"]) as alone:
            urls = ["https://www.instagram.com/p/Cbench0/"]
            with serving(places["server"], ["default"], urls, "--simulator", address) as served:
                wire = Wire(served.url)
                for comments, rounds in ROUNDS.items():
                    reset(address, {"commentsPerUrl": comments})
                    found: dict[str, list[dict[str, Any]]] = {"workflow": [], "search": [], "server": []}
                    for number in range(rounds + 1):
                        for name, taken in found.items():
                            reset(address, {"commentsPerUrl": comments})
                            took = by_server(served, wire) if name == "server" else alone.take(name, urls)
                            if number:  # the first one warms up
                                taken.append(took)
                    compare(comments, found)
                wire.close()


def by_server(served: Served, wire: Wire) -> dict[str, Any]:
    cpu, begin = served.cpu(), time.perf_counter()
    key = served.keys["default"]
    answer = wire.ask("POST", f"{EXECUTE}?wait=60", key, {"input": INPUT})
    wall = time.perf_counter() - begin
    assert answer.status == 200, answer
    assert answer.body["status"] == "completed", answer.body
    time.sleep(SETTLE)
    return {"wall": wall, "cpu": served.cpu() - cpu, "output": answer.body["output"]}


def compare(comments: int, found: dict[str, list[dict[str, Any]]]) -> None:
    outputs = {took["output"]["contactsCount"] for taken in found.values() for took in taken}
    assert len(outputs) == 1, outputs
    say(f"  {comments} comments (goal: at most {GOAL_RATIO} of the faster other way)")
    for what, name in (("wall", "wall time"), ("cpu", "processor time")):
        best = {way: min(took[what] for took in taken) for way, taken in found.items()}
        others = "; ".join(
            f"{best['server'] / best[way]:.2f} of {title}'s {best[way]:.3f} s"
            f" (median of pairs {_median_of_pairs(found['server'], found[way], what):.2f})"
            for way, title in (("workflow", "run"), ("search", "SEARCH"))
        )
        say(f"    {name} {best['server']:.3f} s = {others}")


def _median_of_pairs(mine: list[dict[str, Any]], theirs: list[dict[str, Any]], what: str) -> float:
    return statistics.median(a[what] / b[what] for a, b in zip(mine, theirs, strict=True))


def lists() -> None:
    """Pages of 50 of 100,000 executions, on both databases."""
    from tests.postgres_server import PostgresServer

    say(f"\nlists of 50 of {listing.EXECUTIONS:,} executions over HTTP (goal: under {GOAL_LIST_MS} ms):")
    with tempfile.TemporaryDirectory() as folder:
        _lists("SQLite", Path(folder), None, listing.SQLITE)
        server = PostgresServer()
        try:
            _lists("PostgreSQL", Path(folder), server.url(server.new_database()), listing.POSTGRES)
        finally:
            server.close()


def _lists(name: str, folder: Path, db: str | None, statement: str) -> None:
    asyncio.run(_fill(folder, db, statement))
    with serving(folder, ["default"], [], db=db) as served:
        wire = Wire(served.url)
        found = {title: _page_times(wire, served.keys["default"], path) for title, path in LISTS.items()}
        wire.close()
    worst = max(found, key=lambda title: statistics.median(found[title]))
    middle, p99 = (statistics.median(found[worst]), percentile(found[worst], 0.99))
    say(f"  {name}: slowest {middle:.1f} ms, 99th percentile {p99:.1f} ms ({worst})")


def _page_times(wire: Wire, key: str, path: str) -> list[float]:
    """Milliseconds of pages, on from the first."""
    times, cursor = [], ""
    for _ in range(LIST_ROUNDS):
        answer = wire.ask("GET", f"{path}{'&' if '?' in path else '?'}limit=50{cursor}", key)
        assert answer.status == 200, answer
        times.append(answer.seconds * 1000)
        following = answer.body["nextCursor"]
        cursor = f"&cursor={following}" if following else ""
    return times


async def _fill(folder: Path, db: str | None, statement: str) -> None:
    database = await open_database(db, data_dir=folder)
    await listing.fill(database, statement)
    await database.close()


PARTS = {"costs": costs, "crowd": crowd, "lists": lists}


def main() -> None:
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    main()
