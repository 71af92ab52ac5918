"""Loads a world folder into an environment."""

from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

from connectors.sandbox.dynamics.defaults import add_currency, add_rollup, put
from connectors.sandbox.dynamics.ids import Ids, guid
from connectors.sandbox.dynamics.store import Org, Row
from connectors.sandbox.dynamics.world_activities import load_activities
from connectors.sandbox.dynamics.world_deals import Deals
from connectors.sandbox.dynamics.world_map import Cells, fiscal_period, moment, number, percent, person_fields
from connectors.sandbox.dynamics.world_own import load_own_tables
from connectors.sandbox.folder import Tables, read_world

_OWN_INDUSTRY = 727000000


def read_own(folder: Path | None, kind: str) -> Tables | None:
    """The rows of a world folder that belong to one kind of CRM; None without a folder."""
    if folder is None:
        return None
    return {
        name: [row for row in rows if row.get("connection", kind) in ("", kind)]
        for name, rows in read_world(folder).items()
    }


def home_currency(tables: Tables | None) -> str:
    """What most rates of a world lead to, else what most deals are in, else EUR."""
    held = tables or {"rates": [], "opportunities": []}
    found = Counter(row["to"] for row in held["rates"] if row.get("to"))
    found = found or Counter(row["currency"] for row in held["opportunities"] if row.get("currency"))
    return found.most_common(1)[0][0] if found else "EUR"


