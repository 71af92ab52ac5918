"""Which deal or person a word on the command line names."""

from collections.abc import Iterator

from sqlalchemy import select

from connectors.errors import ConfigError
from sync.store.engine import Tx
from sync.store.scope import Subject
from sync.store.tables import newest, table_of

KIND_WORDS = {"opportunity": "opportunity", "deal": "opportunity", "person": "person"}
"""First words of a subject written in full."""

_SAME = {"opportunity": "external_id", "person": "email"}
"""By which field two records are the same deal or person, who goes by the first connection."""

_MOST = 10
"""Candidates that are listed."""


def find_subject(tx: Tx, text: str) -> tuple[str, Subject]:
    """Kind and key of what ``text`` names: an id first, then an e-mail or a name, in whatever case.

    Raises ConfigError where that is nothing, or more than one thing.
    """
    word, _, rest = text.partition(":")
    kinds = [KIND_WORDS[word]] if word in KIND_WORDS and rest else ["opportunity", "person"]
    name = rest if word in KIND_WORDS and rest else text
    found = [(kind, subject) for kind in kinds for subject in _by_id(tx, kind, name)]
    found = found or [(kind, subject) for kind in kinds for subject in _by_name(tx, kind, name)]
    if len(found) == 1:
        return found[0]
    if not found:
        message = (
            f"{text} is no deal or person that we have read. Write its name or id, or KIND:CONNECTION:ID, such as "
            "deal:crm:0061"
        )
        raise ConfigError(message)
    several = ", ".join(f"{kind}:{connection}:{remote_id}" for kind, (connection, remote_id) in found[:_MOST])
    more = f" and {len(found) - _MOST:,} more" if len(found) > _MOST else ""
    message = f"{text} names {len(found):,} subjects. Write one of {several}{more}"
    raise ConfigError(message)


def _by_id(tx: Tx, kind: str, text: str) -> Iterator[Subject]:
    table = table_of(kind)
    connection, _, rest = text.partition(":")
    columns = (table.c.connection, table.c.remote_id)
    exact = (table.c.connection == connection) & (table.c.remote_id == rest)
    statement = select(*columns).where(newest(table), (table.c.remote_id == text) | exact)
    for row in tx.db.execute(statement.order_by(*columns)):
        yield row[0], row[1]


def _by_name(tx: Tx, kind: str, text: str) -> list[Subject]:
    table = table_of(kind)
    wanted = text.strip().casefold()
    columns = (table.c.connection, table.c.remote_id, table.c[_SAME[kind]], table.c.name)
    statement = select(*columns).where(newest(table), table.c.deleted.is_(False)).order_by(*columns[:2])
    found: dict[object, Subject] = {}
    for connection, remote_id, same, name in tx.db.execute(statement):  # SQLite folds the case of ASCII only
        words = (name, same) if kind == "person" else (name,)
        if any(word and word.strip().casefold() == wanted for word in words):
            found.setdefault(same.strip().casefold() if same else (connection, remote_id), (connection, remote_id))
    return list(found.values())
