"""The records of a version 2 tenant: documents by collection and id, in order of id and in order of change."""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Callable, Sequence
from copy import deepcopy
from datetime import datetime, timedelta
from json import dumps
from typing import Any

from connectors.sandbox.sap.ids import dashed, new_object_id
from connectors.sandbox.sap_v2.services import Service, services

Doc = dict[str, Any]
_REMEMBERED = 8
_MILLISECOND = timedelta(milliseconds=1)


class Table:
    """The documents of one collection."""

    def __init__(self) -> None:
        self.docs: dict[str, Doc] = {}
        self.version = 0
        self._texts: dict[str, str] = {}
        self._ids: list[str] | None = None
        self._changed: list[tuple[str, str]] | None = None
        self._answers: OrderedDict[Any, tuple[int, list[str]]] = OrderedDict()

    def put(self, doc: Doc) -> None:
        """Stores a document in place of the one with its id."""
        key = doc["id"]
        old = self.docs.get(key)
        self.docs[key] = doc
        self.version += 1
        self._texts.pop(key, None)
        if self._ids is not None and old is None:
            insort(self._ids, key)
        if self._changed is not None:
            if old is not None:
                del self._changed[bisect_left(self._changed, (updated(old), key))]
            insort(self._changed, (updated(doc), key))

    def delete(self, key: str) -> None:
        """Removes a document for good. KeyError: there is none."""
        old = self.docs.pop(key)
        self.version += 1
        self._texts.pop(key, None)
        if self._ids is not None:
            del self._ids[bisect_left(self._ids, key)]
        if self._changed is not None:
            del self._changed[bisect_left(self._changed, (updated(old), key))]

    def ids(self) -> list[str]:
        """Every id, sorted."""
        if self._ids is None:
            self._ids = sorted(self.docs)
        return self._ids

    def changed(self) -> list[tuple[str, str]]:
        """Every (updatedOn, id), sorted."""
        if self._changed is None:
            self._changed = sorted((updated(doc), key) for key, doc in self.docs.items())
        return self._changed

    def text(self, key: str) -> str:
        """The whole document as JSON, written once."""
        found = self._texts.get(key)
        if found is None:
            found = self._texts[key] = dumps(self.docs[key], ensure_ascii=False, separators=(",", ":"))
        return found

    def remembered(self, question: Any, find: Callable[[], list[str]]) -> Sequence[str]:
        """The answer to a question, found once for as long as nothing changes."""
        known = self._answers.get(question)
        if known is None or known[0] != self.version:
            known = self._answers[question] = (self.version, find())
            if len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
        self._answers.move_to_end(question)
        return known[1]


class Store:
    """Every collection and its sub-resources, and the way each change takes."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.services = services()
        self.tables: dict[str, Table] = {path: Table() for path in self.services}
        self.below: dict[tuple[str, str], dict[str, Doc]] = {}
        """Documents of sub-resources by (parent's id, name), by id."""
        self.late_by = timedelta()
        self.made = 0
        self._last = ""

    def open(self, service: Service) -> None:
        """Makes a service of the tenant's own known."""
        self.services[service.path] = service
        self.tables[service.path] = Table()

    def stamp(self) -> str:
        """A moment for a change: later than the one before, since the ETag is made of nothing else."""
        at = self.now()
        text = wire(at)
        if not self.late_by:
            while text <= self._last:
                at = max(at, datetime.fromisoformat(self._last)) + _MILLISECOND
                text = wire(at)
            self._last = text
        return wire(at - self.late_by)

    def new_id(self) -> str:
        """A fresh id."""
        self.made += 1
        return dashed(new_object_id("", self.made)).lower()

    def save(self, service: Service, doc: Doc) -> Doc:
        """Stores a new or changed document with fresh stamps and without what is null."""
        at = self.stamp()
        saved: Doc = pruned(deepcopy(doc))
        admin = saved.setdefault("adminData", {})
        admin.setdefault("createdOn", at)
        admin["updatedOn"] = at
        self.tables[service.path].put(saved)
        return saved

    def find(self, key: str) -> tuple[Service, Doc] | None:
        """The record of that id, whatever it is."""
        for path, table in self.tables.items():
            if key in table.docs:
                return self.services[path], table.docs[key]
        return None


def wire(moment: datetime) -> str:
    """``2026-02-20T09:30:11.004Z``."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def updated(doc: Doc) -> str:
    """The document's change stamp, which is its ETag too."""
    return str(doc["adminData"]["updatedOn"])


def pruned(value: Any) -> Any:
    """The same without nulls: version 2 leaves out what has no value."""
    if isinstance(value, dict):
        return {name: pruned(one) for name, one in value.items() if one is not None}
    return [pruned(one) for one in value] if isinstance(value, list) else value


def at_path(doc: Doc, path: str) -> Any:
    """The value at a dotted path; None where there is none."""
    found: Any = doc
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
