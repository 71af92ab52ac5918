"""Dataverse's values in our words: percentages, days, states, owners who may be teams, rates, stage names."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from connectors.dynamics.settings import DynamicsSettings

Row = Mapping[str, Any]

LOGICAL_NAME = "@Microsoft.Dynamics.CRM.lookuplogicalname"
FORMATTED = "@OData.Community.Display.V1.FormattedValue"

FORECAST_CATEGORIES = {
    100000001: "pipeline", 100000002: "best case", 100000003: "commit", 100000004: "omitted", 100000005: "closed",
    100000006: "lost",
}  # fmt: skip
"""Values of msdyn_forecastcategory."""

CLOSED = {1: "won", 2: "lost"}
"""Outcomes by statecode."""

_SERVICE_MODES = (3, 4, 5)
"""Access modes of no people: Support, Non-interactive, Delegated Admin. Others: Read-Write, Administrative, Read."""

_PLACE = re.compile(r"\d+\s*-\s*(?=\S)")
_RATE_DIGITS = Context(prec=50, rounding=ROUND_HALF_EVEN)
_HALF_DAY = timedelta(hours=12)


def fraction(percent: int | Decimal) -> Decimal:
    """0-100 as 0-1."""
    return Decimal(percent) / 100


def forecast_category(value: int | str) -> str | None:
    """Our word for a forecast category."""
    return FORECAST_CATEGORIES.get(int(value))


def noon(day: str) -> str:
    """A date without a time as noon UTC: it stays the same local date in every zone from UTC-12 to UTC+11."""
    return f"{day[:10]}T12:00:00Z"


def whole_day(text: str) -> str:
    """The day that a date means which is kept as a moment: midnight somewhere, told in UTC, so that half a day leads
    into it. The last minute of a day is that day's.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return moment.date().isoformat()
    moment = moment.astimezone(UTC)
    return (moment if moment.time().hour == 23 and moment.minute == 59 else moment + _HALF_DAY).date().isoformat()


def target_of(row: Row, lookup: str) -> str:
    """The table that a lookup points to."""
    return str(row.get(f"{lookup}{LOGICAL_NAME}") or "")


def owner(row: Row, _settings: DynamicsSettings) -> str | None:
    """Who owns a row, if it is a person: a team is nobody."""
    held: str | None = row.get("_ownerid_value")
    return None if target_of(row, "_ownerid_value") == "team" else held


def is_active(row: Row, _settings: DynamicsSettings) -> bool | None:
    """Whether somebody works here still."""
    disabled = row.get("isdisabled")
    return None if disabled is None else not disabled


def is_service(row: Row, _settings: DynamicsSettings) -> bool:
    """Whether a user is an application or a service, of the platform's own or of a customer's."""
    return bool(row.get("applicationid")) or row.get("accessmode") in _SERVICE_MODES


def merged_away(row: Row, _settings: DynamicsSettings) -> bool:
    """Whether an account has lost a merge: it stays, inactive, and is no customer any more."""
    return bool(row.get("merged"))


def outcome(row: Row, settings: DynamicsSettings) -> str | None:
    """What became of a deal, by its state and never by a label."""
    state = row.get("statecode")
    if state is None:
        return None
    if state == 0:
        return "open"
    return "omitted" if row.get("statuscode") in settings.omitted_statuses else CLOSED.get(state)


def closed_stage(meant: str) -> str:
    """The stage of a closed deal. A deal is closed in whichever stage it is, so that closing is a stage of its own."""
    return f"({meant})"


def plain_stage(name: str) -> str:
    """A stage's name without the place that ``stepname`` puts in front ("2-Develop")."""
    return _PLACE.sub("", name, count=1) if _PLACE.match(name) else name


def stage(row: Row, settings: DynamicsSettings) -> str | None:
    """The stage of an open deal; of a closed one, that it is closed."""
    meant = outcome(row, settings)
    if meant not in (None, "open"):
        return closed_stage(str(meant))
    name: str | None = row.get("stepname")
    return plain_stage(name) if name else None


def closed_at(row: Row, _settings: DynamicsSettings) -> str | None:
    """The day a deal was closed, at noon, but never after its last change: noon may still be to come, and east of
    UTC the day itself.

    None for an open deal, which may hold the date of an earlier closing.
    """
    day, changed = row.get("actualclosedate"), row.get("modifiedon")
    if not row.get("statecode") or not day:
        return None
    return min(noon(day), changed, key=datetime.fromisoformat) if changed else noon(day)


def regarding(table: str) -> Any:
    """Reads what an activity is about, if it is a row of that table."""

    def read(row: Row, _settings: DynamicsSettings) -> str | None:
        held: str | None = row.get("_regardingobjectid_value")
        return held if target_of(row, "_regardingobjectid_value") == table else None

    return read


