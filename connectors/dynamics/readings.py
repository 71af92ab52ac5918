"""How each table is asked for its stream, and the paths that the connector makes of several columns."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from connectors.base import Stream
from connectors.dynamics import values
from connectors.dynamics.api import DynamicsApi
from connectors.dynamics.settings import DynamicsSettings
from connectors.dynamics.streams import ID
from connectors.errors import ForbiddenError

Derived = Mapping[str, tuple[tuple[str, ...], Callable[[values.Row, DynamicsSettings], Any]]]


@dataclass(frozen=True, slots=True)
class Reading:
    """How one stream's table is asked, beyond its mapping.

    ``table`` is its logical name, ``key`` its primary key. ``tracked``: read by change tracking where the table has it.
    ``where`` always holds (only for tables that are not tracked: change tracking takes no filter); ``since`` makes the
    condition of a first load that starts at a day; ``alive`` leaves out of id lists what counts as deleted; ``also``
    are columns wanted beside the mapping; ``days`` those that hold a day although they are kept as moments.
    """

    table: str
    key: str
    tracked: bool = True
    where: str = ""
    alive: str = ""
    cursor: str = "modifiedon"
    since: Callable[[date], str] | None = None
    derived: Derived = field(default_factory=dict)
    also: tuple[str, ...] = ()
    days: frozenset[str] = frozenset()


_MADE: Derived = {
    "@owner": (("_ownerid_value",), values.owner),
    "@deleted": ((), lambda _row, _settings: False),
}
_ABOUT: Derived = {
    **_MADE,
    "@opportunity": (("_regardingobjectid_value",), values.regarding("opportunity")),
    "@account": (("_regardingobjectid_value",), values.regarding("account")),
    "@planned_at": (("scheduledstart", "scheduledend"), values.planned_at),
    "@due_at": (("scheduledstart", "scheduledend"), values.due_at),
    "@completed_at": (("statecode", "actualend", "scheduledend", "scheduledstart"), values.done_at),
    "@sent_at": (("statecode", "senton", "actualend"), values.sent_at),
    "@seconds": (("actualdurationminutes", "scheduleddurationminutes"), values.seconds),
    "@talked": (("leftvoicemail", "statecode"), values.talked),
    "@kind": (("category",), values.meeting_kind),
}

_STATES = ("statecode", "statuscode")
READINGS: dict[str, Reading] = {
    "person": Reading(
        "systemuser",
        "systemuserid",
        alive="applicationid eq null and accessmode ne 3 and accessmode ne 4 and accessmode ne 5",
        derived={
            **_MADE,
            "@active": (("isdisabled",), values.is_active),
            "@deleted": (("accessmode", "applicationid"), values.is_service),
        },
    ),
    "account": Reading(
        "account",
        "accountid",
        alive="merged ne true",
        derived={**_MADE, "@deleted": (("merged",), values.merged_away)},
    ),
    "stage": Reading(
        "processstage",
        "processstageid",
        tracked=False,
        where="primaryentitytypecode eq 'opportunity'",
        derived={"@outcome": ((), lambda row, _settings: row.get("@outcome") or "open")},
    ),
    "opportunity": Reading(
        "opportunity",
        "opportunityid",
        since=values.since_deals,
        derived={
            **_MADE,
            "@account": (("_parentaccountid_value", "_customerid_value"), values.account_of),
            "@stage": (("stepname", *_STATES), values.stage),
            "@outcome": (_STATES, values.outcome),
            "@closed_at": (("statecode", "actualclosedate", "modifiedon"), values.closed_at),
        },
        also=("actualvalue", "statecode"),
    ),
    "history": Reading(
        "audit",
        "auditid",
        tracked=False,
        where="objecttypecode eq 'opportunity' and operation eq 2",  # Update; others are Create, Delete and Access
        cursor="createdon",
        since=lambda day: f"createdon ge {day}T00:00:00Z",
    ),
    "call": Reading("phonecall", "activityid", since=values.since_activities, derived=_ABOUT),
    "meeting": Reading("appointment", "activityid", since=values.since_activities, derived=_ABOUT),
    "task": Reading("task", "activityid", since=values.since_activities, derived=_ABOUT),
    "email": Reading("email", "activityid", since=values.since_activities, derived=_ABOUT),
    "line_item": Reading(
        "opportunityproduct",
        "opportunityproductid",
        derived={**_MADE, "@product": (("_productid_value@label", "productdescription"), values.product)},
    ),
    "split": Reading(
        "connection",
        "connectionid",
        tracked=False,
        # 3 is an opportunity, 8 a user; of two mirrored rows this is one. 0 is active.
        where="record1objecttypecode eq 3 and record2objecttypecode eq 8",
        alive="statecode eq 0",
        derived={**_MADE, "@deleted": (("statecode",), lambda row, _settings: row.get("statecode") == 1)},
    ),
    "case": Reading(
        "incident",
        "incidentid",
        tracked=False,
        where="customersatisfactioncode ne null",
        derived={**_MADE, "@account": (("_customerid_value",), values.customer)},
    ),
    "survey": Reading(
        "msfp_surveyresponse", "activityid", tracked=False, where="msfp_npsscore ne null", derived=_ABOUT
    ),
    "invoice": Reading(
        "invoice",
        "invoiceid",
        alive="statecode ne 3 and statuscode ne 3",
        derived={**_MADE, "@deleted": (("statecode", "statuscode"), values.is_cancelled)},
    ),
    "target": Reading(
        "goal",
        "goalid",
        tracked=False,
        where="statuscode ne 2",  # Discarded
        derived={
            **_MADE,
            "@subject": (("_goalownerid_value", "_goalownerid_value@label"), values.goal_subject),
            "@subject_kind": (("_goalownerid_value",), values.goal_subject_kind),
            "@amount": (("amountdatatype", "targetmoney", "targetdecimal", "targetinteger"), values.goal_amount),
        },
    ),
    "rate": Reading(
        "transactioncurrency",
        "transactioncurrencyid",
        tracked=False,
        where="statecode eq 0",
    ),
}


class Tables:
    """Which table each stream reads. Of a company's own the metadata tell name, key and days; ``learnt`` keeps them."""

    def __init__(self, api: DynamicsApi, connection: DynamicsSettings, learnt: dict[str, str]) -> None:
        self._api = api
        self._connection = connection
        self._learnt = learnt

    def remote(self, stream: Stream) -> str:
        """The entity set that a stream reads; "" where the company has not named any."""
        return self._connection.object_of(stream.name) or stream.remote

    def reading(self, stream: Stream) -> Reading:
        """How its table is asked. Raises ForbiddenError where there is no table of the name that the company gave."""
        return READINGS.get(stream.name) or self._own(stream)

    def _own(self, stream: Stream) -> Reading:
        remote = self.remote(stream)
        kept = f"table:{remote}"
        if kept not in self._learnt:
            self._learnt[kept] = json.dumps(self._described(stream, remote))
        table, key, days = json.loads(self._learnt[kept])
        derived: Derived = {**_MADE, ID: ((key,), lambda row, _settings: row[key])}
        return Reading(table, key, derived=derived, days=frozenset(days))

    def _described(self, stream: Stream, remote: str) -> tuple[str, str, list[str]]:
        found = self._api.table_of(remote)
        if found is None:
            raise ForbiddenError(
                f"{self._connection.name}: {stream.name}: there is no table whose entity set is called {remote}. Correct "
                f"streams.{stream.name}.object (Power Apps > the table > Tools > Copy set name), or switch the stream off"
            )
        return *found, self._api.day_columns(found[0])
