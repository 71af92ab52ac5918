"""What the connector makes of SAP's rows where one property does not tell: outcomes, times, owners."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from connectors.base import From
from connectors.sap.settings import SapSettings
from connectors.sap.values import INBOUND, OUTBOUND, Row, between, day, moment

STAMP = "EntityLastChangedOn"
"""When a node was changed last, of every set since release 1911. ``ETag`` cannot be filtered (SAP note 2789959)."""

COMPLETED = "3"
"""Status code of a finished activity of any kind."""


def outcome_of(row: Row, settings: SapSettings) -> str | None:
    """What a deal's status means."""
    return settings.statuses.get(str(row.get("LifeCycleStatusCode") or ""))


def closed_at(row: Row, settings: SapSettings) -> str | None:
    """The day on which a closed deal took its status, which SAP keeps without a time."""
    since: str | None = row.get("ProcessStatusValidSinceDate")
    return since if outcome_of(row, settings) in ("won", "lost", "omitted") else None


def is_active(row: Row, _settings: SapSettings) -> bool | None:
    """Locked users are not active; whoever has left is told by the day on which the employment ends."""
    locked = row.get("UserLockedIndicator")
    return None if locked is None else not locked


def split_kind(row: Row, settings: SapSettings) -> str:
    """Whether a member of the sales team has a share of the revenue, or one on top of it."""
    return "overlay" if row.get("RoleCode") in settings.overlay_roles else "revenue"


def ended_by(status: str) -> Callable[[Row, SapSettings], str | None]:
    """Reads when a finished appointment ended; ``status`` names the property with its status."""

    def at(row: Row, _settings: SapSettings) -> str | None:
        end: str | None = row.get("EndDate") or row.get("StartDate")
        return end if row.get(status) == COMPLETED else None

    return at


def span_of(row: Row, _settings: SapSettings) -> int | None:
    """Seconds of an appointment."""
    return between(row.get("StartDate"), row.get("EndDate"))


def sent_at(row: Row, _settings: SapSettings) -> str | None:
    """When an e-mail went: its own time, which may be missing, else that of its last change; None while it is a draft."""
    moved: str | None = row.get("DateTime") or row.get(STAMP)
    return moved if row.get("Status") == COMPLETED or row.get("Direction") == INBOUND else None


def mail_owner(row: Row, _settings: SapSettings) -> str | None:
    """Who owns an e-mail; of one that went out without an owner, who sent it."""
    owner: str | None = row.get("OwnerPartyID")
    return owner or (row.get("MessageFromPartyID") if row.get("Direction") == OUTBOUND else None)


def task_owner(row: Row, _settings: SapSettings) -> str | None:
    """Who is to do a task."""
    owner: str | None = row.get("ProcessorPartyID") or row.get("MainEmployeeResponsiblePartyID")
    return owner


_DAYS = ("period_start", "period_end", "start_on", "end_on", "paid_on", "on", "until")
_MOMENTS = ("at", "sent_at", "answered_at", "rated_at")
_BESIDE = {"amount": "currency", "recurring_amount": "currency", "answer": "answered_at", "rating": "", "rate": ""}
"""Numbers of ours that are never zero while the field beside them is empty; those without one are never zero at all."""
_ZERO = re.compile(r"-?0+(?:\.0*)?(?:[Ee][+-]?\d+)?")


def deal_key(value: str) -> str:
    """A deal's ObjectID, also from its UUID, which has the same digits."""
    return value.replace("-", "").upper()


def own_fields(known: Collection[str]) -> dict[str, From]:
    """How values of an own set are read, by those of our fields that a record has; their paths are the admin's."""
    turns: dict[str, Callable[[str], Any]] = {
        **dict.fromkeys(_DAYS, day), **dict.fromkeys(_MOMENTS, moment), "opportunity_id": deal_key,
    }  # fmt: skip
    return {ours: From(f"@{ours}", turn) for ours, turn in turns.items() if ours in known}


def numbers_of(paths: Mapping[str, str]) -> list[tuple[str, str]]:
    """The properties whose zero may mean that nobody entered a number, each with the one beside it. ``paths``: by our fields."""
    return [
        (paths[number], paths.get(beside, ""))
        for number, beside in _BESIDE.items()
        if number in paths and (not beside or beside in paths)
    ]


def without_initial(row: Row, number: str, beside: str) -> None:
    """SAP writes zero, however it is spelled, where nobody entered a number; then what stands beside it is empty too."""
    if not (beside and row.get(beside)) and _ZERO.fullmatch(str(row.get(number))):
        row[number] = None


def as_list(party: str) -> list[str]:
    """One party where several may stand."""
    return [party]
