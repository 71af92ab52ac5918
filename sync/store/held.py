"""What a rollback took out of a CRM, and is not to be queued again."""

from sqlalchemy import select

from connectors.base import Value
from sync.store.books import Held, Subject
from sync.store.engine import Tx
from sync.store.state import book


def held_fields(tx: Tx, connection: str, record: Subject, target: str) -> dict[str, dict[str, Value]]:
    """Held values by remote id (or key)."""
    table = book(Held)
    statement = select(table.c.remote_id, table.c.fields).where(
        table.c.connection == connection, table.c.record == record, table.c.target == target
    )
    return {row.remote_id: row.fields for row in tx.db.execute(statement)}
