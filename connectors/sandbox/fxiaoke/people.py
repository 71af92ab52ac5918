"""Employees and departments of an emulated tenant."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.sandbox.fxiaoke.errors import (
    NO_DEPARTMENT,
    NO_EMPLOYEE,
    Refusal,
    bad_argument,
    missing,
    success,
)
from connectors.sandbox.fxiaoke.ids import WHOLE_COMPANY
from connectors.sandbox.fxiaoke.store import ZONE, Person, Tenant, epoch_ms
from connectors.sandbox.routing import Reply

KEYS: dict[str, frozenset[str]] = {
    "/cgi/user/getByMobile": frozenset({"mobile"}),
    "/cgi/user/list": frozenset({"departmentId", "fetchChild", "showDepartmentIdsDetail"}),
    "/cgi/user/simpleList": frozenset({"departmentId", "fetchChild"}),
    "/cgi/user/get": frozenset({"openUserId", "showDepartmentIdsDetail"}),
    "/cgi/department/list": frozenset({"departmentId", "fetchChild"}),
    "/cgi/department/detail": frozenset({"departmentId"}),
}
"""What each call takes beside its sign-in."""


class Directory:
    """Answers of the directory's endpoints. ``stopped_listed``: whether disabled employees are in the lists."""

    def __init__(self, tenant: Tenant, *, stopped_listed: bool) -> None:
        self._tenant = tenant
        self._stopped_listed = stopped_listed
        self.empty = False
        """Lists answer nothing."""
        self.converts = False
        """The lists name employees by FSUID whoever asks, as one page of the manual shows."""
        self.numbered = False
        """People are employee numbers in this call and its answer: the words of the header generation."""

    def answers(self) -> dict[str, Callable[[Mapping[str, Any], str], Reply]]:
        """The answer of each path, from a body and the start of a trace id."""
        return {
            "/cgi/user/getByMobile": self.by_mobile,
            "/cgi/user/list": self.users,
            "/cgi/user/simpleList": self.simple_users,
            "/cgi/user/get": self.user,
            "/cgi/department/list": self.departments,
            "/cgi/department/detail": self.department,
        }

    def by_mobile(self, body: Mapping[str, Any], trace: str) -> Reply:
        """The employees with that mobile number: none or one."""
        mobile = body.get("mobile")
        if not mobile:
            raise missing("mobile")
        hits = [person for person in self._listed() if person.mobile == str(mobile)]
        return success(trace, {"empList": [{"openUserId": self._id(one), "name": one.name} for one in hits]})

    def users(self, body: Mapping[str, Any], trace: str) -> Reply:
        """The employees of a department, with ``fetchChild`` also of those below it."""
        detail = body.get("showDepartmentIdsDetail") is True
        return success(trace, {"userList": [self._user(one, detail=detail) for one in self._of(body)]})

    def simple_users(self, body: Mapping[str, Any], trace: str) -> Reply:
        """Id and names only."""
        users = [{"openUserId": self._id(one), "name": one.name, "nickName": one.name} for one in self._of(body)]
        return success(trace, {"userList": users})

    def user(self, body: Mapping[str, Any], trace: str) -> Reply:
        """One employee."""
        if not body.get("openUserId"):
            raise missing("openUserId")
        named = str(body["openUserId"])
        person = self._tenant.people.get(self._tenant.by_employee.get(named, "") if self.numbered else named)
        if person is None:
            raise Refusal(NO_EMPLOYEE)
        return success(trace, self._user(person, detail=body.get("showDepartmentIdsDetail") is True))

    def departments(self, body: Mapping[str, Any], trace: str) -> Reply:
        """The departments below one, by default all."""
        wanted = self._tenant.below(self._department(body)) if "departmentId" in body else set(self._tenant.departments)
        found = [
            {"id": one.id, "name": one.name, "parentId": one.parent, "isStop": one.stopped, "order": one.order}
            for one in self._tenant.departments.values()
            if one.id in wanted and one.id != WHOLE_COMPANY
        ]
        return success(trace, {"departments": [] if self.empty else found})

    def department(self, body: Mapping[str, Any], trace: str) -> Reply:
        """One department with its manager."""
        one = self._tenant.departments[self._department(body)]
        detail = {
            "id": one.id, "name": one.name, "parentId": one.parent, "isStop": one.stopped, "order": one.order,
            "principalId": self._id_of(one.manager),
        }  # fmt: skip
        return success(trace, {"department": detail})

    def _department(self, body: Mapping[str, Any]) -> int:
        number = body.get("departmentId")
        if number is None:
            raise missing("departmentId")
        if isinstance(number, bool) or not str(number).isdecimal():
            raise bad_argument("departmentId")
        if int(number) not in self._tenant.departments:
            raise Refusal(NO_DEPARTMENT)
        return int(number)

    def _of(self, body: Mapping[str, Any]) -> list[Person]:
        department = self._department(body)
        wanted = self._tenant.below(department) if body.get("fetchChild") is True else {department}
        everybody = WHOLE_COMPANY in wanted and body.get("fetchChild") is True
        return [one for one in self._listed() if everybody or wanted & {one.department, *one.more_departments}]

    def _listed(self) -> list[Person]:
        if self.empty:
            return []
        return [one for one in self._tenant.people.values() if self._stopped_listed or not one.stopped]

    def _id(self, one: Person) -> str:
        return one.employee if self.numbered else one.open_id

    def _id_of(self, open_id: str) -> str | None:
        person = self._tenant.people.get(open_id)
        return self._id(person) if person else open_id or None

    def _user(self, one: Person, *, detail: bool) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "openUserId": self._id(one), "account": one.email.partition("@")[0], "name": one.name, "nickName": one.name,
            "isStop": one.stopped, "email": one.email, "mobile": one.mobile, "position": one.position,
            "departmentIds": [one.department, *one.more_departments], "employeeNumber": one.employee,
            "hireDate": one.hired, "createTime": one.created, "leaderId": self._id_of(one.leader),
        }  # fmt: skip
        if detail:
            shown["mainDepartmentId"] = one.department
            shown["attachingDepartmentIds"] = list(one.more_departments)
        return {name: value for name, value in shown.items() if value not in ("", None)}


def midnight_ms(day: str) -> int:
    """The first moment of a day in the tenant's zone, as date fields hold it."""
    return epoch_ms(datetime.fromisoformat(day[:10]).replace(tzinfo=ZONE).astimezone(UTC))
