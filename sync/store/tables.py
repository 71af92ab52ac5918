"""The tables of records: one per kind, holding every version. The service's own tables are in ``books.py``.

A record's table is the record plus keys. A row is one *version*: it is written once, and only ``current`` (is it the
newest?) and ``modified_at`` (an echo moves the CRM's stamp without changing business content) are touched again.
"""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import BigInteger, ColumnElement, Index, Integer, Table, Text, literal_column, text
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel

from connectors.records import (
    Absence,
    Account,
    Activity,
    Change,
    Contract,
    Forecast,
    LineItem,
    Opportunity,
    Payment,
    Person,
    Rate,
    Rating,
    Record,
    Split,
    Stage,
    Survey,
    Target,
)
from connectors.types import UtcDateTime

# SQLite numbers rows by itself only in a column declared INTEGER; PostgreSQL needs 64 bits to be asked for.
Serial = cast("type[Any]", BigInteger().with_variant(Integer, "sqlite"))


def _index(table: str, *columns: str, where: str = "current", unique: bool = False, name: str = "") -> Index:
    label = f"{'uq' if unique else 'ix'}_{table}_{name or '_'.join(columns)}"
    return Index(label, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


_LOOKUPS: dict[str, tuple[Index, ...]] = {
    "person": (_index("person", "connection", "modified_at", name="modified"),),
    "account": (
        _index("account", "connection", "modified_at", name="modified"),
        _index("account", "connection", "parent_id", name="parent", where="current AND parent_id IS NOT NULL"),
    ),
    "opportunity": (
        _index("opportunity", "connection", "modified_at", name="modified"),
        _index("opportunity", "connection", "owner_id", name="owner"),
        _index("opportunity", "connection", "account_id", name="account"),
        _index("opportunity", "external_id", name="external", where="current AND external_id IS NOT NULL"),
    ),
    "change": (
        _index("change", "connection", "record", "record_id", name="record"),
        _index("change", "connection", "new", name="to_owner", where="current AND field = 'owner_id'"),
        _index("change", "connection", "old", name="from_owner", where="current AND field = 'owner_id'"),
    ),
    "activity": (
        _index("activity", "connection", "modified_at", name="modified"),
        _index("activity", "connection", "opportunity_id", name="opportunity"),
        _index("activity", "connection", "owner_id", name="owner"),
    ),
    "split": (
        _index("split", "connection", "opportunity_id", name="opportunity"),
        _index("split", "connection", "person_id", name="person"),
    ),
    "line_item": (_index("line_item", "connection", "opportunity_id", name="opportunity"),),
    "payment": (_index("payment", "connection", "opportunity_id", name="opportunity"),),
}


class Version(SQLModel):
    """Keys of one version of a record. ``seq`` is the order in which versions were stored.

    No AUTOINCREMENT on SQLite: it costs a sixth of an insert and would only matter if the newest version were deleted.
    """

    seq: int | None = Field(default=None, primary_key=True, sa_type=Serial)
    connection: str = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    content_hash: str = Field(sa_type=Text)
    current: bool
    first_load: bool
    run: int | None = None
    stamped_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """The CRM's ``modified_at`` when this version was stored; ``modified_at`` itself follows later echoes."""

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        kind = cast("type[Record]", cls).kind_name
        return (
            _index(kind, "connection", "remote_id", unique=True, name="current"),
            _index(kind, "connection", "remote_id", name="past", where="NOT current"),
            *_LOOKUPS.get(kind, ()),
        )

    @declared_attr.directive
    @classmethod
    def __tablename__(cls) -> str:
        return cast("type[Record]", cls).kind_name


class PersonRow(Version, Person, table=True):
    """A version of a person."""


class AccountRow(Version, Account, table=True):
    """A version of an account."""


class StageRow(Version, Stage, table=True):
    """A version of a stage."""


class OpportunityRow(Version, Opportunity, table=True):
    """A version of an opportunity."""


class ChangeRow(Version, Change, table=True):
    """A version of a change."""


class ActivityRow(Version, Activity, table=True):
    """A version of an activity."""


class SplitRow(Version, Split, table=True):
    """A version of a split."""


class LineItemRow(Version, LineItem, table=True):
    """A version of a line item."""


class TargetRow(Version, Target, table=True):
    """A version of a target."""


class ForecastRow(Version, Forecast, table=True):
    """A version of a forecast."""


class SurveyRow(Version, Survey, table=True):
    """A version of a survey."""


class PaymentRow(Version, Payment, table=True):
    """A version of a payment."""


class ContractRow(Version, Contract, table=True):
    """A version of a contract."""


class AbsenceRow(Version, Absence, table=True):
    """A version of an absence."""


class RateRow(Version, Rate, table=True):
    """A version of a rate."""


class RatingRow(Version, Rating, table=True):
    """A version of a rating."""


ROWS: dict[str, type[Version]] = {
    cast("type[Record]", row).kind_name: row
    for row in (
        PersonRow, AccountRow, StageRow, OpportunityRow, ChangeRow, ActivityRow, SplitRow, LineItemRow,
        TargetRow, ForecastRow, SurveyRow, PaymentRow, ContractRow, AbsenceRow, RateRow, RatingRow,
    )
}  # fmt: skip
"""The table of every record kind."""


def table_of(kind: str) -> Table:
    """The SQLAlchemy table of a record kind."""
    return cast("Table", ROWS[kind].__table__)  # type: ignore[attr-defined] # set by SQLModel where table=True


def newest(table: Table) -> ColumnElement[Any]:
    """Which rows are current, in the words of the partial indexes: SQLite uses none of them for ``current = 1``."""
    return literal_column(f"{table.name}.current")


for _row in ROWS:
    for _column in table_of(_row).columns:
        if isinstance(_column.type, Integer):
            _column.type = BigInteger().with_variant(Integer, "sqlite")  # a CRM's numbers may pass 32 bits
