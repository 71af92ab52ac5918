"""Which columns a stream takes, and which of them are not there just now."""

from collections.abc import Sequence

import structlog

from connectors.base import Stream
from connectors.dynamics.api import DynamicsApi
from connectors.dynamics.history import AUDIT_COLUMNS, CHANGED_DATA
from connectors.dynamics.readings import Tables
from connectors.dynamics.settings import DynamicsSettings
from connectors.dynamics.streams import FILLED
from connectors.errors import ForbiddenError
from connectors.mapping import remote_fields

LABEL = "@label"
"""What a path ends with that takes what Dynamics shows for a column."""

log = structlog.get_logger("connectors.dynamics")


class Columns:
    """The columns of every stream. ``learnt`` keeps for a while which were missing when they were asked for."""

    def __init__(self, api: DynamicsApi, connection: DynamicsSettings, tables: Tables, learnt: dict[str, str]) -> None:
        self._api = api
        self._tables = tables
        self._connection = connection
        self._learnt = learnt

    def wanted(self, stream: Stream) -> list[str]:
        """Every column (some with ``@label``) that the stream's mapping takes, whether it is there or not."""
        if stream.name == "history":
            return [*AUDIT_COLUMNS, CHANGED_DATA]
        reading = self._tables.reading(stream)
        columns = [reading.key]
        for path in remote_fields(stream, self._connection):
            if path in reading.derived:
                columns.extend(reading.derived[path][0])
            elif path in FILLED:
                columns.extend(FILLED[path])
            elif not path.startswith("@"):
                columns.append(path)
        return list(dict.fromkeys([*columns, *reading.also]))

    def visible(self, stream: Stream) -> list[str]:
        """The columns to ask for. Those that were missing are asked for again after a while: they may have come."""
        missing = self._learnt.get(_missing_of(stream), "").split(",")
        return [column for column in self.wanted(stream) if column not in missing]

    def missing(self, stream: Stream, *, fresh: bool = False) -> list[str]:
        """Those columns that the table does not have. Raises ForbiddenError where there is no table."""
        table = self._tables.reading(stream).table
        seen = self._api.describe(table, fresh=fresh)
        if seen is None:
            raise ForbiddenError(
                f"{self._connection.name}: {stream.name}: there is no table {table}. Install the app that brings it, or "
                "switch the stream off"
            )
        return [column for column in self.wanted(stream) if not seen.has(column)]

    def refused(self, stream: Stream, asked: Sequence[str]) -> list[str]:
        """Looks for the columns that a refusal was about: those of the ``asked`` that are not there."""
        missing = [column for column in self.missing(stream, fresh=True) if column in asked]
        if missing:
            log.warning("columns_missing", connection=self._connection.name, stream=stream.name, columns=missing)
        return missing

    def accepted(self, stream: Stream, asked: Sequence[str]) -> None:
        """Keeps for a while what a page was taken without. Where none was, the next pull asks for every column again."""
        hidden = [column for column in self.wanted(stream) if column not in asked]
        if hidden:
            self._learnt[_missing_of(stream)] = ",".join(hidden)

    def lacks(self, stream: Stream, asked: Sequence[str]) -> frozenset[str]:
        """What the mapping misses, as it names it: columns, and paths that are made of one that is missing."""
        hidden = set(self.wanted(stream)) - set(asked) - {CHANGED_DATA}  # without it the details are asked for
        if not hidden:
            return frozenset()
        made_of = {path: needs for path, (needs, _) in self._tables.reading(stream).derived.items()} | dict(FILLED)
        paths = set(remote_fields(stream, self._connection)) & made_of.keys()
        return frozenset(hidden | {path for path in paths if hidden.intersection(made_of[path])})


def _missing_of(stream: Stream) -> str:
    return f"missing:{stream.name}"
