"""Which custom fields a connection's ``write_back`` needs, and their making."""

from collections.abc import Iterator
from typing import Literal

from connectors.base import Can, Connector, FieldSpec, Provisioned
from connectors.errors import RejectedError
from sync.wishes import target_of

FieldType = Literal["number", "text", "long_text", "datetime", "date"]

_TYPES: dict[str, tuple[FieldType, int, int]] = {
    "score": ("number", 0, 0),
    "appraisal": ("number", 0, 2),
    "attainment": ("number", 0, 4),
    "confidence": ("number", 0, 2),
    "grade": ("text", 10, 0),
    "band": ("text", 10, 0),
    "period": ("text", 40, 0),
    "plan": ("text", 80, 0),
    "digest": ("text", 64, 0),
    "next_best_action": ("text", 255, 0),
    "reasons": ("text", 255, 0),
    "scored_at": ("datetime", 0, 0),
}
"""Type, length and decimals of each value that can be written back."""

_HELP = {
    "score": "0 to 100, from the rules of the plan",
    "appraisal": "Composite appraisal score of the period",
    "reasons": "The strongest reasons for the score",
    "scored_at": "When the score was computed",
    "digest": "Fingerprint of everything the score was computed from",
}


def wanted_fields(connector: Connector) -> list[FieldSpec]:
    """The custom fields that the connection's ``write_back`` names."""
    wanted = []
    for record, setting in connector.connection.write_back.items():
        target, fields = target_of(setting, record)
        if target.key is not None:
            wanted.append(FieldSpec(target, target.key, "Scoreback key", "text", 100, help="Person and period"))
        for remote, ours in fields.items():
            kind, length, scale = _TYPES[ours]
            label = "Scoreback " + ours.replace("_", " ")
            wanted.append(FieldSpec(target, remote, label, kind, length or 255, scale, _HELP.get(ours, "")))
    return wanted


def provision_connection(connector: Connector, *, dry_run: bool, remove: bool = False) -> Iterator[Provisioned]:
    """Makes (or takes away) what is wanted; a CRM without an interface for it says what its admin has to do."""
    wanted = wanted_fields(connector)
    if Can.PROVISION not in connector.can or not wanted:
        return
    work = connector.unprovision if remove else connector.provision
    try:
        yield from work(wanted, dry_run=dry_run)
    except RejectedError as error:
        yield Provisioned("fields", "failed", f"{error.code}: {error.text}")
