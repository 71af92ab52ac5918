"""Which columns a stream takes, and which of them are not there just now."""

from collections.abc import Sequence
from time import monotonic

import structlog

from connectors.base import Stream
from connectors.dynamics_api import DynamicsApi
from connectors.dynamics_history import AUDIT_COLUMNS, CHANGED_DATA
from connectors.dynamics_readings import READINGS
from connectors.dynamics_settings import DynamicsSettings
from connectors.dynamics_streams import FILLED
from connectors.errors import ForbiddenError
from connectors.mapping import remote_fields

log = structlog.get_logger("connectors.dynamics")


class Columns:
    """The columns of every stream. Keeps for its life which were missing when they were asked for."""

    def __init__(self, api: DynamicsApi, connection: DynamicsSettings) -> None:
        self._api = api
        self._connection = connection
        self._missing: dict[str, tuple[float, list[str]]] = {}

    def wanted(self, stream: Stream) -> list[str]:
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

    def visible(self, stream: Stream) -> list[str]:
        """The columns to ask for. Those that were missing are asked for again after a while: they may have come."""
        since, missing = self._missing.get(stream.name, (0.0, []))
        if missing and monotonic() - since >= self._connection.metadata_every.total_seconds():
            del self._missing[stream.name]
            missing = []
        return [column for column in self.wanted(stream) if column not in missing]

    def missing(self, stream: Stream, *, fresh: bool = False) -> list[str]:
        """Those columns that the table does not have. Raises ForbiddenError where there is no table."""
        table = READINGS[stream.name].table
        seen = self._api.describe(table, fresh=fresh)
        if seen is None:
            raise ForbiddenError(
                f"{self._connection.name}: {stream.name}: there is no table {table}. Install the app that brings it, or "
                "switch the stream off"
            )
        return [column for column in self.wanted(stream) if not seen.has(column)]

    def learn(self, stream: Stream, asked: Sequence[str]) -> bool:
        """Looks for the columns that a refusal was about; whether there was one among those that were ``asked`` for."""
        missing = self.missing(stream, fresh=True)
        if not set(missing) & set(asked):
            return False
        log.warning("columns_missing", connection=self._connection.name, stream=stream.name, columns=missing)
        self._missing[stream.name] = monotonic(), missing
        return True

    def lacks(self, stream: Stream, asked: Sequence[str]) -> frozenset[str]:
        """What the mapping misses, as it names it: columns, and paths that are made of one that is missing."""
        hidden = set(self.wanted(stream)) - set(asked) - {CHANGED_DATA}  # without it the details are asked for
        if not hidden:
            return frozenset()
        made_of = {path: needs for path, (needs, _) in READINGS[stream.name].derived.items()} | dict(FILLED)
        paths = set(remote_fields(stream, self._connection)) & made_of.keys()
        return frozenset(hidden | {path for path in paths if hidden.intersection(made_of[path])})
