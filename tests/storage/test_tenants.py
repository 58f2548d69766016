"""One tenant sees nothing of another's: through the repositories on both databases, and by raw SQL on PostgreSQL."""

import asyncio
import random
from typing import Any

import asyncpg
import pytest

from lumeflow.core.errors import UsageError
from lumeflow.core.journal import RecordKind, Status
from lumeflow.storage import open_database
from lumeflow.storage.declared import DECLARED, DeclaredTable
from lumeflow.storage.row_security import APPLICATION_ROLE
from tests.storage.build import DEFINITION, EXECUTION, NOON, at, execution, key
from tests.storage.filling import AUDIENCE, fill

TENANTS = ("acme", "globex")
OF_ALL = {"processes"}
"""Tables whose rows belong to the installation: everybody may read that a process lives."""


@pytest.fixture(params=["sqlite", "postgres"])
async def shared(request, tmp_path):
    """A database in which both tenants have the same things under the same ids."""
    url = str(tmp_path / "x.db") if request.param == "sqlite" else request.getfixturevalue("new_postgres")()
    database = await open_database(url, data_dir=tmp_path)
    for tenant in TENANTS:
        await fill(database.of(tenant))
    yield database
    await database.close()


async def test_the_same_ids_are_other_things(shared):
    acme, globex = map(shared.of, TENANTS)
    await acme.tables.upsert("source_audiences", [{"id": "a1", "name": "Changed"}], key=["id"])
    await acme.tables.delete("shared_audiences", {"id": "s1"})
    lock = await acme.take(EXECUTION)
    await acme.journal.reopen(EXECUTION)
    await acme.journal.finish(EXECUTION, Status.FAILED, [], completed_at=at(9), output=None, error="theirs")
    lock.release()
    for tenant in (acme, globex):
        await tenant.workflows.save(DEFINITION, at=NOON)
    await acme.workflows.delete("leads", at=NOON)
    assert await globex.tables.find("source_audiences", {}) == [AUDIENCE]
    assert len(await globex.tables.find("shared_audiences", {})) == 1
    assert len([one async for one in globex.journal.kept(EXECUTION, RecordKind.OUTPUT)]) == 2
    assert len((await globex.journal.timeline(EXECUTION)).events) == 1
    assert (await globex.workflows.get("leads")).version == 3
    found = await globex.journal.get(EXECUTION)
    assert found is not None
    assert (found.status, found.error) == (Status.COMPLETED, None)


async def test_what_one_has_alone_another_does_not_find(shared):
    acme, globex = map(shared.of, TENANTS)
    await acme.journal.begin(execution("alone"))
    await acme.workflows.save({"workflowId": "alone", "name": "Alone"}, at=NOON)
    assert await globex.journal.get("alone") is None
    assert [one.id for one in await globex.journal.list(limit=9)] == [f"{EXECUTION}-held", EXECUTION]
    assert await globex.journal.list(limit=9, before="alone") == []
    assert await globex.journal.nodes("alone") == []
    assert not await globex.is_running(f"{EXECUTION}-none")
    assert (await globex.totals("alone")).nodes == {}
    with pytest.raises(UsageError, match="no workflow 'alone'"):
        await globex.workflows.get("alone")
    for attempt in (globex.journal.reopen("alone"), acme.journal.reopen("nope")):
        with pytest.raises(UsageError, match="no execution"):
            await attempt


async def test_tables_of_the_users_own_are_the_command_lines_unless_they_name_a_tenant(shared, tmp_path, request):
    if shared.name.startswith("postgresql"):
        server, name = request.getfixturevalue("postgres"), shared.name.rpartition("/")[2]
        server.sql("CREATE TABLE plain (id text PRIMARY KEY); GRANT ALL ON plain TO lumeflow_app", name)
        server.sql("CREATE TABLE split (tenant text, id text, PRIMARY KEY (tenant, id))", name)
        server.sql("GRANT ALL ON split TO lumeflow_app", name)
    else:
        await shared._writer.call(lambda tx: tx.db.execute("CREATE TABLE plain (id TEXT PRIMARY KEY)"))
        split = "CREATE TABLE split (tenant TEXT, id TEXT, PRIMARY KEY (tenant, id))"
        await shared._writer.call(lambda tx: tx.db.execute(split))
    await shared.tables.upsert("plain", [{"id": "1"}], key=["id"])
    with pytest.raises(UsageError, match="'plain' has no column 'tenant', so it belongs to the tenant 'default'"):
        await shared.of("acme").tables.find("plain", {})
    for tenant in TENANTS:
        await shared.of(tenant).tables.upsert("split", [{"id": tenant}], key=["id"])
    assert await shared.of("acme").tables.find("split", {}) == [{"id": "acme"}]
    assert await shared.of("acme").tables.delete("split", {"id": "globex"}) == 0
    with pytest.raises(UsageError, match="no column 'tenant'"):
        await shared.of("acme").tables.find("split", {"tenant": "globex"})


