"""Loads deals with their past: stage history, timeline, quotes with line items; merged deals are deleted ones."""

from collections.abc import Iterable
from typing import Any

from connectors.sandbox.folder import Tables
from connectors.sandbox.zoho.store import Event, Gone, Org, Row
from connectors.sandbox.zoho.world_map import Cells, Mapper, Values, number, percent

_FIELDS = {
    "stage": "Stage", "close_on": "Closing_Date", "amount": "Amount", "probability": "Probability", "owner_id": "Owner",
    "forecast_category": "Forecast_Category",
}  # fmt: skip
_STATE = ("Stage", "Amount", "Probability", "Closing_Date")


class Deals:
    """Reads opportunities, changes and line items."""

    def __init__(self, org: Org, mapper: Mapper) -> None:
        self.org = org
        self.mapper = mapper
        self.ids = mapper.ids

    def load(self, tables: Tables) -> None:
        """All deals with what hangs on them."""
        past: dict[str, list[Cells]] = {}
        for cells in tables["changes"]:
            if (cells.get("record") or "opportunity") == "opportunity" and cells.get("at"):
                past.setdefault(cells["record_id"], []).append(cells)
        table = self.org.tables["Deals"]
        rows: list[Row] = []
        history: list[Row] = []
        for cells in tables["opportunities"]:
            row = self.deal(cells)
            merged = bool(cells.get("merged_into"))
            history += self._history(cells["id"], row, past.get(cells["id"], []), gone=merged)
            if merged:
                table.gone[row["id"]] = Gone(row, row["Modified_Time"], self.org.user)
            else:
                rows.append(row)
        table.load(rows)
        self.org.tables["DealHistory"].load(history)
        self._quotes(tables["line_items"])

    def deal(self, cells: Cells) -> Row:
        """One deal; what its stage says of it where the row does not."""
        row = self.mapper.stamped(self.ids.of("opportunities", cells["id"]), self.mapper.deal(cells))
        stage = self.org.stage(row.get("Stage", ""), row.get("Pipeline"))
        if stage is not None:
            row.setdefault("Probability", stage.probability)
            row.setdefault("Pipeline", next(one.name for one in self.org.pipelines if stage in one.stages))
        if "Amount" in row and "Probability" in row:
            row["Expected_Revenue"] = round(row["Amount"] * row["Probability"] / 100, 2)
        return row

    def _value(self, name: str, cell: str | None) -> Any:
        if not cell:
            return None
        if name == "Owner":
            return self.ids.of("people", cell)
        return percent(cell) if name == "Probability" else number(cell) if name == "Amount" else cell

    def _history(self, deal: str, row: Row, changes: list[Cells], *, gone: bool) -> list[Row]:
        """A row for every stay in a stage, from today's values wound back; and the timeline."""
        changes = sorted(changes, key=lambda cells: cells["at"])
        state: Values = {name: row.get(name) for name in _STATE}
        for cells in reversed(changes):
            name = _FIELDS.get(cells["field"], "")
            if name in state:
                state[name] = self._value(name, cells.get("old"))
        if not any(cells["field"] == "probability" for cells in changes) and changes:
            state["Probability"] = self._usual(state["Stage"], row)
        rows = [self._visit(self.ids.of("changes", f"{deal}.0"), row, state, row["Created_Time"], row.get("Owner"))]
        events = [Event(row["Created_Time"], row.get("Owner") or self.org.user, "added", (), "crm_ui")]
        for at, batch in _batches(changes):
            moment = self.mapper.moment(at) or row["Created_Time"]
            moved = self._apply(state, batch, row)
            by = self.ids.of("people", batch[0]["by"]) if batch[0].get("by") else None
            events.append(Event(moment, by or self.org.user, "updated", self._noted(batch)))
            if moved:
                key = self.ids.of("changes", moved["id"])
                rows[-1] |= {"Moved_To__s": state["Stage"], "$left": moment}
                rows.append(self._visit(key, row, state, moment, by))
        self.org.timeline["Deals", row["id"]] = events
        for one in rows if gone else ():
            del one["Potential_Name"]
        return rows

    def _apply(self, state: Values, batch: list[Cells], row: Row) -> Cells | None:
        """Brings the state forward over changes of one moment; the change of stage among them."""
        moved = None
        for cells in batch:
            name = _FIELDS.get(cells["field"], "")
            if name in state:
                state[name] = self._value(name, cells.get("new"))
            if name == "Stage":
                moved = cells
                state["Probability"] = self._usual(state["Stage"], row)
        return moved

    def _usual(self, stage: str | None, row: Row) -> int | None:
        known = self.org.stage(stage or "", row.get("Pipeline"))
        return known.probability if known else None

    def _noted(self, batch: Iterable[Cells]) -> tuple[tuple[str, Any, Any], ...]:
        return tuple(
            (name, self._value(name, cells.get("old")), self._value(name, cells.get("new")))
            for cells in batch
            if (name := _FIELDS.get(cells["field"]))
        )

    @staticmethod
    def _visit(key: int, deal: Row, state: Values, at: int, by: int | None) -> Row:
        amount, chance = state["Amount"], state["Probability"]
        expected = round(amount * chance / 100, 2) if amount is not None and chance is not None else None
        row = {
            "id": key, "Potential_Name": deal["id"], "Stage": state["Stage"], "Modified_Time": at, "Created_Time": at,
            "Modified_By": by, "Amount": amount, "Probability": chance, "Closing_Date": state["Closing_Date"],
            "Expected_Revenue": expected, "Currency": deal.get("Currency"),
        }  # fmt: skip
        return {name: value for name, value in row.items() if value is not None}

    def _quotes(self, items: Iterable[Cells]) -> None:
        """A delivered quote per deal that has line items, and products by name."""
        deals, quotes = self.org.tables["Deals"], self.org.tables["Quotes"]
        products: dict[str, Row] = {}
        made: dict[int, Row] = {}
        lines: list[Row] = []
        for cells in items:
            deal = deals.rows.get(self.ids.of("opportunities", cells["opportunity_id"]))
            if deal is None:
                continue
            name = cells["product"]
            product = products[name] if name in products else products.setdefault(name, self._product(name))
            quote = made[deal["id"]] if deal["id"] in made else made.setdefault(deal["id"], self._quote(deal))
            line = self.mapper.stamped(self.ids.of("line_items", cells["id"]), self.mapper.values("line_items", cells))
            line |= {"Parent_Id": quote["id"], "Product_Name": product["id"], "$se_module": "Quotes"}
            if "Net_Total" in line:
                line["Total"] = line["Net_Total"]
                quote["Grand_Total"] = round(quote.get("Grand_Total", 0) + line["Net_Total"], 2)
            lines.append(line)
            self.org.products.setdefault(deal["id"], []).append(product["id"])
        self.org.tables["Products"].load(products.values())
        quotes.load(made.values())
        self.org.tables["Quoted_Items"].load(lines)

    def _product(self, name: str) -> Row:
        return self.mapper.stamped(self.ids.of("products", name), {"Product_Name": name, "Product_Active": True})

    def _quote(self, deal: Row) -> Row:
        values = {"Subject": deal.get("Deal_Name"), "Deal_Name": deal["id"], "Account_Name": deal.get("Account_Name"),
                  "Quote_Stage": "Delivered", "Owner": deal.get("Owner"), "Created_Time": deal["Created_Time"],
                  "Modified_Time": deal["Modified_Time"], "Currency": deal.get("Currency")}  # fmt: skip
        return self.mapper.stamped(self.ids.of("quotes", f"quote-{deal['id']}"), values)


def _batches(changes: Iterable[Cells]) -> Iterable[tuple[str, list[Cells]]]:
    batches: dict[str, list[Cells]] = {}
    for cells in changes:
        batches.setdefault(cells["at"], []).append(cells)
    return batches.items()
