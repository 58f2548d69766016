"""The contract suites on SQLite, on disk and in memory."""

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


class TestSqliteLedger(LedgerContract): ...


class TestSqliteTotals(TotalsContract): ...


class TestSqliteOwnership(OwnershipContract): ...


class TestSqliteExecutions(ExecutionContract): ...


class TestSqliteTimeline(TimelineContract): ...


class TestSqliteRecords(RecordsContract): ...


class TestSqliteTables(TablesContract): ...


class TestSqlitePages(PagesContract): ...


class TestSqliteMaking(MakingContract): ...


class TestSqliteWorkflows(WorkflowsContract): ...


class TestSqliteLists(ListsContract): ...


class TestSqliteApiKeys(ApiKeysContract): ...


class TestSqliteArtifacts(ArtifactsContract): ...


class TestSqliteRetention(RetentionContract): ...


class TestSqliteCosts(CostsContract): ...


class TestSqliteIdempotency(IdempotencyContract): ...


class TestSqliteQueue(QueueContract): ...


class TestSqliteSecrets(SecretsContract): ...


class TestSqliteTemplates(TemplatesContract): ...


class TestSqliteTenants(TenantsContract): ...


class TestSqliteAnyText(AnyTextContract): ...
