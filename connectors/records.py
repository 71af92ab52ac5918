"""What a CRM tells us, in our words.

A record is validated and belongs to no table; ``sync/store/tables.py`` adds the keys that make it a row.
Times are aware UTC, dates are dates, money is Decimal plus ISO currency, shares are fractions (0.6).
``remote_id`` is the CRM's own id as text. ``None`` always means "not known".
"""

from datetime import date
from typing import Annotated, ClassVar, Literal

from sqlalchemy import Date, Text
from sqlmodel import Field, SQLModel

from connectors.types import Day, DecimalText, Exact, JsonText, Utc, UtcDateTime

Outcome = Literal["open", "won", "lost", "omitted"]
ActivityKind = Literal["call", "meeting", "email", "task", "visit"]
ChangeField = Literal["stage", "close_on", "amount", "owner_id", "probability", "forecast_category", "team"]

OPEN_END = date.max
"""Last day of what holds until further notice: 9999-12-31."""

Number = Annotated[Exact | None, Field(default=None, sa_type=DecimalText)]
Moment = Annotated[Utc | None, Field(default=None, sa_type=UtcDateTime)]
OnDay = Annotated[Day | None, Field(default=None, sa_type=Date)]
Ids = Annotated[list[str] | None, Field(default=None, sa_type=JsonText)]
Word = Annotated[str | None, Field(default=None, sa_type=Text)]


class Record(SQLModel):
    """One thing as a CRM holds it now."""

    model_config = {"extra": "forbid"}
    kind_name: ClassVar[str]

    remote_id: str = Field(min_length=1, sa_type=Text)
    modified_at: Moment = None
    deleted: bool = False


class Person(Record):
    """Somebody who sells, or leads people who sell."""

    kind_name: ClassVar[str] = "person"
    name: Word = None
    email: Word = None
    active: bool | None = None
    manager_id: Word = None
    team: Word = None
    territory: Word = None
    region: Word = None
    role: Word = None
    started_on: OnDay = None
    ended_on: OnDay = None


class Account(Record):
    """A customer, or one to be."""

    kind_name: ClassVar[str] = "account"
    name: Word = None
    parent_id: Word = None
    owner_id: Word = None
    industry: Word = None
    region: Word = None
    created_at: Moment = None


class Stage(Record):
    """What one stage of one pipeline means. ``pipeline`` None serves every pipeline of the connection."""

    kind_name: ClassVar[str] = "stage"
    pipeline: Word = None
    stage: str = Field(sa_type=Text)
    label: Word = None
    position: int | None = None
    outcome: Outcome | None = Field(default=None, sa_type=Text)
    probability: Number = None
    qualified: bool | None = None


class Opportunity(Record):
    """A deal."""

    kind_name: ClassVar[str] = "opportunity"
    name: Word = None
    account_id: Word = None
    owner_id: Word = None
    pipeline: Word = None
    stage: Word = None
    outcome: Outcome | None = Field(default=None, sa_type=Text)
    amount: Number = None
    currency: Word = None
    created_at: Moment = None
    close_on: OnDay = None
    closed_at: Moment = None
    type: Word = None
    source: Word = None
    product: Word = None
    probability: Number = None
    forecast_category: Word = None
    next_step: Word = None
    discount: Number = None
    external_id: Word = None
    merged_into: Word = None
    extra: dict[str, str | None] | None = Field(default=None, sa_type=JsonText)


class Change(Record):
    """One field of one record took another value at one moment. ``old`` and ``new`` are canonical text."""

    kind_name: ClassVar[str] = "change"
    record: Literal["opportunity", "account", "person"] = Field(sa_type=Text)
    record_id: str = Field(sa_type=Text)
    field: ChangeField = Field(sa_type=Text)
    old: Word = None
    new: Word = None
    at: Moment = None
    by: Word = None


class Activity(Record):
    """A call, meeting, e-mail, task or visit."""

    kind_name: ClassVar[str] = "activity"
    kind: ActivityKind = Field(sa_type=Text)
    owner_id: Word = None
    opportunity_id: Word = None
    account_id: Word = None
    contact_ids: Ids = None
    participant_ids: Ids = None
    direction: Literal["inbound", "outbound"] | None = Field(default=None, sa_type=Text)
    two_way: bool | None = None
    auto_logged: bool | None = None
    created_at: Moment = None
    planned_at: Moment = None
    completed_at: Moment = None
    duration_seconds: int | None = None
    subject_hash: Word = None


