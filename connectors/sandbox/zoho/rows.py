"""Rows as they go out: JSON of lists and single records, JSON of COQL with bare lookups, CSV of Bulk Read."""

from collections.abc import Callable, Iterable
from typing import Any

from connectors.sandbox.zoho.schema import LOOKUPS, Field, Module
from connectors.sandbox.zoho.store import Org, Row, is_meant
from connectors.sandbox.zoho.times import text_of

Reader = Callable[[Row], Any]
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "CNY": "¥", "CHF": "CHF"}
_EMPTY: dict[str, Any] = {"Territories": [], "Tag": [], "Locked__s": False, "Record_Status__s": "Available"}
"""What fields without a value show instead of null."""
_SETTINGS = {"role": "roles", "profile": "profiles"}


class Rows:
    """Makes readers of fields; a page compiles its readers once."""

    def __init__(self, org: Org) -> None:
        self.org = org

    def reader(self, module: Module, one: Field, style: str = "list") -> Reader:
        """A function from a row to the field's value, in the ``list``, ``coql`` or ``csv`` way."""
        name = one.name
        read = self._plain(module, one, style)
        if self.org.mistyped and is_meant(module, one, self.org.mistyped):
            return lambda row: _mistyped(read(row))
        if style == "csv" and name == "id":
            return lambda row: str(row["id"])
        return read

    def _plain(self, module: Module, one: Field, style: str) -> Reader:
        name, zone = one.name, self.org.zone
        if one.data_type == "datetime":
            return lambda row: None if (at := row.get(name)) is None else text_of(at, zone)
        if one.data_type == "bigid":
            return lambda row: str(row["id"])
        if one.data_type in LOOKUPS:
            return self._lookup(module, one, style)
        if name == self.org.duration_column:
            return self._duration
        if name in _EMPTY or one.data_type == "multiselectpicklist":
            empty = _EMPTY.get(name, [])
            return lambda row: row.get(name, empty)
        return lambda row: row.get(name)

    def _lookup(self, module: Module, one: Field, style: str) -> Reader:
        name = one.name
        if style == "csv":
            return lambda row: None if (key := row.get(name)) is None else str(key)
        if style == "coql":
            return lambda row: None if (key := row.get(name)) is None else {"id": str(key)}
        if one.to == "Users":
            return lambda row: self.user(row.get(name), mail=name == "Owner")
        if name in {"What_Id", "Parent_Id"} and not one.to:
            return lambda row: self._named(row.get("$se_module", "Deals"), row.get(name))
        if name in _SETTINGS:
            return lambda row: self._setting(_SETTINGS[name], row.get(name))
        return lambda row: self._named(one.to, row.get(name))

    def user(self, key: int | None, *, mail: bool = False) -> dict[str, Any] | None:
        """A user as a lookup shows one."""
        if key is None:
            return None
        table = self.org.tables["Users"]
        row = table.rows.get(key) or (table.gone[key].row if key in table.gone else {})
        shown = {"name": row.get("full_name"), "id": str(key)}
        return {**shown, "email": row.get("email")} if mail else shown

    def _named(self, module: str, key: int | None) -> dict[str, Any] | None:
        return None if key is None else {"name": self.org.name_of(module, key), "id": str(key)}

    def _setting(self, kind: str, key: int | None) -> dict[str, Any] | None:
        known: dict[str, int] = getattr(self.org, kind)
        return next(({"name": name, "id": str(one)} for name, one in known.items() if one == key), None)

    def _duration(self, row: Row) -> int | None:
        left = row.get("$left")
        return None if left is None else int((left - row["Modified_Time"]) // 86_400)

    def readers(self, module: Module, fields: Iterable[Field], style: str = "list") -> list[tuple[str, Reader]]:
        """Name and reader of each field."""
        return [(one.name, self.reader(module, one, style)) for one in fields]

    def record(self, module: Module, row: Row) -> dict[str, Any]:
        """A whole record, as a GET by id shows it."""
        shown = {name: read(row) for name, read in self.readers(module, self.org.fields(module))}
        shown.update(self.extras(module, row))
        for one in self.org.fields(module):
            if one.data_type == "subform":
                shown[one.name] = self._subform(one, row)
        if module.name == "Events":
            shown["Participants"] = [self._participant(kind, key) for kind, key in row.get("$people", ())]
        return shown

    def _participant(self, kind: str, key: int) -> dict[str, Any]:
        module, mail = ("Users", "email") if kind == "user" else ("Contacts", "Email")
        row = self.org.tables[module].rows.get(key, {})
        return {"type": kind, "participant": str(key), "name": self.org.name_of(module, key), "Email": row.get(mail),
                "invited": True, "status": "not_known"}  # fmt: skip

    def _subform(self, one: Field, row: Row) -> list[dict[str, Any]]:
        table = self.org.tables[one.to]
        keys = table.by("Parent_Id", row["id"])
        return [self.record(table.module, table.rows[key]) for key in keys]

    def extras(self, module: Module, row: Row) -> dict[str, Any]:
        """Keys with a dollar that come with every record of a list."""
        found: dict[str, Any] = {}
        if "Amount" in module.fields or "Annual_Revenue" in module.fields:
            code = row.get("Currency", self.org.currency)
            found["$currency_symbol"] = SYMBOLS.get(code, code)
        if "What_Id" in module.fields:
            found["$se_module"] = row.get("$se_module")
        return found


def _mistyped(value: Any) -> Any:
    """A value in another type than it was: text becomes an object, all else text."""
    if isinstance(value, str):
        return {"value": value}
    return None if value is None else f"<{value}>"


def cell(value: Any) -> str:
    """A value as a cell of Bulk Read's CSV."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ";".join(str(one.get("name", one) if isinstance(one, dict) else one) for one in value)
    return repr(value) if isinstance(value, float) else str(value)
