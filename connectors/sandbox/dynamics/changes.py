"""Changing rows over HTTP: create, PATCH with its conditions, delete, single properties, references, bulk messages."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.sandbox.dynamics.errors import Refusal, bad_payload, denied, no_row, no_rows, no_segment, stale
from connectors.sandbox.dynamics.faults import RowFaults
from connectors.sandbox.dynamics.ids import is_guid
from connectors.sandbox.dynamics.options import Options
from connectors.sandbox.dynamics.path import no_key, reference, row_id_of, split_segment
from connectors.sandbox.dynamics.reads import Reads
from connectors.sandbox.dynamics.render import Preferences
from connectors.sandbox.dynamics.schema import TableType
from connectors.sandbox.dynamics.store import Org
from connectors.sandbox.dynamics.values import read_json
from connectors.sandbox.dynamics.writes import Writer
from connectors.sandbox.routing import Reply, Request

_BYPASS = {
    "mscrm.bypassbusinesslogicexecution": "prvBypassCustomBusinessLogic",
    "mscrm.bypassbusinesslogicexecutionstepids": "prvBypassCustomBusinessLogic",
    "mscrm.bypasscustompluginexecution": "prvBypassCustomPlugins",
}
_KEEP = ("systemuser", "businessunit", "organization", "transactioncurrency")
"""Tables whose rows are disabled, never deleted."""


class Changing:
    """Answers POST, PATCH, PUT and DELETE on the tables of one environment."""

    def __init__(self, reads: Reads, writer: Writer, faults: RowFaults) -> None:
        self.reads = reads
        self.org = reads.org
        self.writer = writer
        self.faults = faults

    def _may(self, request: Request, verb: str, table: TableType) -> None:
        self.reads.check(verb, table)
        for header, privilege in _BYPASS.items():
            if request.headers.get(header) and privilege in self.reads.lacking:
                raise denied(privilege, table.name)

    def create(self, request: Request, root: str, table: TableType, prefer: Preferences) -> Reply:
        """POST on a set."""
        self._may(request, "Create", table)
        body = read_json(request.body, table.set_name)
        row_id = self.writer.create(table, body)
        return self._written(root, table, row_id, prefer, 201)

    def patch(self, request: Request, root: str, table: TableType, key: str, prefer: Preferences) -> Reply:
        """PATCH on a row: an upsert, unless ``If-Match`` or ``If-None-Match`` says otherwise."""
        body = read_json(request.body, table.set_name)
        row_id, pairs = row_id_of(self.org, table, key)
        row = self.org.rows(table.name).get(row_id) if row_id else None
        match, none = request.headers.get("if-match"), request.headers.get("if-none-match")
        if row is None and match:
            raise no_row(table.name, row_id) if row_id else no_key(table)
        if row is not None and none == "*":
            raise Refusal(412, "0x80040237", "A record with matching key values already exists.")
        if row is None:
            self._may(request, "Create", table)
            new_id = self.writer.create(table, {**pairs, **body}, row_id or None)
            return self._written(root, table, new_id, prefer, 201)
        self._may(request, "Write", table)
        self.faults.begin(request, [(table, row_id)])
        if match and match != "*" and match != f'W/"{row.get("versionnumber")}"':
            raise stale()
        self.writer.update(table, row_id, body)
        return self._written(root, table, row_id, prefer, 200)

    def _written(self, root: str, table: TableType, row_id: str, prefer: Preferences, status: int) -> Reply:
        where = f"{root}/{table.set_name}({row_id})"
        if prefer.representation:
            row = self.org.rows(table.name)[row_id]
            reply = self.reads.shown(root, table, row, Options(), prefer, status)
            reply.headers["Location"] = where
            return reply
        return Reply(
            204, None, {"OData-EntityId": where, "Location": where} if status == 201 else {"OData-EntityId": where}
        )

    def delete(self, request: Request, table: TableType, key: str) -> Reply:
        """DELETE on a row."""
        self._may(request, "Delete", table)
        if table.name in _KEEP:
            raise Refusal(400, "0x80040800", f"The 'Delete' method does not support entities of type '{table.name}'.")
        row = self.reads.row(table, key)
        match = request.headers.get("if-match", "*")
        if match not in {"*", f'W/"{row.get("versionnumber")}"'}:
            raise stale()
        self.faults.begin(request, [(table, row[table.pk])])
        with self.org.transaction():
            self.writer.delete(table, row[table.pk])
        return Reply(204)

    def below(self, request: Request, table: TableType, key: str, rest: Sequence[str]) -> Reply:
        """PUT or DELETE on a property or a reference of a row."""
        self._may(request, "Write", table)
        row_id = self.reads.row(table, key)[table.pk]
        name, _ = split_segment(rest[0])
        gone = request.method == "DELETE"
        if len(rest) == 2 and rest[1] == "$ref" and table.nav(name):
            value = None if gone else read_json(request.body, table.set_name).get("@odata.id")
            self.writer.update(table, row_id, {f"{name}@odata.bind": value})
        elif len(rest) == 1 and self.org.column(table, name) and request.method != "POST":
            held = None if gone else read_json(request.body, table.set_name)
            self.writer.update(table, row_id, {name: None if held is None else held.get("value")})
        else:
            raise no_segment(rest[-1])
        return Reply(204)

    # Bulk messages: one transaction each, for standard tables (vendor page 4.3).

    def multiple(self, request: Request, table: TableType, message: str) -> Reply:
        """CreateMultiple, UpdateMultiple, UpsertMultiple."""
        if message not in table.bulk:
            raise Refusal(
                400, "0x80040800", f"The '{message}' method does not support entities of type '{table.name}'."
            )
        self._may(request, "Create" if message == "CreateMultiple" else "Write", table)
        targets = self._targets(request, table)
        if message == "CreateMultiple":
            with self.org.transaction():
                return Reply(200, {"Ids": [self.writer.create(table, one) for one in targets]})
        named = [self._named(table, one, message) for one in targets]
        self.faults.begin(request, [(table, row_id) for row_id, _ in named if row_id])
        if message == "UpdateMultiple":
            self._check_there(table, [row_id for row_id, _ in named])
        with self.org.transaction():
            for (row_id, pairs), one in zip(named, targets, strict=True):
                if row_id in self.org.rows(table.name):
                    self.writer.update(table, row_id, one)
                else:
                    self.writer.create(table, {**pairs, **one}, row_id or None)
        return Reply(204)

    def _check_there(self, table: TableType, row_ids: Sequence[str]) -> None:
        missing = [row_id for row_id in row_ids if row_id not in self.org.rows(table.name)]
        if missing:
            raise no_rows(table.title, missing[:1])
        if len(set(row_ids)) != len(row_ids):
            raise Refusal(400, "0x80040203", "Duplicate records were found in the Targets of the request.")

    def _targets(self, request: Request, table: TableType) -> list[dict[str, Any]]:
        targets = read_json(request.body, table.set_name).get("Targets")
        if not isinstance(targets, list) or not targets or not all(isinstance(one, dict) for one in targets):
            raise bad_payload(
                table.set_name, "Microsoft.OData.ODataException: The parameter 'Targets' is missing or empty."
            )
        for one in targets:
            kind = str(one.get("@odata.type", "")).removeprefix("#")
            if kind != f"Microsoft.Dynamics.CRM.{table.name}":
                text = (
                    f"The '@odata.type' of each target must be 'Microsoft.Dynamics.CRM.{table.name}', but was '{kind}'."
                )
                raise bad_payload(table.set_name, f"Microsoft.OData.ODataException: {text}")
        return targets

    def _named(self, table: TableType, target: Mapping[str, Any], message: str) -> tuple[str, dict[str, str]]:
        if is_guid(target.get(table.pk)):
            return str(target[table.pk]).lower(), {}
        if message == "UpsertMultiple" and "@odata.id" in target:
            _, key = split_segment(str(target["@odata.id"]).rstrip("/").rpartition("/")[2])
            return row_id_of(self.org, table, key or "")
        raise bad_payload(
            table.set_name, f"Microsoft.OData.ODataException: Every target needs its primary key '{table.pk}'."
        )


def target_of(org: Org, text: str) -> tuple[TableType, str] | None:
    """The row that the address of a batch part points to; None if it points to none (yet)."""
    try:
        return reference(org, text)
    except Refusal:
        return None
