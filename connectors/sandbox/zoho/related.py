"""What hangs on one record: related lists, stage history, e-mails, timeline."""

from collections.abc import Iterable
from typing import Any

from connectors.sandbox.routing import Reply, Request
from connectors.sandbox.zoho.errors import invalid
from connectors.sandbox.zoho.lists import Lists
from connectors.sandbox.zoho.paging import cut, number_of, page_size
from connectors.sandbox.zoho.store import Event, Mail, Row, Table
from connectors.sandbox.zoho.times import text_of

_LINKS = {"DealHistory": "Potential_Name", "Quotes": "Deal_Name", "Calls": "What_Id", "Events": "What_Id", "Tasks": "What_Id",
          "Notes": "Parent_Id"}  # fmt: skip
_MAIL_TYPES = {
    "all_contacts_sent_crm_emails", "sent_from_crm", "user_emails", "scheduled_in_crm", "drafts",
    "all_contacts_draft_crm_emails", "all_contacts_scheduled_crm_emails",
}  # fmt: skip
_MAIL_PAGE = 10


class Related:
    """Handlers of ``/{module}/{id}/...`` that read."""

    def __init__(self, lists: Lists) -> None:
        self.org = lists.org
        self.rows = lists.rows
        self.lists = lists

    def _parent(self, module: str, record: str) -> tuple[Table, Row]:
        table = self.lists.table(module)
        row = self.lists.row(table, record)
        if row is None:
            raise invalid("the related id given seems to be invalid", resource_path_index=1)
        return table, row

    def many(self, request: Request, module: str, record: str, related: str) -> Reply:
        """``GET /{module}/{id}/{related_list}``; ``fields`` must be given."""
        table, row = self._parent(module, record)
        known = {name: target for name, target, _ in table.module.related}
        if related not in known or known[related] not in self.org.tables:
            message = "the relation name given seems to be invalid"
            raise invalid(message, resource_path_index=2)
        target = self.org.tables[known[related]]
        chosen = self.lists.chosen(request, target)
        sort_by, order = self.lists.order(request)
        entries = sorted((target.rows[key].get(sort_by, 0), key) for key in self._keys(table, row, related, target))
        moment = self.lists.modified_since(request)
        if moment is not None:
            entries = [entry for entry in entries if target.rows[entry[1]]["Modified_Time"] > moment]
            if not entries:
                return Reply(304)
        reply = self.lists.page(request, target, entries, chosen, sort_by=sort_by, sort_order=order)
        for name in ("sort_by", "sort_order") if reply.body else ():
            del reply.body["info"][name]
        return reply

    def _keys(self, parent: Table, row: Row, related: str, target: Table) -> Iterable[int]:
        key, name = row["id"], parent.module.name
        if name == "Deals" and related in {"Products", "Contact_Roles"}:
            held = self.org.products if related == "Products" else self.org.contacts
            return dict.fromkeys(one for one in held.get(key, []) if one in target.rows)
        if target.module.name in _LINKS:
            return target.by(_LINKS[target.module.name], key)
        return target.by("Contact_Name" if name == "Contacts" else "Account_Name", key)

    def emails(self, request: Request, module: str, record: str) -> Reply:
        """``GET /{module}/{id}/Emails``, newest first, ten a page by ``index``."""
        table, row = self._parent(module, record)
        kind = request.first("type") or "user_emails"
        if kind not in _MAIL_TYPES:
            raise invalid("the value given seems to be invalid", param_name="type")
        found = sorted(self.org.mails.get((table.module.name, row["id"]), []), key=lambda one: -one.at)
        if kind in {"sent_from_crm", "all_contacts_sent_crm_emails"}:
            found = [one for one in found if one.sent]
        elif kind != "user_emails":
            found = []
        if owner := request.first("owner_id"):
            found = [one for one in found if str(one.owner) == owner]
        start = number_of(request, "index", 1) - 1
        shown = [self._mail(table, row, one) for one in found[start : start + _MAIL_PAGE]]
        if not shown:
            return Reply(204)
        more = start + _MAIL_PAGE < len(found)
        info = {
            "count": len(shown), "per_page": _MAIL_PAGE, "more_records": more,
            "next_index": str(start + _MAIL_PAGE + 1) if more else None,
            "prev_index": str(max(1, start - _MAIL_PAGE + 1)) if start else None,
        }  # fmt: skip
        return Reply(body={"Emails": shown, "info": info})

    def _mail(self, table: Table, row: Row, one: Mail) -> dict[str, Any]:
        user = self.rows.user(one.owner, mail=True) or {}
        ours = {"user_name": user.get("name"), "email": user.get("email")}
        theirs = {"user_name": one.to.partition("@")[0], "email": one.to}
        at = text_of(one.at, self.org.zone)
        linked = {"id": str(row["id"]), "name": row.get(table.module.name_field),
                  "module": {"api_name": table.module.name, "id": str(table.module.id)}}  # fmt: skip
        return {
            "message_id": one.message_id, "subject": one.subject, "from": ours if one.sent else theirs,
            "to": [theirs if one.sent else ours], "cc": [], "sent": one.sent, "time": at, "sent_time": at,
            "owner": {"name": user.get("name"), "id": str(one.owner)}, "linked_record": linked, "read": True,
            "has_attachment": False, "source": "crm", "status": [{"type": "sent"}] if one.sent else [],
            "sentiment_info": None, "intent": None, "editable": False, "has_thread_attachment": False, "emotion": None,
        }  # fmt: skip

    def timeline(self, request: Request, module: str, record: str) -> Reply:
        """``GET /{module}/{id}/__timeline``, latest first unless ``sort_order=asc``."""
        table, row = self._parent(module, record)
        if (request.first("sort_by") or "audited_time") != "audited_time":
            raise invalid("the value given seems to be invalid", param_name="sort_by")
        events = sorted(self.org.timeline.get((table.module.name, row["id"]), []), key=lambda one: one.at)
        if not events:
            return Reply(204)
        size = page_size(request, self.lists.emulator.page_cap)
        place = self.lists.pager.place(request, size)
        entries = [(one.at, number) for number, one in enumerate(events)]
        found, more = cut(entries, place, size, descending=request.first("sort_order") != "asc")
        shown = [self._event(table, row, events[number]) for _, number in found]
        token = self.lists.pager.token(request, place, found[-1], len(found))[0] if more and found else None
        info = {"per_page": size, "count": len(shown), "page": place.page, "more_records": more,
                "next_page_token": token, "previous_page_token": None}  # fmt: skip
        return Reply(body={"__timeline": shown, "info": info})

    def _event(self, table: Table, row: Row, one: Event) -> dict[str, Any]:
        history = [self._change(table, name, old, new) for name, old, new in one.changes]
        key = self.org.ids.of("timeline", f"{table.module.name}:{row['id']}:{one.at}:{one.action}")
        return {
            "id": str(key), "audited_time": text_of(one.at, self.org.zone), "action": one.action, "source": one.source,
            "done_by": self.rows.user(one.by), "type": "timeline", "extension": None, "related_record": None,
            "automation_details": None, "field_history": history or None,
            "record": {"id": str(row["id"]), "name": row.get(table.module.name_field),
                       "module": {"api_name": table.module.name, "id": str(table.module.id)}},
        }  # fmt: skip

    def _change(self, table: Table, name: str, old: Any, new: Any) -> dict[str, Any]:
        one = table.module.fields[name]
        values = [None if value is None else str(value) for value in (old, new)]
        if one.to == "Users":
            values = [(self.rows.user(value) or {}).get("name") for value in (old, new)]
        return {"id": str(one.id), "api_name": name, "field_label": one.label, "data_type": one.data_type,
                "enable_colour_code": False, "pick_list_values": [], "_value": {"old": values[0], "new": values[1]}}  # fmt: skip