def customer(row: Row, _settings: DynamicsSettings) -> str | None:
    """The account of a case, whose customer may be a contact."""
    held: str | None = row.get("_customerid_value")
    return held if target_of(row, "_customerid_value") == "account" else None


def is_cancelled(row: Row, _settings: DynamicsSettings) -> bool:
    """Whether an invoice was cancelled: by its state, or by the status of older environments."""
    return row.get("statecode") == 3 or row.get("statuscode") == 3


def account_of(row: Row, _settings: DynamicsSettings) -> str | None:
    """The account of a deal: the lookup for it, else the customer, who may be a contact."""
    parent: str | None = row.get("_parentaccountid_value")
    return parent or customer(row, _settings)


def done_at(row: Row, _settings: DynamicsSettings) -> str | None:
    """When a completed activity ended: as was noted, else as was planned."""
    if row.get("statecode") != 1:
        return None
    found: str | None = row.get("actualend") or row.get("scheduledend") or row.get("scheduledstart")
    return found


def sent_at(row: Row, _settings: DynamicsSettings) -> str | None:
    """When a completed e-mail was sent or received."""
    found: str | None = row.get("senton") or row.get("actualend")
    return found if row.get("statecode") == 1 else None


def planned_at(row: Row, _settings: DynamicsSettings) -> str | None:
    """When an activity is to begin; its end where only that is known."""
    found: str | None = row.get("scheduledstart") or row.get("scheduledend")
    return found


def due_at(row: Row, _settings: DynamicsSettings) -> str | None:
    """When a task is due: Dataverse keeps the due date as its scheduled end."""
    found: str | None = row.get("scheduledend") or row.get("scheduledstart")
    return found


def seconds(row: Row, _settings: DynamicsSettings) -> int | None:
    """How long an activity took, else is to take; Dataverse counts minutes."""
    minutes = row.get("actualdurationminutes")
    minutes = row.get("scheduleddurationminutes") if minutes is None else minutes
    return None if minutes is None else int(minutes) * 60


def direction(outgoing: bool) -> str:
    """directioncode: true is outgoing."""
    return "outbound" if outgoing else "inbound"


def talked(row: Row, _settings: DynamicsSettings) -> bool | None:
    """Whether somebody was reached in a completed call: no voicemail was left."""
    left = row.get("leftvoicemail")
    return None if left is None or row.get("statecode") != 1 else not left


def meeting_kind(row: Row, settings: DynamicsSettings) -> str:
    """An appointment of the category for visits is a visit."""
    return "visit" if str(row.get("category") or "").casefold() == settings.visit_category.casefold() else "meeting"


def product(row: Row, _settings: DynamicsSettings) -> str | None:
    """A line's product from the catalogue, else what was written in."""
    found: str | None = row.get("_productid_value@label") or row.get("productdescription")
    return found


def goal_amount(row: Row, _settings: DynamicsSettings) -> Any:
    """A goal's target, in the column that its type names (0 Money, 1 Decimal, 2 Integer)."""
    column = {0: "targetmoney", 1: "targetdecimal", 2: "targetinteger"}.get(row.get("amountdatatype", -1))
    return None if column is None else row.get(column)


def goal_subject(row: Row, _settings: DynamicsSettings) -> str | None:
    """Whom a goal is for: a person by id, a team by name, as people name theirs."""
    held: str | None = row.get("_goalownerid_value")
    return row.get("_goalownerid_value@label") if target_of(row, "_goalownerid_value") == "team" else held


def goal_subject_kind(row: Row, _settings: DynamicsSettings) -> str:
    """Whether a goal is a person's or a team's."""
    return "team" if target_of(row, "_goalownerid_value") == "team" else "person"


def inverse(rate: int | Decimal | None) -> Decimal | None:
    """1 / rate to 12 places; None for no rate, or one of zero."""
    number = Decimal(rate or 0)
    return _RATE_DIGITS.quantize(_RATE_DIGITS.divide(Decimal(1), number), Decimal("1E-12")) if number else None


def won_amount(row: Row) -> Any:
    """What a deal is worth: for a won one its actual revenue, if that is known."""
    actual = row.get("actualvalue")
    return actual if row.get("statecode") == 1 and actual is not None else row.get("estimatedvalue")


def since_deals(since: date) -> str:
    """The condition of a first load of deals: open ones, and those closed from a day on."""
    return f"(statecode eq 0 or actualclosedate ge {since})"


def since_activities(since: date) -> str:
    """The condition of a first load of activities: their own end, else their creation."""
    start = f"{since}T00:00:00Z"
    return f"(actualend ge {start} or (actualend eq null and createdon ge {start}))"
