"""The contract suites on a real PostgreSQL."""

import asyncio

import pytest

from lumeflow.storage import open_database
from tests.storage.contracts.journal import AnyTextContract, ExecutionContract, RecordsContract, TimelineContract
from tests.storage.contracts.ledger import LedgerContract, TotalsContract
from tests.storage.contracts.lists import ListsContract
from tests.storage.contracts.ownership import OwnershipContract
from tests.storage.contracts.repositories import (
    ApiKeysContract,
    ArtifactsContract,
    CostsContract,
    IdempotencyContract,
    QueueContract,
    SecretsContract,
    TemplatesContract,
    TenantsContract,
)
from tests.storage.contracts.retention import RetentionContract
from tests.storage.contracts.table_pages import MakingContract, PagesContract
from tests.storage.contracts.tables import TablesContract
from tests.storage.contracts.workflows import WorkflowsContract


@pytest.fixture(scope="module")
def template(postgres):
    """A database that has the schema, to be copied."""
    name = postgres.new_database()
    asyncio.run(_prepare(postgres.url(name)))
    yield name
    postgres.drop(name)


async def _prepare(url: str) -> None:
    await (await open_database(url)).close()


@pytest.fixture
async def storage(postgres, template, tmp_path):
    """An open, empty database."""
    name = postgres.new_database(template)
    database = await open_database(postgres.url(name), data_dir=tmp_path)
    yield database
    await database.close()
    postgres.drop(name)


class TestPostgresLedger(LedgerContract): ...


class TestPostgresTotals(TotalsContract): ...


class TestPostgresOwnership(OwnershipContract): ...


class TestPostgresExecutions(ExecutionContract): ...


class TestPostgresTimeline(TimelineContract): ...


class TestPostgresRecords(RecordsContract): ...


class TestPostgresTables(TablesContract): ...


class TestPostgresWorkflows(WorkflowsContract): ...


class TestPostgresLists(ListsContract): ...


class TestPostgresApiKeys(ApiKeysContract): ...


class TestPostgresArtifacts(ArtifactsContract): ...


class TestPostgresRetention(RetentionContract): ...


class TestPostgresCosts(CostsContract): ...


class TestPostgresIdempotency(IdempotencyContract): ...


class TestPostgresQueue(QueueContract): ...


class TestPostgresSecrets(SecretsContract): ...


class TestPostgresTemplates(TemplatesContract): ...


class TestPostgresTenants(TenantsContract): ...


class TestPostgresAnyText(AnyTextContract): ...


class TestPostgresPages(PagesContract): ...


class TestPostgresMaking(MakingContract): ...