class Loader:
    """Turns the rows of a world into rows of the environment."""

    def __init__(self, org: Org, ids: Ids, currency: str) -> None:
        self.org = org
        self.ids = ids
        self.currency = currency
        self.rates: dict[str, list[tuple[str, Decimal]]] = defaultdict(list)
        """(day, units per 1 of the base currency) by currency, ascending."""
        self.deals = Deals(self)

    def load(self, tables: Tables) -> None:
        """Everything, in an order in which nothing refers to what is not there yet."""
        self._currencies(tables)
        self.deals.load_stages(tables)
        for cells in tables["people"]:
            self.ids.of("people", cells["id"])
        for cells in tables["people"]:
            self.person(cells)
        self._industries(tables)
        for cells in tables["accounts"]:
            self.account(cells)
        self.deals.load(tables)
        load_activities(self, tables["activities"])
        for record, load in (
            ("line_items", self.line_item), ("splits", self.split), ("targets", self.target), ("surveys", self.survey),
        ):  # fmt: skip
            for cells in tables[record]:
                load(cells)
        load_own_tables(self, tables)
        if tables["accounts"]:
            self.org.tables["account"].keys["accountnumber_key"] = ("accountnumber",)

    def put(self, table: str, row: Row, cells: Cells) -> Row:
        """Keeps a row with the world's stamps."""
        created = moment(cells.get("created_at")) or moment(cells.get("modified_at"))
        given = {"createdon": created, "modifiedon": moment(cells.get("modified_at")) or created}
        kind = self.org.tables[table]
        stamps = {key: value for key, value in given.items() if value and kind.by_key(key)}
        return put(self.org, table, {**stamps, **row})

    def owner(self, cells: Cells, column: str = "owner_id") -> dict[str, Any]:
        """Owner columns; without an owner the row belongs to the user who imported it."""
        owner = self.ids.of("people", cells[column]) if cells.get(column) else self.org.user_id
        return {"_ownerid_value": owner, "_owninguser_value": owner, "_owningbusinessunit_value": self.org.unit_id}

    # Currencies.

    def _currencies(self, tables: Tables) -> None:
        for cells in tables["rates"]:
            rate = number(cells.get("rate"))
            if cells.get("to") == self.currency and rate:
                self.rates[cells["currency"]].append((cells.get("on", ""), Decimal(1) / rate))
        for held in self.rates.values():
            held.sort()
        for code, held in self.rates.items():
            if code != self.currency:
                add_currency(self.org, code, held[-1][1].quantize(Decimal("0.000000000001")))
                self.ids.known.setdefault("currencies", {})[code] = guid("currency", code)

    def money(self, table: str, cells: Cells, amounts: dict[str, Decimal | None], on: str = "") -> dict[str, Any]:
        """Amounts with currency, rate of the day and base twins."""
        code = cells.get("currency")
        if not code:
            return {**amounts}
        if guid("currency", code) not in self.org.rows("transactioncurrency"):
            add_currency(self.org, code, None)
        rate = Decimal(1) if code == self.currency else self._rate(code, on)
        bases = {f"{name}_base": _in_base(value, rate) for name, value in amounts.items()}
        return {**amounts, **bases, "_transactioncurrencyid_value": guid("currency", code), "exchangerate": rate}

    def _rate(self, code: str, on: str) -> Decimal | None:
        held = self.rates.get(code)
        if not held:
            return None
        found = [rate for day, rate in held if day <= on] if on else []
        return (found[-1] if found else held[0][1] if on else held[-1][1]).quantize(Decimal("0.000000000001"))

    # Records.

    def person(self, cells: Cells) -> Row:
        """A user; who left is disabled."""
        org = self.org
        row: Row = {
            "systemuserid": self.ids.of("people", cells["id"]), "accessmode": 0, "islicensed": True, "invitestatuscode": 4,
            "isdisabled": False, "_businessunitid_value": org.unit_id, "employeeid": cells["id"][:100],
            "azureactivedirectoryobjectid": guid("entra", f"of/{cells['id']}"), **person_fields(cells),
        }  # fmt: skip
        if cells.get("manager_id"):
            row["_parentsystemuserid_value"] = self.ids.of("people", cells["manager_id"])
        if cells.get("territory"):
            row["_territoryid_value"] = self.named("territory", "territories", cells["territory"])
        given = {**cells, "created_at": cells.get("started_on", "")}
        kept = self.put("systemuser", row, given)
        if cells.get("team"):
            self.join(row["systemuserid"], cells["team"])
        return kept

    def named(self, table: str, record: str, name: str) -> str:
        """The id of a team, territory, product or metric, which is made at the first mention."""
        kind = self.org.tables[table]
        row_id = self.ids.of(record, name)
        if row_id not in self.org.rows(table):
            more: Row = {"teamtype": 0, "_businessunitid_value": self.org.unit_id} if table == "team" else {}
            put(self.org, table, {kind.pk: row_id, "name": name, **more})
        return row_id

    def join(self, person_id: str, team: str) -> None:
        """Makes somebody a member of a team, and of that team alone."""
        team_id = self.named("team", "teams", team)
        for one in [key for key, row in self.org.rows("teammembership").items() if row["systemuserid"] == person_id]:
            self.org.drop("teammembership", one)
        key = guid("teammembership", f"{person_id}/{team_id}")
        put(self.org, "teammembership", {"teammembershipid": key, "systemuserid": person_id, "teamid": team_id})

    def _industries(self, tables: Tables) -> None:
        for name in sorted({row["industry"] for row in tables["accounts"] if row.get("industry")}):
            self.industry(name)

    def industry(self, name: str) -> int:
        """The value of an industry; what the standard list lacks is a value of the customer's own."""
        options = self.org.tables["account"].columns["industrycode"].options
        found = next((value for value, text in options.items() if text == name), None)
        if found is None:
            found = max(_OWN_INDUSTRY - 1, *options) + 1
            options[found] = name
        return found

    def account(self, cells: Cells) -> Row:
        """An account; its number is the world's id."""
        row: Row = {
            "accountid": self.ids.of("accounts", cells["id"]), "name": cells.get("name"), "accountnumber": cells["id"][:20],
            "address1_country": cells.get("region") or None, "statecode": 0, "statuscode": 1, "merged": False,
            **self.owner(cells),
        }  # fmt: skip
        if cells.get("industry"):
            row["industrycode"] = self.industry(cells["industry"])
        if cells.get("parent_id"):
            row["_parentaccountid_value"] = self.ids.of("accounts", cells["parent_id"])
        return self.put("account", row, cells)

    def line_item(self, cells: Cells) -> Row:
        """A product line of an opportunity."""
        amount, quantity = number(cells.get("amount")), number(cells.get("quantity"))
        deal = self.org.rows("opportunity").get(self.ids.of("opportunities", cells.get("opportunity_id", "")), {})
        price = round(amount / quantity, 10) if amount is not None and quantity else None
        rate = deal.get("exchangerate")
        row: Row = {
            "opportunityproductid": self.ids.of("line_items", cells["id"]), "quantity": quantity, "priceperunit": price,
            "baseamount": amount, "extendedamount": amount, "opportunityproductname": cells.get("product") or None,
            "priceperunit_base": _in_base(price, rate), "baseamount_base": _in_base(amount, rate),
            "extendedamount_base": _in_base(amount, rate), "exchangerate": rate, "isproductoverridden": False,
            "_opportunityid_value": deal.get("opportunityid"), "_ownerid_value": deal.get("_ownerid_value"),
            "_transactioncurrencyid_value": deal.get("_transactioncurrencyid_value"),
        }  # fmt: skip
        if cells.get("product"):
            row["_productid_value"] = self.named("product", "products", cells["product"])
        return self.put("opportunityproduct", row, cells)

    def split(self, cells: Cells) -> Row:
        """A member of the sales team: two mirrored connections; the share is in ``new_percentage``."""
        deal, person = self.ids.of("opportunities", cells["opportunity_id"]), self.ids.of("people", cells["person_id"])
        role = guid("connectionrole", "Sales Professional")
        own, mirror = self.ids.of("splits", cells["id"]), guid("splits", f"mirror/{cells['id']}")
        shared: Row = {
            "statecode": 0, "statuscode": 1, "new_percentage": percent(cells.get("percentage")),
            "description": cells.get("kind") or None, **self.owner(cells, "person_id"),
        }  # fmt: skip
        ends = (("opportunity", deal, 3, None), ("systemuser", person, 8, role))
        for row_id, other, first, second, master in (
            (own, mirror, ends[0], ends[1], True), (mirror, own, ends[1], ends[0], False),
        ):  # fmt: skip
            row: Row = {**shared, "connectionid": row_id, "_relatedconnectionid_value": other, "ismaster": master}
            for place, (table, key, code, role_id) in (("record1", first), ("record2", second)):
                row |= {
                    f"_{place}id_value": key, f"_{place}id_value@": None if table == "opportunity" else table,
                    f"{place}objecttypecode": code, f"_{place}roleid_value": role_id,
                }  # fmt: skip
            self.put("connection", row, cells)
        return self.org.rows("connection")[own]

    def target(self, cells: Cells) -> Row | None:
        """A goal of a person or a team; other subjects have no place."""
        kind, subject = cells.get("subject_kind"), cells.get("subject_id", "")
        if kind not in {"person", "team"}:
            return None
        owner = self.ids.of("people", subject) if kind == "person" else self.named("team", "teams", subject)
        amount, metric = number(cells.get("amount")), cells.get("metric") or "bookings"
        in_money = bool(cells.get("currency"))
        self._metric(metric, in_money=in_money)
        row: Row = {
            "goalid": self.ids.of("targets", cells["id"]), "title": f"{metric} {cells.get('period_start', '')}"[:100],
            "_goalownerid_value": owner, "_goalownerid_value@": "team" if kind == "team" else None,
            "_metricid_value": guid("metric", metric), "isamount": in_money, "amountdatatype": 0 if in_money else 1,
            "goalstartdate": moment(cells.get("period_start")), "goalenddate": moment(cells.get("period_end")),
            "isfiscalperiodgoal": False, "statecode": 0, "statuscode": 0, "depth": 0, **self.owner({}),
        }  # fmt: skip
        if cells.get("period_start"):
            row |= fiscal_period(cells["period_start"])
        amounts = {"targetmoney": amount} if in_money else {}
        row |= self.money("goal", cells, amounts, cells.get("period_start", ""))
        return self.put("goal", row if in_money else {**row, "targetdecimal": amount}, cells)

    def _metric(self, name: str, *, in_money: bool) -> None:
        key = guid("metric", name)
        if key not in self.org.rows("metric"):
            put(self.org, "metric", {
                "metricid": key, "name": name, "isamount": in_money, "amountdatatype": 0 if in_money else 1, "statecode": 0,
                "statuscode": 0,
            })  # fmt: skip
            if in_money:
                add_rollup(self.org, name, "actualmoney", "actualvalue")

    def survey(self, cells: Cells) -> Row | None:
        """An answered question about satisfaction: a case (csat5) or a survey response (nps)."""
        answer = number(cells.get("answer"))
        if answer is None:
            return None
        on, state = moment(cells.get("answered_at")), {"statecode": 1, "statuscode": 2}
        owner = self.owner(cells, "person_id")
        given = {**cells, "created_at": cells.get("sent_at", "")}
        row_id = self.ids.of("surveys", cells["id"])
        account = self.ids.of("accounts", cells["account_id"]) if cells.get("account_id") else None
        if cells.get("scale") == "nps":
            deal = self.ids.of("opportunities", cells["opportunity_id"]) if cells.get("opportunity_id") else None
            row: Row = {
                "activityid": row_id, "subject": "Survey", "msfp_npsscore": int(answer), "msfp_submitdate": on,
                "_regardingobjectid_value": deal or account, "_regardingobjectid_value@": None if deal else "account",
            }  # fmt: skip
            return self.put("msfp_surveyresponse", {**row, **owner, **state}, given)
        row = {
            "incidentid": row_id, "title": "Survey", "customersatisfactioncode": int(answer), "_customerid_value": account,
            "_accountid_value": account, "statecode": 1, "statuscode": 5,
        }  # fmt: skip
        return self.put("incident", {**row, **owner}, given)


def _in_base(amount: Decimal | None, rate: Decimal | None) -> Decimal | None:
    return None if amount is None or not rate else (amount / rate).quantize(Decimal("0.0000000001"))