class Split(Record):
    """A share of a deal's credit."""

    kind_name: ClassVar[str] = "split"
    opportunity_id: str = Field(sa_type=Text)
    person_id: str = Field(sa_type=Text)
    percentage: Number = None
    kind: Literal["revenue", "overlay"] = Field(default="revenue", sa_type=Text)


class LineItem(Record):
    """One product on a deal."""

    kind_name: ClassVar[str] = "line_item"
    opportunity_id: str = Field(sa_type=Text)
    product: Word = None
    quantity: Number = None
    amount: Number = None


class Target(Record):
    """What a person, team or organisation is to reach in a period. ``period_end`` is the last day."""

    kind_name: ClassVar[str] = "target"
    subject_kind: Literal["person", "team", "territory", "product", "organisation"] = Field(
        default="person", sa_type=Text
    )
    subject_id: Word = None
    metric: str = Field(default="bookings", sa_type=Text)
    period_start: Day = Field(sa_type=Date)
    period_end: Day = Field(sa_type=Date)
    amount: Number = None
    currency: Word = None


class Forecast(Record):
    """What somebody said would be won in a period."""

    kind_name: ClassVar[str] = "forecast"
    owner_id: str = Field(sa_type=Text)
    period_start: Day = Field(sa_type=Date)
    period_end: Day = Field(sa_type=Date)
    layer: Literal["rep", "manager"] = Field(default="rep", sa_type=Text)
    category: Word = None
    amount: Number = None
    currency: Word = None
    reason: Word = None
    at: Moment = None


class Survey(Record):
    """One answer, or one question that waits for it."""

    kind_name: ClassVar[str] = "survey"
    person_id: Word = None
    account_id: Word = None
    opportunity_id: Word = None
    scale: Literal["csat5", "nps"] = Field(sa_type=Text)
    answer: Number = None
    sent_at: Moment = None
    answered_at: Moment = None


class Payment(Record):
    """Money invoiced, paid or given back."""

    kind_name: ClassVar[str] = "payment"
    opportunity_id: Word = None
    amount: Number = None
    currency: Word = None
    paid_on: OnDay = None
    kind: Literal["invoice", "payment", "refund"] = Field(sa_type=Text)


class Contract(Record):
    """Recurring revenue of an account. ``end_on`` is the last day."""

    kind_name: ClassVar[str] = "contract"
    account_id: str = Field(sa_type=Text)
    recurring_amount: Number = None
    currency: Word = None
    start_on: OnDay = None
    end_on: OnDay = None


class Absence(Record):
    """Days a person did not work. ``end_on`` is the last day."""

    kind_name: ClassVar[str] = "absence"
    person_id: str = Field(sa_type=Text)
    start_on: Day = Field(sa_type=Date)
    end_on: Day = Field(sa_type=Date)
    paid: bool | None = None


class Rate(Record):
    """1 ``currency`` = ``rate`` ``to``, from ``on`` until the next one.

    ``until`` is the last day on which it is known to be in force, `OPEN_END` while nothing ends it. Without one it is a
    quotation of its day, and good for 7 days.
    """

    kind_name: ClassVar[str] = "rate"
    currency: str = Field(sa_type=Text)
    to: str = Field(sa_type=Text)
    rate: Number = None
    on: Day = Field(sa_type=Date)
    until: OnDay = None


class Rating(Record):
    """What one person said of another, 1 to 5."""

    kind_name: ClassVar[str] = "rating"
    subject_id: str = Field(sa_type=Text)
    rater_id: str = Field(sa_type=Text)
    item: str = Field(sa_type=Text)
    rating: Number = None
    note: Word = None
    rated_at: Moment = None


RECORDS: dict[str, type[Record]] = {
    record.kind_name: record
    for record in (
        Person, Account, Stage, Opportunity, Change, Activity, Split, LineItem,
        Target, Forecast, Survey, Payment, Contract, Absence, Rate, Rating,
    )
}  # fmt: skip
"""Every record by its name in configuration, files and documentation."""
