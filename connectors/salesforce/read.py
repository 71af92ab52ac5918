"""Reading from Salesforce: which SOQL a stream's window takes, and how its rows become what the mapping expects.

Describe is asked only after a query was refused for a field, and the currency set-up only once there are rows to name a
currency for: a cycle in which nothing changed costs one call per stream, also in a new process.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from time import monotonic
from typing import Any

import structlog

from connectors.absences import Absences
from connectors.base import Page, Raw, Stream, Window
from connectors.errors import ForbiddenError, MissingFieldsError, RejectedError
from connectors.mapping import remote_fields
from connectors.salesforce import soql
from connectors.salesforce.api import Answer, SalesforceApi
from connectors.salesforce.bulk import BulkQuery, Place, pays, types_of
from connectors.salesforce.currencies import CURRENCY, Currencies
from connectors.salesforce.forecasts import said
from connectors.salesforce.history import Steps
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.streams import HISTORY_COLUMNS, LOAD_BEARING, READINGS
from connectors.salesforce.values import is_user_id

log = structlog.get_logger("connectors.salesforce")

COUNTED = frozenset({"person", "account", "opportunity"})
"""Streams that alone fill their kind of record: only there can the store compare its count with the total."""

_ALL_SEEN: tuple[float, frozenset[str]] = 0.0, frozenset()


class Reader:
    """Pages of any stream. Keeps for its life which columns are hidden; ``learnt`` outlives it."""

    def __init__(self, api: SalesforceApi, connection: SalesforceSettings, learnt: dict[str, str]) -> None:
        self._api = api
        self._bulk = BulkQuery(api)
        self._connection = connection
        self._hidden: dict[str, tuple[float, frozenset[str]]] = {}
        self.currencies = Currencies(api, learnt)
        self._absences = Absences(learnt, connection.metadata_every)
        self._period_ends: dict[str, str] = {}

    def pull(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        """Pages of the window, behind ``resume``: a nextRecordsUrl (a snapshot that the server keeps), or a job's place."""
        steps = Steps(self._api, window, resumed=bool(resume))
        for found, following, total in self._answers(stream, window, resume):
            rows = steps.of(found) if stream.name == "history" else found
            if rows or following:
                yield Page(self._raws(stream, rows), following, total, self._lacks(stream))

    def _answers(
        self, stream: Stream, window: Window, resume: str | None
    ) -> Iterator[tuple[list[dict[str, Any]], str | None, int | None]]:
        """Rows, the place behind them, and on a first page of the newest rows how many there are."""
        place = Place.of(resume)
        answer = _NOTHING
        if place is None:
            answer = self._api.more(resume) if resume else self._first(stream, window)
            big = stream.schedule == "cycle" and resume is None and window.start is None
            if big and pays(answer["totalSize"], self._api.left_today()):
                place = self._job(stream, window)
        if place is not None:
            answer = _NOTHING  # its rows come once more
            for rows, following in self._bulk.pages(place, self._types(stream) or {}):
                yield rows, following.text() if following else None, None
            return
        newest_first = stream.name in COUNTED and window.start is not None and resume is None
        total: int | None = answer["totalSize"] if newest_first else None
        while not answer["done"]:
            yield answer["records"], answer["nextRecordsUrl"], total
            answer, total = self._api.more(answer["nextRecordsUrl"]), None
        yield answer["records"], None, total

    def _job(self, stream: Stream, window: Window) -> Place | None:
        """A finished query job with all rows of a full pull; None if REST has to read them."""
        types = self._types(stream)
        if types is None:
            return None
        return self._bulk.begin(self._select(stream, window, list(types)), recycled=READINGS[stream.name].recycled)

    def _types(self, stream: Stream) -> dict[str, str] | None:
        _, hidden = self._hidden.get(stream.name, _ALL_SEEN)
        description = self._api.describe(self.remote(stream))
        wanted = [column for column in self._selected(stream) if column not in hidden]
        return None if description is None else types_of(description.fields, wanted)

    def _selected(self, stream: Stream) -> list[str]:
        """The stream's columns, without that of the currency in an organisation that has but one."""
        columns = self.columns(stream)
        if CURRENCY in columns and self.currencies.corporate() is None:
            columns.remove(CURRENCY)
        return columns

    def ids(self, stream: Stream) -> Iterator[Sequence[str]]:
        """Ids of the rows that are not deleted, 2,000 a call."""
        reading = READINGS[stream.name]
        answer = self._api.query(self.alive(stream, ["Id"]), recycled=reading.recycled)
        yield [row["Id"] for row in answer["records"]]
        while not answer["done"]:
            answer = self._api.more(answer["nextRecordsUrl"])
            yield [row["Id"] for row in answer["records"]]

    def alive(self, stream: Stream, columns: Sequence[str]) -> str:
        """The query for what a full pull brings and is not deleted; archived activities are told by queryAll only."""
        reading, remote = READINGS[stream.name], self.remote(stream)
        where = [reading.where] if remote == stream.remote else []
        return soql.select(columns, remote, [*where, "IsDeleted = false"] if reading.recycled else where)

    def fetch(self, stream: Stream, ids: Sequence[str]) -> Iterator[Page]:
        """Whole rows by id, as many as an IN list holds."""
        columns = self._selected(stream)
        where = READINGS[stream.name].where
        for condition in soql.among("Id", ids):
            answer = self._seen(
                stream, columns, partial(soql.select, remote=self.remote(stream), where=[where, condition])
            )
            yield Page(self._raws(stream, answer["records"]), lacks=self._lacks(stream))

    def remote(self, stream: Stream) -> str:
        """The object that a stream reads in this organisation."""
        own = self._connection.quota_object if stream.name == "target" else self._connection.object_of(stream.name)
        return own or stream.remote

    def columns(self, stream: Stream) -> list[str]:
        """Every field that the stream's mapping takes, whether visible or not."""
        if stream.name == "history":
            return list(HISTORY_COLUMNS)
        reading = READINGS[stream.name]
        columns = ["Id"]
        for path in remote_fields(stream, self._connection):
            if path in reading.derived:
                columns.extend(reading.derived[path][0])
            elif not path.startswith("@"):
                columns.append(path)
        return list(dict.fromkeys(columns))

    def mapped_columns(self, stream: Stream) -> frozenset[str]:
        """Those columns that the connection's own mapping names."""
        ours = {
            path for source in stream.fields.values() for path in [source if isinstance(source, str) else source.path]
        }
        derived = {column for columns, _ in READINGS[stream.name].derived.values() for column in columns}
        return frozenset(self.columns(stream)) - ours - derived - {"Id"}

    def _first(self, stream: Stream, window: Window) -> Answer:
        if stream.optional and window.start is None and self._absences.holds(stream.name):
            return _NOTHING
        if stream.name == "rate":
            return self.currencies.rates() or _NOTHING
        columns = self.columns(stream)
        if CURRENCY not in columns:
            return self._ask(stream, window, columns)
        plain = [column for column in columns if column != CURRENCY]
        if window.start is not None and not self.currencies.known:
            answer = self._ask(stream, window, plain)
            if not answer["records"] or self.currencies.corporate() is None:
                return answer
        return self._ask(stream, window, plain if self.currencies.corporate() is None else columns)

    def _ask(self, stream: Stream, window: Window, columns: Sequence[str]) -> Answer:
        if window.start is None:
            self._hidden.pop(stream.name, None)  # rights may have been granted since
        whole = window.start is None
        return self._seen(stream, columns, lambda seen: self._select(stream, window, seen), may_lack=whole)

    def _lacks(self, stream: Stream) -> frozenset[str]:
        """Columns that are hidden now. They are asked for again after a while, for rights may be granted."""
        since, hidden = self._hidden.get(stream.name, _ALL_SEEN)
        if hidden and monotonic() - since >= self._connection.metadata_every.total_seconds():
            del self._hidden[stream.name]
        return hidden

    def _seen(
        self, stream: Stream, columns: Sequence[str], query: Callable[[Sequence[str]], str], *, may_lack: bool = False
    ) -> Answer:
        """The first page of what ``query`` makes of the columns that are visible. ``may_lack``: the object, if optional."""
        for learnt in (False, True):
            _, hidden = self._hidden.get(stream.name, _ALL_SEEN)
            visible = [column for column in columns if column not in hidden]
            try:
                return self._api.query(query(visible), recycled=READINGS[stream.name].recycled)
            except RejectedError as error:
                if error.code == "INVALID_TYPE":
                    return self._without(stream, error, may_lack=may_lack)
                if error.code != "INVALID_FIELD" or learnt:
                    raise
                self._learn(stream, columns, error)
        return _NOTHING

    def _without(self, stream: Stream, error: RejectedError, *, may_lack: bool) -> Answer:
        if stream.optional and may_lack:
            self._absences.note(stream.name)
            log.info("feature_absent", connection=self._connection.name, stream=stream.name, remote=self.remote(stream))
            return _NOTHING
        raise ForbiddenError(
            f"{self._connection.name}: {stream.name}: {self.remote(stream)} does not exist for the integration user "
            f"({error.text}). Grant Read and View All on it, or switch the stream off"
        ) from None

    def _learn(self, stream: Stream, columns: Sequence[str], error: RejectedError) -> None:
        """Which columns to leave out from now on. Raises if the admin mapped one, or one must not be missing."""
        remote = self.remote(stream)
        description = self._api.describe(remote, fresh=True)
        hidden = [column for column in columns if description is None or not description.has(column)]
        if not hidden:
            raise error
        mapped = sorted(self.mapped_columns(stream).intersection(hidden))
        if mapped:
            raise MissingFieldsError(
                f"{self._connection.name}: fields.{stream.name}: {remote} has no {' and no '.join(mapped)}, or "
                f"field-level security hides it from the integration user. Correct the name in connections/"
                f"{self._connection.name}.yaml, or grant Read on it in a permission set. Nothing of {stream.name} was changed"
            )
        needed = sorted(LOAD_BEARING.intersection(hidden))
        if needed:
            raise ForbiddenError(
                f"{self._connection.name}: {stream.name}: field-level security hides {' and '.join(needed)} of {remote} from "
                "the integration user, or the field is gone. Grant Read in a permission set, or name its successor under "
                f"fields.{stream.name} of connections/{self._connection.name}.yaml; until then the stream is off and nothing "
                "of it is changed"
            )
        log.warning("fields_hidden", connection=self._connection.name, stream=stream.name, fields=hidden)
        self._hidden[stream.name] = monotonic(), frozenset(hidden)

    def _select(self, stream: Stream, window: Window, columns: Sequence[str]) -> str:
        reading = READINGS[stream.name]
        remote = self.remote(stream)
        where = [soql.window(reading.cursor, window.start, window.end)]
        if remote == stream.remote:
            where.append(reading.where)
        if stream.name in ("target", "forecasting_item") and self._connection.forecasting_type:
            where.append(f"ForecastingTypeId = {soql.text(self._connection.forecasting_type)}")
        if window.start is None and window.since and reading.since:
            where.append(reading.since(window.since))
        order = ""
        if stream.name in COUNTED and window.start is not None:
            order = "SystemModstamp DESC, Id DESC"  # the first page then holds the newest rows, and `total` is of use
        elif stream.name == "history":
            order = "OpportunityId, CreatedDate, Id"
        return soql.select(columns, remote, where, order)

    def _raws(self, stream: Stream, rows: Sequence[dict[str, Any]]) -> list[Raw]:
        if stream.name == "field_history":
            rows = [row for row in rows if is_user_id(row["NewValue"]) or is_user_id(row["OldValue"])]
        elif stream.name == "target":
            self._add_period_ends(rows)
        elif stream.name == "rate":
            self.currencies.add_rates(rows)
        if CURRENCY in self.columns(stream):
            self.currencies.complete(rows)
        if stream.name == "forecasting_item":
            rows = list(said(rows))
        derived = [(path, make) for path, (_, make) in READINGS[stream.name].derived.items()]
        for row in rows:
            for path, make in derived:
                row[path] = make(row)
        return [Raw(stream, row) for row in rows]

    def _add_period_ends(self, rows: Sequence[dict[str, Any]]) -> None:
        unknown = {row["PeriodId"] for row in rows if row.get("PeriodId")} - self._period_ends.keys()
        for condition in soql.among("Id", sorted(unknown)):
            for period in self._api.rows(soql.select(("Id", "EndDate"), "Period", [condition])):
                self._period_ends[period["Id"]] = period["EndDate"]
        for row in rows:
            row["PeriodEnd"] = self._period_ends.get(row.get("PeriodId") or "")


_NOTHING: Answer = {"totalSize": 0, "done": True, "records": []}
