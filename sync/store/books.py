"""The service's own tables: where streams stand, what was scored, what waits for a CRM and what it has accepted."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from connectors.base import Value
from connectors.types import DecimalText, JsonText, UtcDateTime
from sync.store.tables import Serial
from sync.store.values import ValuesText

Subject = Literal["opportunity", "person"]

Moment = Annotated[datetime | None, Field(default=None, sa_type=UtcDateTime)]
OfRun = Annotated[int | None, Field(default=None, foreign_key="run.id", sa_type=Serial)]


class StreamState(SQLModel, table=True):
    """Where one stream of one connection stands.

    ``cursor`` is the end of the last finished window; ``window_start``, ``window_end`` and ``resume`` say how far an
    unfinished one has come (``window_end`` None: none is open; ``window_start`` None: it is a full pull).
    """

    __tablename__ = "stream_state"
    connection: str = Field(primary_key=True, sa_type=Text)
    stream: str = Field(primary_key=True, sa_type=Text)
    cursor: Moment = None
    window_start: Moment = None
    window_end: Moment = None
    resume: str | None = Field(default=None, sa_type=Text)
    mapping_hash: str | None = Field(default=None, sa_type=Text)
    full_done: bool = False
    rows: int = 0
    deletions_until: Moment = None
    deletions_at: Moment = None
    metadata_at: Moment = None
    pulled_at: Moment = None
    last_error: str | None = Field(default=None, sa_type=Text)
    last_error_at: Moment = None
    stopped_reason: str | None = Field(default=None, sa_type=Text)


class Run(SQLModel, table=True):
    """One command or cycle. ``status``: running, done, partly, failed."""

    __tablename__ = "run"
    id: int | None = Field(default=None, primary_key=True, sa_type=Serial)
    command: str = Field(sa_type=Text)
    connection: str | None = Field(default=None, sa_type=Text)
    started_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: Moment = None
    status: str = Field(default="running", sa_type=Text)
    summary: dict[str, Any] | None = Field(default=None, sa_type=JsonText)
    process: str | None = Field(default=None, sa_type=Text)


def _of_key(name: str, where: str, *, unique: bool = False) -> Index:
    key = ("kind", "subject", "plan", "period")
    return Index(name, *key, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


class Result(SQLModel, table=True):
    """One version of one score. ``subject`` is ``connection:remote_id``, ``grade`` a deal's grade or a person's band."""

    __tablename__ = "result"
    __table_args__ = (
        _of_key("uq_result_current", "current", unique=True),
        _of_key("ix_result_past", "NOT current"),
        {"sqlite_autoincrement": True},
    )
    seq: int | None = Field(default=None, primary_key=True, sa_type=Serial)
    kind: Subject = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    plan: str = Field(default="", sa_type=Text)
    plan_version: int | None = None
    period: str = Field(default="", sa_type=Text)
    as_of: date
    score: Decimal | None = Field(default=None, sa_type=DecimalText)
    grade: str | None = Field(default=None, sa_type=Text)
    status: str = Field(sa_type=Text)
    payload: dict[str, Any] = Field(sa_type=JsonText)
    digest: str = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    run: OfRun = None
    current: bool = True


class Outbox(SQLModel, table=True):
    """One field set that waits to be written, or was refused and is parked with the CRM's own ``code`` and ``text``."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("connection", "record", "remote_id", "target", name="uq_outbox_record"),
        Index("ix_outbox_next", "connection", "record", "target", "state", "id"),
        {"sqlite_autoincrement": True},
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=Serial)
    connection: str = Field(sa_type=Text)
    record: Subject = Field(sa_type=Text)
    target: str = Field(sa_type=Text)
    remote_id: str = Field(sa_type=Text)
    fields: dict[str, Value] = Field(sa_type=ValuesText)
    digest: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcDateTime)
    run: OfRun = None
    attempts: int = 0
    next_try_at: Moment = None
    state: Literal["pending", "parked"] = Field(default="pending", sa_type=Text)
    code: str | None = Field(default=None, sa_type=Text)
    text: str | None = Field(default=None, sa_type=Text)


class Pushed(SQLModel, table=True):
    """What a CRM last accepted from us for one record."""

    __tablename__ = "pushed"
    connection: str = Field(primary_key=True, sa_type=Text)
    record: Subject = Field(primary_key=True, sa_type=Text)
    target: str = Field(primary_key=True, sa_type=Text)
    remote_id: str = Field(primary_key=True, sa_type=Text)
    fields: dict[str, Value] = Field(sa_type=ValuesText)
    accepted_at: datetime = Field(sa_type=UtcDateTime)
    run: OfRun = None


