"""Fills an org: the user we run as, roles, pipelines, currencies, and the rows of a world folder."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from connectors.sandbox.folder import Tables, read_world
from connectors.sandbox.zoho.ids import Ids
from connectors.sandbox.zoho.store import Currency, Org, Pipeline, Row, Stage
from connectors.sandbox.zoho.world_activities import Activities
from connectors.sandbox.zoho.world_deals import Deals
from connectors.sandbox.zoho.world_map import CUSTOM, Cells, Mapper, percent
from connectors.sandbox.zoho.world_own import OWN

KIND = "zoho"
_STAGES = (
    ("Qualification", "Open", "Pipeline", 10), ("Needs Analysis", "Open", "Pipeline", 20),
    ("Value Proposition", "Open", "Pipeline", 40), ("Identify Decision Makers", "Open", "Pipeline", 60),
    ("Proposal/Price Quote", "Open", "Pipeline", 75), ("Negotiation/Review", "Open", "Pipeline", 90),
    ("Closed Won", "Closed Won", "Closed", 100), ("Closed Lost", "Closed Lost", "Omitted", 0),
    ("Closed Lost to Competition", "Closed Lost", "Omitted", 0),
)  # fmt: skip
"""The stages of a new org."""
_FORECAST = {"won": ("Closed Won", "Closed"), "lost": ("Closed Lost", "Omitted"), "omitted": ("Open", "Omitted")}
STANDARD = "Standard (Standard)"


def read_own(folder: Path | None) -> Tables | None:
    """The rows of a world folder that belong to this kind of CRM; None without a folder."""
    if folder is None:
        return None
    return {
        name: [row for row in rows if row.get("connection", KIND) in ("", KIND)]
        for name, rows in read_world(folder).items()
    }


def currencies_of(tables: Tables | None) -> tuple[str, set[str]]:
    """The base currency, and every currency that the org deals in."""
    if tables is None:
        return "EUR", {"EUR"}
    used = Counter(row["currency"] for row in tables["opportunities"] if row.get("currency"))
    targets = Counter(row["to"] for row in tables["rates"] if row.get("to"))
    base = (targets or used or Counter({"EUR": 1})).most_common(1)[0][0]
    rated = {row["currency"] for row in tables["rates"]}
    return base, {base, *rated} if rated else {base, *used}


class Loader:
    """Puts the rows of a world in."""

    def __init__(self, org: Org, ids: Ids) -> None:
        self.org = org
        self.ids = ids
        self.mapper = Mapper(org, ids)

    def found(self) -> None:
        """What every org has: an administrator as whom we run, profiles, the roles CEO and Manager."""
        org = self.org
        for name in ("Administrator", "Standard"):
            self.mapper.setting("profiles", name)
        for name in ("CEO", "Manager"):
            self.mapper.setting("roles", name)
        org.user = self.ids.of("people", "sandbox")
        now = org.now()
        org.tables["Users"].put(
            {
                "id": org.user, "full_name": "Sandbox Admin", "first_name": "Sandbox", "last_name": "Admin",
                "email": "sandbox@example.com", "role": org.roles["CEO"], "profile": org.profiles["Administrator"],
                "status": "active", "confirm": True, "created_time": now, "Modified_Time": now,
            }
        )  # fmt: skip
        del self.ids.held["people"]["sandbox"]

    def load(self, tables: Tables | None) -> None:
        """Everything, in an order in which nothing refers to what is not there yet."""
        self.found()
        if tables is None:
            self._standard_pipeline()
            return
        for module, lines in CUSTOM.items():
            for line in lines:
                self.org.add_custom(module, line)
        self.stages(tables["stages"], tables["opportunities"])
        self.people(tables["people"])
        self.org.tables["Accounts"].load([self.account(cells) for cells in tables["accounts"]])
        deals = Deals(self.org, self.mapper)
        deals.load(tables)
        Activities(self.org, self.mapper).load(tables["activities"])
        for kind, own in OWN.items():
            self.org.open(own.made())
            self.org.tables[own.name].load([self.own(kind, cells) for cells in tables[kind] if _has_place(kind, cells)])
        self._offer()
        for table in self.org.tables.values():
            table.stamps()

    def rates(self, tables: Tables | None) -> None:
        """Currencies with today's rate: units per unit of the base currency. One currency alone needs none."""
        base, codes = currencies_of(tables)
        self.org.currency = base
        newest: dict[str, Cells] = {}
        for cells in sorted((tables or {}).get("rates", []), key=lambda cells: cells.get("on", "")):
            if base in (cells["currency"], cells["to"]) and cells["currency"] != cells["to"] and cells.get("rate"):
                newest[cells["currency"] if cells["to"] == base else cells["to"]] = cells
        for code in sorted(codes) if len(codes) > 1 else ():
            known: Cells = newest.get(code, {})
            rate = float(known.get("rate", 1))
            units = 1 / rate if known.get("to") == base else rate
            key = self.ids.of("currencies", code)
            self.org.currencies[code] = Currency(key, code, round(units, 8), self.org.now(), is_base=code == base)

    def _standard_pipeline(self) -> None:
        stages = [
            Stage(self.ids.of("stages", name), name, name, position, forecast, category, probability)
            for position, (name, forecast, category, probability) in enumerate(_STAGES, start=1)
        ]
        self.org.pipelines.append(Pipeline(self.ids.of("pipelines", STANDARD), STANDARD, stages))
        self._offer()

    def stages(self, rows: Iterable[Cells], deals: Iterable[Cells]) -> None:
        """Pipelines with their stages; without rows those that deals name, all of them open."""
        named = {(cells.get("pipeline", ""), cells.get("stage", "")) for cells in deals if cells.get("stage")}
        rows = list(rows) or [{"pipeline": pipeline, "stage": stage} for pipeline, stage in sorted(named)]
        if not rows:
            self._standard_pipeline()
            return
        known: dict[str, Pipeline] = {}
        for cells in sorted(rows, key=lambda cells: float(cells.get("position") or 0)):
            name = cells.get("pipeline") or STANDARD
            if name not in known:
                known[name] = Pipeline(self.ids.of("pipelines", name), name)
            known[name].stages.append(self._stage(cells, len(known[name].stages) + 1))
        self.org.pipelines = list(known.values())

    def _stage(self, cells: Cells, position: int) -> Stage:
        share = percent(cells["probability"]) if cells.get("probability") else 0
        outcome = cells.get("outcome") or "open"
        best = "Commit" if share >= 80 else "Best Case" if share >= 40 else "Pipeline"
        forecast, category = _FORECAST.get(outcome, ("Open", best))
        key = self.ids.of("stages", cells.get("id") or f"{cells.get('pipeline')}/{cells['stage']}")
        return Stage(key, cells["stage"], cells.get("label") or cells["stage"], position, forecast, category, share)

    def people(self, rows: Iterable[Cells]) -> None:
        """Users, those who left inactive; managers before anybody refers to them."""
        rows = list(rows)
        for cells in rows:
            self.ids.of("people", cells["id"])
        self.org.tables["Users"].load([self.person(cells) for cells in rows])

    def person(self, cells: Cells) -> Row:
        """One user."""
        row = {name: value for name, value in self.mapper.person(cells).items() if value is not None}
        row.setdefault("Modified_Time", self.org.now())
        row.setdefault("role", self.org.roles["Manager"])
        started = f"{cells['started_on']}T08:00:00+00:00" if cells.get("started_on") else ""
        row |= {
            "id": self.ids.of("people", cells["id"]),
            "profile": self.org.profiles["Standard"],
            "status": row.get("status", "active"),
            "confirm": True,
            "created_time": self.mapper.moment(started) or row["Modified_Time"],
        }
        return row

    def account(self, cells: Cells) -> Row:
        """One account."""
        return self.mapper.stamped(self.ids.of("accounts", cells["id"]), self.mapper.values("accounts", cells))

    def own(self, table: str, cells: Cells) -> Row:
        """One record of a module of the company's own, named after its number."""
        values = self.mapper.values(table, cells)
        said = cells.get("modified_at") or cells.get("at") or cells.get("rated_at") or ""
        values |= {"Name": f"{OWN[table].singular} {cells['id']}", "Modified_Time": self.mapper.moment(said)}
        return self.mapper.stamped(self.ids.of(table, cells["id"]), values)

    def _offer(self) -> None:
        """Makes every value in use one that its picklist offers."""
        deals = self.org.modules["Deals"].fields
        for pipeline in self.org.pipelines:
            deals["Pipeline"].picks[pipeline.name] = pipeline.name
            for stage in pipeline.stages:
                deals["Stage"].picks[stage.value] = stage.label
        for table in self.org.tables.values():
            lists = [one for one in table.module.fields.values() if one.data_type == "picklist"]
            for one in lists:
                used = {row.get(one.name) for row in table.rows.values()}
                for value in sorted(value for value in used if isinstance(value, str)):
                    one.picks.setdefault(value, value)


def _has_place(table: str, cells: Cells) -> bool:
    """Targets of teams and others have none: a quota is a user's."""
    return table != "targets" or cells.get("subject_kind", "person") in ("", "person")
