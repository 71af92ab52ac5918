"""A connection file that got another name: all that is stored goes by the old one, and read again it would count twice."""

from collections.abc import Mapping

from sqlalchemy import delete, func, select, update
from sqlmodel import SQLModel

from connectors.errors import ConfigError
from connectors.settings import ConnectionSettings
from sync.store.books import AllowanceUse, Meta, Result, StreamState, Token
from sync.store.engine import Store, Tx
from sync.store.state import book, get_meta, set_meta
from sync.store.tables import table_of

_ACCOUNT = "account"


def account_of(settings: ConnectionSettings) -> str:
    """What two connection files have in common that read the same account. Secrets are in it as references only.

    Where the address is the account's own, another sign-in there reads the same records.
    """
    told = {"kind", "base_url"} if settings.own_address else {"kind", "base_url", "folder", "files", "sign_in"}
    return settings.model_dump_json(include=told)


def keep_account(store: Store, settings: ConnectionSettings, configured: Mapping[str, ConnectionSettings]) -> None:
    """Notes which account a connection reads. Raises what ``expect_account`` raises."""
    expect_account(store, settings, configured)
    account, key = account_of(settings), f"{_ACCOUNT}:{settings.name}"
    with store.reading() as tx:
        known = get_meta(tx, key)
    if known != account:
        with store.writing() as tx:
            set_meta(tx, key, account)


def expect_account(store: Store, settings: ConnectionSettings, configured: Mapping[str, ConnectionSettings]) -> None:
    """Raises ConfigError where files changed their names, and notes nothing.

    Then the account of a connection that was never read stands in the store under a name that is not configured any more,
    or accounts have gone from one name to another.
    """
    account = account_of(settings)
    with store.reading() as tx:
        known = get_meta(tx, f"{_ACCOUNT}:{settings.name}")
        if known == account:
            return
        former, heir = _former_name(tx, account, configured), _heir(tx, known, configured)
    if former is not None and former not in configured and known is None:
        raise ConfigError(
            f"connections/{settings.name}.yaml: {settings.name} reads the account that {former} read, whose file is gone: "
            f"all its deals would count twice. If the file was renamed: scoreback rename {former} {settings.name} takes over "
            "what was read; or give the file its old name back"
        )
    if former is not None or heir is not None:
        what = f"which {former} read before" if heir is None else f"and the one that it read before is read by {heir}"
        raise ConfigError(
            f"connections/{settings.name}.yaml: {settings.name} reads another account now, {what}: what was read of two "
            "accounts would be mixed. If files changed their names: give them the old ones back, then rename one at a time, "
            "each followed by scoreback rename OLD NEW"
        )


def _former_name(tx: Tx, account: str, configured: Mapping[str, ConnectionSettings]) -> str | None:
    """Which connection read an account and does not any more."""
    names = (name for name, known in _accounts(tx).items() if known == account)
    return next((name for name in sorted(names) if _now(name, configured) != account), None)


def _heir(tx: Tx, known: str | None, configured: Mapping[str, ConnectionSettings]) -> str | None:
    """Which connection reads an account now that it had not read before."""
    before = _accounts(tx)
    names = (name for name in configured if known is not None and before.get(name) != known)
    return next((name for name in sorted(names) if _now(name, configured) == known), None)


def _now(name: str, configured: Mapping[str, ConnectionSettings]) -> str | None:
    return account_of(configured[name]) if name in configured else None


def _accounts(tx: Tx) -> dict[str, str]:
    """The account that each connection was last seen to read."""
    table = book(Meta)
    found = tx.db.execute(select(table.c.key, table.c.value).where(table.c.key.like(f"{_ACCOUNT}:%"))).all()
    return {key.partition(":")[2]: value for key, value in found}


def is_read(tx: Tx, name: str) -> bool:
    """Whether anything was read of a connection; one whose every read failed has no more than its errors."""
    table = book(StreamState)
    some = table.c.cursor.is_not(None) | table.c.resume.is_not(None) | (table.c.rows > 0)
    return tx.db.execute(select(table.c.stream).where(table.c.connection == name, some).limit(1)).first() is not None


def rename(tx: Tx, old: str, new: str) -> None:
    """Gives all that is stored under one connection's name to another, of which nothing was read yet.

    Records, versions, cursors, results and what the CRM accepted: the next cycle goes on as if nothing had happened.
    """
    for model, column in ((Token, "connection"), (AllowanceUse, "key")):
        table = book(model)
        if tx.db.execute(select(table).where(table.c[column] == new).limit(1)).first() is not None:
            tx.db.execute(delete(table).where(table.c[column] == old))  # a check under the new name has made newer ones
    # What the new name has of its own: errors of reads that failed, and what its file says of stages.
    for table in (book(StreamState), table_of("stage")):
        tx.db.execute(delete(table).where(table.c.connection == new))
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
