"""What a new portal has before anybody imported anything: default pipelines, one admin."""

from connectors.sandbox.hubspot.portal import Owner, Pipeline, Portal, Stage
from connectors.sandbox.hubspot.store import Thing

_DEFAULT_STAGES = (
    ("appointmentscheduled", "Appointment Scheduled", "0.2"), ("qualifiedtobuy", "Qualified To Buy", "0.4"),
    ("presentationscheduled", "Presentation Scheduled", "0.6"),
    ("decisionmakerboughtin", "Decision Maker Bought-In", "0.8"), ("contractsent", "Contract Sent", "0.9"),
    ("closedwon", "Closed Won", "1.0"), ("closedlost", "Closed Lost", "0.0"),
)  # fmt: skip


def fill_defaults(portal: Portal) -> None:
    """What a new portal has: the default pipelines and one admin."""
    portal.pipelines["deals"] = {"default": Pipeline("default", "Sales Pipeline", 0)}
    for at, (stage, label, chance) in enumerate(_DEFAULT_STAGES):
        metadata = {"probability": chance, "isClosed": "true" if chance in ("1.0", "0.0") else "false"}
        portal.pipelines["deals"]["default"].stages[stage] = Stage(stage, label, at, metadata)
    tickets = Pipeline("0", "Support Pipeline", 0)
    for at, label in enumerate(("New", "Waiting on contact", "Waiting on us", "Closed")):
        state = "CLOSED" if label == "Closed" else "OPEN"
        tickets.stages[str(at + 1)] = Stage(str(at + 1), label, at, {"ticketState": state})
    portal.pipelines["tickets"] = {"0": tickets}


def add_admin(portal: Portal) -> None:
    """The one user of a portal without a world."""
    now = portal.now_ms()
    portal.owners[1001] = Owner(1001, 2001, 3001, "admin@example.com", "Ada", "Admin", now, now)
    add_user_record(portal, portal.owners[1001], {})


def add_user_record(portal: Portal, owner: Owner, extra: dict[str, str | None]) -> Thing:
    """The users object of an owner."""
    values: dict[str, str | None] = {
        "hs_email": owner.email,
        "hs_given_name": owner.first,
        "hs_family_name": owner.last,
        "hs_internal_user_id": str(owner.user_id),
        "hubspot_owner_id": str(owner.id),
        "hs_deactivated": "true" if owner.archived else "false",
        **extra,
    }
    props = {name: value for name, value in values.items() if value is not None}
    thing = Thing(owner.user_record, props, owner.created_ms, owner.updated_ms)
    portal.store.tables["users"].add(thing)
    return thing
