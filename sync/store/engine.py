"""Opens the database and hands out transactions: one writer at a time on either engine, readers that never wait.

SQLite runs in WAL mode with ``synchronous = NORMAL``: a killed process loses nothing that was committed, a power
cut may lose the last commits but never tears one. What must survive that too asks for ``writing(durable=True)``.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, cast

import tenacity
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError

from connectors.errors import ConfigError, RetryLaterError
from sync.store.trouble import StoreError, is_busy, is_locked, store_trouble

SCHEMA = "0001"
"""The newest revision in ``migrations/versions``, here as text so that opening a store need not load Alembic."""

Dialect = Literal["sqlite", "postgresql"]
_WRITER_KEY = 0x5C04EB01
_BUSY_SECONDS = 60
_RIGHTS = "Give the store, the files beside it and its folder to the user who runs scoreback, or name another place"
_PRAGMAS = (
    f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA wal_autocheckpoint = 4000",  # pages; random index pages are copied back once for many commits
    "PRAGMA cache_size = -16384",  # KiB of each connection, and of each sort: a larger one saves no CPU time that shows
)


@dataclass(frozen=True, slots=True)
class Tx:
    """A transaction: everything in it is stored, or nothing is. ``db`` is SQLAlchemy's connection inside it."""

    db: Connection
    dialect: Dialect

    def cursor(self) -> Any:
        """A DB-API cursor of the same transaction, for the paths where every microsecond counts."""
        return cast("Any", self.db.connection).cursor()


class Store:
    """Facts, results and the outbox of one installation."""

    def __init__(self, engine: Engine, path: Path | None) -> None:
        self.engine = engine
        self.path = path
        self.dialect: Dialect = "postgresql" if path is None else "sqlite"
        self.where = f"store {path or engine.url.render_as_string()}"
        self._turn = threading.Lock()
        self._writer: int | None = None

    @contextmanager
    def writing(self, *, durable: bool = False) -> Iterator[Tx]:
        """The one writing transaction: committed at the end, rolled back by any error.

        Versions are numbered inside it, so the order of ``seq`` is the order of commits on PostgreSQL too, where a
        reader's watermark would otherwise pass rows of a slower writer. Raises RetryLaterError where another process
        keeps the turn for longer than a minute, StoreError where disk, file or server fail. ``durable`` waits for the
        disk: a power cut cannot take it back.
        """
        me = threading.get_ident()
        if self._writer == me:
            message = "a writing transaction is open in this thread already: pass its Tx on"
            raise RuntimeError(message)
        with self._turn:
            self._writer = me
            try:
                with store_trouble(self.where), self._begun(durable=durable) as db:
                    yield Tx(db, self.dialect)
            finally:
                self._writer = None

    @contextmanager
    def _begun(self, *, durable: bool) -> Iterator[Connection]:
        with self.engine.connect() as plain:
            db = plain.execution_options(begin="BEGIN IMMEDIATE")
            if durable:
                self._sync_fully(db, on=True)
            try:
                self._take_turn(db)
                yield db
                db.commit()
            finally:
                db.rollback()
                if durable:
                    self._sync_fully(db, on=False)

    def _sync_fully(self, db: Connection, *, on: bool) -> None:
        if self.dialect == "sqlite":  # PostgreSQL always waits; SQLite takes the pragma only outside a transaction
            cursor = cast("Any", db.connection).cursor()
            cursor.execute(f"PRAGMA synchronous = {'FULL' if on else 'NORMAL'}")
            cursor.close()
            db.rollback()

    def _take_turn(self, db: Connection) -> None:
        try:
            if self.dialect == "postgresql":
                db.execute(
                    text("SELECT set_config('lock_timeout', :wait, true)"), {"wait": f"{int(_BUSY_SECONDS * 1000)}ms"}
                )
                db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITER_KEY})
            else:
                db.begin()
        except OperationalError as error:
            if not is_busy(error):
                raise
            message = f"the store is being written by another process ({error.orig}): try again when it has finished"
            raise RetryLaterError(message, after_seconds=_BUSY_SECONDS) from error

    @contextmanager
    def reading(self) -> Iterator[Tx]:
        """A transaction that sees the store as it is at its first statement, whatever is written meanwhile.

        Raises StoreError where disk, file or server fail.
        """
        with store_trouble(self.where), self.engine.connect() as plain:
            snapshot = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            db = plain.execution_options(**snapshot) if self.dialect == "postgresql" else plain
            try:
                yield Tx(db, self.dialect)
            finally:
                db.rollback()

    def close(self) -> None:
        """Gives back files and sockets."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_store(url: str, *, create: bool = True, upgrade: bool = False) -> Store:
    """The store behind ``url``, made if it is not there and ``create`` allows it.

    ``sqlite:///PATH`` (a relative path starts at the working directory: resolve it before) or ``postgresql://...``.
    Raises ConfigError for a store of an older schema unless ``upgrade`` migrates it, for one newer than this program,
    and for one that we may not write; StoreError for a damaged one.
    """
    path = sqlite_path(url)
    if path is not None:
        _claim(path, create=create)
        # Parameters are values of rows: they stay out of what an error says.
        engine = create_engine(
            f"sqlite+pysqlite:///{path}", connect_args={"timeout": _BUSY_SECONDS}, hide_parameters=True
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        store = Store(engine, path)
    else:
        server = make_url(url).set(drivername="postgresql+psycopg")
        store = Store(create_engine(server, pool_pre_ping=True, hide_parameters=True), None)
    try:
        _bring_up_to_date(store, create=create, upgrade=upgrade)
    except BaseException:
        store.close()
        raise
    return store


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL; None for a server's."""
    return Path(url.partition(":///")[2]) if url.startswith("sqlite") else None


