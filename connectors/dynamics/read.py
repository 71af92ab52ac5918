"""Reading from Dataverse: change tracking where a table has it, else windows over its stamp.

Metadata are asked only after a read was refused for a column: a cycle in which nothing changed costs one call per
stream, also in a new process.
"""

import json
import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any
from urllib.parse import unquote

import structlog

from connectors.base import Page, Stream, Window
from connectors.dynamics.api import IDS_AT_ONCE, DynamicsApi, address, both
from connectors.dynamics.api import Page as Answer
from connectors.dynamics.columns import LABEL, Columns
from connectors.dynamics.manners import EXPIRED_LINK, NO_SUCH_COLUMN, NOT_TRACKED
from connectors.dynamics.readings import Tables
from connectors.dynamics.rows import Rows, closed_stages
from connectors.dynamics.settings import DynamicsSettings
from connectors.errors import ForbiddenError, RejectedError, ResumeLostError

log = structlog.get_logger("connectors.dynamics")

_ABOUT_COLUMN = re.compile(r"undeclared property|property (named )?'[^']+' (does not exist )?on type")
_SELECTED = re.compile(r"[?&]\$select=([^&]*)")
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
        self.tables = Tables(api, connection, learnt)
        self.columns = Columns(api, connection, self.tables, learnt)
        self.rows = Rows(api, connection, self.tables, self.columns, learnt)

    # which way a stream is read

    def pull(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        """Pages of the window, behind ``resume`` (a nextLink) if given."""
        if self._absent(stream) in self._learnt:
            return
        missing: set[str] = set()
        while True:  # until a refusal teaches nothing new
            columns = [column for column in self._columns(stream, resume) if column not in missing]
            link, tracked = self._start(stream, window, resume, columns)
            try:
                answer = self._page(stream, columns, link, track=tracked)
            except RejectedError as error:
                if resume:
                    raise ResumeLostError(f"{self._connection.name}: {stream.name}: {error}") from None
                if self._is_absent(stream, error):
                    return
                missing.update(self._learnt_from(stream, columns, error))
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
        reading = self.tables.reading(stream)
        if reading.tracked and window.since is None and self._untracked(stream) not in self._learnt:
            place = json.loads(self._places.get(stream.name) or "{}") if window.start is not None else {}
            if place.get("columns") == _digest(columns):
                return place["link"], True
            return address(self.tables.remote(stream), select=_select(columns)), True
        return self._window(stream, window, columns), False

    def _window(self, stream: Stream, window: Window, columns: Sequence[str]) -> str:
        reading = self.tables.reading(stream)
        where = [reading.where]
        stamped = window.start is not None or reading.cursor == "createdon"  # of rows that never change
        order = f"{reading.cursor} asc,{reading.key} asc" if stamped else f"{reading.key} asc"
        if window.start is not None:
            bounds = (f"ge {_time(window.start)}", f"lt {_time(window.end)}")
            where += [f"{reading.cursor} {bound}" for bound in bounds]
        elif window.since and reading.since:
            where.append(reading.since(window.since))
        return address(self.tables.remote(stream), select=_select(columns), filter=both(*where), orderby=order)

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
                raws = self.rows.of_page(stream, rows, window)
                if first_stages:
                    raws, first_stages = [*raws, *closed_stages(stream)], False
                yield Page(raws, following and f"{_TRACKED if tracked else ''}{following}", lacks=lacks)
                raws = []
                self.columns.accepted(stream, columns)
            if following is None:
                break
            answer, rows = {}, []  # a page is large: the next one need not find it there
            answer = self._page(stream, columns, following, track=tracked)
        if tracked and delta:  # what came before is committed: whoever asks for more has stored it
            self._places[stream.name] = json.dumps({"link": delta, "columns": _digest(columns)})

    def _page(self, stream: Stream, columns: Sequence[str], link: str, *, track: bool) -> Answer:
        return self._api.page(link, labels=_labelled(columns), track=track)

    # other ways to read

    def count(self, stream: Stream) -> int | None:
        """How many rows a full pull brings; None from 5,000 on."""
        reading = self.tables.reading(stream)
        try:
            path = address(f"{self.tables.remote(stream)}/$count", filter=both(reading.where, reading.alive))
            return self._api.count(path)
        except RejectedError as error:
            if self._is_absent(stream, error):
                return 0
            raise

    def ids(self, stream: Stream) -> Iterator[Sequence[str]]:
        """Ids of the rows that are not deleted, 5,000 a call."""
        reading = self.tables.reading(stream)
        where = both(reading.where, reading.alive)
        path = address(self.tables.remote(stream), select=reading.key, filter=where, orderby=f"{reading.key} asc")
        try:
            for rows in self._api.pages(path):
                yield [row[reading.key] for row in rows]
        except RejectedError as error:
            if not self._is_absent(stream, error):
                raise

    def fetch(self, stream: Stream, ids: Sequence[str]) -> Iterator[Page]:
        """Whole rows by id, as many as an address holds."""
        reading, columns = self.tables.reading(stream), self.columns.visible(stream)
        labels = _labelled(columns)
        for place in range(0, len(ids), IDS_AT_ONCE):
            some = ids[place : place + IDS_AT_ONCE]
            rows = self._api.rows_by_ids(
                self.tables.remote(stream), _select(columns), reading.key, some, where=reading.where, labels=labels
            )
            yield Page(self.rows.made(stream, rows), lacks=self.columns.lacks(stream, columns))

    # what refusals teach

    def _is_absent(self, stream: Stream, error: RejectedError) -> bool:
        """Whether the table is not installed, for a stream that many environments lack."""
        if error.status != 404:
            return False
        remote = self.tables.remote(stream)
        if stream.optional:
            self._learnt[self._absent(stream)] = "yes"
            log.info("feature_absent", connection=self._connection.name, stream=stream.name, remote=remote)
            return True
        raise ForbiddenError(
            f"{self._connection.name}: {stream.name}: {remote} is not there ({error.text}). Install the app that brings it, "
            "or switch the stream off"
        ) from None

    def _learnt_from(self, stream: Stream, columns: Sequence[str], error: RejectedError) -> list[str]:
        """The columns that a refusal says are missing. Raises it if it tells nothing new."""
        if error.code == EXPIRED_LINK and self._places.get(stream.name):
            log.warning("delta_link_expired", connection=self._connection.name, stream=stream.name)
            self._places[stream.name] = ""
            return []
        if error.code == NOT_TRACKED and self._untracked(stream) not in self._learnt:
            self._learnt[self._untracked(stream)] = "yes"
            log.info("change_tracking_absent", connection=self._connection.name, stream=stream.name)
            return []
        missing = self.columns.refused(stream, columns) if is_about_column(error) else []
        if not missing:
            raise error
        return missing

    def _untracked(self, stream: Stream) -> str:
        return f"untracked:{self.tables.remote(stream)}"

    def _absent(self, stream: Stream) -> str:
        return f"absent:{self.tables.remote(stream)}"


def is_about_column(error: RejectedError) -> bool:
    """Whether a refusal says that a column is not there."""
    return error.code == NO_SUCH_COLUMN or bool(_ABOUT_COLUMN.search(error.text))


def _select(columns: Sequence[str]) -> str:
    return ",".join(dict.fromkeys(column.removesuffix(LABEL) for column in columns))


def _labelled(columns: Sequence[str]) -> bool:
    return any(column.endswith(LABEL) for column in columns)


def _digest(columns: Sequence[str]) -> str:
    """What a delta link was made for: its columns are frozen into it."""
    return blake2b(",".join(sorted(columns)).encode(), digest_size=8).hexdigest()


def _time(moment: Any) -> str:
    return str(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
