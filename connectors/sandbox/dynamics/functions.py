"""Functions and actions: who am I, versions, counts, audit details, winning and losing opportunities, publishing."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from uuid import uuid4

from connectors.sandbox.dynamics import audit
from connectors.sandbox.dynamics.errors import Refusal, bad_payload, denied, invalid, no_row, no_segment
from connectors.sandbox.dynamics.path import reference
from connectors.sandbox.dynamics.reads import Reads
from connectors.sandbox.dynamics.schema import TableType
from connectors.sandbox.dynamics.store import Row
from connectors.sandbox.dynamics.values import read_json
from connectors.sandbox.dynamics.writes import Writer
from connectors.sandbox.routing import Reply, Request

Found = Callable[[Request, str, str | None], Reply]


class Functions:
    """Everything below the service root that is no table."""

    def __init__(self, reads: Reads, writer: Writer) -> None:
        self.reads = reads
        self.org = reads.org
        self.writer = writer
        self._by_name: dict[tuple[str, str], Found] = {
            ("GET", "WhoAmI"): self._who_am_i,
            ("GET", "RetrieveVersion"): self._version,
            ("GET", "RetrieveTotalRecordCount"): self._total,
            ("GET", "RetrieveRecordChangeHistory"): self._history,
            ("GET", "RetrieveCurrentOrganization"): self._organization,
            ("POST", "WinOpportunity"): self._win,
            ("POST", "LoseOpportunity"): self._lose,
            ("POST", "PublishXml"): self._publish,
            ("POST", "PublishAllXml"): self._publish_all,
        }

    def find(self, method: str, name: str) -> Found | None:
        """The function or action of that name. Refusal 405: it is one of the other method."""
        found = self._by_name.get((method, name))
        if found is None and any(known == name for _, known in self._by_name):
            raise Refusal(405, "0x80060888", f"The requested resource does not support http method '{method}'.")
        return found

    def _who_am_i(self, request: Request, root: str, key: str | None) -> Reply:
        body = {
            "@odata.context": f"{root}/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse",
            "BusinessUnitId": self.org.unit_id,
            "UserId": self.org.user_id,
            "OrganizationId": self.org.organization_id,
        }
        return Reply(200, body)

    def _version(self, request: Request, root: str, key: str | None) -> Reply:
        context = f"{root}/$metadata#Microsoft.Dynamics.CRM.RetrieveVersionResponse"
        return Reply(200, {"@odata.context": context, "Version": "9.2.26103.00155"})

    def _organization(self, request: Request, root: str, key: str | None) -> Reply:
        context = f"{root}/$metadata#Microsoft.Dynamics.CRM.RetrieveCurrentOrganizationResponse"
        detail = {
            "OrganizationId": self.org.organization_id,
            "FriendlyName": "sandbox",
            "OrganizationVersion": "9.2.26103.155",
            "UniqueName": "sandbox",
            "State": "Enabled",
        }
        return Reply(200, {"@odata.context": context, "Detail": detail})

    def _total(self, request: Request, root: str, key: str | None) -> Reply:
        arguments = _arguments(request, key)
        names = arguments.get("EntityNames")
        if not isinstance(names, list) or not all(name in self.org.tables for name in names):
            raise invalid("The EntityNames parameter must list logical names of tables.")
        body = {
            "@odata.context": f"{root}/$metadata#Microsoft.Dynamics.CRM.RetrieveTotalRecordCountResponse",
            "EntityRecordCountCollection": {
                "Count": len(names),
                "IsReadOnly": False,
                "Keys": names,
                "Values": [len(self.org.rows(name)) for name in names],
            },
        }
        return Reply(200, body)

    # Audit.

    def bound(self, request: Request, root: str, table: TableType, key: str, name: str) -> Reply:
        """A function of one row. Refusal 404: there is none of that name."""
        if table.name != "audit" or name.removesuffix("()") != "RetrieveAuditDetails" or request.method != "GET":
            raise no_segment(f"Microsoft.Dynamics.CRM.{name}")
        self.reads.check("Read", table)
        row = self.reads.row(table, key)
        context = f"{root}/$metadata#Microsoft.Dynamics.CRM.RetrieveAuditDetailsResponse"
        return Reply(200, {"@odata.context": context, "AuditDetail": audit.detail(self.org, row)})

    def _history(self, request: Request, root: str, key: str | None) -> Reply:
        if "prvReadRecordAuditHistory" in self.reads.lacking:
            raise denied("prvReadRecordAuditHistory", "audit")
        arguments = _arguments(request, key)
        target = arguments.get("Target")
        if not isinstance(target, dict) or "@odata.id" not in target:
            raise invalid("The Target parameter must be a reference to a row.")
        table, row_id = reference(self.org, target["@odata.id"])
        paging = arguments.get("PagingInfo") or {}
        number, size = int(paging.get("PageNumber", 1)), int(paging.get("Count", 5000)) or 5000
        rows = audit.history(self.org, table, row_id)
        shown = rows[(number - 1) * size : number * size]
        details = [{**audit.detail(self.org, row), "AuditRecord": _record(row)} for row in shown]
        body = {
            "@odata.context": f"{root}/$metadata#Microsoft.Dynamics.CRM.RetrieveRecordChangeHistoryResponse",
            "AuditDetailCollection": {
                "MoreRecords": number * size < len(rows),
                "PagingCookie": "",
                "TotalRecordCount": len(rows) if paging.get("ReturnTotalRecordCount") else -1,
                "AuditDetails": details,
            },
        }
        return Reply(200, body)

    # Closing opportunities.

    def _win(self, request: Request, root: str, key: str | None) -> Reply:
        return self._close(request, 1, "Opportunity Won")

    def _lose(self, request: Request, root: str, key: str | None) -> Reply:
        return self._close(request, 2, "Opportunity Lost")

    def _close(self, request: Request, state: int, subject: str) -> Reply:
        body = read_json(request.body, "opportunities")
        close, status = body.get("OpportunityClose"), body.get("Status")
        table = self.org.tables["opportunity"]
        if not isinstance(close, dict) or not isinstance(status, int):
            raise bad_payload(
                "opportunities", "Microsoft.OData.ODataException: OpportunityClose and Status are required."
            )
        kind, row_id = reference(self.org, close.get("opportunityid@odata.bind"))
        row = self.org.rows("opportunity").get(row_id)
        if kind.name != "opportunity" or row is None:
            raise no_row("opportunity", row_id)
        if status == -1:
            status = 3 if state == 1 else 4
        if table.columns["statuscode"].states.get(status) != state:
            raise Refusal(
                400, "0x80048408", f"{status} is not a valid status code for state code {state} on opportunity."
            )
        if row.get("statecode"):
            raise Refusal(400, "0x80040515", "The opportunity is already closed.")
        with self.org.transaction():
            self.close(
                row,
                state,
                status,
                {"subject": subject, **self.writer.values(self.org.tables["opportunityclose"], close)},
            )
        return Reply(204)

    def close(self, row: Row, state: int, status: int, close: Mapping[str, Any]) -> None:
        """Wins or loses an opportunity and writes its close activity."""
        table, activity = self.org.tables["opportunity"], self.org.tables["opportunityclose"]
        ended = str(close.get("actualend") or self.org.stamp())
        actual: Decimal | None = close.get("actualrevenue") or (row.get("estimatedvalue") if state == 1 else None)
        values = {"statecode": state, "statuscode": status, "actualclosedate": ended[:10], "actualvalue": actual}
        self.writer.save(table, values, row, check=False, action=audit.WIN if state == 1 else audit.LOSE)
        made = {
            "actualend": ended, "actualrevenue": actual, "statecode": 1, "statuscode": 2, **close,
            "_regardingobjectid_value": row[table.pk],
            "_transactioncurrencyid_value": row.get("_transactioncurrencyid_value"),
        }  # fmt: skip
        self.writer.save(activity, {**made, activity.pk: made.get(activity.pk) or str(uuid4())}, None)

    # Publishing.

    def _publish(self, request: Request, root: str, key: str | None) -> Reply:
        text = read_json(request.body, "PublishXml").get("ParameterXml")
        if not isinstance(text, str) or not text.startswith("<importexportxml"):
            raise invalid("The ParameterXml parameter is missing or is not an importexportxml document.")
        return Reply(204)

    def _publish_all(self, request: Request, root: str, key: str | None) -> Reply:
        return Reply(204)


def _record(row: Row) -> dict[str, Any]:
    shown = {name: value for name, value in row.items() if "@" not in name and name != "changedata"}
    return {"@odata.type": "#Microsoft.Dynamics.CRM.audit", **shown}


def _arguments(request: Request, key: str | None) -> dict[str, Any]:
    """Arguments of a function: ``Name=@alias`` with ``@alias`` among the query, or written in place."""
    found: dict[str, Any] = {}
    depth, start, parts = 0, 0, []
    for at, sign in enumerate(f"{key or ''},"):
        depth += (sign in "[{(") - (sign in "]})")
        if sign == "," and depth == 0:
            parts.append((key or "")[start:at])
            start = at + 1
    for part in parts:
        name, _, text = part.partition("=")
        if not name.strip():
            continue
        text = text.strip()
        if text.startswith("@"):
            text = request.first(text, "null") or "null"
        try:
            found[name.strip()] = json.loads(text.replace("'", '"'))
        except ValueError as error:
            raise invalid(f"The parameter {name.strip()} cannot be read.") from error
    return found