def _claim(path: Path, *, create: bool) -> None:
    """Makes the file ours alone; SQLite gives ``-wal`` and ``-shm`` the mode of the file they belong to."""
    try:
        if not path.exists():
            if not create:
                message = f"there is no store at {path}: scoreback pull makes it"
                raise ConfigError(message)
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        if not path.is_file():  # a folder or a device keeps its mode: others live from it
            message = f"store.url: {path} is no file: name the file that is to hold the store"
            raise ConfigError(message)
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise ConfigError(f"store.url: {path}: {error.strerror}. {_RIGHTS}") from error
    # Asked before SQLite is: it would leave a -shm that cannot be written either, and say something else.
    for one, wanted in ((path, os.R_OK | os.W_OK), (path.parent, os.W_OK | os.X_OK)):
        if not os.access(one, wanted):
            raise ConfigError(f"store.url: {one} may not be written by this user. {_RIGHTS}")


def _prepare_sqlite(raw: Any, _record: object) -> None:
    raw.isolation_level = None  # the driver's own BEGIN comes too late and is never IMMEDIATE
    for pragma in _PRAGMAS:
        _patiently(raw.execute, pragma).close()


_patiently = (
    tenacity.Retrying(  # two that make a store at once: SQLite waits for a lock, but not for a change of the journal
        retry=tenacity.retry_if_exception(lambda error: isinstance(error, sqlite3.Error) and is_locked(error)),
        wait=tenacity.wait_random(0.01, 0.05),
        stop=tenacity.stop_after_delay(_BUSY_SECONDS),
        reraise=True,
    )
)


def _begin_sqlite(db: Connection) -> None:
    db.exec_driver_sql(db.get_execution_options().get("begin", "BEGIN"))


def _revision(tx: Tx) -> str | None:
    if not inspect(tx.db).has_table("alembic_version"):
        return None
    return cast("str | None", tx.db.execute(text("SELECT version_num FROM alembic_version")).scalar())


def _bring_up_to_date(store: Store, *, create: bool, upgrade: bool) -> None:
    """Builds the schema where there is none. Raises ConfigError for one that is older or newer than this program."""
    try:
        with store.reading() as tx:
            found = _revision(tx)
        if found == SCHEMA:
            return
        _refuse(store, found, create=create, upgrade=upgrade)
        with store.writing() as tx:
            if _revision(tx) != SCHEMA:  # another process may have been faster
                migrate(tx)
    except DBAPIError as error:
        raise ConfigError(_no_answer(error.orig)) from error
    except StoreError as error:
        if store.path is None:
            raise ConfigError(_no_answer(error)) from error
        raise


def _no_answer(said: object) -> str:
    return f"store.url: the database does not answer ({said}): check the URL, the server and its rights"


def _refuse(store: Store, found: str | None, *, create: bool, upgrade: bool) -> None:
    where = store.path or store.engine.url.render_as_string()
    if found is None and not create:
        message = f"there is no store at {where}: scoreback pull makes it"
        raise ConfigError(message)
    if found is not None and found > SCHEMA:
        message = (
            f"{where} was made by a newer Scoreback (schema {found}, this one knows {SCHEMA}): install that version"
        )
        raise ConfigError(message)
    if found is not None and not upgrade:
        message = f"{where} has schema {found}, this Scoreback needs {SCHEMA}: go on with the version that made it"
        raise ConfigError(message)


def migrate(tx: Tx, revision: str = "head", *, back: bool = False) -> None:
    """Runs Alembic revisions up to ``revision``, or ``back`` down to it, in the transaction at hand."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = tx.db
    if back:
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)
