"""A connection file that got another name: all that is stored goes by the old one, and read again it would count twice."""

from collections.abc import Collection

from sqlalchemy import delete, func, select, update
from sqlmodel import SQLModel

from connectors.errors import ConfigError
from connectors.settings import ConnectionSettings
from sync.store.books import AllowanceUse, Meta, Result, StreamState, Token
from sync.store.engine import Store, Tx
from sync.store.state import book, get_meta, set_meta

_ACCOUNT = "account"


def account_of(settings: ConnectionSettings) -> str:
    """What two connection files have in common that read the same account. Secrets are in it as references only."""
    return settings.model_dump_json(include={"kind", "base_url", "folder", "files", "sign_in"})


def keep_account(store: Store, settings: ConnectionSettings, configured: Collection[str]) -> None:
    """Notes which account a connection reads.

    Raises ConfigError for one that was never read, whose account stands in the store under a name that is not configured
    any more: its file was renamed.
    """
    account, key = account_of(settings), f"{_ACCOUNT}:{settings.name}"
    with store.reading() as tx:
        known = get_meta(tx, key)
        former = None if known else _former_name(tx, account, configured)
    if former is not None:
        raise ConfigError(
            f"connections/{settings.name}.yaml: {settings.name} reads the account that {former} read, whose file is gone: "
            f"all its deals would count twice. If the file was renamed: scoreback rename {former} {settings.name} takes over "
            "what was read; or give the file its old name back"
        )
    if known != account:
        with store.writing() as tx:
            set_meta(tx, key, account)


def _former_name(tx: Tx, account: str, configured: Collection[str]) -> str | None:
    table = book(Meta)
    same = select(table.c.key).where(table.c.key.like(f"{_ACCOUNT}:%"), table.c.value == account)
    names = (key.partition(":")[2] for key in tx.db.execute(same).scalars())
    return next((name for name in sorted(names) if name not in configured), None)


def is_read(tx: Tx, name: str) -> bool:
    """Whether anything was read of a connection."""
    table = book(StreamState)
    return tx.db.execute(select(table.c.stream).where(table.c.connection == name).limit(1)).first() is not None


def rename(tx: Tx, old: str, new: str) -> None:
    """Gives all that is stored under one connection's name to another, of which nothing was read yet.

    Records, versions, cursors, results and what the CRM accepted: the next cycle goes on as if nothing had happened.
    """
    for model, column in ((Token, "connection"), (AllowanceUse, "key")):
        table = book(model)
        if tx.db.execute(select(table).where(table.c[column] == new).limit(1)).first() is not None:
            tx.db.execute(delete(table).where(table.c[column] == old))  # a check under the new name has made newer ones
    for table in SQLModel.metadata.sorted_tables:
        if "connection" in table.c:
            tx.db.execute(update(table).where(table.c.connection == old).values(connection=new))
    used, results = book(AllowanceUse), book(Result)
    tx.db.execute(update(used).where(used.c.key == old).values(key=new))
    mine = func.substr(results.c.subject, 1, len(old) + 1) == f"{old}:"
    subject = f"{new}:" + func.substr(results.c.subject, len(old) + 2)
    tx.db.execute(update(results).where(mine).values(subject=subject))
    _rename_facts(tx, old, new)


def _rename_facts(tx: Tx, old: str, new: str) -> None:
    """Facts about a connection are kept as ``what:NAME`` or ``what:NAME:stream``."""
    table = book(Meta)
    for key, value in tx.db.execute(select(table.c.key, table.c.value)).all():
        what, _, rest = key.partition(":")
        name, mark, stream = rest.partition(":")
        if name == old:
            set_meta(tx, key, None)
            set_meta(tx, f"{what}:{new}{mark}{stream}", value)
