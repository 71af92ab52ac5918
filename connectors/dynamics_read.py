"""Reading from Dataverse: change tracking where a table has it, else windows over its stamp; rows made ready to map.

Metadata are asked only after a read was refused for a column, other tables only for ids that are new to us: a cycle in
which nothing changed costs one call per stream, also in a new process.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from time import monotonic
from typing import Any

import structlog

from connectors import dynamics_values as values
from connectors.base import Page, Raw, Stream, Window
from connectors.dynamics_api import IN_URL, DynamicsApi, address, among, both
from connectors.dynamics_api import Page as Answer
from connectors.dynamics_history import AUDIT_COLUMNS, CHANGED_DATA, Audits
from connectors.dynamics_lookups import Lookups
from connectors.dynamics_manners import EXPIRED_LINK, NO_SUCH_COLUMN, NOT_TRACKED
from connectors.dynamics_settings import DynamicsSettings
from connectors.dynamics_streams import FILLED, READINGS, SHARE
from connectors.errors import ForbiddenError, RejectedError, ResumeLostError
from connectors.mapping import remote_fields

log = structlog.get_logger("connectors.dynamics")

LABEL = "@label"
_TRACKED = "tracked "
"""What a resume begins with whose pages end with a delta link."""


class Reader:
    """Pages of any stream. ``places`` are the delta links, by stream; ``learnt`` is what holds for a while."""

    def __init__(
        self, api: DynamicsApi, connection: DynamicsSettings, learnt: dict[str, str], places: dict[str, str]
    ) -> None:
        self._api = api
        self._connection = connection
        self._learnt = learnt
        self._places = places
        self._lookups = Lookups(api, connection, learnt)
        self._audits = Audits(api, connection)
        self._gone: dict[str, tuple[float, list[str]]] = {}

    # which way a stream is read

    def is_off(self, stream: Stream) -> bool:
        """Whether the stream has nothing to read before the admin maps a column."""
        return SHARE in remote_fields(stream, self._connection)

    def pull(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        """Pages of the window, behind ``resume`` (a nextLink) if given."""
        if self.is_off(stream):
            return
        for _ in range(3):  # a refusal teaches us something at most twice: a column, then change tracking
            columns = self._visible(stream)
            link, tracked = self._start(stream, window, resume, columns)
            try:
                answer = self._page(stream, columns, link, track=tracked)
            except RejectedError as error:
                if resume:
                    raise ResumeLostError(f"{self._connection.name}: {stream.name}: {error}") from None
                if self._is_absent(stream, error):
                    return
                self._learn(stream, columns, error)
                continue
            yield from self._pages(stream, window, columns, answer, tracked=tracked)
            return

    def _start(
        self, stream: Stream, window: Window, resume: str | None, columns: Sequence[str]
    ) -> tuple[str, bool]:
        """The first address, and whether its pages end with a delta link."""
        if resume:
            return resume.removeprefix(_TRACKED), resume.startswith(_TRACKED)
        reading = READINGS[stream.name]
        if reading.tracked and window.since is None and self._untracked(stream) not in self._learnt:
            place = json.loads(self._places.get(stream.name) or "{}") if window.start is not None else {}
            if place.get("columns") == _digest(columns):
                return place["link"], True
            return address(stream.remote, select=_select(columns)), True
        return self._window(stream, window, columns), False

    def _window(self, stream: Stream, window: Window, columns: Sequence[str]) -> str:
        reading = READINGS[stream.name]
        where = [self._where(stream)]
        order = f"{reading.key} asc"
        if window.start is not None:
            bounds = (f"ge {_time(window.start)}", f"lt {_time(window.end)}")
            where += [f"{reading.cursor} {bound}" for bound in bounds]
            order = f"{reading.cursor} asc,{order}"
        elif window.since and reading.since:
            where.append(reading.since(window.since))
        elif window.since and stream.name == "history":
            where.append(f"createdon ge {window.since}T00:00:00Z")
        return address(stream.remote, select=_select(columns), filter=both(*where), orderby=order)

    def _where(self, stream: Stream) -> str:
        return "objecttypecode eq 'opportunity'" if stream.name == "history" else READINGS[stream.name].where

    @staticmethod
    def _untracked(stream: Stream) -> str:
        return f"untracked:{stream.remote}"

    # pages

    def _pages(
        self, stream: Stream, window: Window, columns: Sequence[str], answer: Answer, *, tracked: bool
    ) -> Iterator[Page]:
        lacks = self._lacks(stream, columns)
        first_stages = stream.name == "stage"
        while True:
            rows: list[dict[str, Any]] = answer["value"]
            following: str | None = answer.get("@odata.nextLink")
            delta: str | None = answer.get("@odata.deltaLink")
            if rows or following:
                raws = self._raws(stream, rows, window)
                if first_stages:
                    raws, first_stages = [*raws, *_closed_stages(stream)], False
                yield Page(raws, following and f"{_TRACKED if tracked else ''}{following}", lacks=lacks)
            if following is None:
                break
            answer = self._page(stream, columns, following, track=tracked)
        if tracked and delta:  # what came before is committed: whoever asks for more has stored it
            self._places[stream.name] = json.dumps({"link": delta, "columns": _digest(columns)})

    def _page(self, stream: Stream, columns: Sequence[str], link: str, *, track: bool) -> Answer:
        return self._api.page(link, labels=any(one.endswith(LABEL) for one in columns), track=track)

    def _raws(self, stream: Stream, rows: Sequence[dict[str, Any]], window: Window) -> list[Raw]:
        if stream.name == "history":
            return [Raw(stream, change) for change in self._audits.changes(rows)]
        key = READINGS[stream.name].key
        gone = [Raw(stream, {key: row["id"], "@deleted": True}) for row in rows if "reason" in row and "id" in row]
        alive = [row for row in rows if "reason" not in row]
        return [*self._made(stream, alive, window), *gone]

    def _made(self, stream: Stream, rows: Sequence[dict[str, Any]], window: Window | None) -> list[Raw]:
        """Rows with everything that the mapping asks for."""
        paths = remote_fields(stream, self._connection)
        derived = [(path, make) for path, (_, make) in READINGS[stream.name].derived.items()]
        labels = [path for path in self.columns(stream) if path.endswith(LABEL)]
        raws = [Raw(stream, row) for row in rows]
        for row in rows:
            for path in labels:
                row[path] = row.get(path.removesuffix(LABEL) + values.FORMATTED)
            if stream.name == "opportunity" and "actualvalue" in row and "estimatedvalue" in row:
                row["estimatedvalue"] = values.won_amount(row)
            for path, make in derived:
                row[path] = make(row, self._connection)
        changed = raws if window is None or not stream.separate else window.changed(raws)
        ids = {id(raw.fields) for raw in changed}
        self._lookups.fill(rows, paths, [row for row in rows if id(row) in ids])
        return raws

    # other ways to read

    def count(self, stream: Stream) -> int | None:
        """How many rows a full pull brings; None from 5,000 on."""
        if self.is_off(stream):
            return 0
        where = both(self._where(stream), READINGS[stream.name].alive)
        try:
            return self._api.count(address(f"{stream.remote}/$count", filter=where))
        except RejectedError as error:
            if self._is_absent(stream, error):
                return 0
            raise

    def ids(self, stream: Stream) -> Iterator[Sequence[str]]:
        """Ids of the rows that are not deleted, 5,000 a call."""
        if self.is_off(stream):
            return
        reading = READINGS[stream.name]
        where = both(reading.where, reading.alive)
        path = address(stream.remote, select=reading.key, filter=where, orderby=f"{reading.key} asc")
        try:
            for rows in self._api.pages(path):
                yield [row[reading.key] for row in rows]
        except RejectedError as error:
            if not self._is_absent(stream, error):
                raise

    def fetch(self, stream: Stream, ids: Sequence[str]) -> Iterator[Page]:
        """Whole rows by id, as many as an address holds."""
        reading, columns = READINGS[stream.name], self._visible(stream)
        for place in range(0, len(ids), IN_URL):
            where = both(reading.where, among(reading.key, ids[place : place + IN_URL]))
            link = address(stream.remote, select=_select(columns), filter=where)
            rows = self._page(stream, columns, link, track=False)["value"]
            yield Page(self._made(stream, rows, None), lacks=self._lacks(stream, columns))

    def teams(self, stream: Stream, ids: Sequence[str]) -> Iterator[Raw]:
        """People with their team as it is now: a changed membership does not stamp the user."""
        rows = [{READINGS[stream.name].key: one} for one in ids]
        self._lookups.fill(rows, remote_fields(stream, self._connection), rows)
        yield from (Raw(stream, row) for row in rows)

    # columns

    def columns(self, stream: Stream) -> list[str]:
        """Every column (some with ``@label``) that the stream's mapping takes, whether it is there or not."""
        if stream.name == "history":
            return [*AUDIT_COLUMNS, CHANGED_DATA]
        reading = READINGS[stream.name]
        columns = [reading.key]
        for path in remote_fields(stream, self._connection):
            if path in reading.derived:
                columns.extend(reading.derived[path][0])
            elif path in FILLED:
                columns.extend(FILLED[path])
            elif not path.startswith("@"):
                columns.append(path)
        return list(dict.fromkeys([*columns, *reading.also]))

    def missing(self, stream: Stream, *, fresh: bool = False) -> list[str]:
        """Those columns that the table does not have. Raises ForbiddenError where there is no table."""
        seen = self._api.describe(READINGS[stream.name].table, fresh=fresh)
        if seen is None:
            raise ForbiddenError(
                f"{self._connection.name}: {stream.name}: there is no table {READINGS[stream.name].table}. Install the app "
                "that brings it, or switch the stream off"
            )
        return [column for column in self.columns(stream) if not seen.has(column)]

    def _visible(self, stream: Stream) -> list[str]:
        """The columns to ask for. Those that were missing are asked for again after a while: they may have come."""
        since, missing = self._gone.get(stream.name, (0.0, []))
        if missing and monotonic() - since >= self._connection.metadata_every.total_seconds():
            del self._gone[stream.name]
            missing = []
        return [column for column in self.columns(stream) if column not in missing]

    def _lacks(self, stream: Stream, columns: Sequence[str]) -> frozenset[str]:
        """What the mapping misses, as it names it: columns, and paths that are made of one that is missing."""
        hidden = set(self.columns(stream)) - set(columns) - {CHANGED_DATA}  # without it the details are asked for
        if not hidden:
            return frozenset()
        derived = {path: needs for path, (needs, _) in READINGS[stream.name].derived.items()} | FILLED
        wanted = set(remote_fields(stream, self._connection))
        return frozenset(hidden | {path for path in wanted & derived.keys() if hidden.intersection(derived[path])})

    # what refusals teach

    def _is_absent(self, stream: Stream, error: RejectedError) -> bool:
        """Whether the table is not installed, for a stream that many environments lack."""
        if error.status != 404:
            return False
        if stream.optional:
            log.info("feature_absent", connection=self._connection.name, stream=stream.name, remote=stream.remote)
            return True
        raise ForbiddenError(
            f"{self._connection.name}: {stream.name}: {stream.remote} is not there ({error.text}). Install the app that "
            "brings it, or switch the stream off"
        ) from None

    def _learn(self, stream: Stream, columns: Sequence[str], error: RejectedError) -> None:
        """Keeps what a refusal tells. Raises it if it tells nothing new."""
        if error.code == EXPIRED_LINK and self._places.get(stream.name):
            log.warning("delta_link_expired", connection=self._connection.name, stream=stream.name)
            self._places[stream.name] = ""
            return
        if error.code == NOT_TRACKED:
            self._learnt[self._untracked(stream)] = "yes"
            log.info("change_tracking_absent", connection=self._connection.name, stream=stream.name)
            return
        missing = self.missing(stream, fresh=True) if is_about_column(error) else []
        if not set(missing) & set(columns):
            raise error
        log.warning("columns_missing", connection=self._connection.name, stream=stream.name, columns=missing)
        self._gone[stream.name] = monotonic(), missing


def is_about_column(error: RejectedError) -> bool:
    """Whether a refusal says that a column is not there."""
    return error.code == NO_SUCH_COLUMN or "property named" in error.text or "undeclared property" in error.text


def _select(columns: Sequence[str]) -> str:
    return ",".join(dict.fromkeys(column.removesuffix(LABEL) for column in columns))


def _digest(columns: Sequence[str]) -> str:
    """What a delta link was made for: its columns are frozen into it."""
    return blake2b(",".join(sorted(columns)).encode(), digest_size=8).hexdigest()


def _time(moment: Any) -> str:
    return str(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))


def _closed_stages(stream: Stream) -> list[Raw]:
    """What closed deals are in, for every pipeline."""
    made: list[Mapping[str, Any]] = [
        {"processstageid": f"closed:{meant}", "stagename": values.closed_stage(meant), "@outcome": meant}
        for meant in ("won", "lost", "omitted")
    ]
    return [Raw(stream, row) for row in made]
