"""What stands in other sets: the deal of an activity, and the unit, job and manager of a person.

None of these stamps the row that it belongs to: they are read along with changed rows, and for all rows once a day.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from time import monotonic

from connectors.errors import RejectedError
from connectors.sap_api import SapApi
from connectors.sap_values import Row, day

REFERENCES = "OpportunityBusinessTransactionDocumentReferenceCollection"
_DOCUMENT = "BusinessTransactionDocumentUUID"
ASSIGNMENTS = "EmployeeOrganisationalUnitAssignmentCollection"
_OF_ASSIGNMENT = ("ParentObjectID", "OrgUnitID", "RoleCode", "JobID", "StartDate", "EndDate")

WHOLE_SET_SECONDS = 300.0
"""How long a set that was read whole is used: about as long as a first load reads activities."""

_PER_CALL = 60
ASKED_SINGLY = 3 * _PER_CALL
"""Up to so many activities are asked for by name; for more, the whole set of references costs less."""


class Links:
    """The deals that activities belong to."""

    def __init__(self, api: SapApi) -> None:
        self._api = api
        self._whole: tuple[float, Mapping[str, str]] | None = None

    def add(self, rows: Sequence[Row]) -> None:
        """Puts ``@opportunity`` into rows; of several deals the one that is first by its ObjectID.

        A reference names the activity by its UUID, which is the ObjectID with dashes.
        """
        if not rows:
            return
        known = self._of([row["ObjectID"] for row in rows]) if len(rows) <= ASKED_SINGLY else self._all()
        for row in rows:
            row["@opportunity"] = known.get(str(row["ObjectID"]).upper())

    def _of(self, ids: Sequence[str]) -> Mapping[str, str]:
        if self._whole is not None and monotonic() - self._whole[0] < WHOLE_SET_SECONDS:
            return self._whole[1]
        found: list[Row] = []
        for start in range(0, len(ids), _PER_CALL):
            condition = " or ".join(f"{_DOCUMENT} eq guid'{_dashed(one)}'" for one in ids[start : start + _PER_CALL])
            found += _rows(self._api, REFERENCES, {"$select": f"ParentObjectID,{_DOCUMENT}", "$filter": condition})
        return _by_document(found)

    def _all(self) -> Mapping[str, str]:
        if self._whole is None or monotonic() - self._whole[0] >= WHOLE_SET_SECONDS:
            options = {"$select": f"ParentObjectID,{_DOCUMENT}", "$orderby": "ObjectID"}
            self._whole = monotonic(), _by_document(_rows(self._api, REFERENCES, options))
        return self._whole[1]


def _dashed(key: str) -> str:
    return f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"


def _by_document(references: Iterable[Row]) -> dict[str, str]:
    deals: dict[str, str] = {}
    for one in references:
        document, deal = str(one.get(_DOCUMENT) or "").replace("-", "").upper(), str(one["ParentObjectID"])
        deals[document] = min(deal, deals.get(document, deal))
    return deals


class Units:
    """Units, jobs and managers of people, as they are today."""

    def __init__(self, api: SapApi, manager_role: str, today: Callable[[], date]) -> None:
        self._api = api
        self._manager_role = manager_role
        self._today = today
        self._read: tuple[float, list[Row]] | None = None

    def add(self, people: Sequence[Row]) -> None:
        """Puts ``@team``, ``@role`` and ``@manager`` (an ObjectID, see ``managers``) into rows of employees."""
        if not people:
            return
        assignments = self._assignments()
        own: dict[str, list[Row]] = {}
        leaders: dict[str, list[str]] = {}
        members: dict[str, set[str]] = {}
        for one in assignments:
            person, unit = one["ParentObjectID"], one.get("OrgUnitID") or ""
            if one.get("RoleCode") == self._manager_role:
                leaders.setdefault(unit, []).append(person)
            else:
                own.setdefault(person, []).append(one)
                members.setdefault(unit, set()).add(person)
        for row in people:
            mine = own.get(row["ObjectID"], [])
            unit = mine[0].get("OrgUnitID") if mine else None
            row["@team"] = unit
            row["@role"] = mine[0].get("JobID") if mine else None
            row["@manager"] = _leader(row["ObjectID"], leaders.get(unit or "", []), members.get(unit or "", set()))

    def _assignments(self) -> list[Row]:
        """Those that hold today, and of people who have none the last one: who has left keeps the unit that they left."""
        if self._read is None or monotonic() - self._read[0] >= WHOLE_SET_SECONDS:
            options = {"$select": ",".join(_OF_ASSIGNMENT), "$orderby": "ObjectID"}
            self._read = monotonic(), _rows(self._api, ASSIGNMENTS, options)
        today = self._today()
        every = sorted(self._read[1], key=_begin, reverse=True)
        held = [one for one in every if _holds(one, today)]
        placed = {one["ParentObjectID"] for one in held}
        last: dict[str, Row] = {}
        for one in every:
            if (
                one["ParentObjectID"] not in placed
                and one.get("RoleCode") != self._manager_role
                and _begin(one) <= today
            ):
                last.setdefault(one["ParentObjectID"], one)
        return [*held, *last.values()]


def _begin(assignment: Row) -> date:
    start = assignment.get("StartDate")
    return day(start) if start else date.min


def _holds(assignment: Row, today: date) -> bool:
    end = assignment.get("EndDate")
    return _begin(assignment) <= today and (not end or day(end) >= today)


def _leader(person: str, leaders: Sequence[str], members: set[str]) -> str | None:
    """Who leads the unit of a person: somebody else, one of the unit's own people before others; None if it is unclear."""
    others = sorted(set(leaders) - {person})
    if len(others) > 1 and person not in leaders:
        others = [one for one in others if one in members] or others
    return others[0] if len(others) == 1 else None


def _rows(api: SapApi, entity_set: str, options: Mapping[str, str]) -> list[Row]:
    """Every row; none where the service does not offer the set."""
    try:
        return [row for page in api.pages(entity_set, options) for row in page.rows]
    except RejectedError as error:
        if error.status == 404:
            return []
        raise
