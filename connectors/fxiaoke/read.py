"""Reading from Fxiaoke: which columns a stream asks for, which rows of them, and how these become the mapping's rows.

An object is described before its first page, once per ``metadata_every``: a field that is not there is left out in silence
by the vendor. Pages are asked with nulls, so that a column that no row has at all makes us look again.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

from connectors.base import Page, Raw, Stream, Window
from connectors.errors import ForbiddenError
from connectors.fxiaoke.api import SYSTEM_TYPES, Described, Filter, FxiaokeApi, Row, where
from connectors.fxiaoke.links import STAMP, Orders, changed_within
from connectors.fxiaoke.people import Directory
from connectors.fxiaoke.rows import Fields, Lookups, Shaper, changes
from connectors.fxiaoke.settings import FxiaokeSettings
from connectors.fxiaoke.streams import BY_NAME, DERIVED, EITHER, LOAD_BEARING, NAMED, OFTEN_MISSING
from connectors.fxiaoke.values import SELECTIONS, midnight_ms
from connectors.mapping import paths_of, remote_fields, sources

log = structlog.get_logger("connectors.fxiaoke")

GOALS = "target"
"""The stream of which a row of theirs is several of ours: a goal has a target for each month."""

_MARKS = ("life_status", "is_deleted")


class Reader:
    """Pages of any stream. ``learnt`` keeps descriptions for the next process."""

    def __init__(self, api: FxiaokeApi, connection: FxiaokeSettings, learnt: dict[str, str]) -> None:
        self._api = api
        self._connection = connection
        self._learnt = learnt
        self._orders = Orders(api, connection.overlap)
        self.directory = Directory(api, connection, learnt)

    def pull(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        """Pages of the window, behind ``resume`` (the last ``_id`` that was stored)."""
        if stream.name == "person":
            yield Page([Raw(stream, row) for row in self.directory.people()])
        elif stream.name == "stage":
            yield Page(self._stages(stream))
        elif not stream.filled_by and self.remote(stream):
            if window.start is not None and resume is None:
                yield from self._of_changed_orders(stream, window.start, window)
            yield from self._pages(stream, self._filters(window), resume, window)

    def ids(self, stream: Stream) -> Iterator[Sequence[str]]:
        """Ids of the rows that are not invalid, with nothing else; of goals the ids of their targets."""
        if stream.name == GOALS:
            for page in self._pages(stream, [], None, Window(None, datetime.now(UTC))):
                yield [raw.fields["@remote_id"] for raw in page.rows if not raw.fields["@deleted"]]
            return
        if self.fields(stream) is None:
            return
        for rows, _ in self._api.pages(self.remote(stream), _MARKS):
            yield [
                row["_id"] for row in rows if row.get("is_deleted") is not True and row.get("life_status") != "invalid"
            ]

    def fetch(self, stream: Stream, ids: Sequence[str]) -> Iterator[Page]:
        """Whole rows by id; a target's id begins with its goal's."""
        whose = dict.fromkeys(one.partition(":")[0] for one in ids)
        yield from self._among(stream, "_id", list(whose), [], anew=True)

    def _of_changed_orders(self, stream: Stream, start: datetime, window: Window) -> Iterator[Page]:
        """Payments whose deal may be another one now: a change of their order does not stamp them."""
        if "order_id" in (self.fields(stream) or ()):
            orders = self._orders.changed(start, window.end)
            yield from self._among(stream, "order_id", orders, self._since(window), anew=False)

    def _among(
        self, stream: Stream, name: str, values: Sequence[str], filters: Sequence[Filter], *, anew: bool
    ) -> Iterator[Page]:
        """Whole rows by the values of one field."""
        fields = self.fields(stream)
        if fields is None:
            return
        for rows in self._api.among(self.remote(stream), self._asked(stream, fields), name, values, filters):
            raws = self._raws(stream, fields, rows, anew=anew)
            yield Page(raws, lacks=self._lacks(stream, fields) | self._blind(stream))

    def remote(self, stream: Stream) -> str:
        """The object that a stream reads in this tenant; "" for none."""
        return self._connection.objects.get(stream.name, stream.remote)

    def columns(self, stream: Stream) -> list[str]:
        """Every field that the stream's mapping takes, whether it is there or not."""
        derived, columns = DERIVED.get(stream.name, {}), ["_id"]
        for path in remote_fields(stream, self._connection):
            columns.extend(derived.get(path, ()) if path.startswith("@") else (path.partition(".")[0],))
        if stream.name == "opportunity" and self._connection.stream("history"):
            columns.append("stg_changed_time")
        return list(dict.fromkeys([*columns, *_MARKS]))

    def mapped_columns(self, stream: Stream) -> frozenset[str]:
        """Those columns that the connection's own mapping names."""
        own = self._connection.fields
        return frozenset(
            path
            for name in (stream.kind, stream.name)
            for source in own.get(name, {}).values()
            for path in paths_of(source)
        )

    def fields(self, stream: Stream, *, fresh: bool = False) -> Fields | None:
        """Type, and labels of selections, of the columns that there are. None for an object that the tenant lacks."""
        remote, columns = self.remote(stream), self.columns(stream)
        key = f"fields:{stream.name}"
        kept = json.loads(self._learnt[key]) if key in self._learnt and not fresh else None
        if kept is not None and kept["remote"] == remote and kept["columns"] == columns:
            found: Fields | None = kept["fields"]
            return found
        fields = self._seen(self._api.describe(remote, fresh=fresh), columns)
        missing = set(self.missing(stream, fields or {}))
        stops = self.mapped_columns(stream) | LOAD_BEARING.get(stream.name, frozenset())
        self._learnt.pop(key, None)
        # What stops the stream, or has just vanished, is looked for again next time: it may be back.
        if (fields is None and stream.optional) or not (missing if fresh else missing & stops):
            kept = {"remote": remote, "columns": columns, "fields": fields}
            self._learnt[key] = json.dumps(kept, ensure_ascii=False, sort_keys=True)
        if fields is None and not stream.optional:
            raise ForbiddenError(
                f"{self._connection.name}: {stream.name}: the tenant has no object {remote}, or our employee may not see it. "
                "Grant it in 管理后台 (the administration console), or switch the stream off"
            )
        return fields

    def missing(self, stream: Stream, fields: Fields) -> list[str]:
        """Columns that the tenant has no field for, without those that it may well do without."""
        either = EITHER.get(stream.name, ())
        spared = {*OFTEN_MISSING, *(either if fields.keys() & set(either) else ())}
        return [name for name in self.columns(stream) if name not in fields and name not in spared]

    @staticmethod
    def _seen(described: Described | None, columns: Sequence[str]) -> dict[str, dict[str, Any]] | None:
        if described is None:
            return None
        found: dict[str, dict[str, Any]] = {}
        for name in columns:
            known = described.fields.get(name)
            named = name.endswith("__r") and name.removesuffix("__r") in described.fields
            if known is None and not named and name not in SYSTEM_TYPES:
                continue
            kind = str((known or {}).get("type") or SYSTEM_TYPES.get(name, "text"))
            found[name] = {"type": kind}
            if kind in SELECTIONS:
                found[name]["options"] = described.options(name)
        return found

    def _pages(self, stream: Stream, filters: Sequence[Filter], resume: str | None, window: Window) -> Iterator[Page]:
        fields = self.fields(stream)
        if fields is None:
            log.info("feature_absent", connection=self._connection.name, stream=stream.name, remote=self.remote(stream))
            return
        looked = False
        for rows, following in self._api.pages(
            self.remote(stream), self._asked(stream, fields), filters, behind=resume
        ):
            if rows and not looked and _without(rows, fields):
                looked = True
                fields = self.fields(stream, fresh=True) or {}
            if rows or following:
                raws = self._raws(stream, fields, rows, anew=window.start is not None)
                lacks = self._lacks(stream, fields) | self._blind(stream)
                yield Page([*raws, *self._history(stream, raws, window)], following, lacks=lacks)

    def _asked(self, stream: Stream, fields: Fields) -> list[str]:
        return [*fields, *NAMED.get(stream.name, ())]

    def _lacks(self, stream: Stream, fields: Fields) -> frozenset[str]:
        """Paths of the mapping that the tenant has no field for."""
        missing = set(self.columns(stream)) - set(fields)
        derived = DERIVED.get(stream.name, {})
        paths = {path for path in remote_fields(stream, self._connection) if path.partition(".")[0] in missing}
        # A path that can be made from several fields is lacking when none of them is there.
        return frozenset(paths) | {
            path for path, taken in derived.items() if taken and missing.issuperset(taken) and path != "@deleted"
        }

    def _filters(self, window: Window) -> list[Filter]:
        if window.start is not None:
            return changed_within(window.start, window.end)
        return self._since(window)

    def _since(self, window: Window) -> list[Filter]:
        if window.since is None:
            return []
        return [where(STAMP, "GTE", str(midnight_ms(window.since, self._connection.zone)))]

    def _raws(self, stream: Stream, fields: Fields, rows: Sequence[Row], *, anew: bool) -> list[Raw]:
        """Rows ready for the mapping. ``anew``: what is known of their orders may be older than they are."""
        self._orders.learn({str(row["order_id"]) for row in rows if row.get("order_id")}, anew=anew)
        shaper = Shaper(stream, fields, self._connection, Lookups(self._orders.deal, self.directory.name))
        return [Raw(stream, row) for row in shaper.shaped(rows)]

    def _blind(self, stream: Stream) -> frozenset[str]:
        """The deal, where orders have no field for it."""
        blind = not self._orders.tell and "order_id" in self.columns(stream)
        return frozenset({"@opportunity_id"}) if blind else frozenset()

    def _history(self, stream: Stream, raws: Sequence[Raw], window: Window) -> list[Raw]:
        """Our own snapshots of deals that changed: Fxiaoke keeps no history that could be read."""
        if stream.name != "opportunity" or "history" not in window.streams:
            return []
        history = BY_NAME["history"]
        return [
            Raw(history, change)
            for raw in window.changed(raws)
            if not raw.fields["@deleted"]
            for change in changes(dict(raw.fields))
        ]

    def _stages(self, stream: Stream) -> list[Raw]:
        """The options of the deal's stage. What a stage means stands in each deal's status, never in its label."""
        deal = BY_NAME["opportunity"]
        column = self.stage_column()
        described = self._api.describe(self.remote(deal), fresh=True)
        options = {} if described is None else described.options(column)
        return [
            Raw(stream, {"value": value, "label": label, "position": place})
            for place, (value, label) in enumerate(options.items(), start=1)
        ]

    def stage_column(self) -> str:
        """The field that the stage of a deal is read from."""
        source = sources(BY_NAME["opportunity"], self._connection).get("stage")
        return next(iter(paths_of(source)), "") if source is not None else ""


def _without(rows: Sequence[Row], fields: Mapping[str, Any]) -> bool:
    """Whether some column is in no row at all, not even empty."""
    return any(all(name not in row for row in rows) for name in fields)
