"""Which properties a stream asks for: those of its mapping that the service has, which is asked only after a refusal."""

from collections.abc import Callable, Collection, Sequence
from time import monotonic
from typing import TypeVar

import structlog

from connectors.base import From, Stream
from connectors.errors import MissingFieldsError, RejectedError
from connectors.mapping import paths_of, remote_fields, sources
from connectors.sap.api import SapApi
from connectors.sap.history import COLUMNS
from connectors.sap.rows import STAMP
from connectors.sap.settings import OWN_KINDS, SapSettings
from connectors.sap.streams import READINGS

log = structlog.get_logger("connectors.sap")

T = TypeVar("T")


class Columns:
    """The columns of each stream. ``learnt`` keeps for a while which are hidden, beyond the life of the process."""

    def __init__(self, api: SapApi, connection: SapSettings, learnt: dict[str, str]) -> None:
        self._api = api
        self._connection = connection
        self._learnt = learnt
        self._hidden: dict[str, frozenset[str]] = {}
        self._since: dict[str, float] = {}
        self._again_seconds = connection.metadata_every.total_seconds()

    def key(self, stream: Stream) -> str:
        """The property that a stream's ids are."""
        source = sources(stream, self._connection)["remote_id"]
        return source.path if isinstance(source, From) else str(source)

    def remote(self, stream: Stream) -> str:
        """The set that a stream reads: of what the service has none for, the one that the admin named."""
        return self._connection.object_of(stream.name) or stream.remote

    def stamp(self, stream: Stream) -> str:
        """The property that tells when a row was changed last; "" for an own set that has none to filter by.

        An own set may have another than SAP's: the one that ``modified_at`` is mapped to. The metadata say whether it has.
        """
        if stream.name not in OWN_KINDS:
            return STAMP
        path = next(iter(paths_of(sources(stream, self._connection)["modified_at"])), "")
        key = f"stamp:{self.remote(stream)}:{path}"
        if key not in self._learnt:
            there = self._api.described(self.remote(stream), fresh=True)
            # That a whole set is not there is told by its rows.
            filterable = there is None or (path in there and there[path].filterable)
            self._learnt[key] = "yes" if path and filterable else ""
        return path if self._learnt[key] else ""

    def where(self, stream: Stream) -> str:
        """The condition that every row of a stream fulfils."""
        return READINGS[stream.name].where(self._connection)

    def of(self, stream: Stream) -> list[str]:
        """Every property that the stream's mapping takes, whether the service has it or not."""
        if stream.name == "history":
            return [*COLUMNS, STAMP]
        reading = READINGS[stream.name]
        stamp = self.stamp(stream)
        found = ["ObjectID", *([stamp] if stamp else ())]
        for path in remote_fields(stream, self._connection, without=() if stamp else self._unstamped(stream)):
            if path in reading.derived:
                found.extend(reading.derived[path][0])
            elif not path.startswith("@"):
                found.append(path)
        return list(dict.fromkeys(found))

    def _unstamped(self, stream: Stream) -> Collection[str]:
        """``modified_at``, where nobody has mapped it: an own set need not have SAP's property."""
        mapped = {ours for name in (stream.kind, stream.name) for ours in self._connection.fields.get(name, {})}
        return {"modified_at"} - mapped

    def seen(self, stream: Stream, ask: Callable[[Sequence[str]], T]) -> T:
        """The answer for the columns that there are. Which those are is asked only after a refusal."""
        hidden = self.lacks(stream)
        columns = [column for column in self.of(stream) if column not in hidden]
        try:
            return ask(columns)
        except RejectedError as error:
            if error.status != 400 or not self._learn(stream, columns, error):
                raise
        return ask([column for column in columns if column not in self.lacks(stream)])

    def _learn(self, stream: Stream, columns: Sequence[str], error: RejectedError) -> bool:
        """Whether columns are missing; which, is kept. Raises MissingFieldsError for one that the id or the cursor is."""
        remote, stamp = self.remote(stream), self.stamp(stream)
        there = self._api.described(remote, fresh=True)
        named = {column for column in columns if f" {column} " in f" {error.text} "}
        missing = sorted({column for column in columns if there is not None and column not in there} | named - {stamp})
        if not missing:
            return False
        if {self.key(stream), stamp, "ObjectID"}.intersection(missing):
            raise MissingFieldsError(
                f"{self._connection.name}: {stream.name}: {remote} has no {' and no '.join(missing)}, or it is not "
                f"in its service. Nothing of {stream.name} was changed. Add it to the service, or name "
                f"its successor under fields.{stream.name} of connections/{self._connection.name}.yaml"
            )
        log.warning("fields_hidden", connection=self._connection.name, stream=stream.name, fields=missing)
        self._hidden[stream.name] = self.lacks(stream).union(missing)
        return True

    def lacks(self, stream: Stream) -> frozenset[str]:
        """Columns that are hidden now. They are asked for again after a while, for somebody may have added them."""
        if stream.name in self._hidden:
            return self._hidden[stream.name]
        key = f"hidden:{stream.name}"
        text = self._learnt.get(key, "")
        if text and monotonic() - self._since.setdefault(key, monotonic()) >= self._again_seconds:
            del self._learnt[key], self._since[key]
            text = ""
        return frozenset(text.split(",")) if text else frozenset()

    def settle(self, stream: Stream, *, done: bool) -> None:
        """Keeps for later what was hidden in a pull that was accepted; after another, all columns are asked for again."""
        hidden = self._hidden.pop(stream.name, frozenset())
        if done and hidden:
            self._learnt[f"hidden:{stream.name}"] = ",".join(sorted(hidden))
