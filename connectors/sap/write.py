"""Writing to SAP by ``$batch``, one changeset for each record, with a verdict for each; and reading our fields back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from connectors.base import Recovery, Rejection, Value, Write, WriteTarget, Written
from connectors.errors import ConfigError
from connectors.sap.api import SapApi
from connectors.sap.batch import Change, Outcome
from connectors.sap.metadata import Property
from connectors.sap.values import READERS, Row, fitted

PEOPLE, DEALS = "EmployeeCollection", "OpportunityCollection"
_RECOVERIES: Mapping[int, Recovery] = {
    404: "gone",
    **dict.fromkeys((408, 412, 423, 429, 500, 502, 503, 504), "retry"),
}
NOT_THERE = "FIELD_NOT_IN_SERVICE"
NOT_KEPT = "VALUE_NOT_KEPT"


CHANGED = 412
"""Status of a write whose record is no longer the one that was read."""


def tag_of(row: Mapping[str, Any]) -> str:
    """The ETag of a row as a page brings it, to be sent back as it is; "" where there is none."""
    metadata = row.get("__metadata")
    return str(metadata.get("etag") or "") if isinstance(metadata, dict) else ""


def entity_set(target: WriteTarget) -> str:
    """The set that a target writes to; ``into`` names one of the service by itself."""
    return target.into or (DEALS if target.record == "opportunity" else PEOPLE)


def key_of(target: WriteTarget) -> str:
    """The property that a target's ids are."""
    return target.key or ("ObjectID" if target.record == "opportunity" else "BusinessPartnerID")


class Writer:
    """Writes to one service. Whether SAP keeps what it accepts is looked at once per set of fields.

    ``tags`` are the ETags, by ObjectID, of the rows that this process has read: they guard a write, and are kept up to date.
    """

    def __init__(self, api: SapApi, parts: int, tags: dict[str, str]) -> None:
        self._api = api
        self._parts = parts
        self._tags = tags
        self._kept: set[tuple[str, ...]] = set()
        self._ids: dict[tuple[str, str], dict[str, str]] = {}

    def write(self, target: WriteTarget, writes: Sequence[Write]) -> Iterator[Written]:
        """A verdict for each write. No record is written in part."""
        remote = entity_set(target)
        fields: dict[str, dict[str, Value]] = {}  # an id twice in one batch: later values win
        for each in writes:
            fields.setdefault(each.remote_id, {}).update(each.fields)
        names = sorted({name for values in fields.values() for name in values})
        known = self._api.properties(remote, names) or {}
        missing = [name for name in names if name not in known]
        if missing:
            text = f"{remote} has no {', '.join(missing)} in {self._api.service}: see `scoreback provision`"
            yield from (Written(each.remote_id, Rejection(NOT_THERE, text, "field")) for each in writes)
            return
        verdicts = self._sent(target, fields, known)
        self._look(target, fields, verdicts, known)
        yield from (Written(each.remote_id, verdicts[each.remote_id]) for each in writes)

    def _sent(
        self, target: WriteTarget, fields: Mapping[str, Mapping[str, Value]], known: Mapping[str, Property]
    ) -> dict[str, Rejection | None]:
        ids = self._object_ids(target, list(fields))
        changes: dict[str, Change] = {}
        verdicts: dict[str, Rejection | None] = {}
        for name, values in fields.items():
            body = {field: fitted(value, known[field].edm) for field, value in values.items()}
            if name in ids:
                tag = self._tags.get(ids[name], "")
                changes[name] = Change("PATCH", f"{entity_set(target)}('{ids[name]}')", body, tag)
            elif target.key:
                said = {field: value for field, value in body.items() if value is not None}
                changes[name] = Change("POST", entity_set(target), {target.key: name, **said})
            else:
                verdicts[name] = Rejection("404", f"{entity_set(target)} has no {key_of(target)} {name}", "gone")
        outcomes = self._outcomes(changes)
        stale = {name: changes[name] for name, outcome in outcomes.items() if outcome.status == CHANGED}
        if stale:  # a user, or a child of the record, was faster; our own fields rest on nothing that was changed
            fresh = self._fresh(entity_set(target), [ids[name] for name in stale])
            again = {name: replace(one, tag=fresh.get(ids[name], "")) for name, one in stale.items()}
            outcomes.update(self._outcomes(again))
        self._note(target, ids, outcomes)
        return verdicts | {name: rejection(outcome) for name, outcome in outcomes.items()}

    def _note(self, target: WriteTarget, ids: Mapping[str, str], outcomes: Mapping[str, Outcome]) -> None:
        """Keeps the new tags, and forgets the ObjectID of what is not there any more."""
        for name in outcomes.keys() & ids.keys():
            self._tags.pop(ids[name], None)
            if outcomes[name].tag:
                self._tags[ids[name]] = outcomes[name].tag
            if outcomes[name].status == 404:
                self._ids.get((entity_set(target), key_of(target)), {}).pop(name, None)

    def _outcomes(self, changes: Mapping[str, Change]) -> dict[str, Outcome]:
        names = list(changes)
        found: dict[str, Outcome] = {}
        for start in range(0, len(names), self._parts):
            part = names[start : start + self._parts]
            found.update(zip(part, self._api.change([changes[name] for name in part]), strict=True))
        return found

    def _fresh(self, remote: str, ids: Sequence[str]) -> Mapping[str, str]:
        """The ETags of records as they are now."""
        rows = self._api.by_key(remote, "ObjectID", ids, ("ObjectID",))
        return {row["ObjectID"]: tag_of(row) for part in rows for row in part}

    def _object_ids(self, target: WriteTarget, names: Sequence[str]) -> Mapping[str, str]:
        """The ObjectID of each record; those that are not there are left out."""
        key, remote = key_of(target), entity_set(target)
        if key == "ObjectID":
            return {name: name for name in names}
        known = self._ids.setdefault((remote, key), {})
        unknown = [name for name in names if name not in known]
        for rows in self._api.by_key(remote, key, unknown, (key, "ObjectID")):
            known.update((str(row[key]), row["ObjectID"]) for row in rows)
        return {name: known[name] for name in names if name in known}

    def _look(
        self, target: WriteTarget, fields: Mapping[str, Mapping[str, Value]], verdicts: dict[str, Rejection | None],
        known: Mapping[str, Property],
    ) -> None:  # fmt: skip
        """Reads one written record back. A property that SAP calls read-only is passed over without a word."""
        done = next((name for name, refused in verdicts.items() if refused is None), None)
        if done is None:
            return
        names = tuple(sorted(fields[done]))
        if (entity_set(target), *names) in self._kept:
            return
        held = self.read(target, [done], names).get(done)
        if held is None:
            return  # deleted since
        lost = [name for name in names if not _kept(fields[done][name], held[name])]
        if not lost:
            self._kept.add((entity_set(target), *names))
            return
        text = f"SAP accepted {', '.join(lost)} and keeps another value: make it editable in the service"
        refused = Rejection(NOT_KEPT, text, "field")
        verdicts.update((name, refused) for name, verdict in verdicts.items() if verdict is None)

    def read(self, target: WriteTarget, ids: Sequence[str], names: Sequence[str]) -> Mapping[str, Mapping[str, Value]]:
        """What these fields hold now. Raises ConfigError for a field that the service does not have."""
        remote, key = entity_set(target), key_of(target)
        known = self._api.properties(remote, names) or {}
        missing = [name for name in names if name not in known]
        if missing:
            raise ConfigError(
                f"{remote} has no {' and no '.join(missing)} in the service {self._api.service}. Create them by hand: "
                "scoreback provision prints the steps"
            )
        found: dict[str, Mapping[str, Value]] = {}
        for rows in self._api.by_key(remote, key, ids, (key, *names)):
            found.update((str(row[key]), _values(row, [known[name] for name in names])) for row in rows)
        return found


