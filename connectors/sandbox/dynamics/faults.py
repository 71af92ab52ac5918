"""Trouble that only Dataverse has, and the faults that strike single rows of a write."""

from collections.abc import Sequence

from connectors.sandbox.dynamics.errors import Refusal
from connectors.sandbox.dynamics.schema import TableType
from connectors.sandbox.dynamics.store import Org
from connectors.sandbox.faults import CATALOGUE, FaultKind, Faults
from connectors.sandbox.routing import Request

FAULTS: dict[str, FaultKind] = {
    **CATALOGUE,
    "unavailable": FaultKind("503 of an environment that is being moved."),
    "gateway_timeout": FaultKind("504 of the gateway."),
    "deadlock": FaultKind("The call fails with SQL error 1205 (0x80044150)."),
    "sql_timeout": FaultKind("The call fails with an SQL timeout (0x80044151)."),
    "plugin_refused": FaultKind(
        "One row of the next write batch is refused by a plug-in of the customer (0x80040265)."
    ),
    "concurrency_limit": FaultKind("429: too many calls at once."),
    "execution_limit": FaultKind("429: too much execution time in the window."),
    "metadata_lock": FaultKind("Metadata writes fail with 503 0x80048d3d."),
    "solution_busy": FaultKind("Metadata writes fail: another solution operation runs (0x80071151)."),
    "not_member": FaultKind("403: the application user is not a member of the organization.", times=None),
    "no_roles": FaultKind("403: the application user has no roles.", times=None),
    "expired_delta": FaultKind("A delta link is refused as too old (0x80044352)."),
    "no_in": FaultKind("A filter with the function In is refused as an unknown function.", times=None),
    "repeated_row": FaultKind(
        "A page of an order without the key begins with the last row of the page before.", times=None
    ),
}
"""The common faults and Dataverse's own."""

_PLUGIN = Refusal(400, "0x80040265", "ISV code aborted the operation.")
_LOCK = Refusal(
    500, "0x80044150", "Generic SQL error. CRM ErrorCode: -2147204784 Sql ErrorCode: -2146232060 Sql Number: 1205"
)

WRITE_LOCK = Refusal(
    503,
    "0x80048d3d",
    "Could not acquire Write lock in time 30000 milliseconds. Another metadata operation is running; please try again.",
)
SOLUTION_BUSY = Refusal(
    500,
    "0x80071151",
    "The solution installation or removal failed due to the installation or removal of another solution at the same "
    "time. Please try again later.",
)


def simple_refusal(name: str) -> Refusal | None:
    """What a fault that refuses a whole call answers."""
    return _WHOLE.get(name)


_WHOLE = {
    "unavailable": Refusal(503, "0x8004a001", "The server is busy and the request was not completed. Try again later."),
    "gateway_timeout": Refusal(504, "0x80044151", "SQL timeout expired."),
    "deadlock": _LOCK,
    "sql_timeout": Refusal(500, "0x80044151", "SQL timeout expired."),
    "not_member": Refusal(403, "0x80072560", "The user is not a member of the organization."),
    "no_roles": Refusal(403, "0x80042f09", "The user has not been assigned any roles."),
}


class RowFaults:
    """Chooses the rows of a write that go wrong. What is refused for good stays so until it was refused alone."""

    def __init__(self, org: Org, faults: Faults) -> None:
        self.org = org
        self.faults = faults
        self.for_good: dict[str, Refusal] = {}
        self.now: dict[str, Refusal] = {}
        self.nested = False
        """Inside a ``$batch``, whose rows were chosen when it began."""

    def begin(self, request: Request, targets: Sequence[tuple[TableType, str]]) -> None:
        """A write batch is about to touch these rows."""
        if self.nested or not targets:
            return
        self.now = {}
        self._delete(request, targets)
        for name, kept in (("refused_row", self.for_good), ("plugin_refused", self.for_good), ("locked_row", self.now)):
            if fault := self.faults.strike(name, request.where):
                chosen = targets[int(fault.extra.get("row", 0)) % len(targets)][1]
                kept[chosen] = _LOCK if name == "locked_row" else _PLUGIN
        if self.faults.strike("half_batch", request.where):
            self.for_good |= {row_id: _PLUGIN for _, row_id in targets[1::2]}

    def _delete(self, request: Request, targets: Sequence[tuple[TableType, str]]) -> None:
        if fault := self.faults.strike("deleted_meanwhile", request.where):
            table, row_id = targets[int(fault.extra.get("row", 0)) % len(targets)]
            if row_id in self.org.rows(table.name):
                self.org.drop(table.name, row_id)

    def strike(self, table: TableType, row_id: str) -> None:
        """Raises what is in store for a row that is being written."""
        found = self.now.get(row_id) or self.for_good.get(row_id)
        if found is None:
            return
        if not self.org.in_transaction:
            self.for_good.pop(row_id, None)
        raise found
