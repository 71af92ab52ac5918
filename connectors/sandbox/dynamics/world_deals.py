"""Loads stages, opportunities and their past: processes, close activities, audit rows."""

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from connectors.sandbox.dynamics import audit
from connectors.sandbox.dynamics.defaults import put
from connectors.sandbox.dynamics.ids import guid
from connectors.sandbox.dynamics.store import Row
from connectors.sandbox.dynamics.world_map import STATUS, Cells, deal_fields, moment, number
from connectors.sandbox.folder import Tables

if TYPE_CHECKING:
    from connectors.sandbox.dynamics.world import Loader

_FIELDS = {"stage", "close_on", "amount", "owner_id", "probability", "forecast_category"}


class Deals:
    """Opportunities of a world and everything that tells their course."""

    def __init__(self, loader: "Loader") -> None:
        self.loader = loader
        self.outcomes: dict[tuple[str, str], str] = {}
        self.positions: dict[tuple[str, str], int] = {}

    def load_stages(self, tables: Tables) -> None:
        """A process per pipeline with its stages; ``salesstage`` follows the place among the open ones."""
        rows = tables["stages"] or _stages_of(tables["opportunities"])
        open_count: dict[str, int] = defaultdict(int)
        for cells in rows:
            self.stage(cells, open_count)

    def stage(self, cells: Cells, open_count: dict[str, int]) -> Row:
        """One stage of a process."""
        org, ids = self.loader.org, self.loader.ids
        pipeline, name = cells.get("pipeline") or "default", cells["stage"]
        process = ids.of("pipelines", pipeline)
        if process not in org.rows("workflow"):
            put(org, "workflow", {
                "workflowid": process, "name": pipeline, "uniquename": f"new_bpf_{len(ids.known['pipelines'])}", "category": 4,
                "primaryentity": "opportunity", "statecode": 1, "statuscode": 2,
            })  # fmt: skip
        outcome = cells.get("outcome") or "open"
        self.outcomes[pipeline, name] = outcome
        place = open_count[pipeline] if outcome == "open" else 3
        self.positions[pipeline, name] = min(place, 3)
        open_count[pipeline] += outcome == "open"
        return put(org, "processstage", {
            "processstageid": ids.of("stages", f"{pipeline}/{name}"), "stagename": cells.get("label") or name,
            "primaryentitytypecode": "opportunity", "stagecategory": min(place, 3), "_processid_value": process,
        })  # fmt: skip

    def load(self, tables: Tables) -> None:
        """Opportunities with their past. A merged row has no place: Dataverse does not merge opportunities."""
        past: dict[str, list[Cells]] = defaultdict(list)
        for cells in tables["changes"]:
            if cells.get("record") == "opportunity" and cells.get("field") in _FIELDS:
                past[cells["record_id"]].append(cells)
        for cells in tables["opportunities"]:
            if not cells.get("merged_into"):
                row = self.deal(cells)
                self._remember(row, cells, past.pop(cells["id"], []))

    def deal(self, cells: Cells) -> Row:
        """An opportunity, its process and (closed) its close activity."""
        loader = self.loader
        row: Row = {
            "opportunityid": loader.ids.of("opportunities", cells["id"]), **deal_fields(cells), **self.stage_fields(cells),
            **self.account_fields(cells), **loader.owner(cells), "isrevenuesystemcalculated": False, "prioritycode": 1,
        }  # fmt: skip
        amounts = {"estimatedvalue": number(cells.get("amount"))}
        if row["statecode"] == 1:
            amounts["actualvalue"] = amounts["estimatedvalue"]
        row |= loader.money("opportunity", cells, amounts, (cells.get("created_at") or "")[:10])
        if row["statecode"] == 0:
            row.pop("actualclosedate", None)
        kept = loader.put("opportunity", row, cells)
        self.follow(kept, cells)
        return kept

    def follow(self, row: Row, cells: Cells) -> None:
        """Brings process and close activity in line with an opportunity."""
        self._process(row, cells)
        if row["statecode"]:
            self._close(row, cells)

    def stage_fields(self, cells: Cells) -> dict[str, Any]:
        """State, status, sales stage and process columns that follow from stage and outcome."""
        ids = self.loader.ids
        pipeline, stage = cells.get("pipeline") or "default", cells.get("stage", "")
        outcome = cells.get("outcome") or self.outcomes.get((pipeline, stage), "open")
        state, status = STATUS.get(outcome, STATUS["open"])
        return {
            "statecode": state, "statuscode": status, "salesstage": self.positions.get((pipeline, stage), 0), "salesstagecode": 1,
            "processid": ids.of("pipelines", pipeline), "stageid": ids.of("stages", f"{pipeline}/{stage}") if stage else None,
        }  # fmt: skip

    def account_fields(self, cells: Cells) -> dict[str, Any]:
        """The two lookups to the customer."""
        if not cells.get("account_id"):
            return {}
        account = self.loader.ids.of("accounts", cells["account_id"])
        return {"_customerid_value": account, "_parentaccountid_value": account}

    def _process(self, row: Row, cells: Cells) -> None:
        ended = moment(cells.get("closed_at"))
        self.loader.put("opportunitysalesprocess", {
            "businessprocessflowinstanceid": guid("process", f"of/{row['opportunityid']}"), "name": row.get("name"),
            "_opportunityid_value": row["opportunityid"], "_activestageid_value": row.get("stageid"),
            "_processid_value": row.get("processid"), "activestagestartedon": ended or row.get("modifiedon"),
            "traversedpath": row.get("stageid"), "completedon": ended, "statecode": 1 if row["statecode"] else 0,
            "statuscode": 2 if row["statecode"] else 1, "_organizationid_value": self.loader.org.organization_id,
        }, cells)  # fmt: skip

    def _close(self, row: Row, cells: Cells) -> None:
        ended = moment(cells.get("closed_at")) or row.get("modifiedon")
        won = row["statecode"] == 1
        values: Row = {
            "activityid": guid("close", f"of/{row['opportunityid']}"), "activitytypecode": "opportunityclose",
            "subject": "Opportunity Won" if won else "Opportunity Lost", "actualend": ended,
            "_opportunityid_value": row["opportunityid"], "_regardingobjectid_value": row["opportunityid"], "statecode": 1,
            "statuscode": 2, "createdon": ended, "modifiedon": ended, "instancetypecode": 0, "prioritycode": 1,
            **self.loader.owner(cells),
        }  # fmt: skip
        if won and row.get("actualvalue") is not None:
            values |= {"actualrevenue": row["actualvalue"], "actualrevenue_base": row.get("actualvalue_base")}
        put(self.loader.org, "opportunityclose", values)

    def _remember(self, row: Row, cells: Cells, past: list[Cells]) -> None:
        """Audit rows: the changes of a moment by one person are one row."""
        org, loader = self.loader.org, self.loader
        if not org.auditing:
            return
        table = org.tables["opportunity"]
        groups: dict[tuple[str, str], list[Cells]] = defaultdict(list)
        for change in past:
            groups[change["at"], change.get("by", "")].append(change)
        began = row.get("createdon", "")
        audit.record(
            org, table, row["opportunityid"], {}, {"name": row.get("name")}, operation=audit.CREATE, action=audit.CREATE,
            at=began, by=row["_ownerid_value"],
        )  # fmt: skip
        for (at, by), changes in sorted(groups.items()):
            old, new = self._sides(changes, cells)
            person = loader.ids.of("people", by) if by else org.user_id
            action = _action(new)
            when = moment(at) or began
            audit.record(
                org, table, row["opportunityid"], old, new, operation=audit.UPDATE, action=action, at=when, by=person
            )

    def _sides(self, changes: list[Cells], cells: Cells) -> tuple[Row, Row]:
        old: Row = {}
        new: Row = {}
        for change in changes:
            old |= self._said(change["field"], change.get("old", ""), cells)
            new |= self._said(change["field"], change.get("new", ""), cells)
        if new.get("statecode") and cells.get("closed_at"):
            new["actualclosedate"] = cells["closed_at"][:10]
        return old, new

    def _said(self, field: str, text: str, cells: Cells) -> Row:
        if field == "owner_id":
            return {"_ownerid_value": self.loader.ids.of("people", text)} if text else {}
        given = {field: text, "pipeline": cells.get("pipeline", "")}
        if field != "stage":
            return {key: value for key, value in deal_fields(given).items() if value is not None}
        return {**deal_fields({"stage": text}), **self.stage_fields(given)} if text else {}


def _action(new: Row) -> int:
    state = new.get("statecode")
    if state:
        return audit.WIN if state == 1 else audit.LOSE
    return audit.ASSIGN if "_ownerid_value" in new else audit.UPDATE


def _stages_of(deals: list[dict[str, str]]) -> list[dict[str, str]]:
    """Stages that the opportunities name, for a world that lists none."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for cells in deals:
        key = cells.get("pipeline") or "default", cells.get("stage", "")
        if key[1]:
            found.setdefault(key, {"pipeline": key[0], "stage": key[1], "outcome": cells.get("outcome") or "open"})
    return list(found.values())