async def test_files_lie_in_folders_of_their_own(shared, tmp_path):
    sink = await shared.of("acme").files("e").create("a.json")
    assert await sink.commit() == str(tmp_path / "tenants" / "acme" / "artifacts" / "e" / "a.json")


async def test_tenants_write_in_one_commit_and_stay_apart(shared):
    """Jobs of many tenants in random order: each finds its own and nothing else."""
    dice = random.Random(5)
    databases = [shared.of(f"t{number}") for number in range(5)]
    turns = [database for database in databases for _ in range(30)]
    dice.shuffle(turns)

    async def put(number: int, database: Any) -> None:
        await database.tables.upsert("source_audiences", [{"id": f"a{number}", "name": database.tenant}], key=["id"])

    await asyncio.gather(*(put(number, database) for number, database in enumerate(turns)))
    for database in databases:
        rows = await database.tables.find("source_audiences", {})
        assert len(rows) == 30
        assert {row["name"] for row in rows} == {database.tenant}


# From here on: raw SQL under the application's role.


@pytest.fixture
async def raw(new_postgres, tmp_path):
    """A database with a row of each tenant in each table, and a connection that has taken on the application's role."""
    url = new_postgres()
    await (await open_database(url, data_dir=tmp_path)).close()
    owner = await asyncpg.connect(url)
    for tenant in TENANTS:
        for table in DECLARED:
            names, values = row_of(table, tenant)
            marks = ", ".join(f"${number}" for number in range(1, len(values) + 1))
            await owner.execute(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})", *values)
    await owner.execute(f"SET ROLE {APPLICATION_ROLE}")
    yield owner
    await owner.close()


SAMPLES: dict[str, Any] = {
    "bool": True,
    "bytes": b"x",
    "int": 1,
    "json": "{}",
    "money": 1,
    "time": NOON,
    "vector": None,
}


def row_of(table: DeclaredTable, tenant: str) -> tuple[list[str], list[Any]]:
    """A row that can stand in every table at once: all texts are the same, so that what refers finds what is meant."""
    names = [name for name, kind in table.columns.items() if kind not in {"counter", "vector?"}]
    values = []
    for name in names:
        kind = table.columns[name].rstrip("?")
        text = tenant if name in {"tenant", "key_hash"} else "x"
        values.append(text if kind == "text" else SAMPLES[kind])
    return names, values


async def tables_of(raw) -> list[str]:
    rows = await raw.fetch(
        "SELECT c.relname FROM pg_class AS c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"
    )
    return sorted(row[0] for row in rows)


async def test_every_table_of_the_catalogue_is_secured_and_known(raw):
    assert await tables_of(raw) == sorted([*(table.name for table in DECLARED), "schema_migrations"])
    unsecured = await raw.fetch(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        " AND NOT (relrowsecurity AND relforcerowsecurity)"
    )
    assert unsecured == []
    role = await raw.fetchrow("SELECT rolsuper, rolbypassrls, rolcanlogin FROM pg_roles WHERE rolname = current_user")
    assert tuple(role) == (False, False, False)


async def as_tenant(raw, tenant: str | None, statement: str, *values: Any) -> Any:
    """Run one statement in a transaction of a tenant, and undo it; rows, or the tag."""
    transaction = raw.transaction()
    await transaction.start()
    try:
        if tenant is not None:
            await raw.execute("SELECT set_config('lumeflow.tenant', $1, true)", tenant)
        if statement.startswith("SELECT"):
            return await raw.fetch(statement, *values)
        return await raw.execute(statement, *values)
    finally:
        await transaction.rollback()


async def test_no_table_shows_takes_changes_or_loses_rows_of_another_tenant(raw):
    for table in await tables_of(raw):
        if table == "schema_migrations":
            continue
        own = await as_tenant(raw, "acme", f"SELECT tenant FROM {table}")
        assert [row[0] for row in own] == ["acme"], table
        for condition in ("tenant = 'globex'", "true"):
            seen = await as_tenant(raw, "acme", f"SELECT tenant FROM {table} WHERE {condition}")
            assert {row[0] for row in seen} <= {"acme"}, table
        changed = await as_tenant(raw, "acme", f"UPDATE {table} SET tenant = tenant WHERE tenant = 'globex'")
        assert changed == "UPDATE 0", table
        assert await as_tenant(raw, "acme", f"DELETE FROM {table} WHERE tenant = 'globex'") == "DELETE 0", table
        (declared,) = [one for one in DECLARED if one.name == table]
        names, values = row_of(declared, "globex")
        values = ["y" if value == "x" else value for value in values]
        marks = ", ".join(f"${number}" for number in range(1, len(values) + 1))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await as_tenant(raw, "acme", f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", *values)
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.ForeignKeyViolationError)):
            await as_tenant(raw, "acme", f"UPDATE {table} SET tenant = 'globex'")


