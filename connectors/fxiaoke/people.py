"""Employees with the names of their departments: one list of everybody, one of the departments."""

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any

from connectors.errors import ContractError
from connectors.fxiaoke.api import COMPANY, FxiaokeApi, Row
from connectors.fxiaoke.settings import FxiaokeSettings
from connectors.fxiaoke.values import day

_LEARNT = "departments"
_TOP = frozenset({"", "0", str(COMPANY)})


class Directory:
    """People of the tenant. Names of departments are kept in ``learnt``, until somebody is in one that is not there."""

    def __init__(self, api: FxiaokeApi, settings: FxiaokeSettings, learnt: dict[str, str]) -> None:
        self._api = api
        self._zone = settings.zone
        self._learnt = learnt
        self._known: Mapping[str, tuple[str, str]] | None = None

    def people(self) -> list[Row]:
        """Everybody. A stopped employee may be missing from the list: that alone is no deletion."""
        listed = self._api.employees()
        wanted = {number for one in listed if (number := _department_of(one)) not in _TOP}
        if wanted - self._departments().keys():
            self._learn(wanted)
        return list(self._rows(listed))

    def name(self, department: str) -> str | None:
        """The name of a department; None for one that is not there."""
        return self._departments().get(department, ("", ""))[0] or None

    def _rows(self, listed: list[Row]) -> Iterator[Row]:
        for one in listed:
            if not one.get("openUserId"):
                raise ContractError("an employee without an id", str(one))
            name, above = self._departments().get(_department_of(one), ("", ""))
            region = None if above in _TOP else self.name(above)
            yield {**one, "@team": name, "@region": region, "@started_on": self._hired(one.get("hireDate"))}

    def _hired(self, value: Any) -> date | None:
        """A day, which comes as ISO text or as epoch milliseconds; None for any other form."""
        found = day(value, self._zone)
        if isinstance(found, date):
            return found
        try:
            return date.fromisoformat(str(value)[:10])
        except ValueError:
            return None

    def _departments(self) -> Mapping[str, tuple[str, str]]:
        """Name and the number of the one above, by number."""
        if self._known is None:
            if _LEARNT not in self._learnt:
                self._learn(frozenset())
            kept = json.loads(self._learnt[_LEARNT])
            self._known = {number: (name, above) for number, (name, above) in kept.items()}
        return self._known

    def _learn(self, wanted: Collection[str]) -> None:
        """Asks for all departments. Those that are wanted and not shown stay nameless, so as not to be asked for again."""
        listed = dict.fromkeys(sorted(wanted), ("", ""))
        for one in self._api.departments():
            listed[str(one.get("id"))] = (str(one.get("name") or ""), str(one.get("parentId") or ""))
        self._learnt[_LEARNT] = json.dumps(listed, ensure_ascii=False, sort_keys=True)
        self._known = None


def _department_of(one: Row) -> str:
    """Someone's own department: the main one, else the first."""
    number = one.get("mainDepartmentId") or next(iter(one.get("departmentIds") or ()), "")
    return str(number)
