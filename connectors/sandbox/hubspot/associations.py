"""Associations v4 and dated: batch read of 1,000 rows, labels, and the calls that make and end them."""

from typing import Any

from connectors.sandbox.hubspot.errors import invalid, not_found, row_error, too_many_inputs
from connectors.sandbox.hubspot.links import End, Label
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.rows import after_of, batch_reply, limit_of
from connectors.sandbox.hubspot.shapes import check, read_body
from connectors.sandbox.hubspot.store import Table
from connectors.sandbox.routing import BadJson, Reply, Request

_MOST_READ, _MOST_WRITE = 1_000, 2_000
Row = dict[str, Any]


class Associations:
    """Handlers of associations between rows."""

    def __init__(self, portal: Portal, page: int = 500) -> None:
        self.portal = portal
        self.page = page
        """Associated rows that one ``from`` of a batch read shows before it names an ``after``."""

    def batch_read(self, request: Request, origin: str, target: str, version: str) -> Reply:
        """What up to 1,000 rows are associated with; rows without any are named in a 207."""
        started = self.portal.now_ms()
        body = read_body(request, "BatchInputPublicFetchAssociationsBatchRequest")
        one, other = self._pair(origin, target)
        if len(body["inputs"]) > _MOST_READ:
            raise too_many_inputs(_MOST_READ)
        results, errors = [], []
        for asked in body["inputs"]:
            from_id, after = asked["id"], asked.get("after")
            ends = self.portal.links.of(one, int(from_id), other) if from_id.isdecimal() else {}
            if not ends:
                errors.append(_none(one, other, from_id))
                continue
            results.append(self._page_of(from_id, ends, after))
        reply = batch_reply(results, errors, started, self.portal.now_ms())
        if errors:
            reply["numErrors"] = len(errors)
        return Reply(207 if errors and version != "2026-09" else 200, reply)

    def _page_of(self, from_id: str, ends: dict[int, tuple[Label, ...]], after: str | None) -> Row:
        ids = list(ends)
        start = ids.index(int(after)) + 1 if after and after.isdecimal() and int(after) in ends else 0
        shown = ids[start : start + self.page]
        row: Row = {"from": {"id": from_id}, "to": [_end(one, ends[one]) for one in shown]}
        if start + self.page < len(ids):
            row["paging"] = {"next": {"after": str(shown[-1])}}
        return row

    def read(self, request: Request, kind: str, row_id: str, target: str) -> Reply:
        """What one row is associated with, up to 500 a page."""
        one, other = self._pair(kind, target)
        thing = one.find(row_id)
        if thing is None:
            raise not_found()
        limit, last = limit_of(request, 500, 500), after_of(request)
        ends = self.portal.links.of(one, thing.id, other)
        ids = list(ends)
        start = ids.index(last) + 1 if last in ends else 0
        shown = ids[start : start + limit]
        body: Row = {"results": [_end(each, ends[each]) for each in shown]}
        if start + limit < len(ids):
            body["paging"] = {"next": {"after": str(shown[-1])}}
        return Reply(body=body)

    def labels(self, request: Request, origin: str, target: str) -> Reply:
        """The kinds of association between two types."""
        labels = self.portal.links.labels(*self._pair(origin, target)).values()
        return Reply(body={"results": [_label(label) for label in labels]})

    def put(self, request: Request, kind: str, row_id: str, target: str, target_id: str) -> Reply:
        """Associates two rows with the labels of the body."""
        try:
            specs = request.json()
        except BadJson:
            specs = None
        if not isinstance(specs, list) or not specs:
            raise invalid("Invalid input JSON on line 1, column 1: a list of association types is required")
        checked = [check(spec, "AssociationSpec") for spec in specs]
        one, other = self._ends(kind, row_id, target, target_id)
        self._join(one, other, checked)
        return Reply(201, self._pair_labels(one, other))

    def put_default(self, request: Request, kind: str, row_id: str, target: str, target_id: str) -> Reply:
        """Associates two rows plainly."""
        started = self.portal.now_ms()
        one, other = self._ends(kind, row_id, target, target_id)
        return Reply(body=batch_reply([self._join_default(one, other)], [], started, self.portal.now_ms()))

    def delete(self, request: Request, kind: str, row_id: str, target: str, target_id: str) -> Reply:
        """Ends every association of two rows."""
        self.portal.links.part(*self._ends(kind, row_id, target, target_id))
        return Reply(204)

    def batch_create(self, request: Request, origin: str, target: str) -> Reply:
        """Associates many pairs with labels, 201."""
        started = self.portal.now_ms()
        body = read_body(request, "BatchInputPublicAssociationMultiPost")
        self._few(body["inputs"])
        results = []
        for row in body["inputs"]:
            one, other = self._ends(origin, row["from"]["id"], target, row["to"]["id"])
            self._join(one, other, row["types"])
            results.append(self._pair_labels(one, other))
        return Reply(201, batch_reply(results, [], started, self.portal.now_ms()))

    def batch_default(self, request: Request, origin: str, target: str) -> Reply:
        """Associates many pairs plainly."""
        started = self.portal.now_ms()
        body = read_body(request, "BatchInputPublicDefaultAssociationMultiPost")
        self._few(body["inputs"])
        results = []
        for row in body["inputs"]:
            ends = self._ends(origin, row["from"]["id"], target, row["to"]["id"])
            results.append(self._join_default(*ends))
        return Reply(body=batch_reply(results, [], started, self.portal.now_ms()))

    def batch_archive(self, request: Request, origin: str, target: str) -> Reply:
        """Ends every association of many pairs."""
        body = read_body(request, "BatchInputPublicAssociationMultiArchive")
        self._few(body["inputs"])
        for row in body["inputs"]:
            for to in row["to"]:
                self.portal.links.part(*self._ends(origin, row["from"]["id"], target, to["id"]))
        return Reply(204)

    def batch_unlabel(self, request: Request, origin: str, target: str) -> Reply:
        """Takes labels from many pairs."""
        body = read_body(request, "BatchInputPublicAssociationMultiPost")
        self._few(body["inputs"])
        for row in body["inputs"]:
            one, other = self._ends(origin, row["from"]["id"], target, row["to"]["id"])
            for spec in row["types"]:
                self._known(one, other, spec)
                self.portal.links.unlabel(one, other, spec["associationTypeId"])
        return Reply(204)

    def _few(self, inputs: list[Row]) -> None:
        if len(inputs) > _MOST_WRITE:
            raise too_many_inputs(_MOST_WRITE)

    def _pair(self, origin: str, target: str) -> tuple[Table, Table]:
        return self.portal.store.table(origin), self.portal.store.table(target)

    def _ends(self, origin: str, from_id: str, target: str, to_id: str) -> tuple[End, End]:
        one, other = self._pair(origin, target)
        near, far = one.find(from_id), other.find(to_id)
        if near is None or far is None:
            raise not_found()
        return End(one, near.id), End(other, far.id)

    def _known(self, one: End, other: End, spec: Row) -> None:
        if spec["associationTypeId"] not in self.portal.links.labels(one.table, other.table):
            pair = f"{one.table.kind.singular} to {other.table.kind.singular}"
            raise invalid(f"Association type {spec['associationTypeId']} is not valid from {pair}")

    def _join(self, one: End, other: End, specs: list[Row]) -> None:
        for spec in specs:
            self._known(one, other, spec)
        for spec in specs:
            self.portal.links.join(one, other, spec["associationTypeId"])

    def _join_default(self, one: End, other: End) -> Row:
        self.portal.links.join(one, other)
        plain = next(iter(self.portal.links.labels(one.table, other.table).values()))
        spec = {"associationCategory": plain.category, "associationTypeId": plain.type_id}
        return {"from": {"id": str(one.id)}, "to": {"id": str(other.id)}, "associationSpec": spec}

    def _pair_labels(self, one: End, other: End) -> Row:
        held = self.portal.links.of(one.table, one.id, other.table)[other.id]
        return {
            "fromObjectTypeId": one.table.kind.type_id,
            "fromObjectId": str(one.id),
            "toObjectTypeId": other.table.kind.type_id,
            "toObjectId": str(other.id),
            "labels": [label.label for label in held if label.label],
        }


def _label(label: Label) -> Row:
    return {"category": label.category, "typeId": label.type_id, "label": label.label}


def _end(to_id: int, labels: tuple[Label, ...]) -> Row:
    return {"toObjectId": str(to_id), "associationTypes": [_label(label) for label in labels]}


def _none(one: Table, other: Table, from_id: str) -> Row:
    near, far = one.kind.singular, other.kind.singular
    return row_error(
        "OBJECT_NOT_FOUND",
        f"No {far} is associated with {near} {from_id}.",
        {"fromObjectId": [from_id], "fromObjectType": [near], "toObjectType": [far]},
        subCategory="crm.associations.NO_ASSOCIATIONS_FOUND",
    )
