"""How a record is answered: names beside ids, calculated fields, people in the words of the caller's generation."""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.sandbox.fxiaoke.auth import Caller
from connectors.sandbox.fxiaoke.schema import REFERENCES, Field
from connectors.sandbox.fxiaoke.store import Row, Table, Tenant, epoch_ms


class View:
    """Turns stored records into answered ones. ``gone`` and ``bent`` are what faults say of the fields."""

    def __init__(self, tenant: Tenant, now: Callable[[], datetime]) -> None:
        self.tenant = tenant
        self._now = now
        self.gone: frozenset[tuple[str, str]] = frozenset()
        """(object, field) of vanished fields; object "" means every object."""
        self.bent: frozenset[tuple[str, str]] = frozenset()
        """(object, field) of fields that are answered in another type."""

    def hidden(self, name: str) -> frozenset[str]:
        """Names of an object's vanished fields."""
        return frozenset(one for where, one in self.gone if where in {"", name})

    def mistyped(self, name: str) -> frozenset[str]:
        """Names of an object's fields that are answered in another type."""
        return frozenset(one for where, one in self.bent if where in {"", name})

    def shown(self, table: Table, row: Row, names: Iterable[str], caller: Caller, *, nulls: bool) -> Row:
        """The record with these fields (none named: all of them); without ``nulls`` the empty ones are absent."""
        kind = table.kind
        hidden, mistyped = self.hidden(kind.name), self.mistyped(kind.name)
        asked = list(names) or [*kind.fields, *(f"{name}__r" for name, one in kind.fields.items() if _named(one))]
        shown: Row = {}
        for name in asked:
            base = name.removesuffix("__r")
            one = kind.fields.get(base)
            if one is None or base in hidden:
                value = row.get(name) if name.endswith("__o") else None
            elif name != base:
                value = self._named_value(one, row.get(base), caller)
            else:
                value = self._value(kind.name, one, row, caller)
                if base in mistyped:
                    value = _bent(value)
            if value is not None or (nulls and one is not None and base not in hidden):
                shown[name] = value
        return shown

    def _value(self, kind: str, one: Field, row: Row, caller: Caller) -> Any:
        if one.type in {"formula", "count"} and kind == "NewOpportunityObj":
            return self._calculated(one.name, row)
        value = row.get(one.name)
        if value is None or not caller.numbered:
            return value
        if one.type == "employee":
            return [self._number(person) for person in value]
        if one.name == "check_object_id":
            return self._number(value)
        if one.type == "embedded_object_list":
            return [{**member, "teamMemberEmployee": [self._number(person) for person in member["teamMemberEmployee"]]} for member in value]  # fmt: skip
        return value

    def _number(self, open_id: str) -> str:
        person = self.tenant.people.get(open_id)
        return person.employee if person else open_id

    def _calculated(self, name: str, row: Row) -> str | None:
        """What Fxiaoke computes when it answers; a change of it moves no stamp."""
        if name == "probability_amount":
            if row.get("amount") is None or row.get("probability") is None:
                return None
            return f"{Decimal(row['amount']) * Decimal(row['probability']) / 100:.2f}"
        if name == "cost_time":
            status = (
                self.tenant.objects["NewOpportunityObj"].fields["sales_status"].options.get(row.get("sales_status", ""))
            )
            end = epoch_ms(self._now()) if status == "进行中" else row.get("stg_changed_time", row["create_time"])
            return str(max(0, end - row["create_time"]))
        return row.get(name)

    def _named_value(self, one: Field, value: Any, caller: Caller) -> Any:
        if value is None:
            return None
        if one.type == "employee":
            return self._person(value[0], caller) if value else None
        if one.type == "department":
            department = self.tenant.departments.get(int(value[0])) if value else None
            return {"deptId": value[0], "deptName": department.name, "name": department.name} if department else None
        if one.type in REFERENCES:
            target = self.tenant.tables.get(one.target)
            row = target.rows.get(value) if target else None
            return row.get("name") if row else None
        return one.options.get(value)

    def _person(self, open_id: str, caller: Caller) -> dict[str, Any] | None:
        person = self.tenant.people.get(open_id)
        if person is None:
            return None
        return {"id": person.employee if caller.numbered else open_id, "name": person.name, "nickname": person.name}


def _named(one: Field) -> bool:
    return one.type in REFERENCES or one.type in {"employee", "department", "select_one"}


def _bent(value: Any) -> Any:
    """The value in another type: a text where none was, a text with words in it where a number was."""
    return None if value is None else {"value": value}
