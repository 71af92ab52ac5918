"""Reading from SAP: which query a stream's window takes, and how its rows become what the mapping expects.

Everything is read in the order of ObjectID by the server's next links; what changed, newest first, by the stamp of the last
row: a record that changes meanwhile moves, and a place in a list would then skip its neighbour.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import structlog

from connectors.base import Page, Raw, Stream, Window
from connectors.errors import ContractError, ForbiddenError, RejectedError, ResumeLostError
from connectors.mapping import paths_of, remote_fields, sources
from connectors.sap.api import KEYS_PER_CALL, Rows, SapApi
from connectors.sap.columns import Columns
from connectors.sap.history import PARENT, changes, is_in_order, versions_before
from connectors.sap.links import Links, Units
from connectors.sap.rows import numbers_of, without_initial
from connectors.sap.settings import OWN_KINDS, SapSettings
from connectors.sap.streams import READINGS
from connectors.sap.values import MISFIT, Row, moment, moment_literal

log = structlog.get_logger("connectors.sap")

_SECOND = timedelta(seconds=1)
_UNSORTED = "unsorted"
"""What is learnt of a set that cannot be sorted by its stamp."""
_READ = "read"
"""What is learnt of a set that was read to its end."""


class Reader:
    """Pages of any stream. ``learnt`` keeps for a while which sets cannot be sorted, beyond the life of the process."""

    def __init__(
        self, api: SapApi, connection: SapSettings, columns: Columns, learnt: dict[str, str], today: Callable[[], date]
    ) -> None:
        self._api = api
        self._connection = connection
        self._learnt = learnt
        self._columns = columns
        self._links = Links(api)
        self._units = Units(api, connection.manager_role, today)
        self._managers: dict[str, str] = {}
        self._unlinked: set[str] = set()

    # Reading.

    def pull(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        """Pages of the window; ``resume`` is a next link, or the moment from which older rows are still to be read."""
        done = begun = False
        try:
            start = window.start
            if start is not None and self._columns.stamp(stream):
                pages = self._changed(stream, window, start, resume)
            else:
                pages = self._whole(stream, window, resume) if start is None or self._is_due(stream) else iter(())
            for page in pages:
                begun = True
                yield page
            done = True
            if not self._columns.stamp(stream):
                self._learnt[f"{_READ}:{stream.name}"] = "yes"
        except RejectedError as error:
            self._refused(stream, error, begun=begun)
        except MISFIT as error:
            where = f"{self._connection.name}: {stream.name}: {self._columns.remote(stream)}"
            raise ContractError(f"{where} holds a value that is not what SAP says it is: {error}") from error
        finally:
            self._columns.settle(stream, done=done)

    def _is_due(self, stream: Stream) -> bool:
        """Whether a set without a stamp is to be read: once for as long as what is learnt is believed."""
        return f"{_READ}:{stream.name}" not in self._learnt

    def ids(self, stream: Stream) -> Iterator[Sequence[str]]:
        """Ids of all rows, 1,000 a call."""
        key = self._columns.key(stream)
        options = {"$select": ",".join(dict.fromkeys((key, "ObjectID"))), "$orderby": "ObjectID"}
        try:
            for page in self._api.pages(self._columns.remote(stream), _filtered(options, self._columns.where(stream))):
                yield [str(row[key]) for row in page.rows]
        except RejectedError as error:
            self._refused(stream, error)

    def fetch(self, stream: Stream, ids: Sequence[str]) -> Iterator[Page]:
        """Whole rows by id."""
        window = Window(None, datetime.max.replace(tzinfo=UTC))
        key, where, remote = self._columns.key(stream), self._columns.where(stream), self._columns.remote(stream)

        def rows(part: Sequence[str]) -> Callable[[Sequence[str]], list[Row]]:
            return lambda columns: [
                row for found in self._api.by_key(remote, key, part, columns, where) for row in found
            ]

        for start in range(0, len(ids), KEYS_PER_CALL):
            found = self._columns.seen(stream, rows(ids[start : start + KEYS_PER_CALL]))
            yield Page(self._raws(stream, window, found), lacks=self._lacks(stream))

    def links(self, stream: Stream, ids: Sequence[str]) -> Iterator[Raw] | None:
        """What stands in other sets, for rows by id; None where the service does not offer the set."""
        key = self._columns.key(stream)
        rows: list[Row] = [{key: one} for one in ids]
        if key != "ObjectID":
            wanted, options = set(ids), {"$select": f"{key},ObjectID", "$orderby": "ObjectID"}
            every = (row for page in self._api.pages(stream.remote, options) for row in page.rows)
            rows = [row for row in every if row[key] in wanted]
        self._add(stream, rows, changed=False)
        return None if stream.name in self._unlinked else iter([Raw(stream, row) for row in rows])

    def _whole(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        page = self._resumed(stream, resume) if resume else self._first(stream, window)
        behind: Row | None = None
        while True:
            rows = page.rows
            if stream.name == "history" and rows:
                before = [behind] if behind else []
                if not is_in_order([*before, *rows]):  # the order was passed over
                    before = self._versions(stream, rows)
                elif resume and not before:  # the deals come one after another: only the first may begin further up
                    before = self._versions(stream, rows[:1])
                rows, behind = _steps(rows, before), rows[-1]
            yield Page(self._raws(stream, window, rows), page.following, lacks=self._lacks(stream))
            if page.following is None:
                return
            page = self._api.more(page.following)

    def _resumed(self, stream: Stream, resume: str) -> Rows:
        """The page that a next link of an earlier run leads to. Raises ResumeLostError where SAP has forgotten it."""
        try:
            return self._api.more(resume)
        except RejectedError as error:
            raise ResumeLostError(f"{self._connection.name}: {stream.name}: {error}") from error

    def _first(self, stream: Stream, window: Window) -> Rows:
        since = ""
        stamp = self._columns.stamp(stream)
        if window.since is not None and stamp:
            # Whatever is that young was also changed since then; other dates of a row may not be filtered everywhere.
            since = f"{stamp} ge {moment_literal(datetime.combine(window.since, time(), tzinfo=UTC))}"
        order = f"{PARENT},CreationDateTime" if stream.name == "history" else "ObjectID"
        return self._asked(stream, {"$orderby": order}, since)

    def _changed(self, stream: Stream, window: Window, start: datetime, resume: str | None) -> Iterator[Page]:
        """What changed in the window, newest first: each page begins at the last row of the one before."""
        end, stamp = datetime.fromisoformat(resume) if resume else _up(window.end), self._columns.stamp(stream)
        page, first = self._between(stream, start, end, counted=resume is None), resume is None
        while True:
            stamps = [moment(row[stamp]) for row in page.rows]
            if stamps != sorted(stamps, reverse=True) and not self._unsorted(stream):
                self._cannot_sort(stream)
            place = _up(min(stamps, default=end))
            steps = place < end and not self._unsorted(stream)
            rows = page.rows
            # A count spares the other pages, which only the newest rows on the first one allow.
            counted = first and stream.name != "history" and not self._unsorted(stream)
            if stream.name == "history":
                rows = _steps(rows, self._versions(stream, rows))
            yield Page(
                self._raws(stream, window, rows),
                None if page.following is None else (place if steps else end).isoformat(),
                page.total if counted else None,
                self._lacks(stream),
            )
            following = page.following
            if following is None:
                return
            first = False
            if steps:
                end = place
                page = self._between(stream, start, end, counted=False)
            else:  # a whole page of one second: only the server's own link leads on
                page = self._api.more(following)

    def _between(self, stream: Stream, start: datetime, end: datetime, *, counted: bool) -> Rows:
        stamp = self._columns.stamp(stream)
        condition = f"{stamp} ge {moment_literal(start)} and {stamp} lt {moment_literal(end)}"
        options = {"$inlinecount": "allpages"} if counted else {}
        if self._unsorted(stream):
            return self._asked(stream, options, condition)
        try:
            return self._asked(stream, {"$orderby": f"{stamp} desc,ObjectID desc", **options}, condition)
        except RejectedError as error:
            if error.status != 400:
                raise
            refused = error
        # Words of a refusal differ with the user's language: that it is the order is known when the rest is taken.
        try:
            page = self._asked(stream, options, condition)
        except RejectedError:
            raise refused from None
        self._cannot_sort(stream)
        return page

    def _cannot_sort(self, stream: Stream) -> None:
        """Notes that SAP refuses the order, or passes it over."""
        log.warning("set_unsorted", connection=self._connection.name, stream=stream.name)
        self._learnt[f"{_UNSORTED}:{self._columns.remote(stream)}"] = "yes"

    def _unsorted(self, stream: Stream) -> bool:
        return f"{_UNSORTED}:{self._columns.remote(stream)}" in self._learnt

    def _asked(self, stream: Stream, options: Mapping[str, str], condition: str) -> Rows:
        where = " and ".join(part for part in (self._columns.where(stream), condition) if part)
        remote = self._columns.remote(stream)
        return self._columns.seen(
            stream,
            lambda columns: self._api.page(remote, _filtered({"$select": ",".join(columns), **options}, where)),
        )

    def _refused(self, stream: Stream, error: RejectedError, *, begun: bool = False) -> None:
        """Nothing for a set that many tenants do not have; else the error that says what to do."""
        where = f"{self._connection.name}: {stream.name}: {self._columns.remote(stream)}"
        if error.status != 404 or begun:
            raise ContractError(f"{where}: SAP does not take our question: {error}") from error
        if not stream.optional:
            another = f"streams.{stream.name}.object" if stream.name in OWN_KINDS else "service"
            raise ForbiddenError(
                f"{where} is not in the service {self._api.service} ({error.text}). Add it to the service, name another "
                f"one in `{another}`, or switch the stream off"
            ) from error
        log.info(
            "feature_absent", connection=self._connection.name, stream=stream.name, remote=self._columns.remote(stream)
        )

    # Rows.

    def _versions(self, stream: Stream, rows: Sequence[Row]) -> list[Row]:
        """Every version of the deals that these are versions of."""
        parts = self._api.by_key(stream.remote, PARENT, [row[PARENT] for row in rows], self._columns.of(stream))
        return [row for part in parts for row in part]

    def _raws(self, stream: Stream, window: Window, rows: Sequence[Row]) -> list[Raw]:
        derived = READINGS[stream.name].derived
        paths = {ours: path for ours, one in sources(stream, self._connection).items() for path in paths_of(one)}
        numbers = numbers_of(paths)
        for row in rows:
            for path, (columns, make) in derived.items():
                try:
                    row[path] = make(row, self._connection)
                except MISFIT:  # for the mapping to find: no field of ours reads an object
                    row[path] = {name: row.get(name) for name in columns}
            for number, beside in numbers:
                without_initial(row, number, beside)
        raws = [Raw(stream, row) for row in rows]
        if not stream.separate:
            return raws
        if window.start is not None:  # an unchanged row is not handed on: it would bring these fields empty
            raws = list(window.changed(raws))
        found: list[Any] = [raw.fields for raw in raws]
        self._add(stream, found, changed=window.start is not None)
        return raws

    def _lacks(self, stream: Stream) -> frozenset[str]:
        """What the service does not show of a stream: properties, and what stands in another set that is not there."""
        lacks = self._columns.lacks(stream)
        if stream.name not in self._unlinked:
            return lacks
        derived, mapped = READINGS[stream.name].derived, remote_fields(stream, self._connection)
        return lacks.union(path for path in mapped if path.startswith("@") and path not in derived)

    def _add(self, stream: Stream, rows: list[Row], *, changed: bool) -> None:
        if not rows:
            return
        if READINGS[stream.name].linked:
            there = self._links.add(rows, changed=changed)
        else:
            there = self._units.add(rows)
            self._add_managers(stream, rows)
        (self._unlinked.discard if there else self._unlinked.add)(stream.name)

    def _add_managers(self, stream: Stream, people: list[Row]) -> None:
        """The number of each manager, whose assignment names the record only."""
        key = self._columns.key(stream)
        self._managers.update((row["ObjectID"], row[key]) for row in people if row.get(key))
        unknown = {row["@manager"] for row in people if row.get("@manager")} - self._managers.keys()
        for part in self._api.by_key(stream.remote, "ObjectID", sorted(unknown), ("ObjectID", key)):
            self._managers.update((row["ObjectID"], row[key]) for row in part)
        for row in people:
            row["@manager"] = self._managers.get(row.get("@manager") or "")


def _up(at: datetime) -> datetime:
    """The next whole second, which is above every moment of this one."""
    return at.replace(microsecond=0) + _SECOND


def _steps(rows: Sequence[Row], earlier: Sequence[Row]) -> list[Row]:
    """The changes that versions make, seen against others of the same deals."""
    known = {row["ObjectID"]: row for row in (*earlier, *rows)}
    return list(changes(rows, versions_before(known.values())))


def _filtered(options: Mapping[str, str], where: str) -> Mapping[str, str]:
    return {**options, "$filter": where} if where else options
