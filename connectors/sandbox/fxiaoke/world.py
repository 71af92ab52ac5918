"""Founds an emulated tenant and loads a world folder into it: people, accounts, deals and what hangs on them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.sandbox.folder import Tables, read_world
from connectors.sandbox.fxiaoke.ids import WHOLE_COMPANY, department_id, employee_id, option_value, person_id, record_id
from connectors.sandbox.fxiaoke.objects import (
    CURRENCY_FIELDS,
    LABELS,
    WITH_CURRENCY,
    custom_object,
    preset_objects,
)
from connectors.sandbox.fxiaoke.rows import Rows, member
from connectors.sandbox.fxiaoke.store import Department, Person, Row, Tenant, epoch_ms
from connectors.sandbox.fxiaoke.world_activities import load_activities
from connectors.sandbox.fxiaoke.world_map import MAPS, OWN, day_ms, moment_ms, values_of
from connectors.sandbox.fxiaoke.world_money import load_money, load_targets

Ids = dict[str, dict[str, str]]
KIND = "fxiaoke"
ADMIN_EMPLOYEE = "1000"
ADMIN_MOBILE = "13800000000"
"""Mobile number of the CRM administrator, as whom a connection acts."""
_STAGES = ("验证客户", "需求确认", "方案/报价", "谈判审核", "赢单", "输单", "无效")
"""The stages of a new tenant's one sales process."""


class Loader:
    """Puts rows of a world into tables, stamped as the world says."""

    def __init__(self, tenant: Tenant, rows: Rows) -> None:
        self.tenant = tenant
        self.rows = rows
        self.ids: Ids = {}

    def put(
        self, kind: str, row_id: str, values: Mapping[str, Any], created: int | None = None, modified: int | None = None
    ) -> Row:
        """Stores a record with its system fields; stamps in epoch ms, None: now."""
        table = self.tenant.tables[kind]
        stamp = modified or created or self.rows.now_ms()
        row: Row = {
            "_id": row_id,
            **self.rows.defaults(self.tenant.admin, created or stamp),
            "last_modified_time": stamp,
        }
        if table.kind.fields["name"].fixed:
            row["name"] = f"{kind.removesuffix('Obj')}{row_id[-8:]}"
        row.update(values)
        self.rows.place(row)
        table.put(row)
        return row

    def note(self, table: str, world: str, remote: str) -> None:
        """Remembers our id of a record of the world."""
        self.ids.setdefault(table, {})[world] = remote

    def load(self, table: str, cells: Mapping[str, str], **more: Any) -> Row:
        """Stores a row of a mapped world table."""
        values = values_of(table, cells) | {name: value for name, value in more.items() if value is not None}
        kind = MAPS[table].object
        known = self.tenant.objects[kind].fields
        values = {name: value for name, value in values.items() if name in known}
        modified = moment_ms(cells["modified_at"]) if cells.get("modified_at") else None
        row = self.put(kind, record_id(table, cells["id"]), values, values.get("create_time"), modified)
        self.note(table, cells["id"], row["_id"])
        return row


def found_tenant(now: datetime, *groups: Mapping[str, Sequence[str]]) -> Tenant:
    """A new tenant with its administrator, and these fields of its own by object; an object not known is made."""
    tenant = Tenant(preset_objects())
    for fields in groups:
        for name, lines in fields.items():
            if name not in tenant.objects:
                tenant.add_object(custom_object(name, LABELS.get(name, name), ()))
            for line in lines:
                tenant.objects[name].add(line)
    tenant.departments[WHOLE_COMPANY] = Department(WHOLE_COMPANY, "全公司", 0)
    tenant.admin = person_id("the administrator")
    tenant.add_person(
        Person(
            tenant.admin, ADMIN_EMPLOYEE, "CRM管理员", mobile=ADMIN_MOBILE, position="CRM管理员", created=epoch_ms(now)
        )
    )
    return tenant


