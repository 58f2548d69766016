"""Behind a pooler in transaction mode, as Supabase has on port 6543: nothing outlives a transaction."""

import asyncio
from dataclasses import replace

import pytest

from lumeflow.core.effects import Stored
from lumeflow.core.errors import LumeflowError, StorageError
from lumeflow.storage import open_database
from lumeflow.storage.postgres import address as addresses
from lumeflow.storage.postgres.address import read_url
from tests.storage.build import EXECUTION, answered, claim, execution, key
from tests.storage.filling import fill
from tests.storage.transaction_pooler import TransactionPooler


@pytest.fixture
async def pooled(postgres, monkeypatch):
    """The URL of an empty database behind a pooler, on a port that stands for 6543."""
    name = postgres.new_database()
    pooler = TransactionPooler(postgres.host, postgres.port)
    port = await pooler.open(name)
    monkeypatch.setattr(addresses, "POOLER_PORT", port)
    yield f"postgres://postgres.project:any@127.0.0.1:{port}/postgres", pooler
    await pooler.close()
    postgres.drop(name)


async def test_everything_works_behind_it(pooled, tmp_path):
    url, pooler = pooled
    database = await open_database(url, data_dir=tmp_path)
    await asyncio.gather(*(fill(database.of(f"t{number}"), f"e{number}") for number in range(4)))
    lock = await database.begin(execution())
    await asyncio.gather(*(lock.ledger.claim(claim(key(n))) for n in range(200)))
    await asyncio.gather(*(lock.ledger.answer(key(n), answered(body=b"%d" % n)) for n in range(200)))
    found = await asyncio.gather(*(lock.ledger.find(key(n)) for n in range(200)))
    assert [int(one.response.body) for one in found if isinstance(one, Stored)] == list(range(200))
    pages = await asyncio.gather(*(database.of(f"t{number}").journal.list(limit=9) for number in range(4)))
    assert [[one.id for one in page] for page in pages] == [[f"e{n}-held", f"e{n}"] for n in range(4)]
    assert await database.is_running(EXECUTION)
    await database.close()
    assert pooler.transactions > 20


async def test_with_prepared_statements_it_would_not(pooled, tmp_path, monkeypatch):
    """The pooler of these tests is strict enough to find out who relies on a connection."""
    url, _ = pooled
    monkeypatch.setattr("lumeflow.storage.postgres.read_url", lambda url: replace(read_url(url), is_pooled=False))
    with pytest.raises(StorageError, match="prepared statement"):
        await work(url, tmp_path)


async def work(url, tmp_path) -> None:
    database = await open_database(url, data_dir=tmp_path, busy_timeout=0.1)
    try:
        await fill(database)
        for _ in range(20):
            await database.journal.list(limit=3)
    finally:
        await database.close()


@pytest.mark.parametrize(
    ("url", "dsn", "name", "is_pooled", "sslmode"),
    [
        ("postgres://u:p@h/d", "postgresql://u:p@h/d", "postgresql://u@h/d", False, None),
        ("postgresql+asyncpg://u:p@h/d", "postgresql://u:p@h/d", "postgresql://u@h/d", False, None),
        (
            "postgresql://postgres.ref:p%40ss@aws-0-eu-central-1.pooler.supabase.com:6543/postgres",
            "postgresql://postgres.ref:p%40ss@aws-0-eu-central-1.pooler.supabase.com:6543/postgres",
            "postgresql://postgres.ref@aws-0-eu-central-1.pooler.supabase.com:6543/postgres",
            True,
            "require",
        ),
        (
            "postgresql://postgres:p@db.ref.supabase.co:5432/postgres?sslmode=verify-full",
            "postgresql://postgres:p@db.ref.supabase.co:5432/postgres?sslmode=verify-full",
            "postgresql://postgres@db.ref.supabase.co:5432/postgres",
            False,
            None,
        ),
        ("postgresql://u@10.0.0.7/d", "postgresql://u@10.0.0.7/d", "postgresql://u@10.0.0.7/d", False, None),
        ("postgresql://u@8.8.8.8/d", "postgresql://u@8.8.8.8/d", "postgresql://u@8.8.8.8/d", False, "require"),
        ("postgresql://u@/d?host=/run", "postgresql://u@/d?host=/run", "postgresql://u@/run/d", False, None),
        ("postgresql://[::1]:6543/d", "postgresql://[::1]:6543/d", "postgresql://::1:6543/d", True, None),
    ],
)
def test_what_a_url_says(url, dsn, name, is_pooled, sslmode):
    found = read_url(url)
    assert (found.dsn, found.name, found.is_pooled, found.sslmode) == (dsn, name, is_pooled, sslmode)
    assert "p%40ss" not in repr(found)
    assert ("statement_cache_size" in found.options()) is is_pooled


@pytest.mark.parametrize("url", ["postgresql:", "postgres://", "postgresql:///x:y", "postgresql://h:port/d"])
async def test_what_is_no_url_is_refused_without_its_password(url, tmp_path):
    with pytest.raises(LumeflowError) as caught:
        await open_database(url.replace("h:", "ada:s3cret@h:"), data_dir=tmp_path, busy_timeout=0)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("postgresql://ada:s3cret@127.0.0.1:1/d", "it cannot be reached: check host and port"),
        ("{server}/nowhere", "there is no such database on that server"),
    ],
)
async def test_what_is_wrong_is_said_with_the_remedy(postgres, tmp_path, place, message):
    server = postgres.url("x", tcp=True).removesuffix("/x")
    with pytest.raises(StorageError, match=message) as caught:
        await open_database(place.format(server=server), data_dir=tmp_path, busy_timeout=0)
    assert "s3cret" not in str(caught.value)
