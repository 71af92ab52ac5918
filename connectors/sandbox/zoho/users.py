"""Users: reading by type, and changing custom fields of at most ten at a time."""

from collections.abc import Callable
from typing import Any

from connectors.sandbox.emulator import Emulator
from connectors.sandbox.routing import Reply, Request
from connectors.sandbox.zoho.changes import Changes
from connectors.sandbox.zoho.errors import Refusal, invalid, no_permission
from connectors.sandbox.zoho.ids import parse_id
from connectors.sandbox.zoho.lists import Lists
from connectors.sandbox.zoho.paging import number_of, page_size
from connectors.sandbox.zoho.schema import Field
from connectors.sandbox.zoho.store import Row
from connectors.sandbox.zoho.times import text_of
from connectors.sandbox.zoho.values import read_value

MAX_USERS = 10
_FIXED = {
    "date_format": "dd/MM/yyyy", "decimal_separator": "Period", "locale": "en_GB", "language": "en_GB",
    "country_locale": "en_GB", "time_format": "HH:mm", "number_separator": "Comma", "type__s": "Regular User",
    "name_format__s": "Salutation,First Name,Last Name", "sort_order_preference__s": "First Name,Last Name",
    "microsoft": False, "sandboxDeveloper": False, "personal_account": False, "status_reason__s": None,
    "Current_Shift__s": None, "$current_shift": None, "$next_shift": None, "$shift_effective_from": None,
}  # fmt: skip


class Users:
    """Handlers of ``/users``."""

    def __init__(self, lists: Lists, changes: Changes, emulator: Emulator) -> None:
        self.org = lists.org
        self.rows = lists.rows
        self.lists = lists
        self.changes = changes
        self.emulator = emulator
        self.table = self.org.tables["Users"]
        self._kinds: dict[str, Callable[[Row], bool]] = {
            "AllUsers": lambda row: row["status"] != "deleted",
            "ActiveUsers": _is("active"),
            "DeactiveUsers": lambda row: row["status"] in {"inactive", "disabled"},
            "ConfirmedUsers": lambda row: row["confirm"] and row["status"] != "deleted",
            "NotConfirmedUsers": lambda row: not row["confirm"],
            "DeletedUsers": _is("deleted"),
            "ActiveConfirmedUsers": _is("active"),
            "AllActiveUsers": _is("active"),
            "AdminUsers": self._is_admin,
            "ActiveConfirmedAdmins": self._is_admin,
            "CurrentUser": lambda row: row["id"] == self.org.user,
            "DeveloperUsers": lambda _: False,
            "ActiveLiteUser": lambda _: False,
        }

    def _is_admin(self, row: Row) -> bool:
        return bool(row["profile"] == self.org.profiles["Administrator"] and row["status"] == "active")

    def many(self, request: Request) -> Reply:
        """``GET /users``, by page number only."""
        matches = self._kinds.get(request.first("type") or "AllUsers")
        if matches is None:
            raise invalid("the value given seems to be invalid", param_name="type")
        moment = self.lists.modified_since(request)
        found = [row for _, row in sorted(self.table.rows.items()) if matches(row)]
        if moment is not None:
            found = [row for row in found if row["Modified_Time"] > moment]
            if not found:
                return Reply(304)
        size, page = page_size(request, self.emulator.page_cap), number_of(request, "page", 1)
        shown = [self.shown(row) for row in found[(page - 1) * size : page * size]]
        if not shown or self.emulator.strike("empty", request):
            return Reply(204)
        info = {"per_page": size, "count": len(shown), "page": page, "more_records": page * size < len(found)}
        return Reply(body={"users": shown, "info": info})

    def single(self, request: Request, user: str) -> Reply:
        """``GET /users/{id}``, deactivated and deleted ones too."""
        key = self._key(user)
        row = None if key is None else self.table.rows.get(key)
        return Reply(204) if row is None else Reply(body={"users": [self.shown(row)]})

    def _key(self, user: str) -> int | None:
        return self.org.user if user == "CurrentUser" else parse_id(user)

    def shown(self, row: Row) -> dict[str, Any]:
        """A user with the keys Zoho sends, custom fields included."""
        module = self.table.module
        shown = dict(_FIXED)
        shown |= {name: read(row) for name, read in self.rows.readers(module, self.org.fields(module))}
        shown |= {
            "confirm": row["confirm"], "status": row["status"], "zuid": str(row["id"])[-8:],
            "time_zone": self.org.zone.key, "Reporting_To": self.rows.user(row.get("Reporting_To"), mail=True),
            "territories": row.get("Territories", []), "created_by": self.rows.user(self.org.user),
            "Modified_By": self.rows.user(row.get("Modified_By", self.org.user)),
            "created_time": text_of(row["created_time"], self.org.zone),
        }  # fmt: skip
        return shown

    def update_many(self, request: Request) -> Reply:
        """``PUT /users``: ten at most; 200 if any went through, else 400."""
        sent = self._sent(request)
        if len(sent) > MAX_USERS:
            message = "more than 10 users are given"
            raise invalid(message, api_name="users", maximum_length=MAX_USERS, json_path="$.users")
        if self.emulator.strike("one_refusal", request) and (refused := self._first_refusal(sent)):
            return Reply(400, {"users": [refused.body]})
        return self._answer([self._update(one, number) for number, one in enumerate(sent)])

    def _first_refusal(self, sent: list[dict[str, Any]]) -> Refusal | None:
        for number, one in enumerate(sent):
            try:
                self._editable(str(one.get("id", "")), f"$.users[{number}]")
            except Refusal as refusal:
                return refusal
        return None

    def update_one(self, request: Request, user: str) -> Reply:
        """``PUT /users/{id}``."""
        sent = self._sent(request)[:1]
        return self._answer([self._update({**one, "id": user}, 0) for one in sent])

    @staticmethod
    def _answer(results: list[dict[str, Any]]) -> Reply:
        good = any(one["status"] == "success" for one in results)
        return Reply(200 if good else 400, {"users": results})

    def _sent(self, request: Request) -> list[dict[str, Any]]:
        if self.emulator.strike("no_user_edits", request):
            raise no_permission("Crm_Implied_Manage_Users")
        body = request.json()
        sent = body.get("users") if isinstance(body, dict) else None
        if not isinstance(sent, list) or not sent:
            raise Refusal(400, "MANDATORY_NOT_FOUND", "required field not found", {"api_name": "users"})
        return sent

    def _update(self, sent: dict[str, Any], number: int) -> dict[str, Any]:
        path = f"$.users[{number}]"
        try:
            row = self._editable(str(sent.get("id", "")), path)
            values = self._values(sent, path)
        except Refusal as refusal:
            return refusal.body
        self.changes.update(self.table, row, values, self.org.user, self.org.now())
        return {"code": "SUCCESS", "details": {"id": str(row["id"])}, "message": "User updated", "status": "success"}

    def _editable(self, user: str, path: str) -> Row:
        key = self._key(user)
        row = None if key is None else self.table.rows.get(key)
        if row is None:
            raise invalid("the id given seems to be invalid", api_name="id", json_path=f"{path}.id")
        if row["status"] == "deleted":
            raise Refusal(400, "CANNOT_UPDATE_DELETED_USER", "Deleted user cannot be updated", {"id": user})
        return row

    def _values(self, sent: dict[str, Any], path: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, value in sent.items():
            one: Field | None = self.org.field(self.table.module, name)
            if name != "id" and one is not None and not one.read_only:
                values[one.name] = read_value(self.org, one, value, f"{path}.{name}")
        return values


def _is(status: str) -> Callable[[Row], bool]:
    return lambda row: row["status"] == status
