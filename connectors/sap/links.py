"""What stands in other sets: the deal of an activity, and the unit, job and manager of a person.

None of these stamps the row that it belongs to: they are read along with changed rows, and for all rows once a day. A set
that the service does not offer is told as such: that nobody can see a link does not mean that there is none.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from time import monotonic

from connectors.errors import RejectedError
from connectors.sap.api import SapApi
from connectors.sap.values import Row, day

REFERENCES = "OpportunityBusinessTransactionDocumentReferenceCollection"
_DOCUMENT = "BusinessTransactionDocumentUUID"
ASSIGNMENTS = "EmployeeOrganisationalUnitAssignmentCollection"
OF_REFERENCE = ("ParentObjectID", _DOCUMENT)
OF_ASSIGNMENT = ("ParentObjectID", "OrgUnitID", "RoleCode", "JobID", "StartDate", "EndDate")

WHOLE_SET_SECONDS = 300.0
"""How long a set that was read whole is used: about as long as a first load reads activities."""

_PER_CALL = 60
ASKED_SINGLY = 3 * _PER_CALL
"""Up to so many activities are asked for by name; for more, the whole set of references costs less."""


class Links:
    """The deals that activities belong to."""

    def __init__(self, api: SapApi) -> None:
        self._api = api
        self._whole: tuple[float, Mapping[str, str] | None] | None = None

    def add(self, rows: Sequence[Row], *, changed: bool) -> bool:
        """Puts ``@opportunity`` into rows; of several deals the one that is first by its ObjectID. False without the set.

        A reference names the activity by its UUID, which is the ObjectID with dashes. ``changed`` rows may have references
        that are younger than the set that was read last.
        """
        if not rows:
            return True
        known = self._of([row["ObjectID"] for row in rows], changed) if len(rows) <= ASKED_SINGLY else self._all()
        for row in rows:
            row["@opportunity"] = None if known is None else known.get(str(row["ObjectID"]).upper())
        return known is not None

    def _of(self, ids: Sequence[str], changed: bool) -> Mapping[str, str] | None:
        if not changed and self._whole is not None and monotonic() - self._whole[0] < WHOLE_SET_SECONDS:
            return self._whole[1]
        found: list[Row] = []
        for start in range(0, len(ids), _PER_CALL):
            condition = " or ".join(f"{_DOCUMENT} eq guid'{_dashed(one)}'" for one in ids[start : start + _PER_CALL])
            rows = _rows(self._api, REFERENCES, OF_REFERENCE, {"$filter": condition})
            if rows is None:
                return None
            found += rows
        return _by_document(found)

    def _all(self) -> Mapping[str, str] | None:
        if self._whole is None or monotonic() - self._whole[0] >= WHOLE_SET_SECONDS:
            rows = _rows(self._api, REFERENCES, OF_REFERENCE, {"$orderby": "ObjectID"})
            self._whole = monotonic(), None if rows is None else _by_document(rows)
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
        self._read: tuple[float, list[Row] | None] | None = None

    def add(self, people: Sequence[Row]) -> bool:
        """Puts ``@team``, ``@role`` and ``@manager`` (an ObjectID) into rows of employees. False without the set."""
        if not people:
            return True
        assignments = self._assignments()
        own: dict[str, list[Row]] = {}
        leaders: dict[str, list[str]] = {}
        members: dict[str, set[str]] = {}
        for one in assignments or ():
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
        return assignments is not None

    def _assignments(self) -> list[Row] | None:
        """Those that hold today, and of people who have none the last one: who has left keeps the unit that they left."""
        if self._read is None or monotonic() - self._read[0] >= WHOLE_SET_SECONDS:
            self._read = monotonic(), _rows(self._api, ASSIGNMENTS, OF_ASSIGNMENT, {"$orderby": "ObjectID"})
        if self._read[1] is None:
            return None
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


def _rows(api: SapApi, entity_set: str, columns: Sequence[str], options: Mapping[str, str]) -> list[Row] | None:
    """Every row; None where the service does not offer the set, or not with these properties."""
    try:
        pages = api.pages(entity_set, {"$select": ",".join(columns), **options})
        return [row for page in pages for row in page.rows]
    except RejectedError as error:
        if error.status == 404 or (error.status == 400 and not _offered(api, entity_set, columns)):
            return None
        raise


def _offered(api: SapApi, entity_set: str, columns: Sequence[str]) -> bool:
    there = api.properties(entity_set, columns)
    return there is not None and there.keys() >= set(columns)
