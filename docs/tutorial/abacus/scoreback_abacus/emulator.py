"""An Abacus on loopback, as strict as the real one would be: its interface is described in docs/tutorial/connector.md.

Shares no code with the connector: both are written from the same page, so that one's error is the other's finding.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from connectors.sandbox.emulator import Emulator
from connectors.sandbox.faults import Fault
from connectors.sandbox.folder import read_world
from connectors.sandbox.routing import Reply, Request, Route

Row = dict[str, Any]

COLUMNS: dict[str, dict[str, str]] = {
    "people": {"name": "name", "email": "email", "active": "active", "team": "team"},
    "companies": {"name": "name", "owner_id": "owner", "industry": "trade"},
    "deals": {
        "name": "title", "account_id": "company", "owner_id": "owner", "pipeline": "board", "stage": "stage",
        "amount": "value", "currency": "currency", "created_at": "made_at", "close_on": "due", "closed_at": "closed_at",
        "next_step": "next",
    },
    "stages": {
        "pipeline": "board", "label": "title", "position": "place", "outcome": "means", "probability": "chance",
    },
}  # fmt: skip
"""Fields of each object, by the column of a world that fills them."""
TABLES = {"people": "people", "accounts": "companies", "opportunities": "deals", "stages": "stages"}
NUMBERS = {"value", "place", "chance"}
BATCH, PAGE = 50, 200


class AbacusEmulator(Emulator):
    """People, companies, stages and deals behind ``/api``. ``Bearer sandbox`` is the token."""

    kind: ClassVar[str] = "abacus"

    def __init__(self, world: Path | None = None, **options: Any) -> None:
        super().__init__(world, **options)
        self.tables: dict[str, dict[str, Row]] = {remote: {} for remote in COLUMNS}
        self.made: dict[str, str] = {}
        self._numbers = itertools.count(1)
        if world is not None:
            tables = read_world(world)
            for table, remote in TABLES.items():
                self._load(table, remote, tables[table])

    def _load(self, table: str, remote: str, rows: Sequence[Mapping[str, str]]) -> None:
        for row in rows:
            if row.get("connection") in (None, "", self.kind):
                key = row["stage"] if table == "stages" else row["id"]
                self.ids.setdefault(table, {})[row["id"]] = key
                stamp = row.get("modified_at") or "2020-01-01T00:00:00Z"
                self.tables[remote][key] = {**_fields(remote, row), "id": key, "gone": False, "changed_at": stamp}

    def routes(self) -> Sequence[Route]:
        """Every endpoint."""
        return [
            ("GET", "/api/ping", lambda _: Reply(body={"now": self._stamp()})),
            ("GET", "/api/fields/{table}", self._list_fields),
            ("POST", "/api/fields/{table}", self._make_field),
            ("DELETE", "/api/fields/{table}/{name}", self._drop_field),
            ("GET", "/api/{table}", self._list),
            ("GET", "/api/deals", lambda request: self._list(request, "deals")),
            ("PATCH", "/api/deals", self._patch),
        ]

    # What Abacus refuses.

    def sign_in(self, request: Request) -> Reply | None:
        """401 without the token."""
        if request.headers.get("Authorization") == "Bearer sandbox":
            return None
        return _error(401, "token_unknown", "The token is not known.")

    def refusal(self, fault: Fault, request: Request) -> Reply:
        """Abacus' words for the common faults."""
        answers: dict[str, Callable[[], Reply]] = {
            "revoked": lambda: _error(403, "token_withdrawn", "The token was withdrawn."),
            "expired_token": lambda: _error(401, "token_expired", "The token has expired."),
            "day_limit": lambda: _error(403, "day_spent", "The calls of this day are spent."),
            "too_many": lambda: _error(429, "slow_down", "Too many calls."),
            "too_many_retry_after": lambda: _error(429, "slow_down", "Too many calls.", {"Retry-After": "1"}),
            "server_error": lambda: _error(500, "failed", "Something went wrong."),
            "bad_gateway": lambda: Reply(502, "<html><body>502 Bad Gateway</body></html>", {"Content-Type": "text/html"}),
            "no_permission": lambda: _error(403, "no_right", "The token has no right to this."),
        }  # fmt: skip
        return answers[fault.name]()

    def unknown(self, request: Request, allowed: Sequence[str]) -> Reply:
        """404, or 405 for a path that has other methods."""
        return _error(405 if allowed else 404, "no_such_call", f"{request.method} {request.path} does not exist.")

    # Reading.

    def _list(self, request: Request, table: str) -> Reply:
        if table not in self.tables:
            return _error(404, "no_such_object", f"There is no {table}.")
        limit = min(int(request.first("limit") or PAGE), 1000 if request.first("only") == "id" else PAGE)
        rows = sorted(self.tables[table].values(), key=lambda row: (row["changed_at"], row["id"]))
        if (wanted := request.first("ids")) is not None:
            rows = [row for row in rows if row["id"] in wanted.split(",")]
        if request.first("only") == "id" or limit == 0:
            rows = [row for row in rows if not row["gone"]]
        start, end = request.first("changed_from") or "", request.first("changed_before") or "9"
        rows = [row for row in rows if start <= row["changed_at"] < end]
        if self.strike("empty", request):
            rows = []
        total = len(rows)
        if after := request.first("after"):
            stamp, _, key = after.partition("|")
            rows = [row for row in rows if (row["changed_at"], row["id"]) > (stamp, key)]
        page = rows[: min(limit, self.page_cap or limit)]
        more = 0 < len(page) < len(rows)
        last = f"{page[-1]['changed_at']}|{page[-1]['id']}" if more else None
        return Reply(body={"rows": [self._shown(table, row, request) for row in page], "next": last, "total": total})

    def _shown(self, table: str, row: Row, request: Request) -> Row:
        if request.first("only") == "id":
            return {"id": row["id"]}
        shown = {**dict.fromkeys(self._names(table)), **row}
        for fault in self.faults.armed:
            name = str(fault.extra.get("field"))
            if fault.name == "missing_field":
                shown.pop(name, None)
            elif fault.name == "wrong_type" and name in shown:
                shown[name] = {"is": shown[name]}
        return shown

    def _names(self, table: str) -> list[str]:
        return [*COLUMNS[table].values(), *(self.made if table == "deals" else ())]

    # Writing.

    def _patch(self, request: Request) -> Reply:
        rows = request.json().get("rows")
        if not isinstance(rows, list) or not 0 < len(rows) <= BATCH:
            return _error(400, "bad_batch", f"rows must be a list of 1 to {BATCH}.")
        half, refused = self.strike("half_batch", request), self.strike("refused_row", request)
        locked, deleted = self.strike("locked_row", request), self.strike("deleted_meanwhile", request)
        if deleted:
            self.remove("opportunities", rows[0]["id"])
        verdicts = []
        for place, row in enumerate(rows):
            if (half and place % 2) or (refused and place == 0):
                verdicts.append(_no(row["id"], "rule", "A rule of your company refuses this value."))
            elif locked and place == 0:
                verdicts.append(_no(row["id"], "locked", "Somebody is editing this deal."))
            else:
                verdicts.append(self._change(row))
        return Reply(body={"rows": verdicts})

    def _change(self, order: Mapping[str, Any]) -> Row:
        deal = self.tables["deals"].get(order["id"])
        if deal is None or deal["gone"]:
            return _no(order["id"], "gone", "There is no such deal.")
        strange = sorted(set(order["fields"]) - set(self._names("deals")))
        if strange:
            return _no(order["id"], "no_such_field", f"Deals have no field {strange[0]}.")
        for name, value in order["fields"].items():
            if self.made.get(name) == "number" and isinstance(value, str):
                return _no(order["id"], "bad_value", f"{name} must be a number.")
        deal.update(order["fields"], changed_at=self._stamp())
        return {"id": order["id"], "ok": True}

    # Fields.

    def _list_fields(self, request: Request, table: str) -> Reply:
        if table not in COLUMNS:
            return _error(404, "no_such_object", f"There is no {table}.")
        gone = {fault.extra.get("field") for fault in self.faults.armed if fault.name == "missing_field"}
        names = [name for name in ("id", "gone", "changed_at", *self._names(table)) if name not in gone]
        return Reply(body={"rows": [{"name": name, "title": name.replace("_", " ").title()} for name in names]})

    def _make_field(self, request: Request, table: str) -> Reply:
        order = request.json()
        if table != "deals" or order.get("type") not in {"number", "text", "moment", "date"}:
            return _error(400, "bad_field", "Only deals take fields: number, text, moment or date.")
        if order["name"] in self._names("deals"):
            return _error(409, "field_exists", f"{order['name']} exists.")
        self.made[order["name"]] = order["type"]
        return Reply(201, {"name": order["name"]})

    def _drop_field(self, request: Request, table: str, name: str) -> Reply:
        if table != "deals" or self.made.pop(name, None) is None:
            return _error(404, "no_such_field", f"There is no field {name}.")
        for deal in self.tables["deals"].values():
            deal.pop(name, None)
        return Reply(204)

    # What tests and `scoreback sandbox` do as a user of the CRM.

    def show(self, record: str, record_id: str) -> dict[str, Any] | None:
        """The row as it is."""
        return self.tables[TABLES[record]].get(self._key(record, record_id))

    def edit(self, record: str, record_id: str | None, fields: Mapping[str, Any]) -> str:
        """Changes or makes a row; names of a world and of Abacus are both understood."""
        if "merged_into" in fields:
            raise ValueError("nothing can be merged in Abacus")
        remote = TABLES[record]
        key = f"n{next(self._numbers)}" if record_id is None else self._key(record, record_id)
        row = (
            self.tables[remote].setdefault(key, {"id": key, "gone": False})
            if record_id is None
            else self.tables[remote][key]
        )
        late = self.strike("late_commit", Request("POST", "/__world"))
        row.update(_fields(remote, {name: "" if value is None else str(value) for name, value in fields.items()}))
        row["changed_at"] = self._stamp(timedelta(seconds=late.seconds if late else 0))
        return key

    def remove(self, record: str, record_id: str) -> None:
        """A deleted row stays, marked."""
        self.tables[TABLES[record]][self._key(record, record_id)].update(gone=True, changed_at=self._stamp())

    def hide(self, record: str, record_id: str) -> None:
        """A row that our token may not see any more is in no list."""
        del self.tables[TABLES[record]][self._key(record, record_id)]

    def _key(self, record: str, record_id: str) -> str:
        return self.ids.get(record, {}).get(record_id, record_id)

    def _stamp(self, ago: timedelta = timedelta()) -> str:
        return (self.now() - ago).strftime("%Y-%m-%dT%H:%M:%SZ")


def _fields(remote: str, cells: Mapping[str, str]) -> Row:
    """Abacus' fields of the cells of a world's row: empty is null, numbers are numbers."""
    found: Row = {}
    for column, text in cells.items():
        name = COLUMNS[remote].get(column, column)
        if name in COLUMNS[remote].values():
            found[name] = _value(name, text)
    return found


def _value(name: str, text: str) -> Any:
    if not text:
        return None
    if name == "active":
        return text.lower() == "true"
    return float(text) if name in NUMBERS else text


def _error(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, {"code": code, "message": message}, dict(headers or {}))


def _no(key: str, code: str, message: str) -> Row:
    return {"id": key, "ok": False, "code": code, "message": message}
