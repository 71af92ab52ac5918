"""Reading from SAP Version 2: everything by id, what changed by its stamp, and rows as the mapping expects them."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time
from functools import partial
from time import monotonic

import structlog

from connectors.base import Page, Raw, Stream, Window
from connectors.errors import ContractError, ForbiddenError, MissingFieldsError, RejectedError
from connectors.mapping import paths_of, remote_fields, sources
from connectors.sap_v2.api import MOST, Rows, SapV2Api
from connectors.sap_v2.settings import OWN_KINDS, SapV2Settings
from connectors.sap_v2.streams import LINE_ITEM, READINGS, STREAMS, items_of
from connectors.sap_v2.values import EXTENSIONS, MISFIT, Row, at_path, is_newest_first, is_older, moment_literal

log = structlog.get_logger("connectors.sap_v2")

STAMP = "adminData.updatedOn"
_ALWAYS = ("id", "adminData")
_FETCHED = 200
"""Up to so many rows are read one by one; for more, all are read anew."""


class Reader:
    """Pages of any stream. ``seen`` gets every row; ``learnt`` outlives the process for a while."""

    def __init__(
        self, api: SapV2Api, connection: SapV2Settings, learnt: dict[str, str], seen: Callable[[Stream, Row], None]
    ) -> None:
        self._api = api
        self._connection = connection
        self._learnt = learnt
        self._seen = seen
        self._deals: dict[str, str] = {}
        self._hidden: dict[str, frozenset[str]] = {}
        self._since: dict[str, float] = {}
        self._again_seconds = connection.metadata_every.total_seconds()

    def path(self, stream: Stream) -> str:
        """Where a stream is read."""
        own: Mapping[str, str] = {str(name): path for name, path in self._connection.paths.items()}
        return self._connection.object_of(stream.name) or own.get(stream.name, stream.remote)

    def columns(self, stream: Stream) -> list[str]:
        """The fields that are asked for: the first step of each path, whether the service has it or not."""
        reading = READINGS[stream.name]
        found = list(_ALWAYS)
        for path in remote_fields(stream, self._connection):
            if path in reading.derived:
                found.extend(reading.derived[path][0])
            elif not path.startswith("@"):
                found.append(path.partition(".")[0])
        if stream.name == LINE_ITEM.filled_by and self._connection.stream(LINE_ITEM.name) is not None:
            found.append("items")
        return list(dict.fromkeys(found))

    def extensions(self, stream: Stream) -> list[str]:
        """Extension fields that the admin mapped. One without a value may be left out of a row: absence proves nothing."""
        prefix = f"{EXTENSIONS}."
        return [path for path in remote_fields(stream, self._connection) if path.startswith(prefix)]

    def pull(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        """Pages of the window; ``resume`` is the last id that was read."""
        if stream.filled_by or (window.start is not None and self._rests(stream)):
            return
        done = begun = False
        try:
            for page in self._pages(stream, window, resume):
                if not begun and page.rows and window.start is not None:
                    self._probe(stream, page.rows)
                begun = True
                yield page
            done = True
            if stream.name in OWN_KINDS and self._learns(stream, "unsorted"):
                self._learnt[f"read:{stream.name}"] = "yes"
        except RejectedError as error:
            self._refused(stream, error, begun=begun)
        except MISFIT as error:
            where = f"{self._connection.name}: {stream.name}: {self.path(stream)}"
            raise ContractError(f"{where} holds a value that is not what SAP says it is: {error}") from error
        finally:
            hidden = self._hidden.pop(stream.name, frozenset())
            if done and hidden:
                self._learnt[f"hidden:{stream.name}"] = ",".join(sorted(hidden))

    def _rests(self, stream: Stream) -> bool:
        """Whether an own service that cannot say what changed was read: once for as long as what is learnt is believed."""
        return stream.name in OWN_KINDS and self._learns(stream, "unsorted") and self._learns(stream, "read")

    def ids(self, stream: Stream) -> Iterator[Sequence[str]]:
        """Ids of all rows, 999 a call; those of items by their deals, of which it is kept which item is whose."""
        try:
            for page in self._api.by_id(self.path(stream), {"$select": "id,items" if stream.filled_by else "id"}):
                if stream.filled_by:
                    items = {str(one["id"]): str(one["@deal"]) for row in page.rows for one in items_of(row)}
                    self._deals.update(items)
                    yield list(items)
                else:
                    yield [str(row["id"]) for row in page.rows]
        except RejectedError as error:
            self._refused(stream, error)

    def fetch(self, stream: Stream, ids: Sequence[str]) -> Iterator[Page] | None:
        """Whole rows by id, a call each; items with the whole of their deals. None for too many."""
        if stream.filled_by:
            ids = sorted({self._deals[one] for one in ids if one in self._deals})
            self._deals.clear()
            stream = next(one for one in STREAMS if one.name == stream.filled_by)
        return self._fetched(stream, ids) if len(ids) <= _FETCHED else None

    def _fetched(self, stream: Stream, ids: Sequence[str]) -> Iterator[Page]:
        found = [self._api.read(self.path(stream), one) for one in ids]
        rows = [one[0] for one in found if one is not None]
        yield Page(self._raws(stream, rows), lacks=self.lacking(stream))

    def _pages(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        start, end = window.start, window.end
        if start is None:
            self._probe(stream)
        if start is None and window.since is not None:
            start = datetime.combine(window.since, time(), tzinfo=UTC)
        if start is None:
            yield from self._by_id(stream, "", resume)
            return
        until = "" if window.start is None else f" and {STAMP} lt {moment_literal(_up(end))}"
        if not self._learns(stream, "unfiltered"):
            try:
                yield from self._by_id(stream, f"{STAMP} ge {moment_literal(start)}{until}", resume, start)
            except RejectedError as error:
                if error.status != 400 or _names(error.text, [*self.columns(stream)]) - {"adminData"}:
                    raise
                log.warning("filter_refused", connection=self._connection.name, stream=stream.name, code=error.code)
                self._learnt[f"unfiltered:{stream.name}"] = "yes"
            else:
                return
        yield from self._unfiltered(stream, start, resume)

    def _unfiltered(self, stream: Stream, start: datetime, resume: str | None) -> Iterator[Page]:
        """Without a filter by stamp: the newest page where it can be sorted, and all rows where that is not enough."""
        if resume is None and not self._learns(stream, "unsorted"):
            try:
                page = self._selected(stream, partial(self._newest, stream))
            except RejectedError as error:
                if error.status != 400:
                    raise
                self._learnt[f"unsorted:{stream.name}"] = "yes"
            else:
                young = [row for row in page.rows if not is_older(row, start)]
                if (len(young) < len(page.rows) and is_newest_first(page.rows)) or not page.more:
                    yield Page(self._raws(stream, young), lacks=self.lacking(stream))
                    return
        for every in self._by_id(stream, "", resume):
            kept = [raw for raw in every.rows if raw.stream is not stream or not is_older(raw.fields, start)]
            yield Page(kept, every.resume, lacks=every.lacks)

    def _newest(self, stream: Stream, options: Mapping[str, str]) -> Rows:
        return self._api.page(self.path(stream), {"$top": str(MOST), "$orderby": f"{STAMP} desc", **options})

    def _by_id(self, stream: Stream, where: str, after: str | None, start: datetime | None = None) -> Iterator[Page]:
        """Pages by id behind ``after``. With ``start``, rows that are older show that the filter was not understood."""
        last: str | None = after or ""
        while last is not None:
            page = self._selected(stream, partial(self._api.after, self.path(stream), last, where=where))
            if start is not None and any(is_older(row, start.replace(microsecond=0)) for row in page.rows):
                raise ContractError(f"{self.path(stream)}: rows from before {start} pass a filter that bars them")
            last = str(page.rows[-1]["id"]) if page.more else None
            yield Page(self._raws(stream, page.rows), last, lacks=self.lacking(stream))

    # Fields that are not there.

    def _selected(self, stream: Stream, ask: Callable[[Mapping[str, str]], Rows]) -> Rows:
        """The page for the fields that there are. A refusal names one that is not; each is asked without once."""
        while True:
            hidden = self._lacks(stream)
            columns = [column for column in self.columns(stream) if column not in hidden]
            try:
                return ask({"$select": ",".join(columns)})
            except RejectedError as error:
                named = _names(error.text, columns)
                if error.status != 400 or not named or "$filter" in error.text or "$orderby" in error.text:
                    raise
                if named & set(
                    _ALWAYS[: 1 if stream.name in OWN_KINDS else None]
                ):  # an own service need not stamp rows
                    raise MissingFieldsError(self._missing(stream, sorted(named))) from error
                log.warning("fields_hidden", connection=self._connection.name, stream=stream.name, fields=sorted(named))
                self._hidden[stream.name] = hidden | named

    def _lacks(self, stream: Stream) -> frozenset[str]:
        """Fields that the service does not have. They are asked for again after a while, for somebody may have added them."""
        if stream.name in self._hidden:
            return self._hidden[stream.name]
        key = f"hidden:{stream.name}"
        text = self._learnt.get(key, "")
        if text and monotonic() - self._since.setdefault(key, monotonic()) >= self._again_seconds:
            del self._learnt[key], self._since[key]
            text = ""
        return frozenset(text.split(",")) if text else frozenset()

    def lacking(self, stream: Stream) -> frozenset[str]:
        """The mapped paths that the service does not have."""
        hidden = self._lacks(stream)
        derived = READINGS[stream.name].derived
        return frozenset(
            path for path in remote_fields(stream, self._connection)
            if path.partition(".")[0] in hidden or hidden.intersection(derived[path][0] if path in derived else ())
        ) | {path for path in self.extensions(stream) if path in hidden}  # fmt: skip

    def _probe(self, stream: Stream, rows: Sequence[Raw] = ()) -> None:
        """Asks of each mapped extension that no row holds whether it is known. Raises MissingFieldsError for one that is not."""
        empty = [path for path in self.extensions(stream) if all(at_path(row.fields, path) is None for row in rows)]
        unknown = [path for path in empty if self.known(stream, path) is False]
        if unknown:
            raise MissingFieldsError(self._missing(stream, unknown))

    def known(self, stream: Stream, path: str) -> bool | None:
        """Whether the service knows an extension field: it may be filtered by. None where that cannot be told."""
        try:
            options = {"$top": "1", "$select": "id", "$filter": f"{path} ne null"}
            self._api.page(self.path(stream), options)
        except RejectedError as error:
            if error.status == 400 and _names(error.text, [path, path.partition(".")[2]]):
                return False
            if error.status == 400:
                return None
            raise
        return True

    def _missing(self, stream: Stream, names: Sequence[str]) -> str:
        fills = [
            ours for ours, source in sources(stream, self._connection).items()
            if any(path in names or path.partition(".")[0] in names for path in paths_of(source))
        ]  # fmt: skip
        at = f"fields.{stream.name}.{fills[0]}" if fills else f"fields.{stream.name}"
        return (
            f"{self._connection.name}: {stream.name}: {self.path(stream)} has no {' and no '.join(names)}. Nothing of "
            f"{stream.name} was changed. Correct {at} in connections/{self._connection.name}.yaml, or have an administrator "
            "create the field"
        )

    def _learns(self, stream: Stream, what: str) -> bool:
        return f"{what}:{stream.name}" in self._learnt

    def _refused(self, stream: Stream, error: RejectedError, *, begun: bool = False) -> None:
        """Nothing for a service that many tenants do not have; else the error that says what to do."""
        where = f"{self._connection.name}: {stream.name}: {self.path(stream)}"
        if error.status != 404 or begun:
            raise ContractError(f"{where}: SAP does not take our question: {error}") from error
        if not stream.optional:
            place = f"streams.{stream.name}.object" if stream.name in OWN_KINDS else "paths"
            raise ForbiddenError(
                f"{where} is not there ({error.text}). Name another in {place}, or switch it off"
            ) from error
        log.info("feature_absent", connection=self._connection.name, stream=stream.name, remote=self.path(stream))

    def _raws(self, stream: Stream, rows: Sequence[Row]) -> list[Raw]:
        raws: list[Raw] = []
        for row in rows:
            self._seen(stream, row)
            raws.append(self._raw(stream, row))
            if stream.name == LINE_ITEM.filled_by and "items" in row:
                raws += [self._raw(LINE_ITEM, item) for item in items_of(row)]
        return raws

    def _raw(self, stream: Stream, row: Row) -> Raw:
        for path, (columns, make) in READINGS[stream.name].derived.items():
            try:
                row[path] = make(row, self._connection)
            except MISFIT:  # for the mapping to find: no field of ours reads an object
                row[path] = {name: row.get(name) for name in columns}
        return Raw(stream, row)


def _up(at: datetime) -> datetime:
    """The next whole second, which is above every moment of this one."""
    return datetime.fromtimestamp(int(at.timestamp()) + 1, UTC)


def _names(text: str, names: Sequence[str]) -> set[str]:
    """Which of these names a text speaks of."""
    return {name for name in names if re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.])", text)}