def load(tenant: Tenant, rows: Rows, world: Path | None) -> Ids:
    """Fills the tenant; our id of every record of the world, by table and world id."""
    tables = _ours(read_world(world)) if world is not None else {}
    loader = Loader(tenant, rows)
    _add_currencies(tenant, tables)
    _load_people(loader, tables.get("people", []))
    _load_options(loader, tables)
    for cells in tables.get("accounts", []):
        loader.load("accounts", cells)
    _load_deals(loader, tables)
    load_activities(loader, tables.get("activities", []))
    load_money(loader, tables)
    load_targets(loader, tables.get("targets", []))
    for cells in tables.get("surveys", []):
        loader.load("surveys", cells, create_time=moment_ms(cells["sent_at"]) if cells.get("sent_at") else None)
    for record in OWN:
        for cells in tables.get(record, []):
            _load_own(loader, record, cells)
    for table in tenant.tables.values():
        table.changed(None, None)  # sorts now, so that the first query is as fast as the others
    return loader.ids


def _ours(tables: Tables) -> Tables:
    """The rows that live in this kind of CRM."""
    return {name: [row for row in rows if row.get("connection", KIND) == KIND] for name, rows in tables.items()}


def _add_currencies(tenant: Tenant, tables: Tables) -> None:
    """A tenant with several currencies has a currency and a rate on every object with amounts."""
    used = Counter(row["currency"] for row in tables.get("opportunities", []) if row.get("currency"))
    known = {row[name] for row in tables.get("rates", []) for name in ("currency", "to") if row.get(name)}
    if len(set(used) | known) < 2:
        return
    for name in WITH_CURRENCY:
        for line in CURRENCY_FIELDS:
            tenant.objects[name].add(line)
        tenant.objects[name].fields["mc_currency"].options = {code: code for code in sorted(set(used) | known)}


def _load_people(loader: Loader, people: Iterable[dict[str, str]]) -> None:
    """Employees; regions are departments, teams are departments in them, led by whom most of a team reports to."""
    tenant = loader.tenant
    leaders: dict[int, Counter[str]] = {}
    for cells in people:
        person = put_person(tenant, cells)
        if person.leader:
            leaders.setdefault(person.department, Counter())[person.leader] += 1
        loader.note("people", cells["id"], person.open_id)
        loader.note("employees", cells["id"], person.employee)
        modified = moment_ms(cells["modified_at"]) if cells.get("modified_at") else None
        row = loader.put("PersonnelObj", record_id("people", cells["id"]), personnel(cells, person), None, modified)
        loader.note("personnel", cells["id"], row["_id"])
    for number, counted in leaders.items():
        tenant.departments[number].manager = counted.most_common(1)[0][0]


def put_person(tenant: Tenant, cells: Mapping[str, str]) -> Person:
    """Stores an employee of the world, with the departments that are needed."""
    region, team = cells.get("region") or "", cells.get("team") or ""
    number = WHOLE_COMPANY
    for name in (region, team):
        above, number = number, department_id(name) if name else number
        if name and number not in tenant.departments:
            tenant.departments[number] = Department(number, name, above, order=len(tenant.departments))
    employee = employee_id(cells["id"])
    person = Person(
        person_id(cells["id"]), employee, cells.get("name") or employee, number, cells.get("email") or "",
        mobile=f"139{int(employee) % 100_000_000:08d}", position=cells.get("role") or "",
        leader=person_id(cells["manager_id"]) if cells.get("manager_id") else "",
        stopped=(cells.get("active") or "true") == "false", hired=cells.get("started_on") or "",
        created=day_ms(cells["started_on"]) if cells.get("started_on") else 0,
    )  # fmt: skip
    tenant.add_person(person)
    return person