@pytest.mark.parametrize("tenant", [None, "", "nobody"])
async def test_who_is_no_tenant_sees_nothing_and_writes_nothing(raw, tenant):
    for table in await tables_of(raw):
        if table == "schema_migrations":
            continue
        assert await as_tenant(raw, tenant, f"SELECT 1 FROM {table}") == [], table
        assert await as_tenant(raw, tenant, f"DELETE FROM {table}") == "DELETE 0", table
        assert await as_tenant(raw, tenant, f"UPDATE {table} SET tenant = tenant") == "UPDATE 0", table


async def test_who_acts_for_all_sees_what_is_shared_and_no_more(raw):
    shared = {"tenants", "api_keys", "execution_jobs", "idempotency_keys", "artifacts"}
    for table in await tables_of(raw):
        if table == "schema_migrations":
            continue
        seen = await as_tenant(raw, "*", f"SELECT tenant FROM {table}")
        assert len(seen) == (len(TENANTS) if table in shared else 0), table


async def test_the_setting_ends_with_its_transaction(raw):
    await as_tenant(raw, "acme", "SELECT 1")
    assert await raw.fetchval("SELECT count(*) FROM effects") == 0


async def test_the_role_can_neither_change_tables_nor_the_history(raw):
    for statement in (
        "ALTER TABLE effects DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant_isolation_1 ON effects",
        "CREATE TABLE mine (id int)",
        "INSERT INTO schema_migrations VALUES (99, 'x', now())",
        "TRUNCATE effects",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await as_tenant(raw, "acme", statement)


async def test_a_user_who_is_bound_by_nothing_is_not_let_in(new_postgres, postgres, tmp_path):
    from lumeflow.core.errors import StorageError

    url = new_postgres()
    await (await open_database(url, data_dir=tmp_path)).close()
    name = url.split("/")[3].split("?")[0]
    postgres.sql("DROP ROLE IF EXISTS free_user; CREATE ROLE free_user LOGIN BYPASSRLS", name)
    postgres.sql("GRANT SELECT ON schema_migrations TO free_user", name)
    with pytest.raises(StorageError, match="bypasses row level security and cannot take on the role lumeflow_app"):
        await open_database(postgres.url(name, "free_user"), data_dir=tmp_path)
    postgres.sql("GRANT lumeflow_app TO free_user", name)
    database = await open_database(postgres.url(name, "free_user"), data_dir=tmp_path)
    lock = await database.begin(execution())
    assert await lock.ledger.find(key()) is None
    await database.close()


async def test_a_user_with_the_applications_rights_alone_can_do_all_the_work(new_postgres, postgres, tmp_path):
    url = new_postgres()
    await (await open_database(url, data_dir=tmp_path)).close()
    name = url.split("/")[3].split("?")[0]
    postgres.sql("DROP ROLE IF EXISTS plain_user; CREATE ROLE plain_user LOGIN IN ROLE lumeflow_app", name)
    database = await open_database(postgres.url(name, "plain_user"), data_dir=tmp_path)
    await fill(database)
    await fill(database.of("acme"))
    assert [one.id for one in await database.journal.list(limit=5)] == [f"{EXECUTION}-held", EXECUTION]
    await database.close()


async def test_an_owner_who_is_no_superuser_can_make_the_schema(postgres, tmp_path):
    postgres.sql("DROP ROLE IF EXISTS owning_user; CREATE ROLE owning_user LOGIN CREATEROLE")
    name = postgres.new_database()
    postgres.sql(f"ALTER DATABASE {name} OWNER TO owning_user")
    try:
        database = await open_database(postgres.url(name, "owning_user"), data_dir=tmp_path)
        await fill(database)
        await database.close()
        assert (await open_again(postgres, name, tmp_path)) == [f"{EXECUTION}-held", EXECUTION]
    finally:
        postgres.drop(name)
        postgres.sql("DROP ROLE owning_user")


async def open_again(postgres, name, tmp_path) -> list[str]:
    database = await open_database(postgres.url(name, "owning_user"), data_dir=tmp_path)
    found = [one.id for one in await database.journal.list(limit=5)]
    await database.close()
    return found
