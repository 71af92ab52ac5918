"""Which properties a stream asks for: those of its mapping that the service has, which is asked only after a refusal."""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import TypeVar

import structlog

from connectors.base import From, Stream
from connectors.errors import MissingFieldsError, RejectedError
from connectors.mapping import remote_fields, sources
from connectors.sap_api import SapApi
from connectors.sap_history import COLUMNS
from connectors.sap_rows import STAMP
from connectors.sap_settings import SapSettings
from connectors.sap_streams import READINGS

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

    def where(self, stream: Stream) -> str:
        """The condition that every row of a stream fulfils."""
        return READINGS[stream.name].where(self._connection)

    def of(self, stream: Stream) -> list[str]:
        """Every property that the stream's mapping takes, whether the service has it or not."""
        if stream.name == "history":
            return [*COLUMNS, STAMP]
        reading = READINGS[stream.name]
        found = ["ObjectID", STAMP]
        for path in remote_fields(stream, self._connection):
            if path in reading.derived:
                found.extend(reading.derived[path][0])
            elif not path.startswith("@"):
                found.append(path)
        return list(dict.fromkeys(found))

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
        there = self._api.metadata(fresh=True).of(stream.remote)
        named = {column for column in columns if f" {column} " in f" {error.text} "}
        missing = sorted({column for column in columns if there is not None and column not in there} | named - {STAMP})
        if not missing:
            return False
        if {self.key(stream), STAMP, "ObjectID"}.intersection(missing):
            raise MissingFieldsError(
                f"{self._connection.name}: {stream.name}: {stream.remote} has no {' and no '.join(missing)}, or it is not "
                f"in the service {self._api.service}. Nothing of {stream.name} was changed. Add it to the service, or name "
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
