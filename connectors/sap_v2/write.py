"""Writing to SAP Version 2: one merge patch for each record, guarded by its ETag; and reading our fields back."""

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from typing import Any

from connectors.base import Recovery, Rejection, Value, Write, WriteTarget, Written
from connectors.errors import ForbiddenError, RejectedError
from connectors.sap_v2.api import SapV2Api
from connectors.sap_v2.values import EXTENSIONS, Row, spelled, tag_of, text_literal, understood

PEOPLE, DEALS = "employee-service/employees", "opportunity-service/opportunities"
NOT_KEPT = "VALUE_NOT_KEPT"
_RECOVERIES: Mapping[int, Recovery] = {404: "gone", 412: "retry", 428: "retry"}
_PER_CALL = 60
"""How many ids one filter names: with their spelling they stay below 8,000 characters of URL."""

Tags = MutableMapping[str, str]
"""The last known ETag of each record: as a header told it, else the stamp of its row in quotes."""


class Writer:
    """Writes extension fields. ``tags`` are those of the rows that this process has read."""

    def __init__(self, api: SapV2Api, paths: Mapping[str, str], tags: Tags) -> None:
        self._api = api
        self._paths = paths
        self._tags = tags
        self._kept: set[str] = set()

    def path(self, target: WriteTarget) -> str:
        """The collection that a target writes to."""
        return self._paths.get(target.record, DEALS if target.record == "opportunity" else PEOPLE)

    def write(self, target: WriteTarget, writes: Sequence[Write]) -> Iterator[Written]:
        """A verdict for each write."""
        for each in writes:
            yield Written(each.remote_id, self._one(target, each))

    def _one(self, target: WriteTarget, write: Write) -> Rejection | None:
        path, key = self.path(target), write.remote_id
        body = {EXTENSIONS: {name: spelled(value) for name, value in write.fields.items()}}
        try:
            row, tag = self._sent(path, key, body)
            self._note(key, row, tag)
            return self._look(path, key, row, write.fields)
        except ForbiddenError as error:
            return Rejection("403", str(error))
        except RejectedError as error:
            return _rejection(error)

    def _sent(self, path: str, key: str, body: Mapping[str, Any]) -> tuple[Row | None, str]:
        """The record as it is then. A stale tag is read anew once: our fields rest on nothing that the record says."""
        known = self._tags.get(key)
        if known is not None:
            try:
                return self._api.change(path, key, known, body)
            except RejectedError as error:
                if error.status not in (412, 428):
                    raise
        found = self._api.read(path, key)
        if found is None:
            raise RejectedError("404", f"{path} has no {key}", 404)
        row, tag = found
        return self._api.change(path, key, tag or tag_of(row), body)

    def _note(self, key: str, row: Row | None, tag: str) -> None:
        self._tags.pop(key, None)
        if tag or row is not None:
            self._tags[key] = tag or tag_of(row or {})

    def _look(self, path: str, key: str, row: Row | None, sent: Mapping[str, Value]) -> Rejection | None:
        """Whether the service keeps what it accepted: an extension that it does not know may be dropped in silence."""
        new = {name for name, value in sent.items() if value is not None} - self._kept
        if not new:
            return None
        if row is None or EXTENSIONS not in row:
            found = self._api.read(path, key)
            row = None if found is None else found[0]
        held = (row or {}).get(EXTENSIONS) or {}
        lost = sorted(name for name in new if held.get(name) is None)
        if lost:
            return Rejection(NOT_KEPT, f"{path} accepted {', '.join(lost)} and does not keep them", "field")
        self._kept |= new
        return None

    def read(self, target: WriteTarget, ids: Sequence[str], names: Sequence[str]) -> Mapping[str, Mapping[str, Value]]:
        """What these fields hold now; a field without a value is left out of the answer, and so is one that is not there."""
        path, found = self.path(target), dict[str, Mapping[str, Value]]()
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), _PER_CALL):
            condition = " or ".join(f"id eq {text_literal(one)}" for one in wanted[start : start + _PER_CALL])
            options = {"$top": str(_PER_CALL), "$select": "id,extensions,adminData", "$filter": condition}
            for row in self._rows(path, options, wanted[start : start + _PER_CALL]):
                held = row.get(EXTENSIONS) or {}
                found[str(row["id"])] = {name: understood(held.get(name)) for name in names}
        return found

    def _rows(self, path: str, options: Mapping[str, str], ids: Sequence[str]) -> list[Row]:
        """Rows by id: in one call, or one by one where the service does not take the filter or cuts its answer."""
        try:
            page = self._api.page(path, options)
        except RejectedError as error:
            if error.status != 400:
                raise
        else:
            if len(page.rows) == len(ids) or not page.more:
                return page.rows
        return [one[0] for one in (self._api.read(path, key) for key in ids) if one is not None]


def _rejection(error: RejectedError) -> Rejection:
    recovery = _RECOVERIES.get(error.status or 0, "park")
    if error.status == 400 and f"{EXTENSIONS}." in error.text:
        recovery = "field"
    return Rejection(error.code, error.text, recovery)
