"""Row level security on PostgreSQL: each table shows a transaction the rows of its tenant, whatever its SQL says.

The tenant is the setting `lumeflow.tenant`, which holds for one transaction. The application's role is bound by it, the
tables' owner too.
"""

from collections.abc import Sequence

from lumeflow.storage.jobs import Transaction
from lumeflow.storage.migrations.step import Sight

APPLICATION_ROLE = "lumeflow_app"
"""Transactions run as it, wherever the connecting user may take it on."""

_TENANT = "(SELECT current_setting('lumeflow.tenant', true))"

_OWN = f"tenant = {_TENANT}"

_ALL = f"{_OWN} OR {_TENANT} = '*'"

_POLICIES = {
    Sight.OWN: (f"FOR ALL USING ({_OWN}) WITH CHECK ({_OWN})",),
    Sight.SHARED: (f"FOR ALL USING ({_ALL}) WITH CHECK ({_ALL})",),
    Sight.PUBLIC: (f"FOR ALL USING ({_OWN}) WITH CHECK ({_OWN})", f"FOR SELECT USING ({_OWN} OR tenant = '*')"),
}

_ROLES = "SELECT current_user::text, EXISTS (SELECT 1 FROM pg_roles WHERE rolname = ?)"


def securing(table: str, sight: Sight = Sight.OWN, *, has_role: bool) -> Sequence[str]:
    """Statements that secure a new table; `table` as an SQL identifier."""
    statements = [f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY", f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"]
    for number, policy in enumerate(_POLICIES[sight], start=1):
        statements.append(f"CREATE POLICY tenant_isolation_{number} ON {table} {policy}")
    if has_role:
        statements.append(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APPLICATION_ROLE}")
    return statements


def change_as_owner(tx: Transaction, statements: Sequence[str], *, new_table: str | None = None) -> None:
    """Run statements that the application's role may not run, as the user who connected; secure a table they made."""
    role, exists = tx.db.execute(_ROLES, (APPLICATION_ROLE,)).fetchone()
    tx.db.execute("SET LOCAL ROLE NONE")
    for statement in statements:
        tx.db.execute(statement)
    if new_table is not None:
        for statement in securing(new_table, has_role=exists):
            tx.db.execute(statement)
    tx.db.execute(f'SET LOCAL ROLE "{role}"')
