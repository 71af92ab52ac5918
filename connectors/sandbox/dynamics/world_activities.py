"""Loads the activities of a world with their parties; each contact that one names becomes a contact."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from connectors.sandbox.dynamics.defaults import put
from connectors.sandbox.dynamics.ids import guid
from connectors.sandbox.dynamics.store import Row
from connectors.sandbox.dynamics.world_map import KINDS, Cells, activity_fields

if TYPE_CHECKING:
    from connectors.sandbox.dynamics.world import Loader

_SENDER, _TO, _REQUIRED, _ORGANIZER, _REGARDING, _OWNER = 1, 2, 5, 7, 8, 9


def load_activities(loader: "Loader", activities: Iterable[Cells]) -> None:
    """Every activity of a kind that there is a table for."""
    for cells in activities:
        if cells.get("kind") in KINDS:
            load_activity(loader, cells)


def load_activity(loader: "Loader", cells: Cells) -> Row:
    """A call, appointment, e-mail or task with its parties."""
    table = KINDS[cells["kind"]]
    row: Row = {
        "activityid": loader.ids.of("activities", cells["id"]), **activity_fields(cells["kind"], cells),
        **regarding(loader, cells), **loader.owner(cells),
    }  # fmt: skip
    kept = loader.put(table, row, cells)
    _parties(loader, kept, cells)
    return kept


def regarding(loader: "Loader", cells: Cells) -> dict[str, Any]:
    """What an activity is about: the opportunity, else the account."""
    for column, record, target in (("opportunity_id", "opportunities", None), ("account_id", "accounts", "account")):
        if cells.get(column):
            key = loader.ids.of(record, cells[column])
            if key in loader.org.rows(target or "opportunity"):
                return {"_regardingobjectid_value": key, "_regardingobjectid_value@": target}
    return {}


def _parties(loader: "Loader", row: Row, cells: Cells) -> None:
    kind, owner = cells["kind"], row["_ownerid_value"]
    outward = cells.get("direction") != "inbound"
    contacts = [("contact", contact(loader, one, cells)) for one in _listed(cells.get("contact_ids"))]
    people = [("systemuser", loader.ids.of("people", one)) for one in _listed(cells.get("participant_ids"))]
    parties: list[tuple[int, str, str]] = [(_OWNER, "systemuser", owner)]
    if kind in {"call", "email"}:
        parties.append((_SENDER if outward else _TO, "systemuser", owner))
        parties += [(_TO if outward else _SENDER, *one) for one in contacts]
    elif kind != "task":
        parties.append((_ORGANIZER, "systemuser", owner))
        parties += [(_REQUIRED, *one) for one in (*contacts, *people) if one[1] != owner]
    if row.get("_regardingobjectid_value"):
        about = str(row.get("_regardingobjectid_value@") or "opportunity")
        parties.append((_REGARDING, about, row["_regardingobjectid_value"]))
    for place, (role, target, key) in enumerate(parties):
        put(loader.org, "activityparty", {
            "activitypartyid": guid("activityparty", f"{row['activityid']}/{place}"), "participationtypemask": role,
            "_activityid_value": row["activityid"], "_partyid_value": key, "ispartydeleted": False,
            "_partyid_value@": None if target == "systemuser" else target, "_ownerid_value": owner,
        })  # fmt: skip


def contact(loader: "Loader", world_id: str, cells: Cells) -> str:
    """The id of a contact, who is made at the first mention."""
    key = loader.ids.of("contacts", world_id)
    if key not in loader.org.rows("contact"):
        row: Row = {
            "contactid": key, "fullname": f"Contact {world_id}"[:50], "lastname": f"Contact {world_id}"[:50], "statecode": 0,
            "statuscode": 1, **loader.owner(cells),
        }  # fmt: skip
        if cells.get("account_id"):
            row["_parentcustomerid_value"] = loader.ids.of("accounts", cells["account_id"])
        loader.put("contact", row, {"created_at": cells.get("created_at", "")})
    return key


def _listed(text: str | None) -> list[str]:
    return [one for one in (text or "").split(";") if one]
