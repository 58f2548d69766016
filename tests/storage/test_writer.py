"""The writer thread: many jobs to a commit, and nothing reported that is not on disk."""

import asyncio
import sqlite3
import threading

import pytest

from lumeflow.core.errors import StorageError, UsageError
from lumeflow.storage.connection import Source
from lumeflow.storage.jobs import Transaction, Work
from lumeflow.storage.outbox import Urgency
from lumeflow.storage.sqlite_session import SqliteSession
from lumeflow.storage.writer import Writer


@pytest.fixture
async def path(tmp_path):
    return tmp_path / "w.db"


@pytest.fixture
async def writer(path):
    writer = await opened(path)
    await writer.call(lambda tx: tx.db.execute("CREATE TABLE n (n INTEGER UNIQUE, batch INTEGER)"))
    yield writer
    await writer.close()


async def opened(path, busy_timeout=5.0):
    source = Source(path, busy_timeout)
    writer = Writer(lambda: SqliteSession.open(source), source.name)
    await writer.open()
    return writer


def stored(path):
    with sqlite3.connect(path) as db:
        rows = [row[0] for row in db.execute("SELECT n FROM n ORDER BY rowid")]
    db.close()
    return rows


def insert(number):
    return lambda tx: tx.db.execute("INSERT INTO n (n) VALUES (?)", (number,)).rowcount


def refuse(tx):
    raise UsageError("no")


class Counting:
    """Counts commits by connecting as SQLite's trace does."""

    def __init__(self):
        self.commits = 0

    def __call__(self, statement):
        self.commits += statement == "COMMIT"


async def count_commits(writer):
    counting = Counting()
    await writer.call(lambda tx: tx.db.set_trace_callback(counting))
    counting.commits = 0
    return counting


def numbers(work_name="numbers", *, commutes=True, log=None):
    def run(tx: Transaction, values):
        if log is not None:
            log.append((work_name, list(values)))
        tx.db.executemany("INSERT INTO n (n) VALUES (?)", [(value,) for value in values])
        return [value * 10 for value in values]

    return Work(run, commutes=commutes)


async def test_waiting_jobs_share_one_commit_and_get_their_own_results(writer, path):
    counting = await count_commits(writer)
    work = numbers()
    results = await asyncio.gather(*(writer.bulk(work, n) for n in range(500)))
    assert results == [n * 10 for n in range(500)]
    assert counting.commits <= 2  # one more if its own commit was still being counted
    assert stored(path) == list(range(500))


async def test_a_batch_is_bounded(writer):
    sizes = []
    work = Work(lambda tx, values: (sizes.append(len(values)), values)[1])
    await asyncio.gather(*(writer.bulk(work, n) for n in range(2500)))
    assert sizes == [1000, 1000, 500]


async def test_results_of_a_large_commit_are_told_in_order_and_between_them_others_have_their_turn(writer):
    told = []
    jobs = [writer.call(lambda tx, number=number: number) for number in range(900)]
    for job in jobs:
        job.add_done_callback(lambda job: told.append(job.result()))
    await jobs[0]
    await asyncio.sleep(0)
    assert 0 < len(told) < 900
    await jobs[-1]
    await asyncio.sleep(0)
    assert told == list(range(900))


async def test_results_are_on_disk_when_they_are_reported(writer, path):
    for number in range(20):
        await writer.call(insert(number))
        assert stored(path)[-1] == number


async def test_calls_run_in_the_order_of_submission(writer, path):
    await asyncio.gather(*(writer.call(insert(n)) for n in (5, 3, 9, 1)))
    assert stored(path) == [5, 3, 9, 1]


async def test_commuting_jobs_are_gathered_by_kind(writer):
    log = []
    a, b = numbers("a", log=log), numbers("b", log=log)
    await asyncio.gather(*(writer.bulk(a if n % 2 else b, n) for n in range(6)))
    assert log == [("b", [0, 2, 4]), ("a", [1, 3, 5])]


async def test_a_job_that_does_not_commute_stays_in_its_place(writer):
    log = []
    a = numbers("a", log=log)
    await asyncio.gather(
        writer.bulk(a, 1), writer.call(lambda tx: log.append("call")), writer.bulk(a, 2), writer.bulk(a, 3)
    )
    assert log == [("a", [1]), "call", ("a", [2, 3])]


async def test_jobs_of_one_key_stay_in_order(writer):
    log = []
    a, b = numbers("a", log=log), numbers("b", log=log)
    await asyncio.gather(writer.bulk(a, 1, "x"), writer.bulk(b, 2, "x"), writer.bulk(a, 3, "y"))
    assert log == [("a", [1]), ("b", [2]), ("a", [3])]


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (refuse, UsageError),
        (insert(1), StorageError),  # breaks UNIQUE
        (insert(object()), StorageError),  # cannot be bound
        (lambda tx: tx.db.execute("SELECT * FROM nowhere"), StorageError),
        (lambda tx: 1 // 0, ZeroDivisionError),
    ],
)
async def test_a_failing_job_spoils_only_itself(writer, path, bad, error):
    await writer.call(insert(1))
    results = await asyncio.gather(*(writer.call(job) for job in (insert(2), bad, insert(3))), return_exceptions=True)
    assert isinstance(results[1], error)
    assert [results[0], results[2]] == [1, 1]
    assert stored(path) == [1, 2, 3]
    with pytest.raises(error):
        await writer.call(bad)
    await writer.call(insert(4))
    assert stored(path) == [1, 2, 3, 4]