def personnel(cells: Mapping[str, str], person: Person) -> dict[str, Any]:
    """The fields of an employee's record in PersonnelObj."""
    values = {
        "name": person.name, "user_id": person.employee, "email": person.email, "phone": person.mobile,
        "position": person.position, "leader": [person.leader] if person.leader else None, "owner": [person.open_id],
        "main_department": [str(person.department)], "status": "1" if person.stopped else "0",
        "territory__c": cells.get("territory"), "ended_on__c": day_ms(cells["ended_on"]) if cells.get("ended_on") else None,
    }  # fmt: skip
    return {name: value for name, value in values.items() if value}


def _load_options(loader: Loader, tables: Tables) -> None:
    """Stages, processes and industries become options; a stage of that name is one option in every process."""
    deal = loader.tenant.objects["NewOpportunityObj"].fields
    stages: list[dict[str, str]] = tables.get("stages") or [
        {"stage": name, "pipeline": "标准销售流程"} for name in dict.fromkeys(row["stage"] for row in tables.get("opportunities", [])) or _STAGES
    ]  # fmt: skip
    for cells in stages:
        value = option_value(cells["stage"])
        deal["sales_stage"].options.setdefault(value, cells.get("label") or cells["stage"])
        loader.note("stages", cells.get("id") or cells["stage"], value)
    for row in [*stages, *tables.get("opportunities", [])]:
        if row.get("pipeline"):
            value = record_id("pipelines", row["pipeline"])
            deal["sales_process_id"].options[value] = row["pipeline"]
            loader.note("pipelines", row["pipeline"], value)
    industry = loader.tenant.objects["AccountObj"].fields["industry"]
    for name in sorted({row["industry"] for row in tables.get("accounts", []) if row.get("industry")}):
        industry.options[option_value(name)] = name


def _load_deals(loader: Loader, tables: Tables) -> None:
    moved = _last_moves(tables.get("changes", []))
    rates = _rates(tables.get("rates", []))
    for cells in tables.get("opportunities", []):
        if cells.get("merged_into"):
            continue  # Fxiaoke keeps nothing of a record that was merged away
        changed = moved.get(cells["id"]) or cells.get("closed_at") or cells.get("created_at")
        rate = rates.get(cells.get("currency", ""))
        loader.load(
            "opportunities",
            cells,
            stg_changed_time=moment_ms(cells.get("closed_at") or changed) if changed else None,
            mc_exchange_rate=rate,
        )
    table = loader.tenant.tables["NewOpportunityObj"]
    for cells in tables.get("splits", []):
        row = table.rows.get(record_id("opportunities", cells["opportunity_id"]))
        if row is not None:
            _join_team(row, person_id(cells["person_id"]))


def _load_own(loader: Loader, record: str, cells: Mapping[str, str]) -> None:
    """A record of one of the company's own objects, under a name that is its only one."""
    name = f"{loader.tenant.objects[MAPS[record].object].label} {cells['id']}"
    made = next((moment_ms(cells[column]) for column in ("at", "rated_at", "on") if cells.get(column)), None)
    loader.load(record, cells, name=name, create_time=made)


def _join_team(row: Row, person: str) -> None:
    """Whoever shares a deal follows it; Fxiaoke has no place for how much is theirs."""
    team = row.setdefault("relevant_team", [])
    if not any(person in one["teamMemberEmployee"] for one in team):
        team.append(member([person], "2"))


def _last_moves(changes: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """When each deal last changed its stage."""
    moved: dict[str, str] = {}
    for cells in changes:
        if cells.get("record") == "opportunity" and cells.get("field") == "stage":
            moved[cells["record_id"]] = max(moved.get(cells["record_id"], ""), cells["at"])
    return moved


def _rates(rates: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The newest rate of each currency to the one that most rates lead to."""
    listed = [cells for cells in rates if cells.get("rate")]
    if not listed:
        return {}
    home = Counter(cells["to"] for cells in listed).most_common(1)[0][0]
    newest = {
        cells["currency"]: cells["rate"] for cells in sorted(listed, key=lambda one: one["on"]) if cells["to"] == home
    }
    return {**newest, home: "1"}
