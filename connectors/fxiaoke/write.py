"""Writing to Fxiaoke, one record a call, and reading our fields back.

Fxiaoke documents no batch, no upsert and hardly any code for what a record refuses: what a refusal means is found out by
looking at the record, never by its text. Approvals and workflows, which are on unless a call says otherwise, are switched off.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from connectors.base import Rejection, Value, Write, WriteTarget, Written
from connectors.errors import ConfigError, ContractError, RejectedError, RetryLaterError
from connectors.fxiaoke import values
from connectors.fxiaoke.api import SYSTEM_TYPES, Described, FxiaokeApi, where
from connectors.fxiaoke.settings import FxiaokeSettings
from connectors.fxiaoke.streams import BY_NAME
from connectors.types import canonical_text

_MARKS = ("lock_status", "life_status")
_IN_HAND = frozenset({"under_review", "in_change"})
"""States of a record that is being approved."""

_NO_FIELD, _NO_ANSWER = "NO_FIELD", "NO_ANSWER"
"""Our codes: for a field that describe does not show, and for a create of which nobody knows what became of it."""


def remote_object(connection: FxiaokeSettings, target: WriteTarget) -> str:
    """The object that a target writes to. ConfigError for people without an object of our own."""
    if target.into:
        return target.into
    if target.record == "person":
        raise ConfigError(
            f"{connection.name}: write_back.person: Fxiaoke's employees take no fields of ours: name a custom object in `into`"
        )
    return connection.objects.get("opportunity", BY_NAME["opportunity"].remote)


class Writer:
    """Writes to one tenant. Remembers ids of the rows of our own objects, which are found by their key."""

    def __init__(self, api: FxiaokeApi, connection: FxiaokeSettings) -> None:
        self._api = api
        self._connection = connection
        on = connection.automation == "on"
        self._flows = {"triggerApprovalFlow": on, "triggerWorkFlow": on}
        self._ids: dict[tuple[str, str, str], str] = {}
        self._proven = False

    def write(self, target: WriteTarget, writes: Sequence[Write]) -> Iterator[Written]:
        """A call for each write, and one before them to find the rows of a key."""
        remote = remote_object(self._connection, target)
        described = self._described(remote)
        if target.key:
            self._find(remote, described, target.key, [each.remote_id for each in writes])
        for each in writes:
            rejected = self._one(remote, described, target.key, each)
            yield Written(each.remote_id, rejected)

    def _one(self, remote: str, described: Described, key: str | None, each: Write) -> Rejection | None:
        try:
            fields = {name: self._spelled(described, name, value) for name, value in each.fields.items()}
            if key is not None and (remote, key, each.remote_id) not in self._ids:
                return self._make(remote, described, key, each.remote_id, fields)
            if key is None:
                self._update(remote, described, each.remote_id, fields)
            else:
                self._api.update(remote, self._ids[remote, key, each.remote_id], fields, self._flows)
        except RejectedError as error:
            return self._verdict(remote, key, each, error)
        return None

    def _update(self, remote: str, described: Described, row_id: str, fields: Mapping[str, Any]) -> None:
        """Writes to a deal. The first one is read before and after it, for nobody documents that unsent fields stay."""
        others = [] if self._proven else _kept(described, fields)
        known = self._api.filled(remote, others, row_id) if others else frozenset()
        self._api.update(remote, row_id, fields, self._flows)
        emptied = known - self._api.filled(remote, others, row_id) if known else frozenset()
        if emptied:
            raise ContractError(
                f"{self._connection.name}: {remote}: an update emptied {', '.join(sorted(emptied))} of {row_id}, which were not "
                "sent. Nothing more is written: restore that record, and ask Fxiaoke's support"
            )
        self._proven = True

    def _make(
        self, remote: str, described: Described, key: str, name: str, fields: Mapping[str, Any]
    ) -> Rejection | None:
        """Makes the row of a key, by a call that is never repeated: whether it is there now is looked up instead."""
        given = {"name": name, **fields, key: name}
        if described.fields.get("owner", {}).get("is_required") is True:
            given.setdefault("owner", [self._api.actor()])
        place = (remote, key, name)
        try:
            made = self._api.create(remote, given, self._flows)
        except (RejectedError, RetryLaterError) as error:
            self._find(remote, described, key, [name])
            if place in self._ids:
                self._api.update(remote, self._ids[place], fields, self._flows)
                return None
            if isinstance(error, RejectedError):
                raise
            return Rejection(_NO_ANSWER, str(error), "retry")
        if made is not None:
            self._ids[place] = made
        return None

    def _find(self, remote: str, described: Described, key: str, names: Sequence[str]) -> None:
        if described.fields.get(key, {}).get("is_unique") is False:
            raise ConfigError(
                f"{self._connection.name}: {remote}.{key} does not have to be unique: a call that is repeated would make two rows. "
                "Take `name` as the key, or mark the field as unique (唯一)"
            )
        unknown = [name for name in dict.fromkeys(names) if (remote, key, name) not in self._ids]
        for rows in self._api.among(remote, (key,), key, unknown):
            self._ids.update({(remote, key, str(row[key])): row["_id"] for row in rows})

    def _described(self, remote: str) -> Described:
        described = self._api.describe(remote)
        if described is None:
            raise ConfigError(
                f"{self._connection.name}: write_back: the tenant has no object {remote}. Correct the name, or let an "
                "administrator make it: scoreback provision says how"
            )
        return described

    def _spelled(self, described: Described, name: str, value: Value) -> Any:
        """A value as the field's type wants it: numbers as text, times in milliseconds, people as a list."""
        known = described.fields.get(name)
        if known is None:
            raise RejectedError(_NO_FIELD, f"the tenant has no field {name}, or it is switched off")
        if value is None:
            return None
        if known.get("type") in values.PEOPLE:
            return [str(value)]
        if isinstance(value, datetime):
            return values.epoch_ms(value.astimezone(UTC))
        if isinstance(value, date):
            return values.midnight_ms(value, self._connection.zone)
        if isinstance(value, bool | str):
            return value
        return canonical_text(Decimal(value))

    def _verdict(self, remote: str, key: str | None, each: Write, error: RejectedError) -> Rejection:
        """What follows from a refusal, by a look at the record, and at the object's fields if the record tells nothing."""
        told = None if error.code == _NO_FIELD else self._told(remote, key, each, error)
        if told is not None:
            return told
        described = self._api.describe(remote, fresh=True)
        unseen = [name for name in each.fields if described is not None and name not in described.fields]
        return Rejection(error.code, error.text, "field" if error.code == _NO_FIELD or unseen else "park")

    def _told(self, remote: str, key: str | None, each: Write, error: RejectedError) -> Rejection | None:
        """What the record itself tells: that it is gone, invalid, locked or being approved; None for nothing of that."""
        row_id = each.remote_id if key is None else self._ids.get((remote, key, each.remote_id))
        if row_id is None:
            return None
        row = next(self._api.rows(remote, _MARKS, [where("_id", "EQ", row_id)]), None)
        if row is None:
            self._ids.pop((remote, key or "", each.remote_id), None)
            return Rejection(error.code, error.text, "gone" if key is None else "retry")
        if row.get("lock_status") == "1" or row.get("life_status") in _IN_HAND:
            return Rejection(error.code, f"{error.text}: the record is locked or being approved", "retry")
        return Rejection(error.code, error.text, "gone") if row.get("life_status") == "invalid" else None

    def read_fields(
        self, target: WriteTarget, ids: Sequence[str], names: Sequence[str]
    ) -> Mapping[str, Mapping[str, Value]]:
        """What these fields hold now, by id or key. Raises ConfigError for a field that the tenant does not have."""
        remote = remote_object(self._connection, target)
        described = self._described(remote)
        unseen = [name for name in names if name not in described.fields]
        if unseen:
            described = self._api.describe(remote, fresh=True) or described
            unseen = [name for name in unseen if name not in described.fields]
        if unseen:
            raise ConfigError(
                f"{self._connection.name}: {remote} has no {' and no '.join(unseen)}, or it is switched off. Correct write_back, "
                "or let an administrator make it: scoreback provision says how"
            )
        key = target.key or "_id"
        found: dict[str, Mapping[str, Value]] = {}
        for rows in self._api.among(remote, (key, *names), key, list(dict.fromkeys(ids))):
            for row in rows:
                found[str(row[key])] = {
                    name: _ours(row.get(name), str(described.fields[name].get("type")), self._connection.zone)
                    for name in names
                }
        return found


def _kept(described: Described, fields: Mapping[str, Any]) -> list[str]:
    """The fields of an object that an update of others has to leave alone."""
    return [
        name
        for name, known in described.fields.items()
        if name not in fields and name not in SYSTEM_TYPES and known.get("type") not in values.CALCULATED
    ]


def _ours(value: Any, kind: str, zone: ZoneInfo) -> Value:
    """A field's value in our types: percentages stay as they were written."""
    if value in (None, "", []):
        return None
    found: Value = values.number(value) if kind in values.NUMBERS else values.read(value, kind, {}, zone)
    return found
