"""The contract suites on SQLite, on disk and in memory."""

from tests.storage.contracts.journal import ExecutionContract, RecordsContract, TimelineContract
from tests.storage.contracts.ledger import LedgerContract, TotalsContract
from tests.storage.contracts.ownership import OwnershipContract
from tests.storage.contracts.tables import TablesContract
from tests.storage.contracts.workflows import WorkflowsContract


class TestSqliteLedger(LedgerContract): ...


class TestSqliteTotals(TotalsContract): ...


class TestSqliteOwnership(OwnershipContract): ...


class TestSqliteExecutions(ExecutionContract): ...


class TestSqliteTimeline(TimelineContract): ...


class TestSqliteRecords(RecordsContract): ...


class TestSqliteTables(TablesContract): ...


class TestSqliteWorkflows(WorkflowsContract): ...
