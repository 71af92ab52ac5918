"""Indexes that find deals by owner, account, stamp and the like, put off during a first load on SQLite.

Remote owners and accounts come in no order, so every page of a first load would dirty as many index pages as it has rows:
more than half of the load's cost. Building them once at the end costs a tenth. They speed scoring up and decide nothing.
"""

from sqlalchemy import Index, text

from sync.store.engine import Tx
from sync.store.tables import ROWS, table_of


def _of(kind: str) -> list[Index]:
    past = f"ix_{kind}_past"  # stays empty while nothing changes
    return [index for index in table_of(kind).indexes if not index.unique and index.name != past]


def put_off(tx: Tx, kind: str) -> None:
    """Drops the lookup indexes of a kind that has no rows yet. Does nothing on PostgreSQL, or where there are rows."""
    if tx.dialect == "sqlite" and not tx.cursor().execute(f'SELECT 1 FROM "{kind}" LIMIT 1').fetchone():  # noqa: S608 - a kind
        for index in _of(kind):
            index.drop(tx.db, checkfirst=True)


def catch_up(tx: Tx) -> None:
    """Builds every lookup index that was put off. ``state.save_state`` calls it when a full pull has ended."""
    if tx.dialect != "sqlite":
        return
    there = set(tx.db.execute(text("SELECT name FROM sqlite_master WHERE type = 'index'")).scalars())
    for index in (index for kind in ROWS for index in _of(kind)):
        if index.name not in there:
            index.create(tx.db)
