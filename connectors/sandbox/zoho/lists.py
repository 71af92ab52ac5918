"""Reading records: lists, single records, deleted ones, counts."""

from collections.abc import Sequence
from typing import Any

from connectors.sandbox.emulator import Emulator
from connectors.sandbox.routing import Reply, Request
from connectors.sandbox.zoho.errors import Refusal, invalid, missing_param, no_module, too_many
from connectors.sandbox.zoho.ids import parse_id
from connectors.sandbox.zoho.paging import Entry, Pager, Place, cut, page_size, since
from connectors.sandbox.zoho.rows import Rows
from connectors.sandbox.zoho.schema import Field
from connectors.sandbox.zoho.store import Gone, Org, Row, Table
from connectors.sandbox.zoho.times import seconds_of, text_of

MAX_FIELDS = 50
MAX_IDS = 100
_SORTS = {"id", "Created_Time", "Modified_Time"}
_DELETED_KINDS = {"all", "recycle", "permanent"}
_NOT_LISTED = {"Users"}


class Lists:
    """Handlers of everything that reads records of a module."""

    def __init__(self, org: Org, rows: Rows, pager: Pager, emulator: Emulator) -> None:
        self.org = org
        self.rows = rows
        self.pager = pager
        self.emulator = emulator
        self.latest_first = True
        """The order of deleted records, of which Zoho promises none."""

    def table(self, name: str, index: int = 0) -> Table:
        """The table of a module in a path. Refusal: there is none."""
        table = self.org.table(name)
        if table is None or table.module.name in _NOT_LISTED:
            raise no_module(index)
        return table

    def chosen(self, request: Request, table: Table, *, optional: bool = False) -> list[Field]:
        """The fields that a list asks for; names that the module does not have are passed over."""
        text = request.first("fields")
        if not text:
            if not optional and not request.path.startswith("/crm/v2"):
                raise missing_param("fields")
            return [one for one in self.org.fields(table.module) if not one.hidden]
        names = [name.strip() for name in text.split(",") if name.strip()]
        if len(names) > MAX_FIELDS:
            raise too_many(MAX_FIELDS, "Maximum number of fields is exceeded", param_name="fields")
        found = [self.org.field(table.module, name) for name in dict.fromkeys(["id", *names])]
        return [one for one in found if one is not None and not one.hidden]

    def page(
        self, request: Request, table: Table, keys: Sequence[Entry], chosen: Sequence[Field], **order: str
    ) -> Reply:
        """One page of entries that are ascending, in the order asked for."""
        size = page_size(request, self.emulator.page_cap)
        place = self.pager.place(request, size)
        found, more = cut(keys, place, size, descending=order["sort_order"] == "desc")
        if self.emulator.strike("empty", request):
            found = []
        if not found:
            return Reply(204)
        if place.seen and self.emulator.strike("duplicate_rows", request):
            found = [self._before(keys, found[0], order), *found][:size]
        readers = self.rows.readers(table.module, chosen)
        data = [self._shown(table, table.rows[key], readers) for _, key in found]
        info = {"per_page": size, "count": len(data), "page": place.page, **order, "more_records": more}
        info |= self._tokens(request, place, found, more)
        return Reply(body={"data": data, "info": info})

    @staticmethod
    def _before(keys: Sequence[Entry], first: Entry, order: dict[str, str]) -> Entry:
        at = keys.index(first) + (1 if order["sort_order"] == "desc" else -1)
        return keys[max(0, min(at, len(keys) - 1))]

    def _shown(self, table: Table, row: Row, readers: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        shown = {name: read(row) for name, read in readers}
        if table.module.name in {"Deals", "Accounts", "Calls", "Events", "Tasks"}:
            shown.update(self.rows.extras(table.module, row))
        return shown

    def _tokens(self, request: Request, place: Place, found: Sequence[Entry], more: bool) -> dict[str, Any]:
        if not more:
            return {"next_page_token": None, "previous_page_token": None, "page_token_expiry": None}
        token, until = self.pager.token(request, place, found[-1], len(found))
        expiry = text_of(until, self.org.zone)
        return {"next_page_token": token, "previous_page_token": None, "page_token_expiry": expiry}

    def many(self, request: Request, module: str) -> Reply:
        """``GET /{module}``."""
        table = self.table(module)
        chosen = self.chosen(request, table)
        sort_by, order = self.order(request)
        if request.first("ids") is not None:
            return self._by_ids(request, table, chosen)
        if request.first("cvid") and request.first("sort_by"):
            message = "cvid and sort_by cannot be given together"
            raise Refusal(400, "AMBIGUITY_DURING_PROCESSING", message, {"ambiguity_due_to": ["cvid", "sort_by"]})
        entries = self.entries(table, sort_by)
        moment = self.modified_since(request)
        if moment is not None:
            entries = self._later(table, entries, sort_by, moment)
            if not entries:
                return Reply(304)
        if request.first("page_token") and (fault := self.emulator.strike("moved_row", request)):
            self._move(request, table, entries, order, int(fault.extra.get("row", 0)))
            entries = self.entries(table, sort_by)
        return self.page(request, table, entries, chosen, sort_by=sort_by, sort_order=order)

    def _move(self, request: Request, table: Table, entries: Sequence[Entry], order: str, row: int) -> None:
        """Somebody edits a row of the page that is about to be read."""
        size = page_size(request, self.emulator.page_cap)
        found, _ = cut(entries, self.pager.place(request, size), size, descending=order == "desc")
        if found:
            key = found[min(row, len(found) - 1)][1]
            table.rows[key]["Modified_Time"] = self.org.now()
            table.moved(key)

    def order(self, request: Request) -> tuple[str, str]:
        """``sort_by`` and ``sort_order``. Refusal: not of the three, or no order."""
        sort_by, order = request.first("sort_by") or "id", request.first("sort_order") or "desc"
        if sort_by not in _SORTS:
            raise invalid("the given sort_by field is not supported", param_name="sort_by")
        if order not in {"asc", "desc"}:
            raise invalid("the value given seems to be invalid", param_name="sort_order")
        return sort_by, order

    @staticmethod
    def entries(table: Table, sort_by: str) -> Sequence[Entry]:
        """All rows as (sort key, id), ascending."""
        if sort_by == "Modified_Time":
            return table.stamps()
        return table.created() if sort_by == "Created_Time" else table.by_id()

    def modified_since(self, request: Request) -> int | None:
        """The moment of ``If-Modified-Since``. Refusal: it is not ISO-8601 with an offset."""
        text = request.headers.get("If-Modified-Since")
        if not text:
            return None
        moment = seconds_of(text)
        if moment is None:
            raise invalid("the value given seems to be invalid", header_name="If-Modified-Since")
        return moment

    @staticmethod
    def _later(table: Table, entries: Sequence[Entry], sort_by: str, moment: int) -> Sequence[Entry]:
        if sort_by == "Modified_Time":
            return since(entries, moment)
        later = {key for _, key in since(table.stamps(), moment)}
        return [entry for entry in entries if entry[1] in later]

    def _by_ids(self, request: Request, table: Table, chosen: Sequence[Field]) -> Reply:
        ids = [parse_id(text) for text in (request.first("ids") or "").split(",")]
        if len(ids) > MAX_IDS:
            raise too_many(MAX_IDS, "Maximum number of ids is exceeded", param_name="ids")
        if None in ids:
            raise invalid("the id given seems to be invalid", param_name="ids")
        readers = self.rows.readers(table.module, chosen)
        data = [self._shown(table, table.rows[key], readers) for key in ids if key in table.rows]
        if not data:
            return Reply(204)
        info = {"per_page": len(data), "count": len(data), "page": 1, "sort_by": "id", "sort_order": "desc"}
        none = {"next_page_token": None, "previous_page_token": None, "page_token_expiry": None}
        return Reply(body={"data": data, "info": {**info, "more_records": False, **none}})

    def row(self, table: Table, record: str, index: int = 1) -> Row | None:
        """A record of a path; None where there is none. Refusal: not the form of an id."""
        key = parse_id(record)
        if key is None:
            raise invalid("the related id given seems to be invalid", resource_path_index=index)
        return table.rows.get(key)

    def single(self, request: Request, module: str, record: str) -> Reply:
        """``GET /{module}/{id}``: all fields."""
        table = self.table(module)
        row = self.row(table, record)
        if row is None:
            return Reply(204)
        moment = self.modified_since(request)
        if moment is not None and row["Modified_Time"] <= moment:
            return Reply(304)
        return Reply(body={"data": [self.rows.record(table.module, row)]})

    def deleted(self, request: Request, module: str) -> Reply:
        """``GET /{module}/deleted``, 2,000 by number: it has no page tokens."""
        table = self.table(module)
        kind = request.first("type") or "all"
        if kind not in _DELETED_KINDS:
            raise invalid("the value given seems to be invalid", param_name="type")
        moment = self.modified_since(request)
        found = [
            one for one in table.gone.values() if kind in {"all", one.kind} and (moment is None or one.at > moment)
        ]
        found.sort(key=lambda one: (one.at, one.row["id"]), reverse=self.latest_first)
        if moment is not None and not found:
            return Reply(304)
        size = page_size(request, self.emulator.page_cap)
        page = self.pager.place(request, size).page
        data = [self._tombstone(table, one) for one in found[(page - 1) * size : page * size]]
        if not data or self.emulator.strike("empty", request):
            return Reply(204)
        info = {"per_page": size, "count": len(data), "page": page, "more_records": page * size < len(found)}
        return Reply(body={"data": data, "info": info})

    def _tombstone(self, table: Table, one: Gone) -> dict[str, Any]:
        name = one.row.get(table.module.name_field)
        return {
            "id": str(one.row["id"]), "display_name": None if name is None else str(name), "type": one.kind,
            "deleted_time": text_of(one.at, self.org.zone), "deleted_by": self.rows.user(one.by),
            "created_by": self.rows.user(one.row.get("Created_By")),
        }  # fmt: skip

    def count(self, request: Request, module: str) -> Reply:
        """``GET /{module}/actions/count``."""
        table = self.table(module)
        if any(request.first(name) for name in ("criteria", "email", "phone", "word", "cvid")):
            raise Refusal(400, "NOT_SUPPORTED", "the given module is not supported for count", {"module": module})
        return Reply(body={"count": len(table.rows)})
