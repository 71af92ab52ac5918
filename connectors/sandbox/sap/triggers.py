"""What the business objects do by themselves when a record is made or changed."""

from typing import Any

from connectors.sandbox.sap.entities import ENTITIES, HISTORY_ENTITY
from connectors.sandbox.sap.ids import dashed
from connectors.sandbox.sap.schema import EntityType
from connectors.sandbox.sap.store import Row, Store
from connectors.sandbox.sap.values import decimal_text, micros

_DAY = 86_400_000_000
_DATED = {"SalesCyclePhaseCode": "SalesCyclePhaseStartDate", "LifeCycleStatusCode": "ProcessStatusValidSinceDate"}
_NAMES = {
    "MainEmployeeResponsiblePartyID": ("MainEmployeeResponsiblePartyName", "Employee", "BusinessPartnerID"),
    "ProspectPartyID": ("ProspectPartyName", "CorporateAccount", "AccountID"),
}
VERSIONED = frozenset(name for names in ENTITIES[HISTORY_ENTITY].values() for name in names.split()) - {
    "CreationDateTime", "CreatedBy",
}  # fmt: skip
"""Fields of an opportunity whose every change is kept as a version."""
SHARED_WITH_USER = (
    "EmployeeID", "UserID", "BusinessPartnerID", "BusinessPartnerFormattedName", "IdentityUUID", "UserLockedIndicator",
    "UserValidityStartDate", "UserValidityEndDate", "UserCountedIndicator", "TimeZoneCode",
)  # fmt: skip
"""What Employee and BusinessUser both say."""
_NUMBERS = ("ID", "AccountID", "EmployeeID")
_BORN = ("CreationDateTime", "CreatedOn", "CreationOn", "SurveyCreationDate")


class Triggers:
    """Fills in what nobody sends, and writes the history."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parties: dict[str, tuple[int, dict[str, str]]] = {}

    def insert(self, entity: EntityType, values: Row, key: str) -> Row:
        """Stores a new record under that key."""
        store, known = self._store, entity.properties
        row: Row = {"ObjectID": key, **values}
        now = micros(store.now())
        given: Row = dict.fromkeys(_NUMBERS, str(9_000_000 + store.made)) | dict.fromkeys(_BORN, now)
        given |= {"UUID": dashed(key), "CreationDate": now - now % _DAY}
        row = {name: value for name, value in given.items() if name in known} | row
        if entity.name == "Opportunity":
            self._begin(row)
            row = self._completed(row, {})
        saved = store.save(entity, row)
        if entity.name == "Opportunity":
            self._version(saved, {})
        return store.row(entity.name, key) or saved

    def update(self, entity: EntityType, old: Row, values: dict[str, Any]) -> Row:
        """Stores a changed record; the one as it is then."""
        row = {**old, **values}
        if entity.name == "Opportunity":
            row = self._completed(row, old, set(values))
        if entity.name in {"Employee", "CorporateAccount"}:
            row = _renamed(entity, row, values)
        saved = self._store.save(entity, row)
        if entity.name == "Opportunity":
            self._version(saved, old)
        if entity.name == "Employee":
            self._follow(saved)
        return self._store.row(entity.name, row["ObjectID"]) or saved

    def _follow(self, employee: Row) -> None:
        """The log-on of an employee is locked and ends with the employee."""
        key = employee.get("IdentityUUID", "").replace("-", "")
        if user := self._store.row("BusinessUser", key):
            shared = {name: employee.get(name) for name in SHARED_WITH_USER}
            self._store.save(self._store.schema.types["BusinessUser"], {**user, **shared})

    def _begin(self, row: Row) -> None:
        row.setdefault("ProcessingTypeCode", "OPPT")
        row.setdefault("LifeCycleStatusCode", "1")
        cycles, phases = (
            self._store.codes.get(("Opportunity", name), {}) for name in ("SalesCycleCode", "SalesCyclePhaseCode")
        )
        row.setdefault("SalesCycleCode", next(iter(cycles), "001"))
        row.setdefault("SalesCyclePhaseCode", next(iter(phases), "001"))

    def _completed(self, row: Row, old: Row, sent: frozenset[str] | set[str] = frozenset()) -> Row:
        today = micros(self._store.now())
        for code, dated in _DATED.items():
            if row.get(code) != old.get(code) and dated not in sent:
                row[dated] = today - today % _DAY
        for party, (name, entity, key) in _NAMES.items():
            if row.get(party) != old.get(party):
                row[name] = self._name_of(entity, key, row.get(party)) or None
        amount, share = row.get("ExpectedRevenueAmount"), row.get("ProbabilityPercent")
        if amount and share:
            row["WeightedExpectedNetAmount"] = decimal_text(float(amount) * float(share) / 100, 6)
            row["WeightedExpectedNetAmountCurrencyCode"] = row.get("ExpectedRevenueAmountCurrencyCode")
        return row

    def _name_of(self, entity: str, key: str, wanted: str | None) -> str:
        table = self._store.tables[entity]
        version, names = self._parties.get(entity, (-1, {}))
        if version != table.version:
            names = {row.get(key, ""): row.get("BusinessPartnerFormattedName", "") for row in table.rows.values()}
            self._parties[entity] = (table.version, names)
        return names.get(wanted or "", "")

    def _version(self, row: Row, old: Row) -> None:
        """A version with the values from now on, if one of them is new."""
        if all(row.get(name) == old.get(name) for name in VERSIONED):
            return
        entity = self._store.schema.types[HISTORY_ENTITY]
        if "CreationDateTime" not in entity.properties:
            return
        values = {name: row[name] for name in VERSIONED if name in row}
        key = self._store.new_key("changes")
        at = row["EntityLastChangedOn"]
        self._store.save(entity, {"ObjectID": key, "ParentObjectID": row["ObjectID"], "CreationDateTime": at, **values})


def _renamed(entity: EntityType, row: Row, values: dict[str, Any]) -> Row:
    if entity.name == "Employee" and values.keys() & {"FirstName", "LastName"}:
        row["BusinessPartnerFormattedName"] = f"{row.get('FirstName') or ''} {row.get('LastName') or ''}".strip()
    if entity.name == "CorporateAccount" and "Name" in values:
        row["BusinessPartnerFormattedName"] = values["Name"]
    return row
