"""Rows of Dataverse made ready to map: labels, what is made of several columns, what stands in other tables."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.base import Raw, Stream, Window
from connectors.dynamics import values
from connectors.dynamics.api import DynamicsApi
from connectors.dynamics.columns import LABEL, Columns
from connectors.dynamics.history import Audits
from connectors.dynamics.lookups import Lookups
from connectors.dynamics.readings import Tables
from connectors.dynamics.settings import DynamicsSettings
from connectors.dynamics.streams import ID
from connectors.mapping import remote_fields, sources

_LAST_CATEGORY = 7
"""Process stages have categories from 0 (Qualify) to 7 (Approval)."""


class Rows:
    """Completes the rows of any stream; other tables are asked only for ids that are new to us."""

    def __init__(
        self,
        api: DynamicsApi,
        connection: DynamicsSettings,
        tables: Tables,
        columns: Columns,
        learnt: dict[str, str],
    ) -> None:
        self._connection = connection
        self._tables = tables
        self._columns = columns
        self._lookups = Lookups(api, connection, learnt)
        self._audits = Audits(api, connection)

    def prepare(self) -> None:
        """Learns what most pulls need beside their rows, by one call."""
        self._lookups.prepare()

    def of_page(self, stream: Stream, rows: Sequence[dict[str, Any]], window: Window) -> list[Raw]:
        """What a page holds: rows made ready, deleted ones among them. Of a window of changes those that are new to us."""
        if stream.name == "history":
            return [Raw(stream, change) for change in self._audits.changes(rows)]
        key = self._tables.reading(stream).key
        gone = [
            Raw(stream, {key: row["id"], ID: row["id"], "@deleted": True})
            for row in rows
            if "reason" in row and "id" in row
        ]
        alive = [row for row in rows if "reason" not in row]
        return [*self.made(stream, alive, window), *gone]

    def made(self, stream: Stream, rows: Sequence[dict[str, Any]], window: Window | None = None) -> list[Raw]:
        """Rows with everything that the mapping asks for."""
        paths = remote_fields(stream, self._connection)
        reading = self._tables.reading(stream)
        derived = [(path, make) for path, (_, make) in reading.derived.items()]
        labels = [path for path in self._columns.wanted(stream) if path.endswith(LABEL)]
        share = share_column(stream, self._connection)
        raws = [Raw(stream, row) for row in rows]
        for row in rows:
            for path in labels:
                row[path] = row.get(path.removesuffix(LABEL) + values.FORMATTED)
            if stream.name == "opportunity" and "estimatedvalue" in paths:
                row["estimatedvalue"] = values.won_amount(row)
            for path in reading.days.intersection(row):
                row[path] = row[path] and values.whole_day(row[path])
            if share and row.get(share) is not None:
                row[share] = values.fraction(row[share])
            for path, make in derived:
                row[path] = make(row, self._connection)
        if stream.separate and window is not None and window.start is not None:
            raws = list(window.changed(raws))  # an unchanged row is not handed on: it would bring these fields empty
            fresh = {id(raw.fields) for raw in raws}
            rows = [row for row in rows if id(row) in fresh]
        self._lookups.fill(rows, paths)
        return [raw for raw in raws if not _is_base_rate(raw.fields)]

    def teams(self, stream: Stream, ids: Sequence[str]) -> Iterator[Raw]:
        """People with their team as it is now: a changed membership does not stamp the user."""
        rows = [{self._tables.reading(stream).key: one} for one in ids]
        self._lookups.forget_teams()
        self._lookups.fill(rows, remote_fields(stream, self._connection))
        yield from (Raw(stream, row) for row in rows)


def share_column(stream: Stream, connection: DynamicsSettings) -> str | None:
    """The column in per cent that holds a split's share: Dynamics has none of its own, so that the admin names one."""
    source = sources(stream, connection).get("percentage") if stream.kind == "split" else None
    return source if isinstance(source, str) else None


def closed_stages(stream: Stream) -> list[Raw]:
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


def _is_base_rate(row: values.Row) -> bool:
    """Whether a rate would lead from the base currency to itself."""
    return "@to" in row and row["@to"] == row.get("isocurrencycode")
