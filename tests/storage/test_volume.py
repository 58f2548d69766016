"""Much data in little memory, and callers held back while much is waiting."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
from array import array

from lumeflow.core.events import Event, EventKind
from lumeflow.core.journal import RecordKind, Status
from lumeflow.storage import journal
from tests.storage.build import EXECUTION, NOON, answered, at, claim, execution, key, node_row, record

MILLION = """
import asyncio, resource, sys
from lumeflow.core.journal import KeptRecord, RecordKind
from lumeflow.storage import open_database

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

async def main(path):
    database = await open_database(path)
    low = peak()
    for start in range(0, 1_000_000, 1000):
        records = [KeptRecord("out", RecordKind.OUTPUT, n, (0, n), {"email": f"p{n}@example.com", "n": n}, None, None)
                   for n in range(start, start + 1000)]
        await database.journal.keep("e", records)
    await database.journal.flush()
    count = total = 0
    async for record in database.journal.kept("e", RecordKind.OUTPUT):
        count += 1
        total += record.data["n"]
    print(count, total == sum(range(count)), peak() - low)
    await database.close()

asyncio.run(main(sys.argv[1]))
"""


def test_a_million_records_are_kept_and_read_in_bounded_memory(tmp_path):
    command = [sys.executable, "-c", MILLION, str(tmp_path / "x.db")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    count, right, megabytes = done.stdout.split()
    assert (count, right) == ("1000000", "True")
    assert int(megabytes) < 60


async def test_keep_holds_its_caller_back_while_much_is_waiting(database, monkeypatch):
    monkeypatch.setattr(journal, "WAITING_BYTES", 100_000)
    gate = threading.Event()
    blocked = database._writer.call(lambda tx: gate.wait(10))
    heavy = [record(n, embedding=array("f", bytes(4096))) for n in range(30)]
    await asyncio.wait_for(database.journal.keep(EXECUTION, heavy[:10]), 5)
    waiting = asyncio.ensure_future(database.journal.keep(EXECUTION, heavy[10:]))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    waiting.cancel()
    gate.set()
    await blocked
    found = [one async for one in database.journal.kept(EXECUTION, RecordKind.OUTPUT)]
    assert len(found) == 30, "a caller that stops waiting takes nothing back"
    await asyncio.wait_for(database.journal.keep(EXECUTION, heavy), 5)


async def test_many_calls_at_once_share_few_commits(database):
    ledger = (await database.take(EXECUTION)).ledger
    commits = []
    await database._writer.call(
        lambda tx: tx.db.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    )
    await asyncio.gather(*(ledger.claim(claim(key(n))) for n in range(900)))
    await asyncio.gather(*(ledger.answer(key(n), answered()) for n in range(900)))
    assert len(commits) <= 4
    assert (await ledger.totals(EXECUTION)).nodes["enrich"].calls == 900


async def test_a_small_execution_takes_two_commits(database):
    commits = []
    await database._writer.call(
        lambda tx: tx.db.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    )
    commits.clear()
    lock = await database.begin(execution())
    for second in range(30):
        database.journal.note(EXECUTION, [Event(EventKind.NODE_STARTED, at(second))])
        await asyncio.sleep(0)
    await database.journal.keep(EXECUTION, [record(1)])
    await database.journal.finish(EXECUTION, Status.COMPLETED, [node_row()], completed_at=NOON, output=None, error=None)
    lock.release()
    await database.is_running(EXECUTION)
    assert len(commits) == 2
    assert len((await database.journal.timeline(EXECUTION)).events) == 30
    assert [one.position async for one in database.journal.kept(EXECUTION, RecordKind.OUTPUT)] == [1]


async def test_events_are_on_disk_soon_though_nothing_else_is_written(database, tmp_path):
    lock = await database.begin(execution())
    database.journal.note(EXECUTION, [Event(EventKind.NODE_STARTED, NOON)])
    with sqlite3.connect(tmp_path / "lumeflow.db") as db:
        for _ in range(100):
            await asyncio.sleep(0.02)
            if db.execute("SELECT count(*) FROM execution_events").fetchone() == (1,):
                break
        else:
            raise AssertionError("the event did not arrive")
    db.close()
    lock.release()
