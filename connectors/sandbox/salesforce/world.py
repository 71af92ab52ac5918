"""Loads a world folder into an emulated org: settings, people, accounts, stages, targets, rates, and the deals."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.sandbox.folder import Tables, read_world
from connectors.sandbox.salesforce.ids import world_id
from connectors.sandbox.salesforce.objects import MULTI_CURRENCY
from connectors.sandbox.salesforce.schema import own_object, read_field
from connectors.sandbox.salesforce.store import Org, Row, stamp
from connectors.sandbox.salesforce.world_activities import load_activities
from connectors.sandbox.salesforce.world_deals import load_deals
from connectors.sandbox.salesforce.world_forecasts import load_forecasts, load_targets
from connectors.sandbox.salesforce.world_map import (
    CUSTOM_FIELDS,
    CUSTOM_OBJECTS,
    MAPS,
    OWN,
    PREFIXES,
    Readers,
    moment,
    readers,
    values_of,
)

Ids = dict[str, dict[str, str]]
KIND = "salesforce"
_OPEN_END = "9999-12-31"
"""NextStartDate of the newest rate, so that StartDate <= day < NextStartDate finds one row for every day."""
_CURRENCY = ("CurrencyIsoCode picklist(3)",)
_STAGES = (
    ("Prospecting", "open", 10), ("Qualification", "open", 10), ("Needs Analysis", "open", 20),
    ("Value Proposition", "open", 50), ("Id. Decision Makers", "open", 60), ("Perception Analysis", "open", 70),
    ("Proposal/Price Quote", "open", 75), ("Negotiation/Review", "open", 90), ("Closed Won", "won", 100),
    ("Closed Lost", "lost", 0),
)  # fmt: skip
"""The stages of a new org (Sales Cloud's defaults)."""


class Loader:
    """Puts rows of a world into tables, stamped as the world says."""

    def __init__(self, org: Org, now: datetime) -> None:
        self.org = org
        self.now = stamp(now)
        self.ids: Ids = {table: {} for table in PREFIXES}
        self._readers: dict[str, Readers] = {}

    def key(self, table: str, text: str) -> str:
        """The id of a world record."""
        return world_id(PREFIXES[table], text)

    def put(self, kind: str, row_id: str, values: Mapping[str, Any], created: str | None, modified: str | None) -> Row:
        """Stores a row with its audit fields; stamps in wire form, None: not known."""
        fields = self.org.objects[kind].fields
        row = Row(values)
        row["Id"] = row_id
        changed = modified or created or self.now
        if "SystemModstamp" in fields:
            row["SystemModstamp"] = changed
        if "LastModifiedDate" in fields:
            row["LastModifiedDate"], row["LastModifiedById"] = changed, self.org.running_user
        if "CreatedDate" in fields:
            row["CreatedDate"], row["CreatedById"] = created or changed, self.org.running_user
        self.org.tables[kind].put(row)
        return row

    def put_new(self, kind: str, **values: Any) -> str:
        """Stores a row that no world has, stamped now; its id."""
        row_id = self.org.next_id(self.org.objects[kind].prefix)
        self.put(kind, row_id, {name: value for name, value in values.items() if value is not None}, self.now, None)
        return row_id

    def load(self, table: str, cells: Mapping[str, str], **more: Any) -> Row:
        """Stores a row of a mapped world table."""
        known = MAPS[table]
        if table not in self._readers:
            self._readers[table] = readers(self.org.objects[known.object], known.columns)
        values = values_of(self._readers[table], cells)
        values.update({name: value for name, value in more.items() if value is not None})
        created = values.pop("CreatedDate", None)
        modified = moment(cells["modified_at"]) if cells.get("modified_at") else None
        row = self.put(known.object, self.key(table, cells["id"]), values, created, modified)
        self.ids[table][cells["id"]] = row["Id"]
        return row


def load(org: Org, world: Path | None, now: datetime) -> Ids:
    """Fills the org; our id of every record of the world, by table and world id."""
    tables = _ours(read_world(world)) if world is not None else {}
    loader = Loader(org, now)
    _found(loader, tables)
    _load_stages(loader, tables.get("stages", []), tables.get("opportunities", []))
    _load_people(loader, tables.get("people", []))
    for cells in tables.get("accounts", []):
        loader.load("accounts", cells)
    for table in OWN.values():
        for cells in tables.get(table, []):
            loader.load(table, cells)
    load_deals(loader, tables)
    load_activities(loader, tables.get("activities", []))
    load_targets(loader, tables.get("targets", []))
    load_forecasts(loader, tables.get("forecasts", []))
    _load_rates(loader, tables.get("rates", []))
    for kept in org.tables.values():
        kept.sorted_index()  # now, so that the first query is as fast as the others
    return loader.ids


def _ours(tables: Tables) -> Tables:
    """The rows that live in this kind of CRM."""
    return {name: [row for row in rows if row.get("connection", KIND) == KIND] for name, rows in tables.items()}


def _found(loader: Loader, tables: Tables) -> None:
    """The organisation, its currencies, the custom fields of the simulated company, and the user we run as."""
    org = loader.org
    org.currency, several = _currencies(tables)
    if several:
        for name in MULTI_CURRENCY:
            org.objects[name].add(read_field(*_CURRENCY))
    else:
        org.off |= {"currencytype", "datedconversionrate"}
        org.objects["User"].drop("DefaultCurrencyIsoCode")
    for head, lines in CUSTOM_OBJECTS.items() if tables else ():
        name, prefix = head.split()
        org.add_object(own_object(name, prefix, [*lines, *(_CURRENCY if several else ())]))
    for name, lines in CUSTOM_FIELDS.items() if tables else ():
        for line in lines:
            org.objects[name].add(read_field(line))
    if tables:
        org.objects["Opportunity"].fields["External_Id__c"].external_id = True
    loader.put_new(
        "Organization", Name="Sandbox", IsSandbox=True, FiscalYearStartMonth=1, UsesStartDateAsFiscalYearName=False,
        TimeZoneSidKey="GMT", DefaultLocaleSidKey="en_US", LanguageLocaleKey="en_US", InstanceName="SB1",
        OrganizationType="Enterprise Edition",
    )  # fmt: skip
    profile = loader.put_new("Profile", Name="Integration")
    org.running_user = loader.put_new(
        "User", Username="integration@sandbox.example.com", LastName="Integration", Name="Integration", IsActive=True,
        Email="integration@sandbox.example.com", UserType="CloudIntegrationUser", ProfileId=profile,
        TimeZoneSidKey="GMT",
    )  # fmt: skip
    loader.put_new("ForecastingType", DeveloperName="OpportunityRevenue", MasterLabel="Opportunity Revenue", IsActive=True, IsAmount=True)  # fmt: skip
    for name, label, whole in (("Revenue", "Revenue", True), ("Overlay", "Overlay", False)):
        loader.put_new("OpportunitySplitType", DeveloperName=name, MasterLabel=label, IsActive=True, IsTotalValidated=whole, SplitField="Amount")  # fmt: skip


def _currencies(tables: Tables) -> tuple[str, bool]:
    """The corporate currency, and whether there are others."""
    targets = Counter(row["to"] for row in tables.get("rates", []) if row.get("to"))
    used = Counter(row["currency"] for row in tables.get("opportunities", []) if row.get("currency"))
    corporate = (targets or used or Counter({"USD": 1})).most_common(1)[0][0]
    return corporate, bool(targets) or len(used) > 1


def _load_stages(loader: Loader, stages: list[dict[str, str]], deals: list[dict[str, str]]) -> None:
    """One OpportunityStage per stage name; pipelines become record types, if there is more than one."""
    pipelines = sorted({row["pipeline"] for row in [*stages, *deals] if row.get("pipeline")})
    for name in pipelines if len(pipelines) > 1 else ():
        row_id = loader.put_new("RecordType", Name=name, DeveloperName=name, SobjectType="Opportunity", IsActive=True)
        loader.ids.setdefault("pipelines", {})[name] = row_id
    if not stages:
        made = [
            {"id": name, "stage": name, "outcome": won, "probability": str(share / 100)} for name, won, share in _STAGES
        ]
        stages = (
            made if not deals else [{"id": name, "stage": name} for name in sorted({row["stage"] for row in deals})]
        )
    done: set[str] = set()
    for position, cells in enumerate(stages, 1):
        row_id = loader.key("stages", cells["stage"])
        loader.ids["stages"][cells.get("id") or cells["stage"]] = row_id
        if cells["stage"] in done:
            continue
        done.add(cells["stage"])
        outcome = cells.get("outcome") or "open"
        share = float(cells.get("probability") or {"won": 1, "open": 0.5}.get(outcome, 0))
        category = _category(outcome, share)
        values = {
            "MasterLabel": cells.get("label") or cells["stage"], "ApiName": cells["stage"], "IsActive": True,
            "SortOrder": int(float(cells.get("position") or position)), "IsClosed": outcome in {"won", "lost"},
            "IsWon": outcome == "won", "ForecastCategory": category[0], "ForecastCategoryName": category[1],
            "DefaultProbability": round(share * 100, 6),
        }  # fmt: skip
        modified = moment(cells["modified_at"]) if cells.get("modified_at") else None
        loader.put("OpportunityStage", row_id, values, None, modified)


def _category(outcome: str, share: float) -> tuple[str, str]:
    if outcome == "won":
        return "Closed", "Closed"
    if outcome != "open":
        return "Omitted", "Omitted"
    if share >= 0.8:
        return "Forecast", "Commit"
    return ("BestCase", "Best Case") if share >= 0.5 else ("Pipeline", "Pipeline")


def _load_people(loader: Loader, people: Iterable[dict[str, str]]) -> None:
    roles: dict[str, str] = {}
    for cells in people:
        role = cells.get("role")
        if role and role not in roles:
            roles[role] = loader.put_new("UserRole", Name=role, DeveloperName=role.replace(" ", "_"))
        first, _, last = (cells.get("name") or "").rpartition(" ")
        loader.load(
            "people", cells, FirstName=first or None, LastName=last or cells["id"], UserType="Standard",
            Username=cells.get("email") or f"user{cells['id']}@sandbox.example.com", TimeZoneSidKey="GMT",
            UserRoleId=roles.get(role or ""), ForecastEnabled=True,
        )  # fmt: skip


def _load_rates(loader: Loader, rates: Iterable[dict[str, str]]) -> None:
    """``1 currency = rate to`` turned into Salesforce's direction: units of a currency per 1 of the corporate one."""
    org = loader.org
    corporate = org.currency
    dated: dict[str, list[tuple[str, float, str]]] = {}
    for cells in rates:
        if (
            corporate not in {cells["currency"], cells["to"]}
            or cells["currency"] == cells["to"]
            or not cells.get("rate")
        ):
            continue
        inverse = cells["to"] == corporate
        code = cells["currency"] if inverse else cells["to"]
        units = 1 / float(cells["rate"]) if inverse else float(cells["rate"])
        dated.setdefault(code, []).append((cells["on"], float(f"{units:.15g}"), cells["id"]))
    for code, entries in dated.items():
        entries.sort()
        ends = [*(start for start, _, _ in entries[1:]), _OPEN_END]
        for (start, units, name), end in zip(entries, ends, strict=True):
            values = {"IsoCode": code, "ConversionRate": units, "StartDate": start, "NextStartDate": end}
            row_id = loader.key("rates", name)
            loader.ids["rates"][name] = row_id
            loader.put("DatedConversionRate", row_id, values, moment(start), None)
    if "currencytype" not in org.off:
        newest = {code: entries[-1][1] for code, entries in dated.items()}
        for code, units in {corporate: 1.0, **newest}.items():
            places = 0 if code in {"JPY", "KRW"} else 2
            loader.put_new("CurrencyType", IsoCode=code, ConversionRate=units, DecimalPlaces=places, IsActive=True, IsCorporate=code == corporate)  # fmt: skip
