"""Which record kinds each connection tells, for the whole store."""

from collections.abc import Iterable, Mapping

from sqlalchemy import select

from sync.store.books import StreamState
from sync.store.engine import Tx
from sync.store.state import book
from sync.store.tables import newest, table_of


def known_sources(tx: Tx, kinds: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """Kinds of which a connection has at least one record. One indexed look per connection and kind."""
    states = book(StreamState)
    names = set(tx.db.execute(select(states.c.connection).distinct()).scalars()) | {"import"}
    found: dict[str, frozenset[str]] = {}
    for name in sorted(names):
        told = frozenset(kind for kind in kinds if _tells(tx, name, kind))
        if told:
            found[name] = told
    return found


def _tells(tx: Tx, connection: str, kind: str) -> bool:
    table = table_of(kind)
    statement = select(table.c.seq).where(table.c.connection == connection, newest(table)).limit(1)
    return tx.db.execute(statement).first() is not None