async def test_half_of_a_failing_job_is_undone(writer, path):
    def half(tx):
        tx.db.execute("INSERT INTO n (n) VALUES (7)")
        raise UsageError("changed my mind")

    await asyncio.gather(writer.call(half), writer.call(insert(8)), return_exceptions=True)
    assert stored(path) == [8]


async def test_a_job_is_done_though_nobody_waits_any_more(writer, path):
    future = writer.call(insert(1))
    future.cancel()
    await writer.call(insert(2))
    assert stored(path) == [1, 2]


async def test_a_commit_that_fails_is_reported_to_all_its_jobs_and_ends_all_writing(writer, path):
    # A deferred foreign key is checked by COMMIT itself: the one way to make a sound disk refuse it.
    await writer.call(insert(1))
    await writer.call(lambda tx: tx.db.execute("CREATE TABLE p (id INTEGER PRIMARY KEY)"))
    await writer.call(
        lambda tx: tx.db.execute("CREATE TABLE c (p INTEGER REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED)")
    )
    results = await asyncio.gather(
        writer.call(insert(2)),
        writer.call(lambda tx: tx.db.execute("INSERT INTO c VALUES (99)")),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [StorageError, StorageError]
    for _ in range(2):
        with pytest.raises(StorageError, match=r"w\.db.*Nothing more is written by this process"):
            await writer.call(insert(3))
    assert stored(path) == [1]


async def test_jobs_queued_behind_a_failed_commit_are_refused(writer, path):
    await writer.call(lambda tx: tx.db.execute("PRAGMA max_page_count = 1"))
    big = lambda tx: tx.db.execute("CREATE TABLE big AS SELECT zeroblob(1000000) AS b")  # noqa: E731
    gate = threading.Event()
    futures = [writer.call(lambda tx: gate.wait(10) and big(tx))]
    await asyncio.sleep(0.05)
    futures += [writer.call(insert(n)) for n in range(3000)]
    asyncio.get_running_loop().call_soon(gate.set)
    results = await asyncio.gather(*futures, return_exceptions=True)
    assert all(isinstance(result, StorageError) for result in results)
    assert stored(path) == []


async def test_a_full_database_names_the_file_and_the_remedy(writer):
    await writer.call(lambda tx: tx.db.execute("PRAGMA max_page_count = 1"))
    with pytest.raises(StorageError, match=r"w\.db: no room is left for it: free space on its disk"):
        await writer.call(lambda tx: tx.db.execute("CREATE TABLE big AS SELECT zeroblob(1000000) AS b"))


async def test_another_process_that_writes_is_waited_for(writer, path):
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.2, lambda: other.execute("COMMIT"))
    timer.start()
    await writer.call(insert(1))
    timer.join()
    other.close()
    assert stored(path) == [1]


async def test_one_that_never_ends_is_named_and_writing_goes_on_afterwards(path):
    writer = await opened(path, busy_timeout=0.05)
    await writer.call(lambda tx: tx.db.execute("CREATE TABLE n (n INTEGER)"))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="another process keeps it locked: close that program"):
        await writer.call(insert(1))
    other.execute("ROLLBACK")
    other.close()
    await writer.call(insert(2))
    await writer.close()
    assert stored(path) == [2]


async def test_closing_stores_what_was_given_and_refuses_what_comes_later(path):
    writer = await opened(path)
    await writer.call(lambda tx: tx.db.execute("CREATE TABLE n (n INTEGER)"))
    future = writer.call(insert(1))
    lazy = writer.call(insert(2), Urgency.LAZY)
    await writer.close()
    await writer.close()
    assert (await future, await lazy) == (1, 1)
    assert stored(path) == [1, 2]
    with pytest.raises(StorageError, match="is closed"):
        writer.call(insert(3))
    assert not path.with_name("w.db-wal").exists()


async def test_a_database_that_fills_up_while_jobs_are_run_singly_ends_all_writing(writer, path):
    await writer.call(lambda tx: tx.db.execute("PRAGMA max_page_count = 1"))
    big = lambda tx: tx.db.execute("CREATE TABLE big AS SELECT zeroblob(1000000) AS b")  # noqa: E731
    results = await asyncio.gather(
        *(writer.call(job) for job in (insert(1), refuse, big, insert(2))), return_exceptions=True
    )
    assert [type(result) for result in results] == [StorageError] * 4
    assert stored(path) == []


async def test_a_loop_that_ended_without_closing_holds_nothing_up(path):
    def run():
        async def main():
            writer = await opened(path)
            await writer.call(lambda tx: tx.db.execute("CREATE TABLE n (n INTEGER)"))
            writer.call(insert(1))
            await asyncio.sleep(0)

        asyncio.run(main())

    await asyncio.to_thread(run)
    writer = await opened(path)
    await writer.call(insert(2))
    await writer.close()
    # The first writer's thread may commit its row before this one or after it.
    assert 2 in stored(path)


async def test_a_job_can_ask_whether_an_earlier_one_failed(writer):
    for separate in (False, True):  # in one transaction, in another
        bad = writer.submit(Work(lambda tx, values: refuse(tx)), 1)
        if separate:
            with pytest.raises(UsageError):
                await bad.future
        assert isinstance(await writer.call(lambda tx, bad=bad: bad.error), UsageError)
        assert isinstance(bad.future.exception(), UsageError)


async def test_a_broken_writer_says_so(writer):
    assert not writer.is_broken
    await writer.call(lambda tx: tx.db.execute("PRAGMA max_page_count = 1"))
    with pytest.raises(StorageError):
        await writer.call(lambda tx: tx.db.execute("CREATE TABLE big AS SELECT zeroblob(1000000) AS b"))
    assert writer.is_broken