class Held(SQLModel, table=True):
    """Values that a rollback took out of a CRM: scoring does not queue them again, only others."""

    __tablename__ = "held"
    connection: str = Field(primary_key=True, sa_type=Text)
    record: Subject = Field(primary_key=True, sa_type=Text)
    target: str = Field(primary_key=True, sa_type=Text)
    remote_id: str = Field(primary_key=True, sa_type=Text)
    fields: dict[str, Value] = Field(sa_type=ValuesText)


class PushLog(SQLModel, table=True):
    """One verdict of a CRM: what stood there as far as we know, what we sent, what it said."""

    __tablename__ = "push_log"
    __table_args__ = (
        Index("ix_push_log_run", "run"),
        Index("ix_push_log_record", "connection", "record", "remote_id"),
        {"sqlite_autoincrement": True},
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=Serial)
    run: OfRun = None
    connection: str = Field(sa_type=Text)
    record: Subject = Field(sa_type=Text)
    target: str = Field(sa_type=Text)
    remote_id: str = Field(sa_type=Text)
    before: dict[str, Value] | None = Field(default=None, sa_type=ValuesText)
    after: dict[str, Value] = Field(sa_type=ValuesText)
    digest: str = Field(sa_type=Text)
    accepted: bool
    code: str | None = Field(default=None, sa_type=Text)
    text: str | None = Field(default=None, sa_type=Text)
    at: datetime = Field(sa_type=UtcDateTime)


class Unreadable(SQLModel, table=True):
    """A remote row that could not be understood and was left out. It goes when the record is read well."""

    __tablename__ = "unreadable"
    connection: str = Field(primary_key=True, sa_type=Text)
    stream: str = Field(primary_key=True, sa_type=Text)
    remote_id: str = Field(primary_key=True, sa_type=Text)
    text: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=UtcDateTime)
    run: int | None = Field(default=None, sa_type=Serial)


class Watermark(SQLModel, table=True):
    """Up to which version a reader has read. ``name`` says who reads what, ``connection`` is empty for all of them."""

    __tablename__ = "watermark"
    name: str = Field(primary_key=True, sa_type=Text)
    connection: str = Field(default="", primary_key=True, sa_type=Text)
    seq: int = Field(default=0, sa_type=Serial)


class Baseline(SQLModel, table=True):
    """Peer figures of one day and period, read alike by full and incremental runs."""

    __tablename__ = "baseline"
    name: str = Field(primary_key=True, sa_type=Text)
    period: str = Field(primary_key=True, sa_type=Text)
    day: date = Field(primary_key=True)
    payload: dict[str, Any] = Field(sa_type=JsonText)
    digest: str = Field(sa_type=Text)
    version: int = 1


class PlanVersion(SQLModel, table=True):
    """A published plan: immutable text with its effective dates, ``effective_to`` exclusive."""

    __tablename__ = "plan_version"
    plan: str = Field(primary_key=True, sa_type=Text)
    version: int = Field(primary_key=True)
    digest: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)
    effective_from: date
    effective_to: date | None = None
    published_at: datetime = Field(sa_type=UtcDateTime)


class Token(SQLModel, table=True):
    """What a CRM issued to us, encrypted under ``store.token_key``."""

    __tablename__ = "token"
    connection: str = Field(primary_key=True, sa_type=Text)
    ciphertext: str = Field(sa_type=Text)


class AllowanceUse(SQLModel, table=True):
    """Our own calls of one day, by sign-in."""

    __tablename__ = "allowance"
    key: str = Field(primary_key=True, sa_type=Text)
    day: date = Field(primary_key=True)
    calls: int = 0


class Audit(SQLModel, table=True):
    """Who did what that others must be able to ask about."""

    __tablename__ = "audit"
    __table_args__: ClassVar[Any] = {"sqlite_autoincrement": True}
    id: int | None = Field(default=None, primary_key=True, sa_type=Serial)
    at: datetime = Field(sa_type=UtcDateTime)
    who: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    details: dict[str, Any] | None = Field(default=None, sa_type=JsonText)


class Meta(SQLModel, table=True):
    """Facts about the store itself."""

    __tablename__ = "meta"
    key: str = Field(primary_key=True, sa_type=Text)
    value: str = Field(sa_type=Text)
