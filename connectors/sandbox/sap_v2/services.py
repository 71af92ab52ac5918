"""The services of SAP Sales Cloud Version 2 that exist here: paths, fields with their types, sub-resources.

A field is a dotted path. Types: id, text, number, flag, date, moment, list. Names are those that public clients of the
services use; the ones behind a ``|`` are guessed by analogy.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

_ADMIN = "id:id displayId:text adminData.createdOn:moment adminData.createdBy:text adminData.updatedOn:moment adminData.updatedBy:text"
_PARTIES = "account.id:id account.displayId:text owner.id:id owner.displayId:text organizer.id:id primaryContact.id:id"
_FIELDS: Mapping[str, str] = {
    "employee-service/employees": "employeeDisplayId:text formattedName:text givenName:text familyName:text "
    "lifeCycleStatus:text organizationalUnitId:id organizationalUnitDisplayId:text organizationalUnitName:text managerId:id "
    "managerEmployeeDisplayId:text managerFormattedName:text workplaceAddress.eMail:text employeeTypes:list "
    "employeeSalesResponsibilities:list externalIds:list | workplaceAddress.state:text jobTitle:text",
    "account-service/accounts": "formattedName:text lifeCycleStatus:text customerABCClassification:text ownerId:id "
    "defaultAddress.country:text | defaultAddress.state:text industrialSector:text parentAccountId:id",
    "contact-person-service/contactPersons": "givenName:text familyName:text eMail:text accountId:id",
    "opportunity-service/opportunities": "name:text account.id:id account.displayId:text account.description:text items:list "
    "status:text statusDescription:text salesPhase:text expectedRevenueAmount.content:number "
    "expectedRevenueAmount.currencyCode:text totalExpectedNetAmount.content:number totalExpectedNetAmount.currencyCode:text "
    "closeDate:date snapshots:list isPhaseProgressAllowed:flag worklistItems:list | owner.id:id owner.displayId:text "
    "owner.description:text salesCycle:text salesPhaseDescription:text salesPhaseStartDate:date statusDate:date "
    "probability:number forecastCategory:text source:text group:text startDate:date externalId:text",
    "visit-service/visits": f"{_PARTIES} description:text visitType:text status:text priority:text "
    "scheduledStartDateTime:moment scheduledEndDateTime:moment plannedDuration:text location:text timeZone:text "
    "| completedDateTime:moment relatedObjects:list",
    "task-service/tasks": f"{_PARTIES} description:text taskCategory:text status:text dueDateTime:moment notes:list "
    "| completedDateTime:moment relatedObjects:list",
    "phone-service/phoneCalls": f"{_PARTIES} externalId.displayId:text transcript:text | description:text status:text "
    "direction:text startDateTime:moment endDateTime:moment completedDateTime:moment relatedObjects:list",
    "appointment-service/appointments": f"{_PARTIES} | description:text status:text scheduledStartDateTime:moment "
    "scheduledEndDateTime:moment completedDateTime:moment plannedDuration:text attendees:list relatedObjects:list",
    "email-service/emails": f"{_PARTIES} | description:text status:text direction:text sentDateTime:moment relatedObjects:list",
    "product-service/products": "name:text",
    "case-service/cases": "subject:text priority:text status:text",
}
SUBRESOURCES: Mapping[str, tuple[str, ...]] = {
    "opportunity-service/opportunities": ("items", "contacts", "registeredProducts", "hyperNotes"),
}
READ_ONLY = frozenset({"id", "displayId", "adminData", "statusDescription", "salesPhaseDescription", "snapshots"})
MANDATORY = {"opportunity-service/opportunities": ("name",), "task-service/tasks": ("description",)}


@dataclass(slots=True)
class Service:
    """One collection of a service."""

    path: str
    fields: dict[str, str]
    extensions: dict[str, str] = field(default_factory=dict)
    """Extension fields by technical name: text, decimal, amount, moment, date, flag, list."""

    @property
    def entity(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def code(self) -> str:
        """What error codes of this service begin with."""
        return self.path.partition("-")[0]

    @property
    def heads(self) -> set[str]:
        """Top-level names of a record."""
        return {path.partition(".")[0] for path in self.fields} | {"extensions"}

    def type_of(self, path: str) -> str | None:
        """The type of a dotted path; None: there is no such field."""
        head, _, name = path.partition(".")
        if head == "extensions":
            kind = self.extensions.get(name.partition(".")[0])
            return {"decimal": "number", "amount": "number", "list": "text"}.get(kind or "", kind)
        return self.fields.get(path)


def admin_fields() -> dict[str, str]:
    """What every record has."""
    return {name: kind for name, _, kind in (one.partition(":") for one in _ADMIN.split())}


def services() -> dict[str, Service]:
    """Every collection by its path."""
    made = {}
    for path, text in _FIELDS.items():
        pairs = [one.partition(":") for one in f"{_ADMIN} {text}".split() if one != "|"]
        made[path] = Service(path, {name: kind for name, _, kind in pairs})
    return made
