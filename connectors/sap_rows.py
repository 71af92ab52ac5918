"""What the connector makes of SAP's rows where one property does not tell: outcomes, times, owners."""

from collections.abc import Callable

from connectors.sap_settings import SapSettings
from connectors.sap_values import INBOUND, OUTBOUND, Row, between

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


def as_list(party: str) -> list[str]:
    """One party where several may stand."""
    return [party]
