"""Audit rows of deals as changes: what each says of the fields that we keep changes of.

An audit row holds every column that one person changed at one moment, as JSON in ``changedata``, or (older
environments) as the answer to RetrieveAuditDetails.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.dynamics import values
from connectors.dynamics.api import DynamicsApi, logical_name
from connectors.dynamics.multipart import Part
from connectors.dynamics.settings import DynamicsSettings
from connectors.types import canonical_text

AUDIT_COLUMNS = ("auditid", "_objectid_value", "_userid_value", "createdon")
CHANGED_DATA = "changedata"
DETAILS_AT_ONCE = 100
"""Calls of RetrieveAuditDetails in one batch (the vendor's page, section 8)."""

_PLAIN_NUMBER = re.compile(r"-?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?")
_MONTH_FIRST = re.compile(r"(0?[1-9]|1[0-2])/(0?[1-9]|[12]\d|3[01])/\d{4}\b")

Sides = Mapping[str, tuple[Any, Any]]
"""What was before and after, by the column's logical name."""

_FIELDS: Mapping[str, str] = {
    "close_on": "estimatedclosedate",
    "amount": "estimatedvalue",
    "owner_id": "ownerid",
    "probability": "closeprobability",
    "forecast_category": "msdyn_forecastcategory",
}
"""Columns whose changes are read, unless the connection maps another one."""


def columns(settings: DynamicsSettings) -> dict[str, str]:
    """Logical names of the columns that hold our fields: the history follows the mapping of deals."""
    found = {"stage": "stepname", **_FIELDS}
    for ours in found:
        source = settings.fields.get("opportunity", {}).get(ours)
        if isinstance(source, str) and not source.startswith("@"):
            name = source.partition("@")[0]
            found[ours] = logical_name(name)
    return found


def changes(row: Mapping[str, Any], sides: Sides, settings: DynamicsSettings) -> Iterator[dict[str, Any]]:
    """The changes of one audit row."""
    about = {"record_id": row["_objectid_value"], "at": row["createdon"], "by": row.get("_userid_value")}
    for ours, column in columns(settings).items():
        pair = _stages(sides, column, settings) if ours == "stage" else _values(ours, sides.get(column))
        if pair is not None and pair[0] != pair[1]:
            yield {**about, "remote_id": f"{row['auditid']}:{ours}", "field": ours, "old": pair[0], "new": pair[1]}


def _values(ours: str, pair: tuple[Any, Any] | None) -> tuple[str | None, str | None] | None:
    if pair is None:
        return None
    read = _READERS[ours]
    old, new = (None if side in (None, "") else read(side) for side in pair)
    return old, new


def _stages(sides: Sides, column: str, settings: DynamicsSettings) -> tuple[str | None, str | None] | None:
    """Closing is a step to a stage of its own, and reopening one back: a deal's state overrules its stage."""
    names: list[str | None] = []
    for place in (0, 1):
        state = sides["statecode"][place] if "statecode" in sides else None
        status = sides["statuscode"][place] if "statuscode" in sides else None
        row = {"statecode": _whole(state), "statuscode": _whole(status)}
        meant = values.outcome(row, settings)
        name = sides[column][place] if column in sides else None
        closed = meant not in (None, "open")
        names.append(values.closed_stage(str(meant)) if closed else values.plain_stage(str(name)) if name else None)
    return (names[0], names[1]) if column in sides or "statecode" in sides else None


def _whole(side: Any) -> int | None:
    return int(side) if str(side).isdigit() else None


def _plain(side: Any) -> Decimal | None:
    """A number as audits spell it; None for one in the spelling of another language, where a comma means something else."""
    text = format(side, "f") if isinstance(side, Decimal) else str(side)
    return Decimal(text.replace(",", "")) if _PLAIN_NUMBER.fullmatch(text) else None


def _number(side: Any) -> str | None:
    number = _plain(side)
    return None if number is None else canonical_text(number)


def _percent(side: Any) -> str | None:
    number = _plain(side)
    return None if number is None else canonical_text(values.fraction(number))


def _day(side: Any) -> str | None:
    """A date in either spelling that audits have: ISO, or month first; None in any other."""
    text = str(side)
    if text[4:5] == "-":
        return text[:10]
    if not _MONTH_FIRST.match(text):
        return None
    return datetime.strptime(text.split(" ", maxsplit=1)[0], "%m/%d/%Y").date().isoformat()  # noqa: DTZ007 - a day has no zone


def _person(side: Any) -> str | None:
    """An owner's id ("systemuser,GUID"); a team is nobody."""
    table, comma, key = str(side).rpartition(",")
    return None if comma and table != "systemuser" else key.lower()


def _category(side: Any) -> str | None:
    text = str(side)
    return values.forecast_category(text) if text.isdigit() else text


_READERS: Mapping[str, Callable[[Any], str | None]] = {
    "close_on": _day,
    "amount": _number,
    "owner_id": _person,
    "probability": _percent,
    "forecast_category": _category,
}


class Audits:
    """What changed, for audit rows with or without their data."""

    def __init__(self, api: DynamicsApi, settings: DynamicsSettings) -> None:
        self._api = api
        self._settings = settings

    def changes(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The changes of a page of audit rows, in their order."""
        told = {row["auditid"]: sides for row in rows if (sides := _told(row.get(CHANGED_DATA))) is not None}
        told |= self._details([row["auditid"] for row in rows if row["auditid"] not in told])
        return [change for row in rows for change in changes(row, told.get(row["auditid"], {}), self._settings)]

    def _details(self, ids: Sequence[str]) -> dict[str, Sides]:
        found: dict[str, Sides] = {}
        for place in range(0, len(ids), DETAILS_AT_ONCE):
            some = ids[place : place + DETAILS_AT_ONCE]
            verb = "Microsoft.Dynamics.CRM.RetrieveAuditDetails"
            parts = [Part("GET", f"{self._api.root}audits({one})/{verb}") for one in some]
            for one, said in zip(some, self._api.batch(parts), strict=True):
                if said.status not in (200, 404):  # 404: the audit log was trimmed meanwhile
                    raise said.failure()
                if said.status == 200:
                    found[one] = _detailed(said.body.get("AuditDetail") or {})
        return found


def _told(text: str | None) -> Sides | None:
    """``changedata``: old and new value of each column as text. None for none, and for what older environments keep there.

    That was a list of old values (powerapps-docs#4558).
    """
    try:
        said = json.loads(text or "")["changedAttributes"]
        return {one["logicalName"]: (one.get("oldValue"), one.get("newValue")) for one in said or ()}
    except (ValueError, TypeError, KeyError):
        return None


def _detailed(detail: Mapping[str, Any]) -> Sides:
    """AttributeAuditDetail: two rows with the columns that changed; lookups are spelled as in JSON."""
    old, new = detail.get("OldValue") or {}, detail.get("NewValue") or {}
    names = {key for key in (*old, *new) if "@" not in key}
    return {logical_name(key): (old.get(key), new.get(key)) for key in sorted(names)}
