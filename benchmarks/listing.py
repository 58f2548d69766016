"""Lists of 50 of 100,000 executions, on SQLite and on PostgreSQL. Goal: under 20 ms each."""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from lumeflow.core.journal import ExecutionFilter, Status
from lumeflow.storage import Database, open_database
from lumeflow.storage.jobs import Transaction

EXECUTIONS = 100_000
GOAL_MS = 20.0
ROUNDS = 40

_WORKFLOW = """
INSERT INTO workflows (id, workflow_id, name, version, definition, created_at, updated_at)
VALUES (?, ?, 'w', 1, '{}', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z')"""

_VERSION = """
INSERT INTO workflow_versions (workflow_id, version, digest, name, definition, is_saved, created_at)
VALUES (?, 1, 'd', 'w', '{}', TRUE, '2026-01-01T00:00:00Z')"""

_COLUMNS = "id, workflow_id, workflow_version, workflow_digest, mode, status, input_data, now, is_pinned, started_at"

_STATUS = "CASE WHEN n % 20 = 0 THEN 'failed' ELSE 'completed' END"

SQLITE = f"""
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {EXECUTIONS})
INSERT INTO workflow_executions ({_COLUMNS})
SELECT printf('e%07d', n), 'w' || (n % 50), 1, 'd', 'live', {_STATUS}, '{{}}', '2026-01-01T00:00:00.000000Z', 1,
  strftime('%Y-%m-%dT%H:%M:%S.000000Z', '2026-01-01', '+' || (n * 60) || ' seconds')
FROM numbers"""

POSTGRES = f"""
INSERT INTO workflow_executions ({_COLUMNS})
SELECT 'e' || lpad(n::text, 7, '0'), 'w' || n % 50, 1, 'd', 'live', {_STATUS}, '{{}}', '2026-01-01', true,
  timestamptz '2026-01-01Z' + n * interval '60 s'
FROM generate_series(1, {EXECUTIONS}) AS n"""

LISTS = {
    "newest": ExecutionFilter(),
    "of one workflow": ExecutionFilter(workflow_id="w7"),
    "failed": ExecutionFilter(status=Status.FAILED),
    "failed of one workflow": ExecutionFilter(workflow_id="w40", status=Status.FAILED),
    "none found": ExecutionFilter(status=Status.CANCELLED),
}


async def fill(database: Database, statement: str) -> None:
    def action(tx: Transaction) -> None:
        for number in range(50):
            name = f"w{number}"
            for text, values in ((_WORKFLOW, (name, name)), (_VERSION, (name,))):
                tx.db.execute(text.replace("'2026-01-01T00:00:00Z'", "'2026-01-01'"), values)
        tx.db.execute(statement)

    await database._writer.call(action)


async def measure(url: str, folder: Path, statement: str) -> dict[str, float]:
    """Median milliseconds by list: the first page, and one in the middle."""
    database = await open_database(url, data_dir=folder)
    await fill(database, statement)
    found: dict[str, float] = {}
    for name, chosen in LISTS.items():
        for page, before in (("first page", None), ("page in the middle", "e0050040")):
            times = []
            for _ in range(ROUNDS):
                started = time.perf_counter()
                await database.journal.list(limit=50, before=before, chosen=chosen)
                times.append((time.perf_counter() - started) * 1000)
            found[f"{name}, {page}"] = statistics.median(times)
    await database.close()
    return found


def main() -> None:
    from tests.postgres_server import PostgresServer

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        results = {"SQLite": asyncio.run(measure(str(folder / "x.db"), folder, SQLITE))}
        server = PostgresServer()
        try:
            url = server.url(server.new_database())
            results["PostgreSQL"] = asyncio.run(measure(url, folder, POSTGRES))
        finally:
            server.close()
    say(f"lists of 50 of {EXECUTIONS:,} executions, goal {GOAL_MS:.0f} ms:")
    for database, times in results.items():
        worst = max(times, key=lambda key: times[key])
        say(f"  {database}: slowest {times[worst]:.2f} ms ({worst}); median {statistics.median(times.values()):.2f} ms")


def say(*words: Any) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
