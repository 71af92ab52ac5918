"""From a CRM's row to our record: the admin's mapping over the connector's, compiled once per stream.

Contacts, participants and subjects become keyed hashes here, so that nothing behind the door ever sees them.
"""

import difflib
from collections.abc import Collection, Iterable, Mapping
from types import NoneType
from typing import Any, get_args

from pydantic import ValidationError

from connectors.base import From, Stream
from connectors.digests import content_hash, keyed_hash
from connectors.errors import MappingError
from connectors.paths import Read, as_hashes, as_text, read_at, read_extra, read_turned
from connectors.records import RECORDS, Record
from connectors.settings import ConnectionSettings, Constant, FieldSource

__all__ = [
    "Mapper",
    "MappingError",
    "check_fields",
    "content_hash",
    "keyed_hash",
    "paths_of",
    "remote_fields",
    "sources",
    "unfilled",
]

Source = str | From | Constant | Mapping[str, str]
"""Where one of our fields comes from; a map only for ``extra``."""

HASHED_LISTS = ("contact_ids", "participant_ids")
NEEDS_ID = frozenset({"person", "account", "opportunity"})
"""Kinds that change: a hash of their content as an id would make two of one. Rows of others may come without an id."""

_MISFIT = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError)
"""What a connector's ``turn`` raises for a value that it does not understand."""


def sources(stream: Stream, connection: ConnectionSettings) -> dict[str, Source]:
    """Each of our fields with its source: ``fields.<stream>`` over ``fields.<kind>`` over the connector's own mapping.

    Where the connector turns a field's value (a percentage, a date of its CRM's form), it turns the admin's choice too.
    """
    found: dict[str, Source] = dict(stream.fields)
    for name in (stream.kind, stream.name):
        for ours, source in connection.fields.get(name, {}).items():
            found[ours] = _chosen(source, stream.fields.get(ours))
    return found


def _chosen(source: FieldSource, default: str | From | None) -> Source:
    if isinstance(source, str) and isinstance(default, From) and default.turn is not None:
        return From(source, default.turn)
    return source


def remote_fields(stream: Stream, connection: ConnectionSettings, *, without: Collection[str] = ()) -> list[str]:
    """The remote paths that the mapping reads, each once, in order; ``without`` leaves out some fields of ours."""
    paths: dict[str, None] = {}
    for ours, source in sources(stream, connection).items():
        if ours not in without:
            paths.update(dict.fromkeys(paths_of(source)))
    return list(paths)


def paths_of(source: Source) -> Iterable[str]:
    """The remote paths that a source reads."""
    match source:
        case str():
            return (source,)
        case From():
            return (source.path,)
        case Constant():
            return ()
        case _:
            return source.values()


def check_fields(connection: ConnectionSettings, streams: Iterable[Stream]) -> list[str]:
    """What is wrong with the names on the left of ``fields``, each with the nearest valid name; empty if nothing is."""
    records = {name: stream.kind for stream in streams for name in (stream.name, stream.kind)}
    problems: list[str] = []
    for name, mapping in connection.fields.items():
        if name not in records:
            problems.append(f"fields.{name} is not a stream of this connection.{_nearest(name, records)}")
            continue
        known = RECORDS[records[name]].model_fields
        for ours, source in mapping.items():
            if ours not in known:
                problems.append(f"fields.{name}.{ours} is not a field we know.{_nearest(ours, known)}")
            elif (ours == "extra") != isinstance(source, dict):
                problems.append(f"fields.{name}.{ours} {_shape(ours)}")
    return problems


def unfilled(stream: Stream, connection: ConnectionSettings) -> list[str]:
    """Fields that a record of the stream's kind cannot do without and that nothing fills: no row could be read."""
    mapped = {ours for name in (stream.kind, stream.name) for ours in connection.fields.get(name, {})}
    known = {ours for ours, source in stream.fields.items() if not next(iter(paths_of(source))).startswith("@")}
    needed = {ours for ours, field in RECORDS[stream.kind].model_fields.items() if field.is_required()}
    return sorted(needed - mapped - known - stream.constants.keys())


def _shape(ours: str) -> str:
    return "must be a map of names to remote fields." if ours == "extra" else "must be a remote field or {value: TEXT}."


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean {near[0]}?" if near else ""


