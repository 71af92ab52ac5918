"""What follows from a change of a record: stamps, expected revenue, stage history, timeline, the recycle bin."""

from collections.abc import Mapping
from typing import Any

from connectors.sandbox.zoho.store import Event, Org, Row, Table

_TRACKED = ("Stage", "Amount", "Closing_Date", "Owner", "Probability", "Pipeline")
_HISTORY = ("Amount", "Probability", "Expected_Revenue", "Closing_Date", "Currency")


class Changes:
    """The one way by which records change once the org is filled."""

    def __init__(self, org: Org) -> None:
        self.org = org

    def create(self, table: Table, values: Mapping[str, Any], by: int, at: int, key: int | None = None) -> Row:
        """A new record with its stamps, owned by ``by`` unless the values say else."""
        row: Row = {"id": key or self.org.ids.new(), "Owner": by}
        row.update({name: value for name, value in values.items() if value is not None})
        row.update({"Created_Time": at, "Modified_Time": at, "Created_By": by, "Modified_By": by})
        if table.module.name == "Users":
            row["created_time"] = row.pop("Created_Time")
        if table.module.name == "Deals":
            self._set_probability(row, values)
            self.enter_stage(row, by, at)
        if table.module.name == "Contacts":
            row["Full_Name"] = " ".join(filter(None, (row.get("First_Name"), row.get("Last_Name"))))
        table.put(row)
        self._note(table, row, Event(at, by, "added", (), "crm_api"))
        return row

    def update(
        self, table: Table, row: Row, values: Mapping[str, Any], by: int, at: int, source: str = "crm_api"
    ) -> None:
        """Sets values (None clears) and moves the stamps, also when nothing is another than before."""
        deal = table.module.name == "Deals"
        before = {name: row.get(name) for name in _TRACKED} if deal else {}
        for name, value in values.items():
            if row.get(name) != value:
                table.change(row, name, value)
        if deal and row.get("Stage") != before["Stage"]:
            self._set_probability(row, values)
            self.leave_stage(row, at)
            self.enter_stage(row, by, at)
        if deal:
            self._set_expected(row)
            changes = tuple((name, before[name], row.get(name)) for name in _TRACKED if before[name] != row.get(name))
            if changes:
                self._note(table, row, Event(at, by, "updated", changes, source))
        row["Modified_By"] = by
        self.stamp(table, row, at)

    def stamp(self, table: Table, row: Row, at: int) -> None:
        """Moves Modified_Time."""
        row["Modified_Time"] = at
        table.moved(row["id"])

    def delete(self, table: Table, key: int, by: int, at: int) -> None:
        """Into the recycle bin; of a deleted deal's history only the rows without a deal stay."""
        table.drop(key, at, by)
        if table.module.name == "Deals":
            history = self.org.tables["DealHistory"]
            for one in history.by("Potential_Name", key):
                history.change(history.rows[one], "Potential_Name", None)

    def _note(self, table: Table, row: Row, event: Event) -> None:
        self.org.timeline.setdefault((table.module.name, row["id"]), []).append(event)

    def _set_probability(self, row: Row, values: Mapping[str, Any]) -> None:
        stage = self.org.stage(row.get("Stage", ""), row.get("Pipeline"))
        if stage is not None and values.get("Probability") is None:
            row["Probability"] = stage.probability
        if stage is not None and "Pipeline" not in row:
            row["Pipeline"] = next(one.name for one in self.org.pipelines if stage in one.stages)
        self._set_expected(row)

    @staticmethod
    def _set_expected(row: Row) -> None:
        if "Amount" in row and "Probability" in row:
            row["Expected_Revenue"] = round(row["Amount"] * row["Probability"] / 100, 2)
        else:
            row.pop("Expected_Revenue", None)

    def enter_stage(self, deal: Row, by: int | None, at: int) -> None:
        """A new row of DealHistory: from now on the deal is in its stage."""
        history = self.org.tables["DealHistory"]
        row = {name: deal[name] for name in _HISTORY if name in deal}
        row |= {"id": self.org.ids.new(), "Potential_Name": deal["id"], "Stage": deal.get("Stage"), "Modified_Time": at,
                "Created_Time": at, "Modified_By": by}  # fmt: skip
        history.put({name: value for name, value in row.items() if value is not None})

    def leave_stage(self, deal: Row, at: int) -> None:
        """The row of the stage so far learns where the deal went; its Modified_Time stays."""
        history = self.org.tables["DealHistory"]
        rows = [history.rows[key] for key in history.by("Potential_Name", deal["id"])]
        for row in rows:
            if "Moved_To__s" not in row:
                history.change(row, "Moved_To__s", deal.get("Stage"))
                row["$left"] = at
