"""Which path leads to which answer, and which keys each takes at the top of its body."""

from collections.abc import Callable
from dataclasses import dataclass

from connectors.sandbox.fxiaoke.data import Call, Reading
from connectors.sandbox.fxiaoke.people import KEYS as DIRECTORY
from connectors.sandbox.fxiaoke.writes import Writing
from connectors.sandbox.routing import Reply

__all__ = ["DIRECTORY", "Way", "ways"]

_FLOWS = frozenset({"triggerApprovalFlow", "triggerWorkFlow"})
_SPECIFIED = frozenset({"hasSpecifyTime", "hasSpecifyCreatedBy", "includeDetailIds"})
_NONE: frozenset[str] = frozenset()
_CUSTOM_KEYS = {"create": frozenset({"checkDuplicateSearch"})}
"""What custom objects take besides."""


@dataclass(frozen=True, slots=True)
class Way:
    """One endpoint about data."""

    path: str
    answer: Callable[[Call], Reply]
    custom: bool = False
    keys: frozenset[str] = _NONE
    """Keys of its own at the top of the body."""


def ways(reading: Reading, writing: Writing) -> list[Way]:
    """Every endpoint about data. Preset and custom objects have paths of their own."""
    both: list[tuple[str, Callable[[Call], Reply], frozenset[str]]] = [
        ("query", reading.query, _NONE),
        ("get", reading.get, _NONE),
        ("create", writing.create, _FLOWS | _SPECIFIED),
        ("update", writing.update, _FLOWS),
        ("invalid", writing.invalidate, _NONE),
        ("delete", writing.delete, _NONE),
        ("recover", writing.recover, _NONE),
        ("changeOwner", writing.change_owner, _NONE),
    ]
    return [
        *(Way(f"/cgi/crm/v2/data/{name}", answer, keys=keys) for name, answer, keys in both),
        *(
            Way(f"/cgi/crm/custom/v2/data/{name}", answer, custom=True, keys=keys | _CUSTOM_KEYS.get(name, _NONE))
            for name, answer, keys in both
        ),
        Way("/cgi/crm/custom/v2/data/findSimple", reading.find_simple),
        Way("/cgi/crm/custom/v2/data/findOne", reading.find_one),
        Way("/cgi/crm/custom/data/invalid", writing.invalidate_many, custom=True),
        Way("/cgi/crm/v2/object/list", reading.objects),
        Way("/cgi/crm/v2/object/describe", reading.describe, keys=frozenset({"apiName", "includeDetail"})),
        Way("/cgi/crm/v2/object/lock", writing.locker("1")),
        Way("/cgi/crm/v2/object/unlock", writing.locker("0")),
        Way("/cgi/crm/team/get", reading.team, keys=frozenset({"apiName"})),
    ]
