"""Something in every table, through the ports that write it."""

from decimal import Decimal

from lumeflow.core.events import Event, EventKind
from lumeflow.core.http import HttpResponse
from lumeflow.core.journal import Status
from lumeflow.storage import Database
from tests.storage.build import EXECUTION, NOON, answered, at, claim, execution, key, node_row, record

AUDIENCE = {"id": "a1", "name": "Ada", "type": "instagram", "urls": ["https://example.com/p/1"], "created_at": None}


async def fill(database: Database, execution_id: str = EXECUTION) -> None:
    """Leave an execution that ended, one that is held, an audience, and what goes with them."""
    tables = database.tables
    await tables.upsert("source_audiences", [AUDIENCE], key=["id"])
    await tables.upsert("shared_audiences", [{"id": "s1", "source_audience_id": "a1", "name": "Ada"}], key=["id"])
    contact = {"shared_audience_id": "s1", "position": 0, "data": {"email": "ada@example.com"}}
    await tables.upsert("shared_audience_contacts", [contact], key=["shared_audience_id", "position"])
    relation = {"source_audience_id": "a1", "shared_audience_id": "s1"}
    await tables.upsert("audience_relations", [relation], key=list(relation))
    await tables.upsert("workflow_templates", [{"id": "t1", "name": "Quick", "definition": {}}], key=["id"])
    lock = await database.begin(execution(execution_id))
    effect = key(execution_id=execution_id)
    await lock.ledger.claim(claim(effect))
    await lock.ledger.lose(effect, Decimal("0.01"), unusable=HttpResponse(200, {}, b"torn"))
    await lock.ledger.claim(claim(effect))
    await lock.ledger.answer(effect, answered(lost="0.01"))
    database.journal.note(execution_id, [Event(EventKind.EXECUTION_STARTED, NOON)])
    await database.journal.keep(execution_id, [record(1), record(2)])
    await database.journal.finish(
        execution_id, Status.COMPLETED, [node_row()], completed_at=at(2), output={"n": 1}, error=None
    )
    lock.release()
    held = await database.begin(execution(f"{execution_id}-held"))
    assert held is not None
