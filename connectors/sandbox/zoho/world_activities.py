"""Loads activities: calls, meetings and tasks into their modules, e-mails under their records, contacts as they occur."""

from collections.abc import Iterable

from connectors.sandbox.zoho.store import Mail, Org, Row
from connectors.sandbox.zoho.world_map import ACTIVITIES, Cells, Mapper


class Activities:
    """Reads the activities of a world."""

    def __init__(self, org: Org, mapper: Mapper) -> None:
        self.org = org
        self.mapper = mapper
        self.ids = mapper.ids

    def load(self, rows: Iterable[Cells]) -> None:
        """All activities; deals and accounts learn when something happened last."""
        made: dict[str, list[Row]] = {"Calls": [], "Events": [], "Tasks": []}
        contacts: dict[int, Row] = {}
        for cells in rows:
            self._meet(cells, contacts)
            if cells.get("kind") == "email":
                self.mail(cells)
                continue
            row = self.mapper.stamped(self.ids.of("activities", cells["id"]), self.mapper.activity(cells))
            made[ACTIVITIES[cells.get("kind") or "task"]].append(row)
            if "What_Id" in row:
                self._move(row["$se_module"], row["What_Id"], row["Created_Time"])
        self.org.tables["Contacts"].load(contacts.values())
        for module, found in made.items():
            self.org.tables[module].load(found)

    def _move(self, module: str, key: int, at: int) -> None:
        row = self.org.tables[module].rows.get(key)
        if row is not None and row.get("Last_Activity_Time", 0) < at:
            row["Last_Activity_Time"] = at

    def _meet(self, cells: Cells, contacts: dict[int, Row]) -> None:
        for name in filter(None, cells.get("contact_ids", "").split(";")):
            key = self.ids.of("contacts", name)
            if key not in contacts:
                account = self.ids.of("accounts", cells["account_id"]) if cells.get("account_id") else None
                values = {"Last_Name": f"Contact {name}", "Full_Name": f"Contact {name}", "Account_Name": account,
                          "Email": f"contact{name}@example.com"}  # fmt: skip
                contacts[key] = self.mapper.stamped(key, values)
            if cells.get("opportunity_id"):
                known = self.org.contacts.setdefault(self.ids.of("opportunities", cells["opportunity_id"]), [])
                if key not in known:
                    known.append(key)

    def mail(self, cells: Cells) -> Mail:
        """One e-mail, under the deal, the account and the contact alike."""
        at = self.mapper.moment(cells.get("completed_at") or cells.get("created_at", "")) or self.org.now()
        owner = self.ids.of("people", cells["owner_id"]) if cells.get("owner_id") else self.org.user
        people = [one for one in cells.get("contact_ids", "").split(";") if one]
        mail = Mail(
            f"{self.ids.of('emails', cells['id']):x}", owner, at, cells.get("direction") != "inbound",
            cells.get("subject_hash") or "", f"contact{people[0]}@example.com" if people else "",
        )  # fmt: skip
        places = [
            ("Deals", "opportunities", cells.get("opportunity_id")),
            ("Accounts", "accounts", cells.get("account_id")),
        ]
        places += [("Contacts", "contacts", one) for one in people[:1]]
        for module, record, name in places:
            if name:
                key = self.ids.of(record, name)
                self.org.mails.setdefault((module, key), []).append(mail)
                self._move(module, key, at)
        return mail