class Mapper:
    """Turns rows of one stream into validated records: ``mapper(raw.fields)``. MappingError for a row that misfits.

    ``key`` is the store's key for hashes, 16 to 64 bytes. A missing path, None and "" are all "not known".
    """

    def __init__(self, stream: Stream, connection: ConnectionSettings, *, key: bytes) -> None:
        if not 16 <= len(key) <= 64:
            raise ValueError("the key for hashes must have 16 to 64 bytes")
        self.stream = stream
        self.connection = connection
        self.record = RECORDS[stream.kind]
        self.sources = sources(stream, connection)
        self._key = key
        self._check = self.record.__pydantic_validator__.validate_python
        self._constants: dict[str, Any] = {}
        self._plain: list[tuple[str, str]] = []
        self._reads: list[tuple[str, Read]] = []
        for ours, source in ({**dict.fromkeys(stream.constants), **self.sources}).items():
            self._compile(ours, source)
        self._plain_names = tuple(ours for ours, _ in self._plain)
        self._plain_paths = tuple(path for _, path in self._plain)
        # None is no value of these: leaving it out gives the record's default, or the complaint that it is missing.
        self._never_none = tuple(
            ours
            for ours, field in self.record.model_fields.items()
            if NoneType not in get_args(field.annotation) and (ours in self.sources or ours in stream.constants)
        )
        self._hash_as_id = stream.kind not in NEEDS_ID

    def _compile(self, ours: str, source: Source | None) -> None:
        match source:
            case None:
                self._constants[ours] = self.stream.constants[ours]
            case Constant():
                self._constants[ours] = source.value
            case str() if "." not in source and ours not in (*HASHED_LISTS, "subject_hash"):
                self._plain.append((ours, source))
            case str():
                self._reads.append((ours, self._hashed(ours, read_at(source))))
            case From():
                read = read_at(source.path) if source.turn is None else read_turned(source.path, source.turn)
                self._reads.append((ours, self._hashed(ours, read)))
            case _:
                self._reads.append((ours, read_extra(source)))

    def _hashed(self, ours: str, read: Read) -> Read:
        key = self._key
        if ours in HASHED_LISTS:
            return lambda fields: None if (value := read(fields)) is None else as_hashes(key, value)
        if ours == "subject_hash":
            return lambda fields: None if (value := read(fields)) is None else keyed_hash(key, str(value))
        return read

    def __call__(self, fields: Mapping[str, Any]) -> Record:
        """The row as a record."""
        try:
            values = self._values(fields)
            return self._validate(values)
        except ValidationError as error:
            return self._mended(fields, values, error)
        except _MISFIT:
            raise self._misfit(fields) from None

    def part(self, fields: Mapping[str, Any], wanted: Collection[str]) -> tuple[str, dict[str, Any]]:
        """The id of a row, and those of the ``wanted`` fields, unvalidated texts and lists, whose path it has at all."""
        reads = {ours: read_at(path) for ours, path in self._plain} | dict(self._reads)
        there = [ours for ours in wanted if any(path in fields for path in paths_of(self.sources.get(ours, {})))]
        return str(reads["remote_id"](fields)), {ours: reads[ours](fields) for ours in there}

    def _validate(self, values: Mapping[str, Any]) -> Record:
        # Into an instance made here: else pydantic calls SQLModel's own __init__, which calls pydantic again.
        record: Record = self._check(values, self_instance=self.record.__new__(self.record))
        return record

    def _values(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = dict(zip(self._plain_names, map(fields.get, self._plain_paths), strict=True))
        if "" in values.values():
            values = {ours: None if value == "" else value for ours, value in values.items()}
        values.update(self._constants)
        for ours, read in self._reads:
            values[ours] = read(fields)
        for ours in self._never_none:
            if values[ours] is None:
                del values[ours]
        if self._hash_as_id and "remote_id" not in values:
            values["remote_id"] = self._content_id(values)
        return values

    def _content_id(self, values: dict[str, Any]) -> str:
        return content_hash(self._validate({**values, "remote_id": "-"}), without=("remote_id", "deleted"))

    def _mended(self, fields: Mapping[str, Any], values: dict[str, Any], error: ValidationError) -> Record:
        """A second try: numbers where text belongs become text; of a deleted row no more than the id need be known."""
        problems = error.errors(include_url=False, include_context=False)
        if values.get("deleted") and values.get("remote_id") and all(item["type"] == "missing" for item in problems):
            unknown = dict.fromkeys(str(item["loc"][0]) for item in problems)
            return self.record.model_construct(**{**values, **unknown, "deleted": True})
        texts = {str(item["loc"][0]): as_text(item["input"]) for item in problems if item["type"] == "string_type"}
        if len(texts) == len(problems):
            try:
                return self._validate({**values, **texts})
            except ValidationError as again:
                problems = again.errors(include_url=False, include_context=False)
        said = [(str(item["loc"][0]), str(item["msg"]), type(item["input"]).__name__) for item in problems]
        raise self._error(fields, values.get("remote_id"), said)

    def _misfit(self, fields: Mapping[str, Any]) -> MappingError:
        said = []
        for ours, read in self._reads:
            try:
                read(fields)
            except _MISFIT as error:
                said.append((ours, f"cannot be read ({type(error).__name__})", "value"))
        reads = [read for ours, read in self._reads if ours == "remote_id"]
        plain = [path for ours, path in self._plain if ours == "remote_id"]
        remote_id = fields.get(plain[0]) if plain else None
        return self._error(fields, remote_id if remote_id is not None or not reads else reads[0](fields), said)

    def _error(self, fields: Mapping[str, Any], remote_id: Any, said: Iterable[tuple[str, str, str]]) -> MappingError:
        place = getattr(fields, "place", None) or f"{self.stream.name} {remote_id or 'without an id'}"
        texts = []
        for ours, message, kind in said:
            source = self.sources.get(ours)
            path = ", ".join(paths_of(source)) if source is not None else "no remote field"
            texts.append(f"{ours} (from {path}): {message}, got {kind}")
        return MappingError(
            f"{self.connection.name}: {place}: {'; '.join(texts)}. "
            f"Check fields.{self.stream.name} of this connection; this row was skipped, the others were read",
            "" if remote_id is None else str(remote_id),
        )