def _kept(sent: Value, held: Value) -> bool:
    """Whether SAP holds what was sent, apart from the places that its field rounds to and from its spelling of times."""
    if isinstance(sent, (Decimal, int)) and isinstance(held, Decimal):
        return abs(held - Decimal(sent)) < 1 and (bool(held) or abs(Decimal(sent)) < Decimal("0.5"))
    if isinstance(sent, str):
        return held == sent or (not sent and held is None)
    return (sent is None) == (held is None) or not held


def _values(row: Row, properties: Sequence[Property]) -> dict[str, Value]:
    """A row's values in our types.

    SAP has no empty number. Where nothing else of ours stands in the row, its zeros are numbers that nobody wrote.
    """
    values = {one.name: _value(row.get(one.name), one.edm) for one in properties}
    numbers = {one.name for one in properties if one.edm in ("Edm.Decimal", "Edm.Double", "Edm.Int32")}
    others = [value for name, value in values.items() if name not in numbers]
    if others and all(value is None for value in others):
        return {name: value or None for name, value in values.items()}
    return values


def _value(value: Any, edm: str) -> Value:
    if value in (None, ""):
        return None
    read = READERS.get(edm)
    return str(value) if read is None else read(value)


def rejection(outcome: Outcome) -> Rejection | None:
    """What follows from a record's status; None for one that was accepted."""
    if outcome.done:
        return None
    recovery = _RECOVERIES.get(outcome.status, "park")
    if outcome.status == 400 and "not found in entity" in outcome.text:
        recovery = "field"
    return Rejection(outcome.code, outcome.text, recovery)
