"""Writing to HubSpot: values spelled its way, batches that fail as a whole taken apart, one verdict per record."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from connectors.base import Recovery, Rejection, Value, Write, Written
from connectors.errors import RejectedError
from connectors.hubspot.api import Json
from connectors.hubspot.rows import epoch_ms, moment
from connectors.types import canonical_text

Send = Callable[[Sequence[Json]], Json]

CALLS_PER_BATCH = 40
"""Calls spent on finding the bad records of one batch; what is not settled then waits for the next push."""

_RECOVERIES: Mapping[str, Recovery] = {
    "OBJECT_NOT_FOUND": "gone",
    "PROPERTY_DOESNT_EXIST": "field",
    "READ_ONLY_VALUE": "field",
    "CONFLICT": "retry",
    "RATE_LIMITS": "retry",
    "INTERNAL_ERROR": "retry",
}


def spell(value: Value) -> str:
    """A value as HubSpot's text: no exponent, epoch milliseconds for a time, an ISO day for a date, "" to empty."""
    if isinstance(value, str):
        return value  # first, as most are
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return canonical_text(value)
    if isinstance(value, datetime):
        return str(epoch_ms(value.astimezone(UTC)))
    return value.isoformat() if isinstance(value, date) else str(value)


def understand(text: str | None, kind: str) -> Value:
    """HubSpot's text as our type, by the property's ``type``; "" and null are None."""
    if text in (None, ""):
        return None
    if kind == "number":
        return Decimal(text)
    if kind == "datetime":
        return moment(text)
    if kind == "date":
        return moment(text).date()
    return text.lower() == "true" if kind == "bool" else text


def rejection(code: str, text: str) -> Rejection:
    """A refusal in HubSpot's words, with what follows from its code."""
    return Rejection(code, text, _RECOVERIES.get(code, "park"))


class Batch:
    """One batch on its way: sent whole, then in parts as long as HubSpot refuses a part because of a record in it.

    One bad value fails a whole batch with 400 and no word on which record it was, so a refused part is halved. An
    unknown or read-only property is named in the refusal: the records that use it are refused at once, the others
    sent again.
    """

    def __init__(self, send: Send, writes: Sequence[Write], *, key: str | None = None) -> None:
        self._send = send
        self._key = key
        # Two rows with one id would fail the batch: the later values win, and both writes get the one verdict.
        self._fields: dict[str, dict[str, str]] = {}
        for write in writes:
            values = {name: spell(value) for name, value in write.fields.items()}
            self._fields.setdefault(write.remote_id, {}).update(values)
        self._verdicts: dict[str, Rejection | None] = {}
        self._calls = 0

    def settle(self) -> dict[str, Rejection | None]:
        """The verdict on every id: None for accepted."""
        waiting = [list(self._fields)] if self._fields else []
        while waiting:
            part = waiting.pop()
            if self._calls >= CALLS_PER_BATCH:
                self._refuse(part, Rejection("NOT_SETTLED", "too many bad records in one batch", "retry"))
                continue
            self._calls += 1
            try:
                body = self._send([self._input(remote_id) for remote_id in part])
            except RejectedError as error:
                waiting.extend(self._parts(part, error))
            else:
                self._read(part, body)
        return self._verdicts

    def _input(self, remote_id: str) -> Json:
        row: Json = {"id": remote_id, "properties": self._fields[remote_id]}
        # The trace id comes back with the row: an upsert answers with HubSpot's id, which we do not know.
        return {**row, "idProperty": self._key, "objectWriteTraceId": remote_id} if self._key else row

    def _refuse(self, ids: Sequence[str], why: Rejection) -> None:
        self._verdicts.update(dict.fromkeys(ids, why))

    def _parts(self, part: list[str], error: RejectedError) -> Iterator[list[str]]:
        why = rejection(error.code, error.text)
        named = {name for remote_id in part for name in self._fields[remote_id] if _names(error.text, name)}
        guilty = [remote_id for remote_id in part if named & self._fields[remote_id].keys()]
        if len(part) == 1 or error.status not in (None, 400, 409):
            self._refuse(part, why)
        elif why.recovery == "field" and guilty:
            self._refuse(guilty, why)
            innocent = [remote_id for remote_id in part if remote_id not in set(guilty)]
            if innocent:
                yield innocent
        else:
            middle = len(part) // 2
            yield part[middle:]
            yield part[:middle]

    def _read(self, part: list[str], body: Json) -> None:
        """Reads an answer, 207 included. An id of which it says nothing is not taken for accepted."""
        for error in body.get("errors") or ():
            why = rejection(str(error.get("category") or "UNKNOWN"), str(error.get("message") or "refused"))
            named = [str(one) for one in (error.get("context") or {}).get("ids") or ()]
            self._refuse([remote_id for remote_id in part if remote_id in named], why)
        accepted = {self._id(row) for row in body.get("results") or ()}
        for remote_id in part:
            if remote_id in accepted:
                self._verdicts[remote_id] = None
        silent = [remote_id for remote_id in part if remote_id not in self._verdicts]
        self._refuse(silent, Rejection("NO_ANSWER", "HubSpot's answer does not speak of this record", "retry"))

    def _id(self, row: Mapping[str, Any]) -> str:
        if self._key is None:
            return str(row["id"])
        return str(row.get("objectWriteTraceId") or row["properties"].get(self._key))


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def write_batch(
    send: Send, writes: Sequence[Write], *, key: str | None = None, ids: Mapping[str, str | None] | None = None
) -> Iterator[Written]:
    """One verdict for each of ``writes``. ``ids`` gives HubSpot's id for ours; None is a record that has none there."""
    ids = ids if ids is not None else {write.remote_id: write.remote_id for write in writes}
    sent = [Write(remote, write.fields) for write in writes if (remote := ids.get(write.remote_id)) is not None]
    verdicts = Batch(send, sent, key=key).settle()
    for write in writes:
        remote = ids.get(write.remote_id)
        missing = Rejection("NO_USER_RECORD", "this owner has no users object that could hold our fields", "park")
        yield Written(write.remote_id, missing if remote is None else verdicts[remote])
