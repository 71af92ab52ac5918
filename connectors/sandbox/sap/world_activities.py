"""Loads the activities of a world, who took part, the opportunities they belong to, and its surveys."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from connectors.sandbox.sap.activities import REFERENCE_TYPES, activity_row
from connectors.sandbox.sap.ids import account_number, dashed, display_id, object_id, party_id
from connectors.sandbox.sap.store import Row

if TYPE_CHECKING:
    from connectors.sandbox.sap.world import Loader

Cells = Mapping[str, str]
REFERENCE = "OpportunityBusinessTransactionDocumentReference"
QUESTIONS = {"csat5": dashed(object_id("answers", "csat5")), "nps": dashed(object_id("answers", "nps"))}
"""QuestionUUID of the one question of a survey, by its scale."""


def load_activities(loader: "Loader", activities: Iterable[Cells]) -> None:
    """Every activity in the set of its kind. Their numbers begin at 1 in each set: an ID alone names nothing."""
    counted: Counter[str] = Counter()
    for cells in activities:
        entity, row = activity_row(cells, lambda person: loader.names.get(party_id(person), "") if person else "")
        counted[entity] += 1
        row["ID"] = str(counted[entity])
        row["AccountName"] = loader.names.get(row.get("MainAccountPartyID", ""), "")
        known = loader.store.schema.types[entity].properties
        row = loader.put(entity, {name: value for name, value in row.items() if name in known}, cells, "created_at")
        loader.ids.setdefault("activities", {})[cells["id"]] = row["ObjectID"]
        if entity == "Appointment":
            _load_parties(loader, row, cells)
        if deal := cells.get("opportunity_id"):
            _load_reference(loader, entity, row, cells, object_id("opportunities", deal))


def _load_parties(loader: "Loader", appointment: Row, cells: Cells) -> None:
    people = [one for one in (cells.get("participant_ids") or "").split(";") if one]
    contacts = [one for one in (cells.get("contact_ids") or "").split(";") if one]
    for role, kind, names, number in (("36", "167", people, party_id), ("36", "147", contacts, account_number)):
        for name in names:
            party = number(name)
            row: Row = {
                "ObjectID": object_id("parties", f"{cells['id']}/{kind}/{name}"), "ParentObjectID": appointment["ObjectID"],
                "ID": appointment["ID"], "PartyID": party, "RoleCode": role, "RoleCategoryCode": role,
                "PartyTypeCode": kind, "PartyName": loader.names.get(party, ""),
            }  # fmt: skip
            loader.put("AppointmentInvolvedParties", row, cells, "created_at")


def _load_reference(loader: "Loader", entity: str, row: Row, cells: Cells, deal: str) -> None:
    reference: Row = {
        "ObjectID": object_id("references", cells["id"]), "ParentObjectID": deal,
        "OpportunityID": loader.store.tables["Opportunity"].rows.get(deal, {}).get("ID", ""),
        "BusinessTransactionDocumentID": row["ID"], "BusinessTransactionDocumentUUID": row["UUID"],
        "BusinessTransactionDocumentTypeCode": REFERENCE_TYPES[entity],
        "BusinessTransactionDocumentRelationshipRoleCode": "7",
    }  # fmt: skip
    loader.put(REFERENCE, reference, cells, "created_at")


def load_surveys(loader: "Loader", surveys: Iterable[Cells]) -> None:
    """A response, its valuation and the one answer of each survey."""
    for cells in surveys:
        root = loader.mapped("surveys", "SurveyResponseRoot", cells)
        root["ID"] = display_id(cells["id"])
        loader.put("SurveyResponseRoot", root, cells, "sent_at")
        deal, person, account = cells.get("opportunity_id"), cells.get("person_id"), cells.get("account_id")
        answered = bool(cells.get("answered_at"))
        valuation: Row = {
            "ObjectID": object_id("answers", cells["id"]), "ParentObjectID": root["ObjectID"], "ID": root["ID"],
            "Version": "1", "LifeCycleStatusCode": "3" if answered else "1",
            "BusinessTransactionDocumentID": display_id(deal) if deal else "",
            "BusinessTransactionDocumentTypeCode": "72" if deal else "",
            "ProcessorID": party_id(person) if person else "",
        }  # fmt: skip
        if deal:
            valuation["BusinessTransactionDocumentUUID"] = dashed(object_id("opportunities", deal))
        answered_cells = {"modified_at": cells.get("answered_at") or cells.get("modified_at") or ""}
        loader.put("SurveyValuation", valuation, answered_cells)
        item: Row = {
            "ObjectID": object_id("items", cells["id"]), "ParentObjectID": valuation["ObjectID"],
            "PartyID": account_number(account) if account else "", "FinishedIndicator": answered,
            "QuestionUUID": QUESTIONS.get(cells.get("scale") or "", QUESTIONS["nps"]),
        }  # fmt: skip
        if cells.get("answer"):
            item["AnswerText"] = cells["answer"]
        loader.put("SurveyValuationItem", item, answered_cells)
