"""Reading from Dataverse: change tracking where a table has it, else windows over its stamp; rows made ready to map.

Metadata are asked only after a read was refused for a column, other tables only for ids that are new to us: a cycle in
which nothing changed costs one call per stream, also in a new process.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any
from urllib.parse import unquote

import structlog

from connectors import dynamics_values as values
from connectors.base import Page, Raw, Stream, Window
from connectors.dynamics_api import IN_URL, DynamicsApi, address, among, both
from connectors.dynamics_api import Page as Answer
from connectors.dynamics_columns import Columns
from connectors.dynamics_history import Audits
from connectors.dynamics_lookups import Lookups
from connectors.dynamics_manners import EXPIRED_LINK, NO_SUCH_COLUMN, NOT_TRACKED
from connectors.dynamics_readings import READINGS
from connectors.dynamics_settings import DynamicsSettings
from connectors.errors import ForbiddenError, RejectedError, ResumeLostError
from connectors.mapping import remote_fields, sources

log = structlog.get_logger("connectors.dynamics")

LABEL = "@label"
_ABOUT_COLUMN = re.compile(r"undeclared property|property (named )?'[^']+' (does not exist )?on type")
_SELECTED = re.compile(r"[?&]\$select=([^&]*)")
_LAST_CATEGORY = 7
"""Process stages have categories from 0 (Qualify) to 7 (Approval)."""
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
        self.columns = Columns(api, connection)

    # which way a stream is read

    def pull(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        """Pages of the window, behind ``resume`` (a nextLink) if given."""
        while True:  # until a refusal teaches nothing new
            columns = self._columns(stream, resume)
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

    def _columns(self, stream: Stream, resume: str | None) -> list[str]:
        """The columns to ask for; behind a page those of its link, in which they are frozen."""
        columns = self.columns.visible(stream)
        found = _SELECTED.search(unquote(resume or ""))
        asked = found[1].split(",") if found else None
        return columns if asked is None else [one for one in columns if one.removesuffix(LABEL) in asked]

    def _start(self, stream: Stream, window: Window, resume: str | None, columns: Sequence[str]) -> tuple[str, bool]:
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
        lacks = self.columns.lacks(stream, columns)
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
                raws = []
            if following is None:
                break
            answer, rows = {}, []  # a page is large: the next one need not find it there
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
        labels = [path for path in self.columns.wanted(stream) if path.endswith(LABEL)]
        share = self.share_column(stream)
        raws = [Raw(stream, row) for row in rows]
        for row in rows:
            for path in labels:
                row[path] = row.get(path.removesuffix(LABEL) + values.FORMATTED)
            if stream.name == "opportunity" and "actualvalue" in row and "estimatedvalue" in row:
                row["estimatedvalue"] = values.won_amount(row)
            if share and row.get(share) is not None:
                row[share] = values.fraction(row[share])
            for path, make in derived:
                row[path] = make(row, self._connection)
        changed = raws if window is None or not stream.separate else window.changed(raws)
        ids = {id(raw.fields) for raw in changed}
        self._lookups.fill(rows, paths, [row for row in rows if id(row) in ids])
        return [raw for raw in raws if not _is_base_rate(raw.fields)]

    # other ways to read

    def count(self, stream: Stream) -> int | None:
        """How many rows a full pull brings; None from 5,000 on."""
        where = both(self._where(stream), READINGS[stream.name].alive)
        try:
            return self._api.count(address(f"{stream.remote}/$count", filter=where))
        except RejectedError as error:
            if self._is_absent(stream, error):
                return 0
            raise

    def ids(self, stream: Stream) -> Iterator[Sequence[str]]:
        """Ids of the rows that are not deleted, 5,000 a call."""
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
        reading, columns = READINGS[stream.name], self.columns.visible(stream)
        for place in range(0, len(ids), IN_URL):
            where = both(reading.where, among(reading.key, ids[place : place + IN_URL]))
            link = address(stream.remote, select=_select(columns), filter=where)
            rows = self._page(stream, columns, link, track=False)["value"]
            yield Page(self._made(stream, rows, None), lacks=self.columns.lacks(stream, columns))

    def share_column(self, stream: Stream) -> str | None:
        """The column in per cent that holds a split's share: Dynamics has none of its own, so that the admin names one."""
        source = sources(stream, self._connection).get("percentage") if stream.kind == "split" else None
        return source if isinstance(source, str) else None

    def teams(self, stream: Stream, ids: Sequence[str]) -> Iterator[Raw]:
        """People with their team as it is now: a changed membership does not stamp the user."""
        rows = [{READINGS[stream.name].key: one} for one in ids]
        self._lookups.forget_teams()
        self._lookups.fill(rows, remote_fields(stream, self._connection), rows)
        yield from (Raw(stream, row) for row in rows)

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
        if error.code == NOT_TRACKED and self._untracked(stream) not in self._learnt:
            self._learnt[self._untracked(stream)] = "yes"
            log.info("change_tracking_absent", connection=self._connection.name, stream=stream.name)
            return
        if not (is_about_column(error) and self.columns.learn(stream, columns)):
            raise error


def is_about_column(error: RejectedError) -> bool:
    """Whether a refusal says that a column is not there."""
    return error.code == NO_SUCH_COLUMN or bool(_ABOUT_COLUMN.search(error.text))


def _is_base_rate(row: values.Row) -> bool:
    """Whether a rate would lead from the base currency to itself."""
    return "@to" in row and row["@to"] == row.get("isocurrencycode")


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
        {
            "processstageid": f"closed:{meant}",
            "stagename": values.closed_stage(meant),
            "stagecategory": place,
            "@outcome": meant,
        }
        for place, meant in enumerate(("won", "lost", "omitted"), start=_LAST_CATEGORY + 1)
    ]
    return [Raw(stream, row) for row in made]
